// What a script does agrees with the project's manifests, and with how a cluster works.
#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/ir/compare.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

bool is_change_by(const Event& event, std::string_view signature) {
    return event.act == Act::Change && event.verb != nullptr && event.verb->signature.starts_with(signature);
}

// An autoscaler would set another number at once.
void autoscaled(const Picture& picture, const Event& event, Diagnostics& diagnostics) {
    if (!is_change_by(event, "scale ") || event.things.size() != 1) return;
    for (const Object* object : picture.manifests.all()) {
        if (!object->thing.starts_with("horizontalpodautoscaler/")) continue;
        const Thing target =
            object_thing(fmt::format("{}/{}", text_at(object->json, "/spec/scaleTargetRef/kind"),
                                     text_at(object->json, "/spec/scaleTargetRef/name")));
        if (!event.things.contains(target)) continue;
        auto& d = diagnostics.report(Code::Autoscaled, event.step->span,
                                     fmt::format("an autoscaler sets the number of replicas of {}", target));
        d.labels.push_back({picture.manifests.span(*object, "/spec/scaleTargetRef/name"), "this autoscaler"});
        d.notes.emplace_back(
            "the run would refuse it; set its limits instead: `set autoscaling of WORKLOAD to \"2..6\"`");
    }
}

// A tag that is pushed again and again names another image tomorrow.
bool moves(const Picture& picture, const std::string& image) {
    if (image.find('@') != std::string::npos || image.find('$') != std::string::npos) return false;
    const auto colon = image.rfind(':'), slash = image.rfind('/');
    const bool has_tag = colon != std::string::npos && (slash == std::string::npos || colon > slash);
    if (!has_tag) return true;
    static const std::set<std::string, std::less<>> usual = {"latest", "stable", "edge", "main",
                                                             "master", "dev",    "prod", "nightly"};
    const std::string tag = image.substr(colon + 1);
    const auto is_environment = [&](const auto& environment) { return environment.name == tag; };
    return usual.contains(tag) || std::any_of(picture.inventory.environments.begin(),
                                              picture.inventory.environments.end(), is_environment);
}

void report_moving(const Event& event, const std::string& image, std::optional<Span> manifest,
                   Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::MovingTag, event.step->span,
                                 fmt::format("`{}` may name another image tomorrow", image));
    if (manifest) d.labels.push_back({*manifest, "asked for here"});
    d.notes.emplace_back(
        "production could run what staging has never seen, and going back to it would not bring back what ran; "
        "use a version or a digest: `let d = digest of image ..`");
}

void moving_tag(const Picture& picture, const Event& event, Diagnostics& diagnostics) {
    if (event.act != Act::Change) return;
    if (is_change_by(event, "set image "))
        for (const auto& argument : event.arguments) {
            const auto* image = argument ? argument->get_if<std::string>() : nullptr;
            if (image != nullptr && image->find_first_of(":/@") != std::string::npos &&
                moves(picture, *image))
                return report_moving(event, *image, {}, diagnostics);
        }
    if (!is_change_by(event, "apply object ")) return;
    for (const Object* object : picture.manifests.all()) {
        static const json::json_pointer containers("/spec/template/spec/containers");
        if (!event.things.contains(object->thing) || !object->json.contains(containers)) continue;
        std::size_t number = 0;
        for (const json& container : object->json[containers]) {
            const std::string image = text_at(container, "/image");
            if (!image.empty() && moves(picture, image))
                return report_moving(
                    event, image,
                    picture.manifests.span(*object,
                                           fmt::format("/spec/template/spec/containers/{}/image", number)),
                    diagnostics);
            ++number;
        }
    }
}

bool starts_pods_anew(const Event& event, const Thing& workload) {
    return event.act == Act::Change && event.things.contains(workload);
}

// What a pod has read stays what it was until the pod is started anew.
void readers_not_restarted(const Picture& picture, const Course& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    for (auto change = events.begin(); change != events.end(); ++change) {
        if (change->act != Act::Change || change->things.size() != 1) continue;
        const Thing& thing = *change->things.begin();
        const bool is_configuration = thing.starts_with("configmap/") || thing.starts_with("secret/");
        if (!is_configuration) continue;
        const bool all_restarted = std::any_of(change, events.end(), [](const Event& event) {
            return event.act == Act::Change && event.verb->signature == "restart (target: workload)" &&
                   event.things.empty();
        });
        for (const Object* reader : picture.manifests.readers(thing)) {
            if (all_restarted || std::any_of(change, events.end(), [&](const Event& event) {
                    return starts_pods_anew(event, reader->thing);
                }))
                continue;
            auto& d =
                diagnostics.report(Code::ReaderNotRestarted, change->step->span,
                                   fmt::format("{} reads {}, and is not started anew", reader->thing, thing));
            d.primary_label = "changes " + thing;
            d.labels.push_back({picture.manifests.span(*reader, "/metadata/name"), "this reads it"});
            d.notes.emplace_back(
                "its pods would go on with the old values until somebody restarts them, perhaps weeks later: "
                "add `restart WORKLOAD;`");
        }
    }
}

void shrinking_claim(const Picture& picture, const Event& event, Diagnostics& diagnostics) {
    if (!is_change_by(event, "grow volume ") || event.arguments.size() < 2 || !event.arguments[1]) return;
    const auto wanted = amount_of(*event.arguments[1]);
    for (const Object* object : picture.manifests.all()) {
        if (!event.things.contains(object->thing)) continue;
        const auto declared = parse_quantity(text_at(object->json, "/spec/resources/requests/storage"));
        if (!wanted || !declared || wanted->value >= declared->amount) continue;
        auto& d = diagnostics.report(Code::ShrinkingClaim, event.step->span, "a volume cannot shrink");
        d.labels.push_back(
            {picture.manifests.span(*object, "/spec/resources/requests/storage"), "it has more than that"});
        d.notes.emplace_back(
            "the cluster would refuse it; a smaller one is another claim: `use std.replace-claim`");
    }
}

void foreign_namespace(const Picture& picture, const Course& course, const Event& event,
                       Diagnostics& diagnostics) {
    if (!is_change_by(event, "apply object ") || course.environment == nullptr ||
        !course.environment->name_space)
        return;
    const auto* path = event.arguments.size() > 1 && event.arguments[1]
                           ? event.arguments[1]->get_if<std::string>()
                           : nullptr;
    for (const Object* object :
         path != nullptr ? picture.manifests.of(*path) : std::vector<const Object*>{}) {
        const std::string given = text_at(object->json, "/metadata/namespace");
        if (!event.things.contains(object->thing) || given.empty() ||
            given == *course.environment->name_space)
            continue;
        auto& d =
            diagnostics.report(Code::ForeignNamespace, event.step->span,
                               fmt::format("{} is in the namespace {}, and {} is {}", object->thing, given,
                                           course.stage->environment, *course.environment->name_space));
        d.labels.push_back({picture.manifests.span(*object, "/metadata/namespace"), "stated here"});
        d.notes.emplace_back(
            "another environment would be changed, or the cluster would refuse it; leave the "
            "namespace out of the manifest");
    }
}

// The manifest says another number than the script leaves: the next apply undoes the change.
void manifest_disagrees(const Picture& picture, const Course& course, Diagnostics& diagnostics) {
    std::map<Thing, const Event*> last;
    std::set<Thing> edited;  // by the script itself: then the manifest is what it is meant to be
    for (const Event& event : course.forward) {
        if (event.act != Act::Change) continue;
        const bool scales = is_change_by(event, "scale ") && !event.conditional && event.inner == event.step;
        for (const Thing& thing : event.things)
            if (!edited.contains(thing)) last[thing] = scales ? &event : nullptr;
        for (const Thing& thing : event.things)
            if (thing.starts_with("file "))
                for (const Object* object : picture.manifests.of(thing.substr(5)))
                    last[object->thing] = nullptr, edited.insert(object->thing);
    }
    for (const auto& [thing, event] : last) {
        if (event == nullptr || event->effects.empty() || !event->effects[0].value) continue;
        const auto* count = event->effects[0].value->get_if<std::int64_t>();
        for (const Object* object : picture.manifests.all()) {
            static const json::json_pointer replicas("/spec/replicas");
            if (count == nullptr || object->thing != thing || !object->json.contains(replicas) ||
                object->json[replicas] == *count || *count == 0)
                continue;
            auto& d = diagnostics.report(Code::ManifestDisagrees, event->step->span,
                                         fmt::format("the manifest of {} says another number", thing));
            d.primary_label = fmt::format("leaves it at {}", *count);
            d.labels.push_back({picture.manifests.span(*object, "/spec/replicas"),
                                fmt::format("says {}", object->json[replicas].dump())});
            d.notes.emplace_back(
                "the next apply of the manifest would take this change back without a word: change the manifest and "
                "`apply` it, or `set value of \"FILE\" at \"/spec/replicas\"` too");
        }
    }
}

// `http get "http://webapi/health"` from outside: the name is known in the cluster only.
void cluster_only(const Picture& picture, const ir::Step& step, const ir::Stage& stage,
                  Diagnostics& diagnostics) {
    if (!step.condition) return;
    static const RE2 host_of(R"(^https?://(?:[^/@]*@)?([^/:?#]+))");
    const std::function<void(const ir::Expr&)> visit = [&](const ir::Expr& expression) {
        if (expression.kind == ir::ExprKind::Probe) {
            const ir::Probe& probe = picture.program.probes.at(expression.declaration);
            for (std::size_t i = 0; i + 1 < expression.children.size(); ++i) {
                const bool asks = probe.parameters.at(i).type.kind == ir::TypeKind::Url &&
                                  probe.signature.find("[from inside]") != std::string::npos;
                if (!asks) continue;
                const auto url = picture.timeline.value(expression.children[i], stage);
                std::string host;
                if (!url || !RE2::PartialMatch(show(*url), host_of, &host) || host == "localhost" ||
                    host.starts_with("["))
                    continue;
                const bool known_inside_only = host.find('.') == std::string::npos ||
                                               host.ends_with(".svc") || host.ends_with(".cluster.local");
                const bool inside = std::any_of(
                    expression.children.begin(), expression.children.end(), [](const ir::Expr& argument) {
                        const bool* given = argument.value.get_if<bool>();
                        return argument.kind == ir::ExprKind::Literal && given != nullptr && *given;
                    });
                if (!known_inside_only || inside) continue;
                auto& d = diagnostics.report(Code::ClusterOnly, expression.span,
                                             fmt::format("`{}` is a name that only the cluster knows", host));
                d.notes.emplace_back(
                    "asked from here it fails whatever state the service is in; ask `from inside`");
            }
        }
        for (const ir::Expr& child : expression.children) visit(child);
    };
    visit(*step.condition);
}

}  // namespace

void kubernetes(const Picture& picture, Diagnostics& diagnostics) {
    for (const Course& course : picture.timeline.courses()) {
        const bool is_protected = course.environment != nullptr && course.environment->is_protected;
        for (const Event& event : course.forward) {
            if (is_protected) moving_tag(picture, event, diagnostics);
            foreign_namespace(picture, course, event, diagnostics);
            if (course.stage->repeats) continue;
            autoscaled(picture, event, diagnostics);
            shrinking_claim(picture, event, diagnostics);
        }
        if (course.stage->repeats) continue;
        readers_not_restarted(picture, course, diagnostics);
        manifest_disagrees(picture, course, diagnostics);
        each_step(course.stage->steps,
                  [&](const ir::Step& step) { cluster_only(picture, step, *course.stage, diagnostics); });
    }
}

}  // namespace migc::checks
