// What a script does agrees with the project's manifests, and with how a cluster works.
#include <algorithm>
#include <functional>
#include <unordered_map>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/kubernetes/image_name.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;
using Events = std::vector<Event>;

// What is told of a step once is not told again of the stage that repeats it, or of each round of a loop.
class Told {
  public:
    bool first(Code code, const ir::Step& step, const std::string& about) {
        return told_.insert({code, step.span.file, step.span.begin, about}).second;
    }

  private:
    std::set<std::tuple<Code, FileId, std::uint32_t, std::string>> told_;
};

// The manifests as the environment of a stage has them.
class EvalContext {
  public:
    EvalContext(const CheckContext& picture, const StageEvents& course)
        : picture_(picture), course_(course) {}

    [[nodiscard]] Manifests::Objects named(const ResourceKey& thing) const {
        return of(picture_.manifests.declaring(thing));
    }
    [[nodiscard]] Manifests::Objects readers(const ResourceKey& thing) const {
        return of(picture_.manifests.readers(thing));
    }
    [[nodiscard]] Manifests::Objects autoscalers(const ResourceKey& thing) const {
        return of(picture_.manifests.autoscalers(thing));
    }

  private:
    [[nodiscard]] Manifests::Objects of(const Manifests::Objects& objects) const {
        return picture_.resources.of_environment(objects, course_.stage->environment);
    }

    const CheckContext& picture_;
    const StageEvents& course_;
};

bool is_gone(const Effect& effect) {
    return effect.becomes == ir::Becomes::Absent && effect.pointer && effect.pointer->empty();
}

// An autoscaler would set another number at once.
void autoscaled(const CheckContext& picture, const StageEvents& course, Told& told,
                Diagnostics& diagnostics) {
    const EvalContext eval_context(picture, course);
    std::set<ResourceKey> gone;
    const auto check = [&](const Event& event) {
        for (const Effect& effect : event.effects) {
            if (is_gone(effect)) gone.insert(effect.thing);
            const auto count = count_of(effect);
            if (!count) continue;
            for (const Object* scaler : eval_context.autoscalers(count->workload)) {
                if (gone.contains(scaler->thing)) continue;
                if (!told.first(Code::Autoscaled, *event.step, scaler->file)) continue;
                auto& d = diagnostics.report(
                    Code::Autoscaled, event.step->span,
                    fmt::format("an autoscaler sets the number of replicas of {}", count->workload));
                d.labels.push_back(
                    {picture.manifests.span(*scaler, "/spec/scaleTargetRef/name"), "this autoscaler"});
                d.notes.emplace_back(
                    "the run would refuse it; set its limits instead: `set autoscaling of WORKLOAD to \"2..6\"`");
            }
        }
    };
    for (const auto* events : {&course.forward, &course.failure})
        for (const Event& event : *events)
            if (event.act == EventKind::Change) check(event);
}

bool moves(const CheckContext& picture, const std::string& image) {
    std::vector<std::string> environments;
    for (const auto& environment : picture.inventory.environments) environments.push_back(environment.name);
    return kubernetes::is_moving(image, environments);
}

// Calls visit(image, pointer) for each container's image.
template <typename Visit>
void each_image(const json& part, const std::string& pointer, const Visit& visit) {
    if (part.is_object())
        for (const auto& [key, value] : part.items()) {
            const bool lists = (key == "containers" || key == "initContainers") && value.is_array();
            for (std::size_t i = 0; lists && i < value.size(); ++i)
                visit(text_field(value[i], "/image"), fmt::format("{}/{}/{}/image", pointer, key, i));
            if (!lists && value.is_structured() && key.find('/') == std::string::npos)
                each_image(value, pointer + "/" + key, visit);
        }
}

void report_moving(const Event& event, const std::string& image, Told& told, Diagnostics& diagnostics,
                   const std::function<std::optional<Span>()>& manifest) {
    if (!told.first(Code::MovingTag, *event.step, image)) return;
    const auto place = manifest();
    auto& d = diagnostics.report(Code::MovingTag, event.step->span,
                                 fmt::format("`{}` may name another image tomorrow", image));
    if (place) d.labels.push_back({*place, "asked for here"});
    d.notes.emplace_back(
        "production could run what staging has never seen, and going back to it would not bring back what ran; "
        "use a version or a digest: `let d = digest of image ..`");
}

void moving_tag(const CheckContext& picture, const Event& event, Told& told, Diagnostics& diagnostics) {
    if (event.act != EventKind::Change) return;
    for (const Effect& effect : event.effects) {
        const auto* image = effect.value ? effect.value->get_if<std::string>() : nullptr;
        const bool is_image = effect.pointer && effect.pointer->ends_with("ontainers/*/image");
        if (is_image && is_live(effect.thing) && image != nullptr && moves(picture, *image))
            report_moving(event, *image, told, diagnostics, [] { return std::nullopt; });
    }
    if (event.object == nullptr) return;
    each_image(event.object->json, "", [&](const std::string& image, const std::string& pointer) {
        if (!moves(picture, image)) return;
        report_moving(event, image, told, diagnostics, [&]() -> std::optional<Span> {
            for (const Object* written : picture.manifests.declaring(event.object->thing))
                if (written->file == event.object->file && text_field(written->json, pointer) == image)
                    return picture.manifests.span(*written, pointer);
            return std::nullopt;
        });
    });
}

void moving_tags(const CheckContext& picture, const StageEvents& course, Told& told,
                 Diagnostics& diagnostics) {
    for (const auto* events : {&course.forward, &course.failure})
        for (const Event& event : *events) moving_tag(picture, event, told, diagnostics);
    for (const OwnUndo& own : course.undos)
        for (const Event& event : own.back) moving_tag(picture, event, told, diagnostics);
}

// What makes a workload's pods start anew. What has no effect that is declared may do anything to the
// workload that it is given.
class Restarts {
  public:
    Restarts(const Resources& resources, const Events& events) : events_(events) {
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (events[i].act != EventKind::Change && events[i].act != EventKind::Other) continue;
            for (const Effect& effect : events[i].effects)
                if (starts_pods_anew(effect)) of_[effect.thing].push_back(i);
            if (!events[i].effects.empty()) continue;
            for (const auto& argument : events[i].arguments)
                if (const auto* given = argument ? argument->get_if<ResourceRef>() : nullptr)
                    of_[resources.thing(*given)].push_back(i);
        }
    }

    // Whether one follows an event, of this workload or of one that only a run can tell.
    [[nodiscard]] bool follows(std::size_t change, const ResourceKey& workload) const {
        for (const ResourceKey& thing : {workload, ResourceKey()})
            if (const auto found = of_.find(thing); found != of_.end())
                for (auto at = found->second.rbegin(); at != found->second.rend() && *at >= change; ++at)
                    if (!exclusive(events_[*at], events_[change]) &&
                        !concurrent(events_[*at], events_[change]))
                        return true;
        return false;
    }
    // The last that comes before an event; null if none does.
    [[nodiscard]] const Event* before(std::size_t change, const ResourceKey& workload) const {
        const auto found = of_.find(workload);
        const Event* last = nullptr;
        for (const std::size_t at : found == of_.end() ? std::vector<std::size_t>() : found->second)
            if (at < change && !exclusive(events_[at], events_[change])) last = &events_[at];
        return last;
    }
    [[nodiscard]] bool any(const ResourceKey& workload) const {
        return of_.contains(workload) || of_.contains(ResourceKey());
    }

  private:
    const Events& events_;
    std::unordered_map<ResourceKey, std::vector<std::size_t>> of_;
};

bool is_configuration(const ResourceKey& thing) {
    return thing.starts_with("configmap/") || thing.starts_with("secret/");
}

// Calls visit(number, thing, reader) for each change of a configuration whose reader has pods then.
template <typename Visit>
void each_read_change(const EvalContext& eval_context, const Events& events, const Visit& visit) {
    std::set<ResourceKey> without_pods;
    std::unordered_map<ResourceKey, Manifests::Objects> readers;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i].act != EventKind::Change) continue;
        for (const Effect& effect : events[i].effects) {
            const auto count = count_of(effect);
            if (count && count->number == 0 && !events[i].conditional) without_pods.insert(count->workload);
            if (count && count->number != 0) without_pods.erase(count->workload);
            if (!is_configuration(effect.thing) || is_gone(effect)) continue;
            const auto [entry, is_new] = readers.try_emplace(effect.thing);
            if (is_new) entry->second = eval_context.readers(effect.thing);
            for (const Object* reader : entry->second)
                if (!without_pods.contains(reader->thing)) visit(i, effect.thing, *reader);
        }
    }
}

// How a script calls a workload.
std::string name_in_script(const project::Inventory& inventory, const ResourceKey& workload) {
    for (const auto& [alias, handle] : inventory.workloads)
        if (object_key(handle) == workload) return alias;
    constexpr std::string_view usual = "deployment/";
    return workload.starts_with(usual) ? workload.substr(usual.size()) : "WORKLOAD";
}

// `earlier`: what has started it anew before the change; null if nothing has.
void report_reader(const CheckContext& picture, const Event& change, const ResourceKey& thing,
                   const Object& reader, const Event* earlier, Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::ReaderNotRestarted, change.step->span,
                                 fmt::format("{} reads {}, and is not started anew", reader.thing, thing));
    d.primary_label = "changes " + thing;
    d.labels.push_back({picture.manifests.span(reader, "/metadata/name"), "this reads it"});
    if (earlier != nullptr && earlier->step != change.step)
        d.labels.push_back({earlier->step->span, "it is started anew here, before this change"});
    d.notes.push_back(
        fmt::format("its pods would keep the old values until somebody restarts them, perhaps weeks later: "
                    "{} `restart {};`{}",
                    earlier == nullptr ? "add" : "put", name_in_script(picture.inventory, reader.thing),
                    earlier == nullptr ? "" : " behind this change"));
}

// Whether migc takes back the steps, or a person takes over, behind an event of a failure block.
bool undoes_behind(const Events& failure, std::size_t at) {
    return std::any_of(failure.begin() + static_cast<std::ptrdiff_t>(at), failure.end(),
                       [](const Event& event) {
                           return event.act == EventKind::Undo || event.act == EventKind::UndoAll ||
                                  event.act == EventKind::Hold;
                       });
}

// What a pod has read stays what it was until the pod is started anew. That holds for the way back, too: what
// the stage has started anew has read the new values.
void readers_not_restarted(const CheckContext& picture, const StageEvents& course, Told& told,
                           Diagnostics& diagnostics) {
    const EvalContext eval_context(picture, course);
    const Restarts forward(picture.resources, course.forward), back(picture.resources, course.failure);
    each_read_change(
        eval_context, course.forward, [&](std::size_t at, const ResourceKey& thing, const Object& reader) {
            const Event& change = course.forward[at];
            if (!forward.follows(at, reader.thing) &&
                told.first(Code::ReaderNotRestarted, *change.step, reader.thing))
                report_reader(picture, change, thing, reader, forward.before(at, reader.thing), diagnostics);
        });
    each_read_change(
        eval_context, course.failure, [&](std::size_t at, const ResourceKey& thing, const Object& reader) {
            const Event& change = course.failure[at];
            if (forward.any(reader.thing) && !back.follows(at, reader.thing) &&
                !undoes_behind(course.failure, at) &&
                told.first(Code::ReaderNotRestarted, *change.step, reader.thing))
                report_reader(picture, change, thing, reader, back.before(at, reader.thing), diagnostics);
        });
}

std::optional<double> amount(const std::string& text) {
    const auto quantity = parse_quantity(text);
    return quantity ? std::optional(quantity->amount) : std::nullopt;
}

// Sizes of claims as a stage goes on. What is deleted may come back smaller.
class Claims {
  public:
    Claims(const CheckContext& picture, const StageEvents& course, Told& told, Diagnostics& diagnostics)
        : picture_(picture), eval_context_(picture, course), told_(told), diagnostics_(diagnostics) {}

    void check(const Event& event) {
        if (event.act != EventKind::Change) return;
        for (const Effect& effect : event.effects) {
            if (effect.thing.starts_with("file ")) edits_[effect.thing.substr(5)] = &event;
            if (!effect.thing.starts_with("persistentvolumeclaim/")) continue;
            if (is_gone(effect))
                sizes_[effect.thing] = {0, std::nullopt};
            else if (effect.pointer == storage && effect.value)
                set(event, effect.thing, amount(show(*effect.value)), nullptr);
            else if (event.object != nullptr && event.object->thing == effect.thing)
                set(event, effect.thing, amount(text_field(event.object->json, storage)), event.object);
        }
    }

  private:
    static constexpr const char* storage = "/spec/resources/requests/storage";
    struct Size {
        double amount = 0;
        std::optional<Span> place;
    };

    Size& size_of(const ResourceKey& claim) {
        const auto [entry, is_new] = sizes_.try_emplace(claim);
        if (is_new)
            for (const Object* object : eval_context_.named(claim))
                if (const auto declared = amount(text_field(object->json, storage));
                    declared && *declared > entry->second.amount)
                    entry->second = {*declared, picture_.manifests.span(*object, storage)};
        return entry->second;
    }

    void set(const Event& event, const ResourceKey& claim, std::optional<double> wanted,
             const Object* applied) {
        Size& size = size_of(claim);
        if (!wanted) return;
        // Where the script itself has written the smaller size into the manifest, that is the mistake.
        const auto edit = applied != nullptr ? edits_.find(applied->file) : edits_.end();
        const ir::Step& step = edit != edits_.end() ? *edit->second->step : *event.step;
        if (*wanted < size.amount && told_.first(Code::ShrinkingClaim, step, claim)) {
            auto& d = diagnostics_.report(Code::ShrinkingClaim, step.span, "a volume cannot shrink");
            if (size.place) d.labels.push_back({*size.place, "it has more than that"});
            if (&step != event.step) d.labels.push_back({event.step->span, "the cluster would refuse this"});
            d.notes.emplace_back(
                "the cluster would refuse it; a smaller one is another claim: `use std.replace-claim`");
        }
        if (*wanted > size.amount) size = {*wanted, event.step->span};
    }

    const CheckContext& picture_;
    EvalContext eval_context_;
    Told& told_;
    Diagnostics& diagnostics_;
    std::unordered_map<ResourceKey, Size> sizes_;
    std::unordered_map<std::string, const Event*> edits_;
};

void shrinking_claims(const CheckContext& picture, const StageEvents& course, Told& told,
                      Diagnostics& diagnostics) {
    Claims claims(picture, course, told, diagnostics);
    for (const Event& event : course.forward) claims.check(event);
    for (const Event& event : course.failure) claims.check(event);
    for (const OwnUndo& own : course.undos)
        for (const Event& event : own.back) claims.check(event);
}

// The environment whose namespace a handle names: "configmap/shop/settings".
const project::Environment* named_by_handle(const CheckContext& picture, const std::string& handle) {
    const auto first = handle.find('/'), last = handle.rfind('/');
    if (first == last) return nullptr;
    const std::string name_space = handle.substr(first + 1, last - first - 1);
    for (const auto& environment : picture.inventory.environments)
        if (environment.name_space == name_space) return &environment;
    return nullptr;
}

void foreign_handle(const CheckContext& picture, const StageEvents& course, const Event& event, Told& told,
                    Diagnostics& diagnostics) {
    for (const auto& argument : event.arguments) {
        const auto* resource = argument ? argument->get_if<ResourceRef>() : nullptr;
        const auto* other = resource != nullptr ? named_by_handle(picture, resource->name) : nullptr;
        if (other == nullptr || other->name_space == course.environment->name_space ||
            !told.first(Code::ForeignNamespace, *event.step, resource->name))
            continue;
        auto& d = diagnostics.report(Code::ForeignNamespace, event.step->span,
                                     fmt::format("{} is in the namespace of {}, and this stage is for {}",
                                                 resource->name, other->name, course.stage->environment));
        d.notes.emplace_back("another environment would be changed; leave the namespace out");
    }
}

void foreign_namespace(const CheckContext& picture, const StageEvents& course, const Event& event, Told& told,
                       Diagnostics& diagnostics) {
    if (event.act != EventKind::Change || course.environment == nullptr || !course.environment->name_space)
        return;
    foreign_handle(picture, course, event, told, diagnostics);
    if (event.object == nullptr) return;
    const std::string given = text_field(event.object->json, "/metadata/namespace");
    if (given.empty() || given == *course.environment->name_space) return;
    if (!told.first(Code::ForeignNamespace, *event.step, event.object->thing + given)) return;
    auto& d =
        diagnostics.report(Code::ForeignNamespace, event.step->span,
                           fmt::format("{} is in the namespace {}, and {} is {}", event.object->thing, given,
                                       course.stage->environment, *course.environment->name_space));
    for (const Object* written : picture.manifests.declaring(event.object->thing))
        if (written->file == event.object->file && text_field(written->json, "/metadata/namespace") == given)
            d.labels.push_back({picture.manifests.span(*written, "/metadata/namespace"), "stated here"});
    for (const Event& earlier : course.forward) {
        for (const Edit& edit : edits_of(earlier))
            if (edit.file == event.object->file && edit.value == json(given) &&
                edit.pointer.ends_with("/metadata/namespace"))
                d.labels.push_back({earlier.step->span, "set here"});
    }
    d.notes.emplace_back(
        "another environment would be changed, or the cluster would refuse it; leave the "
        "namespace out of the manifest");
}

constexpr std::size_t most_ways = 32;  // of a stage that end with a number of their own

// The steps that may be the last to set a workload's number, each on its way through the stage.
std::map<ResourceKey, std::vector<std::pair<const Event*, std::int64_t>>> last_counts(
    const CheckContext& picture, const Events& events) {
    std::map<ResourceKey, std::vector<std::pair<const Event*, std::int64_t>>> last;
    for (const Event& event : events) {
        if (event.act != EventKind::Change) continue;
        for (const Effect& effect : event.effects) {
            const bool whole = effect.pointer && effect.pointer->empty();
            const auto count = count_of(effect);
            if (effect.thing.empty() || (!whole && !count)) continue;
            auto& setters = last[effect.thing];
            std::erase_if(setters, [&](const auto& one) {
                return event.branch == nullptr || one.first->branch == event.branch;
            });
            if (setters.size() == most_ways) setters.erase(setters.begin());
            const bool is_script = picture.timeline.is_own(event.inner->span);
            if (count && count->number && is_script) setters.emplace_back(&event, *count->number);
        }
    }
    return last;
}

// What the manifests of an environment say of a number of replicas, with what the script edits in them; those
// of its own folder go first.
std::vector<std::pair<const Object*, json>> stated_counts(const CheckContext& picture,
                                                          const StageEvents& course,
                                                          const ResourceKey& thing) {
    static const json::json_pointer replicas("/spec/replicas");
    std::vector<std::pair<const Object*, json>> stated, own;
    for (const Object* object : EvalContext(picture, course).named(thing)) {
        const json* now = picture.files.object(*object);
        if (now == nullptr) return {};
        if (!now->contains(replicas)) continue;
        auto& list = picture.resources.is_of_one(object->file) ? own : stated;
        list.emplace_back(object, (*now)[replicas]);
    }
    return own.empty() ? stated : own;
}

// The manifest says another number than the script leaves: the next apply undoes the change.
void manifest_disagrees(const CheckContext& picture, const StageEvents& course, Told& told,
                        Diagnostics& diagnostics) {
    for (const auto& [thing, setters] : last_counts(picture, course.forward)) {
        const auto stated = setters.empty() ? std::vector<std::pair<const Object*, json>>{}
                                            : stated_counts(picture, course, thing);
        for (const auto& [event, count] : setters) {
            const auto says = [&wanted = count](const auto& one) { return one.second == wanted; };
            if (count == 0 || stated.empty() || std::any_of(stated.begin(), stated.end(), says)) continue;
            if (!told.first(Code::ManifestDisagrees, *event->step, thing)) continue;
            auto& d = diagnostics.report(Code::ManifestDisagrees, event->step->span,
                                         fmt::format("the manifest of {} says another number", thing));
            d.primary_label = fmt::format("leaves it at {}", count);
            for (const auto& [object, number] : stated) {
                const json* written = value_at(object->json, "/spec/replicas");
                d.labels.push_back(
                    {picture.manifests.span(*object, "/spec/replicas"),
                     fmt::format("{} {}", written != nullptr && *written == number ? "says" : "is to say",
                                 number.dump())});
            }
            const Object& first = *stated.front().first;
            const bool is_one_of_several = picture.manifests.of(first.file).size() > 1;
            d.notes.push_back(fmt::format(
                "the next apply of the manifest would take this change back without a word: change the manifest and "
                "`apply` it, or `set value of \"{}\" at \"{}/spec/replicas\"` too",
                first.file, is_one_of_several ? fmt::format("/{}", first.document) : ""));
        }
    }
}

// Whether nobody but the cluster knows a host: a service's name, alone or with its namespace.
bool known_inside_only(const CheckContext& picture, const std::string& host) {
    if (host == "localhost" || host.starts_with("[")) return false;
    const auto dot = host.find('.');
    if (dot == std::string::npos || host.ends_with(".svc") || host.ends_with(".cluster.local")) return true;
    return std::any_of(picture.inventory.environments.begin(), picture.inventory.environments.end(),
                       [&](const auto& one) { return one.name_space == host.substr(dot + 1); });
}

// `http get "http://webapi/health"` from outside: the name is known in the cluster only.
void cluster_only(const CheckContext& picture, const Events& events,
                  std::set<Span, bool (*)(const Span&, const Span&)>& told, Diagnostics& diagnostics) {
    static const RE2 host_of(R"(^https?://(?:[^/@]*@)?([^/:?#]+))");
    for (const Event& event : events)
        for (const Asked& asked : event.asked) {
            std::string host;
            if (asked.inside || !RE2::PartialMatch(asked.address, host_of, &host) ||
                !known_inside_only(picture, host))
                continue;
            // What a verb was given stands where it was called.
            const bool is_given = event.inner != event.step && asked.written->kind == ir::ExprKind::Local;
            const bool is_here = !is_given && picture.timeline.is_own(asked.written->span);
            const Span place = is_here ? asked.written->span : event.step->span;
            if (!told.insert(place).second) continue;
            auto& d = diagnostics.report(Code::ClusterOnly, place,
                                         fmt::format("`{}` is a name that only the cluster knows", host));
            d.notes.emplace_back(
                "asked from here it fails whatever state the service is in; ask `from inside`");
        }
}

void cluster_only(const CheckContext& picture, Diagnostics& diagnostics) {
    const auto before = [](const Span& a, const Span& b) {
        return std::tie(a.file, a.begin, a.end) < std::tie(b.file, b.begin, b.end);
    };
    std::set<Span, bool (*)(const Span&, const Span&)> told(before);
    for (const StageEvents& course : picture.timeline.courses()) {
        for (const auto* events :
             {&course.lets, &course.gates, &course.forward, &course.throughout, &course.failure})
            cluster_only(picture, *events, told, diagnostics);
        for (const OwnUndo& own : course.undos) cluster_only(picture, own.back, told, diagnostics);
    }
}

}  // namespace

void kubernetes(const CheckContext& picture, Diagnostics& diagnostics) {
    Told told;
    for (const StageEvents& course : picture.timeline.courses()) {
        if (course.environment != nullptr && course.environment->is_protected)
            moving_tags(picture, course, told, diagnostics);
        for (const auto* events : {&course.forward, &course.failure})
            for (const Event& event : *events) foreign_namespace(picture, course, event, told, diagnostics);
        autoscaled(picture, course, told, diagnostics);
        shrinking_claims(picture, course, told, diagnostics);
        readers_not_restarted(picture, course, told, diagnostics);
        manifest_disagrees(picture, course, told, diagnostics);
    }
    cluster_only(picture, diagnostics);
}

}  // namespace migc::checks
