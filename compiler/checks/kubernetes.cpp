// What a script does agrees with the project's manifests, and with how a cluster works.
#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/kubernetes/image_name.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "compiler/support/find.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// What is told of a step once is not told again of the stage that repeats it, or of each round of a loop.
class Told {
  public:
    bool first(Code code, const ir::Step& step, std::string_view about) {
        return told_.emplace(code, step.span.file, step.span.begin, about).second;
    }

  private:
    std::set<std::tuple<Code, FileId, std::uint32_t, std::string>> told_;
};

bool is_gone(const Effect& effect) {
    return effect.becomes == ir::Becomes::Absent && effect.pointer && effect.pointer->empty();
}

// How a script calls a workload.
std::string name_in_script(const project::Inventory& inventory, const ResourceKey& workload) {
    for (const auto& [alias, handle] : inventory.workloads)
        if (ResourceKey::object(handle) == workload) return alias;
    return workload.is("deployment") ? workload.name() : "WORKLOAD";
}

// What sets the number of a workload's pods beside its autoscaler. Of autoscalers the manifests tell; whether
// the cluster has them only a run can see.
class Autoscaled : StageCheck {
  public:
    Autoscaled(const CheckContext& picture, const StageEvents& course, Told& told, Diagnostics& diagnostics)
        : StageCheck(picture, course, diagnostics), surroundings_(picture, course), told_(told) {}

    void check() {
        for (const auto* events : {&course_.forward, &course_.failure})
            for (const Event& event : *events)
                if (event.is_change()) check(event);
    }

  private:
    void check(const Event& event) {
        for (const Effect& effect : event.effects) {
            if (is_gone(effect)) gone_.insert(effect.thing);
            if (const auto count = count_of(effect))
                each_autoscaler(event, count->workload,
                                [&](const Object& one) { report_scaled(event, count->workload, one); });
        }
        const Object* applied = event.object;
        if (applied != nullptr && value_at(applied->json, count_of_pods) != nullptr)
            each_autoscaler(event, applied->thing,
                            [&](const Object& one) { report_applied(event, *applied, one); });
    }

    template <typename Report>
    void each_autoscaler(const Event& event, const ResourceKey& workload, const Report& report) {
        for (const Object* scaler : surroundings_.autoscalers(workload))
            if (!gone_.contains(scaler->thing) && told_.first(Code::Autoscaled, *event.step, scaler->file))
                report(*scaler);
    }

    Diagnostic& report(const Event& event, const ResourceKey& workload, const Object& scaler) {
        auto& d =
            diagnostics_.report(Code::Autoscaled, event.step->span,
                                fmt::format("an autoscaler sets the number of replicas of {}", workload));
        d.label(picture_.manifests.span(scaler, "/spec/scaleTargetRef/name"), "this autoscaler");
        return d;
    }

    void report_scaled(const Event& event, const ResourceKey& workload, const Object& scaler) {
        report(event, workload, scaler)
            .note(fmt::format(
                "where the cluster has it, the run refuses the step or another number is set at once; set its "
                "limits instead: `set autoscaling of {} to \"2..6\"`",
                name_in_script(picture_.inventory, workload)));
    }

    void report_applied(const Event& event, const Object& applied, const Object& scaler) {
        auto& d = report(event, applied.thing, scaler);
        for (const Object* written : picture_.manifests.declaring(applied.thing))
            if (written->file == applied.file && value_at(written->json, count_of_pods) != nullptr)
                d.label(picture_.manifests.span(*written, count_of_pods), "this manifest sets it, too");
        d.note(
            "where the cluster has it, each apply sets the number back, perhaps when the load is highest; leave `replicas` out of "
            "the manifest");
    }

    static constexpr const char* count_of_pods = "/spec/replicas";
    Surroundings surroundings_;
    Told& told_;
    std::set<ResourceKey> gone_;
};

bool moves(const CheckContext& picture, const std::string& image) {
    return kubernetes::is_moving(image, names_of(picture.inventory.environments));
}

// Where the manifest of an applied object says a text by itself; nothing where a step has edited it in.
std::optional<Span> place_written(const CheckContext& picture, const Object& applied,
                                  const std::string& pointer, const std::string& text) {
    for (const Object* written : picture.manifests.declaring(applied.thing))
        if (written->file == applied.file && text_field(written->json, pointer) == text)
            return picture.manifests.span(*written, pointer);
    return std::nullopt;
}

void moving_tag(const CheckContext& picture, const Event& event, Told& told, Diagnostics& diagnostics) {
    const auto look = [&](const std::string& image, const std::string& pointer) {
        if (!moves(picture, image) || !told.first(Code::MovingTag, *event.step, image)) return;
        const auto place =
            pointer.empty() ? std::nullopt : place_written(picture, *event.object, pointer, image);
        auto& d = diagnostics.report(Code::MovingTag, event.step->span,
                                     fmt::format("`{}` may name another image tomorrow", image));
        if (place) d.label(*place, "asked for here");
        d.note(
            "production could run what staging has never seen, and going back to it would not bring back what ran; "
            "use a version or a digest: `let d = digest of image ..`");
    };
    if (!event.is_change()) return;
    for (const Effect& effect : event.effects) {
        const auto* image = effect.value ? effect.value->get_if<std::string>() : nullptr;
        if (is_image_of_container(effect) && is_live(effect.thing) && image != nullptr) look(*image, "");
    }
    if (event.object != nullptr) each_image(event.object->json, "", look);
}

// What makes a workload's pods start anew. What has no effect that is declared may do anything to the
// workload that it is given.
class Restarts {
  public:
    Restarts(const Resources& resources, const Events& events) : events_(events) {
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (!events[i].is_change() && events[i].act != EventKind::Other) continue;
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

// Calls visit(number, thing, reader) for each change of a configuration whose reader has pods then.
template <typename Visit>
void each_read_change(const Surroundings& surroundings, const Events& events, const Visit& visit) {
    std::set<ResourceKey> without_pods;
    std::unordered_map<ResourceKey, Manifests::Objects> readers;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!events[i].is_change()) continue;
        for (const Effect& effect : events[i].effects) {
            const auto count = count_of(effect);
            if (count && count->number == 0 && !events[i].conditional) without_pods.insert(count->workload);
            if (count && count->number != 0) without_pods.erase(count->workload);
            if (!effect.thing.is_configuration() || is_gone(effect)) continue;
            const auto [entry, is_new] = readers.try_emplace(effect.thing);
            if (is_new) entry->second = surroundings.readers(effect.thing);
            for (const Object* reader : entry->second)
                if (!without_pods.contains(reader->thing)) visit(i, effect.thing, *reader);
        }
    }
}

// `earlier`: what has started it anew before the change; null if nothing has.
void report_reader(const CheckContext& picture, const Event& change, const ResourceKey& thing,
                   const Object& reader, const Event* earlier, Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::ReaderNotRestarted, change.step->span,
                                 fmt::format("{} reads {}, and is not started anew", reader.thing, thing));
    d.primary_label = "changes " + thing.text;
    d.label(picture.manifests.span(reader, "/metadata/name"), "this reads it");
    if (earlier != nullptr && earlier->step != change.step)
        d.label(earlier->step->span, "it is started anew here, before this change");
    d.note(
        fmt::format("its pods would keep the old values until somebody restarts them, perhaps weeks later: "
                    "{} `restart {};`{}",
                    earlier == nullptr ? "add" : "put", name_in_script(picture.inventory, reader.thing),
                    earlier == nullptr ? "" : " behind this change"));
}

// What a pod has read stays what it was until the pod is started anew. That holds for the way back, too: what
// the stage has started anew has read the new values.
void readers_not_restarted(const CheckContext& picture, const StageEvents& course, Told& told,
                           Diagnostics& diagnostics) {
    const Surroundings surroundings(picture, course);
    const Restarts forward(picture.resources, course.forward), back(picture.resources, course.failure);
    each_read_change(
        surroundings, course.forward, [&](std::size_t at, const ResourceKey& thing, const Object& reader) {
            const Event& change = course.forward[at];
            if (!forward.follows(at, reader.thing) &&
                told.first(Code::ReaderNotRestarted, *change.step, reader.thing.text))
                report_reader(picture, change, thing, reader, forward.before(at, reader.thing), diagnostics);
        });
    each_read_change(
        surroundings, course.failure, [&](std::size_t at, const ResourceKey& thing, const Object& reader) {
            const Event& change = course.failure[at];
            if (forward.any(reader.thing) && !back.follows(at, reader.thing) &&
                !undoes_or_holds(course.failure.begin() + static_cast<std::ptrdiff_t>(at),
                                 course.failure.end()) &&
                told.first(Code::ReaderNotRestarted, *change.step, reader.thing.text))
                report_reader(picture, change, thing, reader, back.before(at, reader.thing), diagnostics);
        });
}

std::optional<double> amount(const std::string& text) {
    const auto quantity = parse_quantity(text);
    return quantity ? std::optional(quantity->amount) : std::nullopt;
}

// Sizes of claims as a stage goes on. What is deleted may come back smaller.
class Claims : StageCheck {
  public:
    Claims(const CheckContext& picture, const StageEvents& course, Told& told, Diagnostics& diagnostics)
        : StageCheck(picture, course, diagnostics), surroundings_(picture, course), told_(told) {}

    void check(const Event& event) {
        if (!event.is_change()) return;
        for (const Effect& effect : event.effects) {
            if (effect.thing.of == ResourceKey::Of::File) edits_[effect.thing.name()] = &event;
            if (!effect.thing.is("persistentvolumeclaim")) continue;
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
            for (const Object* object : surroundings_.declaring(claim))
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
        if (*wanted < size.amount && told_.first(Code::ShrinkingClaim, step, claim.text)) {
            auto& d = diagnostics_.report(Code::ShrinkingClaim, step.span, "a volume cannot shrink");
            if (size.place) d.label(*size.place, "it has more than that");
            if (&step != event.step) d.label(event.step->span, "the cluster would refuse this");
            d.note("the cluster would refuse it; a smaller one is another claim: `use std.replace-claim`");
        }
        if (*wanted > size.amount) size = {*wanted, event.step->span};
    }

    Surroundings surroundings_;
    Told& told_;
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
    const auto parsed = kubernetes::parse_handle(handle);
    if (!parsed || parsed->name_space.empty()) return nullptr;
    return first_of(picture.inventory.environments,
                    [&](const auto& one) { return one.name_space == parsed->name_space; });
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
        d.note("another environment would be changed; leave the namespace out");
    }
}

void foreign_namespace(const CheckContext& picture, const StageEvents& course, const Event& event, Told& told,
                       Diagnostics& diagnostics) {
    if (!event.is_change() || course.environment == nullptr || !course.environment->name_space) return;
    foreign_handle(picture, course, event, told, diagnostics);
    if (event.object == nullptr) return;
    const std::string given = text_field(event.object->json, "/metadata/namespace");
    if (given.empty() || given == *course.environment->name_space) return;
    if (!told.first(Code::ForeignNamespace, *event.step, event.object->thing.text + given)) return;
    auto& d =
        diagnostics.report(Code::ForeignNamespace, event.step->span,
                           fmt::format("{} is in the namespace {}, and {} is {}", event.object->thing, given,
                                       course.stage->environment, *course.environment->name_space));
    if (const auto place = place_written(picture, *event.object, "/metadata/namespace", given))
        d.label(*place, "stated here");
    for (const Event& earlier : course.forward) {
        for (const Edit& edit : edits_of(earlier))
            if (edit.file == event.object->file && edit.value == json(given) &&
                edit.pointer.ends_with("/metadata/namespace"))
                d.label(earlier.step->span, "set here");
    }
    d.note(
        "another environment would be changed, or the cluster would refuse it; leave the "
        "namespace out of the manifest");
}

constexpr std::size_t most_ways = 32;  // of a stage that end with a number of their own

// The steps that may be the last to set a workload's number, each on its way through the stage.
std::map<ResourceKey, std::vector<std::pair<const Event*, std::int64_t>>> last_counts(
    const CheckContext& picture, const Events& events) {
    std::map<ResourceKey, std::vector<std::pair<const Event*, std::int64_t>>> last;
    for (const Event& event : events) {
        if (!event.is_change()) continue;
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
    std::vector<std::pair<const Object*, json>> stated, own;
    for (const Object* object : Surroundings(picture, course).declaring(thing)) {
        const json* now = picture.files.object(*object);
        if (now == nullptr) return {};
        const json* replicas = value_at(*now, "/spec/replicas");
        auto& list = picture.resources.is_of_one(object->file) ? own : stated;
        if (replicas != nullptr) list.emplace_back(object, *replicas);
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
            if (count == 0 || stated.empty() || std::ranges::any_of(stated, says)) continue;
            if (!told.first(Code::ManifestDisagrees, *event->step, thing.text)) continue;
            auto& d = diagnostics.report(Code::ManifestDisagrees, event->step->span,
                                         fmt::format("the manifest of {} says another number", thing));
            d.primary_label = fmt::format("leaves it at {}", count);
            for (const auto& [object, number] : stated) {
                const json* written = value_at(object->json, "/spec/replicas");
                d.label(picture.manifests.span(*object, "/spec/replicas"),
                        fmt::format("{} {}", written != nullptr && *written == number ? "says" : "is to say",
                                    number.dump()));
            }
            const Object& first = *stated.front().first;
            const bool is_one_of_several = picture.manifests.of(first.file).size() > 1;
            d.note(fmt::format(
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
    return std::ranges::any_of(picture.inventory.environments,
                               [&](const auto& one) { return one.name_space == host.substr(dot + 1); });
}

using Places = std::set<std::tuple<FileId, std::uint32_t, std::uint32_t>>;

// `http get "http://webapi/health"` from outside: the name is known in the cluster only.
void cluster_only(const CheckContext& picture, const Events& events, Places& told, Diagnostics& diagnostics) {
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
            if (!told.emplace(place.file, place.begin, place.end).second) continue;
            auto& d = diagnostics.report(Code::ClusterOnly, place,
                                         fmt::format("`{}` is a name that only the cluster knows", host));
            d.note("asked from here it fails whatever state the service is in; ask `from inside`");
        }
}

void cluster_only(const CheckContext& picture, Diagnostics& diagnostics) {
    Places told;
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
        if (course.is_protected())
            each_event(course, [&](const Event& event) { moving_tag(picture, event, told, diagnostics); });
        for (const auto* events : {&course.forward, &course.failure})
            for (const Event& event : *events) foreign_namespace(picture, course, event, told, diagnostics);
        Autoscaled(picture, course, told, diagnostics).check();
        shrinking_claims(picture, course, told, diagnostics);
        readers_not_restarted(picture, course, told, diagnostics);
        manifest_disagrees(picture, course, told, diagnostics);
    }
    cluster_only(picture, diagnostics);
}

}  // namespace migc::checks
