// Nothing is taken away while somebody still uses it: by a configuration that names it, by a service that
// leads to its pods, by pods that read or mount it.
#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/checks/addresses.hpp"
#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/routes.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;
using ToldSteps =
    std::set<const void*>;  // a step in a loop or in a verb is come to more than once, and told once

bool have_in_common(const std::set<ResourceKey>& a, const std::set<ResourceKey>& b) {
    return std::ranges::any_of(a, [&](const ResourceKey& thing) { return b.contains(thing); });
}

// "deployment/worker still uses", "service/front still leads to".
std::string still_use(const std::set<ResourceKey>& users) {
    const bool lead = std::ranges::all_of(users, [](const ResourceKey& one) { return one.is("service"); });
    return fmt::format("{} still {}{}{}", in_words(users), lead ? "lead" : "use",
                       users.size() == 1 ? "s" : "", lead ? " to" : "");
}

// ------------------------------------------------------------------ on the way back

bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// Each name in a text: "redis" is none of "redis-service:6379", and "redis-service" is.
template <typename Visit>
void each_word(const std::string& text, const Visit& visit) {
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && is_name_character(text[end])) ++end;
        if (end > at) visit(text.substr(at, end - at));
        at = end + 1;
    }
}

// Labels, and the images that pods run, are called like a service without asking it for anything.
bool asks_nobody(const std::string& key) {
    return key == "metadata" || key == "image" || key == "labels" || key == "matchLabels" ||
           key == "selector";
}

template <typename Visit>
void each_word(const json& data, const Visit& visit) {
    if (data.is_string()) each_word(data.get_ref<const std::string&>(), visit);
    if (data.is_object())
        for (const auto& [key, value] : data.items())
            if (!asks_nobody(key)) each_word(value, visit);
    if (data.is_array())
        for (const json& inner : data) each_word(inner, visit);
}

// One change of a stage and what it is the undo of it, in the order in which a failed run does them.
struct Taken {
    const Event* back = nullptr;  // what is done; null: a step is taken back as its verb says
    const Event* undone = nullptr;
};

// Finds what is taken away while something that the stage has made use of it still does.
class Order {
  public:
    Order(const CheckContext& picture, const StageEvents& course)
        : picture_(picture), surroundings_(picture, course), routes_(picture, course) {}

    // `taken` in its order, for what these changes have made. Nothing is told twice.
    void check(Events::const_iterator begin, Events::const_iterator end, const std::vector<Taken>& taken,
               ToldSteps& told, Diagnostics& diagnostics) {
        for (const Taken& one : taken)
            if (one.back != nullptr && takes_away(*one.back))
                going_.insert(one.back->things.begin(), one.back->things.end());
        if (going_.empty()) return;
        for (auto event = begin; event != end; ++event) enter(*event);
        for (const Taken& one : taken) {
            if (one.undone != nullptr) {
                restore(*one.undone);
                routes_.take_back(*one.undone);
            }
            if (one.back == nullptr || !one.back->is_change()) continue;
            const Use use = takes_away(*one.back) ? use_of(*one.back) : Use{};
            if (use.change != nullptr && told.insert(one.back->step).second)
                report(*one.back, use, diagnostics);
            if (use.change != nullptr) return;
            restore(*one.back);
            routes_.take(*one.back);
        }
    }

  private:
    struct Use {
        const Event* change = nullptr;
        std::string name;
        ResourceKey service;  // that leads there
    };

    // What a change makes something point to: by a value that it sets, or by the manifest that it applies.
    // Whether a text is the handle of the object that is changed: what the object says is looked at itself.
    static bool names_object(const Event& change, const std::string* text) {
        const Effect* object = effect_on(change, ir::Role::Object);
        const std::string* handle = object != nullptr ? text_in(object->role, 0) : nullptr;
        return text != nullptr && handle != nullptr && *text == *handle;
    }

    void enter(const Event& change) {
        if (!change.is_change()) return;
        routes_.take(change);
        for (const Effect& effect : change.effects)
            if (starts_pods_anew(effect)) restarted_.insert(effect.thing);
        if (have_in_common(change.things, going_)) return;
        const auto add = [&](const std::string& word) {
            auto& users = users_[word];
            if (users.empty() || users.back()->things != change.things) users.push_back(&change);
        };
        for (std::size_t i = 0; i < change.arguments.size(); ++i) {
            const ir::Parameter& slot = change.verb->parameters.at(i);
            const auto& argument = change.arguments[i];
            const auto* text = argument ? argument->get_if<std::string>() : nullptr;
            const bool is_place = slot.type.kind == ir::TypeKind::Path ||
                                  slot.type.kind == ir::TypeKind::Image || names_object(change, text);
            if (is_place) continue;
            const auto* data = argument ? argument->get_if<Json>() : nullptr;
            if (text != nullptr) each_word(*text, add);
            if (data != nullptr) each_word(**data, add);
        }
        if (change.object != nullptr && known_.insert(change.object).second)
            each_word(change.object->json, add);
    }

    void restore(const Event& event) {
        restored_.insert(event.things.begin(), event.things.end());
        for (const Effect& effect : event.effects)
            if (starts_pods_anew(effect)) fresh_.insert(effect.thing);
    }

    // The names under which others reach a thing: its own, and those of the services that select its pods.
    std::set<std::string> addresses(const std::set<ResourceKey>& things) const {
        std::set<std::string> found;
        for (const ResourceKey& thing : things) {
            if (thing.of != ResourceKey::Of::Object) continue;
            found.insert(thing.name());
            for (const Object* object : surroundings_.declaring(thing))
                for (const Object* service : surroundings_.services(*object))
                    found.insert(service->thing.name());
        }
        return found;
    }

    // The workloads that would suffer; without one the thing that was changed.
    std::set<ResourceKey> users(const Event& change) const {
        std::set<ResourceKey> users;
        for (const ResourceKey& thing : change.things) {
            for (const Object* reader : surroundings_.readers(thing)) users.insert(reader->thing);
            if (thing.of != ResourceKey::Of::File) continue;
            for (const Object* object : picture_.manifests.of(thing.name()))
                for (const Object* reader : surroundings_.readers(object->thing)) users.insert(reader->thing);
        }
        users.insert(change.things.begin(), change.things.end());
        return users;
    }

    // Whether a change is taken back, and its readers do not go on with what they have read.
    bool is_over(const Event& change) const {
        if (!have_in_common(change.things, restored_)) return false;
        return std::ranges::all_of(change.things, [&](const ResourceKey& thing) {
            return std::ranges::all_of(surroundings_.readers(thing), [&](const Object* reader) {
                return fresh_.contains(reader->thing) || !restarted_.contains(reader->thing);
            });
        });
    }

    [[nodiscard]] Use use_of(const Event& taking) const {
        Use first{};
        for (const std::string& name : addresses(taking.things)) {
            const auto found = users_.find(name);
            if (found == users_.end()) continue;
            const auto use =
                std::ranges::find_if(found->second, [&](const Event* change) { return !is_over(*change); });
            const bool is_first =
                use != found->second.end() && (first.change == nullptr || *use < first.change);
            if (is_first) first = {*use, name, {}};
        }
        if (first.change != nullptr) return first;
        // What a service led to before the stage it may lead to for good.
        for (const Routes::Left& left : routes_.left_without(taking.things))
            if (left.by != nullptr) return {left.by, in_words(taking.things), left.service};
        return first;
    }

    void report(const Event& taking, const Use& use, Diagnostics& diagnostics) const {
        const auto readers = use.service.empty() ? users(*use.change) : std::set{use.service};
        auto& d =
            diagnostics.report(Code::TakenAwayTooEarly, taking.step->span,
                               fmt::format("{} is taken away while {} it", use.name, still_use(readers)));
        d.label(use.change->step->span, fmt::format("from here on {} is used", use.name));
        d.note(
            use.service.empty()
                ? "its users would fail until they are taken back, too: take back what uses it first, or write "
                  "`undo;`, which goes backwards"
                : "every request to the service would fail until it leads elsewhere again: take back what leads it "
                  "there first, or write `undo;`, which goes backwards");
    }

    const CheckContext& picture_;
    Surroundings surroundings_;
    Routes routes_;
    std::set<ResourceKey> restored_, going_, fresh_, restarted_;        // going: is no user that would suffer
    std::unordered_map<std::string, std::vector<const Event*>> users_;  // by each name that they point to
    std::set<const Object*> known_;
};

// Everything from `begin` to `end` taken back, the last first, as its steps say.
void backwards(const StageEvents& course, std::vector<Taken>& taken) {
    std::size_t at = course.forward.size();
    auto own = course.undos.rbegin();
    while (at > 0) {
        while (own != course.undos.rend() && (!own->outermost || own->end > at || own->begin == own->end))
            ++own;
        if (own != course.undos.rend() && own->end == at) {
            for (const Event& event : own->back) taken.push_back({&event, nullptr});
            at = own->begin;
            ++own;
            continue;
        }
        taken.push_back({nullptr, &course.forward[--at]});
    }
}

// The guide's own rollback: Redis is deleted first, while the configuration still points to it.
void taken_away_too_early(const CheckContext& picture, const StageEvents& course, ToldSteps& told,
                          Diagnostics& diagnostics) {
    std::vector<Taken> taken;
    for (const Event& event : course.failure) {
        if (event.undoes())
            backwards(course, taken);
        else
            taken.push_back({&event, nullptr});
    }
    Order(picture, course).check(course.forward.begin(), course.forward.end(), taken, told, diagnostics);
}

// The same within the undo of one step, or of a verb.
void taken_away_in_undo(const CheckContext& picture, const StageEvents& course, const OwnUndo& own,
                        ToldSteps& told, Diagnostics& diagnostics) {
    std::vector<Taken> taken;
    for (const Event& event : own.back) taken.push_back({&event, nullptr});
    const auto [begin, end] = undone_by(course, own);
    Order(picture, course).check(begin, end, taken, told, diagnostics);
}

// ------------------------------------------------------------------ on the way there

// Objects as the cluster has them: as the manifests say, until a step changes them.
class Objects {
  public:
    explicit Objects(const Surroundings& surroundings) : surroundings_(surroundings) {}

    void take(const Event& event) {
        for (const Effect& effect : event.effects) {
            if (effect.thing.of != ResourceKey::Of::Object || !effect.pointer) continue;
            if (event.object != nullptr && event.object->thing == effect.thing)
                state(effect.thing).now = std::make_shared<const json>(event.object->json);
            else if (effect.pointer->empty())
                state(effect.thing).now = nullptr;
            else if (is_free_field(effect))
                set(state(effect.thing), effect);
        }
    }

    // Null where it is not known, or is no more; and so before the first step that changes it.
    [[nodiscard]] const json* now(const ResourceKey& thing) const {
        const auto found = states_.find(thing);
        return found == states_.end() ? declared(thing) : found->second.now.get();
    }
    [[nodiscard]] const json* before(const ResourceKey& thing) const {
        const auto found = states_.find(thing);
        return found == states_.end() ? declared(thing) : found->second.before;
    }

  private:
    struct State {
        const json* before = nullptr;
        std::shared_ptr<const json> now;
    };

    [[nodiscard]] const json* declared(const ResourceKey& thing) const {
        const auto all = surroundings_.declaring(thing);
        return all.size() == 1 ? &all.front()->json : nullptr;
    }

    State& state(const ResourceKey& thing) {
        const auto [entry, is_new] = states_.try_emplace(thing);
        if (is_new && (entry->second.before = declared(thing)) != nullptr)
            entry->second.now = std::make_shared<const json>(*entry->second.before);
        return entry->second;
    }

    static void set(State& state, const Effect& effect) {
        const std::string* pointer = text_in(effect.role, 0);
        const bool is_known = state.now && pointer != nullptr && is_pointer(*pointer) && effect.value;
        if (!is_known) return state.now.reset();
        json changed = *state.now;
        try {
            changed[json::json_pointer(*pointer)] = in_json(*effect.value);
            state.now = std::make_shared<const json>(std::move(changed));
        } catch (const json::exception&) {
            state.now.reset();
        }
    }

    const Surroundings& surroundings_;
    std::unordered_map<ResourceKey, State> states_;
};

// Whether a setting says the name of a service as an address: alone where its name tells that it is one, or
// in a text of several lines.
bool names_host(const std::string& setting, const std::string& value, const std::string& host,
                const std::string& name_space) {
    if (value.find(host) == std::string::npos) return false;
    const auto is_led_there = [&](std::string_view text) {
        const auto hosts = hosts_of(std::string(trimmed(text)), name_space);
        return std::ranges::find(hosts, host) != hosts.end();
    };
    if (value == host) {
        const std::string name = lower_case(setting);
        return host.find('-') != std::string::npos ||
               std::ranges::any_of(std::array{"host", "address", "endpoint", "server", "url"},
                                   [&](const char* one) { return name.find(one) != std::string::npos; });
    }
    std::string lines = value;
    std::ranges::replace_if(
        lines, [](char c) { return c == '"' || c == '\''; }, '\n');
    for (const std::string& line : split(lines, '\n')) {
        const std::size_t behind = line.find_first_of("= ");
        if (is_led_there(line) ||
            (behind != std::string::npos && is_led_there(std::string_view(line).substr(behind + 1))))
            return true;
    }
    return false;
}

// Where an object says the name of a service; nothing if it does not.
std::optional<std::string> place_of_host(const ResourceKey& thing, const json& object,
                                         const std::string& host, const std::string& name_space) {
    std::optional<std::string> place;
    each_setting(thing, object,
                 [&](const std::string& setting, const std::string& pointer, const json& value) {
                     if (!place && value.is_string() &&
                         names_host(setting, value.get_ref<const std::string&>(), host, name_space))
                         place = pointer;
                 });
    return place;
}

// Where an ingress names a service as what answers; nothing if it does not.
std::optional<std::string> place_of_backend(const json& part, const std::string& service,
                                            const std::string& pointer) {
    if (part.is_object() && text_field(part, "/service/name") == service) return pointer + "/service/name";
    if (!part.is_structured()) return std::nullopt;
    for (const auto& [key, inner] : part.items())
        if (auto found = place_of_backend(inner, service, fmt::format("{}/{}", pointer, key))) return found;
    return std::nullopt;
}

// Whether pods cannot start without a ConfigMap, Secret or claim.
bool needs(const json& part, const ResourceKey& thing) {
    if (part.is_object()) {
        const bool is_secret = thing.is("secret");
        for (const char* key : {"configMapRef", "configMapKeyRef", "configMap", "secretRef", "secretKeyRef",
                                "secret", "persistentVolumeClaim"}) {
            const json& reference = member(part, key);
            if (!reference.is_object() || member(reference, "optional") == true) continue;
            const std::string_view kind = key;
            const bool is_kind = thing.is("persistentvolumeclaim")
                                     ? kind == "persistentVolumeClaim"
                                     : kind.starts_with(is_secret ? "secret" : "configMap");
            for (const char* name : {"name", "secretName", "claimName"})
                if (is_kind && text_of(reference, name) == thing.name()) return true;
        }
    }
    return part.is_structured() &&
           std::any_of(part.begin(), part.end(), [&](const json& inner) { return needs(inner, thing); });
}

// What is known of an environment as its stages go on.
struct Situation {
    Situation(const CheckContext& picture, const StageEvents& course)
        : surroundings(picture, course), routes(picture, course), objects(surroundings) {}
    Situation(const Situation&) = delete;
    Situation& operator=(const Situation&) = delete;

    void take(const Event& event) {
        if (!event.is_change()) return;
        routes.take(event);
        objects.take(event);
        changed.insert(event.things.begin(), event.things.end());
        is_in_doubt = is_in_doubt || event.effects.empty();
    }

    Surroundings surroundings;
    Routes routes;
    Objects objects;
    std::set<ResourceKey> changed;  // by steps
    bool is_in_doubt = false;       // a program of the script's own may have changed anything
};

// Redis goes before its users' configuration changes, blue before the service leads to green.
class Ahead : StageCheck {
  public:
    Ahead(const CheckContext& picture, const StageEvents& course, Situation& situation, ToldSteps& told,
          Diagnostics& diagnostics)
        : StageCheck(picture, course, diagnostics), now_(situation), told_(told) {
        if (course.environment != nullptr) name_space_ = course.environment->name_space.value_or("");
    }

    void check() {
        if (!course_.stage->repeats) find_gone();
        for (at_ = 0; at_ < course_.forward.size(); ++at_) {
            const Event& event = course_.forward[at_];
            const auto things = gone_by(event);
            if (!things.empty() && !now_.is_in_doubt && looks_++ < most_looks) look(event, things);
            now_.take(event);
        }
    }

  private:
    static constexpr std::size_t most_looks = 100;  // of a stage: each goes through what the manifests say
    using Things = std::set<ResourceKey>;

    // What is gone for good: nothing brings it back in the same stage.
    void find_gone() {
        for (std::size_t i = 0; i < course_.forward.size(); ++i) {
            const Event& event = course_.forward[i];
            if (!event.is_change()) continue;
            for (const ResourceKey& thing : event.things) changes_[thing].push_back(i);
            for (const Effect& effect : event.effects) {
                const auto count = count_of(effect);
                const bool whole = !effect.pointer || effect.pointer->empty();
                if (!whole && !count) continue;
                const bool goes = count ? count->number == 0 : effect.becomes == ir::Becomes::Absent;
                if (effect.thing.empty())
                    gone_.clear();
                else if (!goes)
                    gone_.erase(effect.thing);
                else if (!event.conditional)
                    gone_.emplace(effect.thing, i);
            }
        }
    }

    [[nodiscard]] Things gone_by(const Event& event) const {
        Things things;
        if (!gone_.empty() && event.is_change())
            for (const ResourceKey& thing : event.things)
                if (const auto found = gone_.find(thing); found != gone_.end() && found->second == at_)
                    things.insert(thing);
        return things;
    }

    void look(const Event& event, const Things& things) {
        const auto left = now_.routes.left_without(things);
        Things services;
        for (const ResourceKey& thing : things)
            if (thing.is("service")) services.insert(thing);
        for (const Routes::Left& one : left) {
            if (gone_.contains(one.service)) continue;
            services.insert(one.service);
            if (led_elsewhere_later(event, things, one)) return;
        }
        for (const ResourceKey& service : services)
            if (named(event, things, service.name()) || routed(event, things, service)) return;
        for (const Routes::Left& one : left)
            if (!gone_.contains(one.service) && led_nowhere(event, things, one)) return;
        for (const ResourceKey& thing : things)
            if (read(event, thing)) return;
    }

    // The first later step that changes a thing, as far as a field of it goes; null if none does.
    [[nodiscard]] const Event* later_change(const ResourceKey& thing, std::string_view field) const {
        for (std::size_t i = at_ + 1; i < course_.forward.size(); ++i)
            for (const Effect& effect : course_.forward[i].effects)
                if (course_.forward[i].is_change() && effect.thing == thing &&
                    (!effect.pointer || share_field(*effect.pointer, field)))
                    return &course_.forward[i];
        return nullptr;
    }

    bool led_elsewhere_later(const Event& event, const Things& things, const Routes::Left& left) {
        const Event* later = later_change(left.service, "/spec/selector");
        if (later == nullptr || exclusive(*later, event)) return false;
        auto* d = report(event, things, {left.service});
        if (d == nullptr) return true;
        if (left.by != nullptr) d->label(left.by->step->span, "leads there");
        d->label(later->step->span, "leads elsewhere only here");
        d->note(
            "every request to the service would fail in between, and after a failure there: lead it elsewhere "
            "first, see that it works, and take away last");
        return true;
    }

    // What serves is deleted, and by all that is known the service still leads there.
    bool led_nowhere(const Event& event, const Things& things, const Routes::Left& left) {
        const auto declared = now_.surroundings.declaring(left.service);
        if (!deletes_object(event) || now_.changed.contains(left.service) || declared.size() != 1)
            return false;
        auto* d = report(event, things, {left.service});
        if (d == nullptr) return true;
        d->label(picture_.manifests.span(*declared.front(), "/spec/selector"),
                 "leads there, by its manifest");
        d->note("no other manifest has pods that it selects: every request to the service would fail");
        return true;
    }

    [[nodiscard]] Things that_run(const Manifests::Objects& objects) const {
        Things running;
        for (const Object* one : objects)
            if (now_.routes.has_pods(one->thing) && !gone_.contains(one->thing)) running.insert(one->thing);
        return running;
    }

    // An ingress sends requests to the service.
    bool routed(const Event& event, const Things& things, const ResourceKey& service) {
        for (const Object* object : picture_.resources.of_environment(
                 picture_.manifests.mentioning({service.name()}), course_.stage->environment)) {
            const json* now = now_.objects.now(object->thing);
            if (!object->thing.is("ingress") || gone_.contains(object->thing) || now == nullptr) continue;
            const auto place = place_of_backend(field(*now, "/spec"), service.name(), "/spec");
            if (!place) continue;
            auto* d = report(event, things, {object->thing});
            if (d == nullptr) return true;
            if (const Event* later = later_change(object->thing, *place))
                d->label(later->step->span, "is changed only here");
            else
                d->label(picture_.manifests.span(*object, *place), "sends requests there");
            note_users(*d);
            return true;
        }
        return false;
    }

    // A configuration says the name of the service.
    bool named(const Event& event, const Things& things, const std::string& host) {
        for (const Object* object : picture_.resources.of_environment(picture_.manifests.mentioning({host}),
                                                                      course_.stage->environment)) {
            const bool is_reader = is_workload(object->thing);
            if ((!is_reader && !object->thing.is("configmap")) || gone_.contains(object->thing)) continue;
            const Things users =
                is_reader ? that_run({object}) : that_run(now_.surroundings.readers(object->thing));
            const json* now = now_.objects.now(object->thing);
            const auto place =
                now != nullptr ? place_of_host(object->thing, *now, host, name_space_) : std::nullopt;
            if (place ? named_now(event, things, *object, *place, users)
                      : named_before(event, things, *object, host, users))
                return true;
        }
        return named_in_file(event, things, host);
    }

    bool named_now(const Event& event, const Things& things, const Object& object, const std::string& place,
                   const Things& users) {
        const Event* later = later_change(object.thing, place);
        if (users.empty() && later == nullptr) return false;
        auto* d = report(event, things, users.empty() ? Things{object.thing} : users);
        if (d == nullptr) return true;
        if (later != nullptr)
            d->label(later->step->span, "is changed only here");
        else
            d->label(picture_.manifests.span(object, place), "named here");
        note_users(*d);
        return true;
    }

    // The configuration is another one by now, and its readers are started anew only later.
    bool named_before(const Event& event, const Things& things, const Object& object, const std::string& host,
                      const Things& users) {
        const json* before = now_.objects.before(object.thing);
        const auto changed = changes_.find(object.thing);
        if (before == nullptr || changed == changes_.end() ||
            !place_of_host(object.thing, *before, host, name_space_))
            return false;
        for (const ResourceKey& user : users) {
            const Event* anew = nullptr;
            const auto starts = changes_.find(user);
            for (const std::size_t i :
                 starts == changes_.end() ? std::vector<std::size_t>() : starts->second) {
                if (!std::ranges::any_of(course_.forward[i].effects, starts_pods_anew)) continue;
                if (i < at_ && i > changed->second.front()) return false;
                if (i > at_ && anew == nullptr) anew = &course_.forward[i];
            }
            if (anew == nullptr) continue;
            auto* d = report(event, things, {user});
            if (d == nullptr) return true;
            d->label(anew->step->span, "starts with the new configuration only here");
            note_users(*d);
            return true;
        }
        return false;
    }

    // A file of the project that a later step changes so that it does not name the service any more.
    bool named_in_file(const Event& event, const Things& things, const std::string& host) {
        for (std::size_t i = at_ + 1; i < course_.forward.size(); ++i)
            for (const Edit& edit : edits_of(course_.forward[i])) {
                const auto names = [&](const json* value) {
                    return value != nullptr && value->is_string() &&
                           names_host(edit.pointer, value->get_ref<const std::string&>(), host, name_space_);
                };
                const json* whole = picture_.files.file(edit.file, event.moment);
                if (whole == nullptr || !names(value_at(*whole, edit.pointer)) ||
                    (!edit.removes && (!edit.value || names(&*edit.value))))
                    continue;
                auto* d = report(event, things, {ResourceKey::file(edit.file)});
                if (d == nullptr) return true;
                d->label(course_.forward[i].step->span, "is changed only here");
                note_users(*d);
                return true;
            }
        return false;
    }

    // Pods read or mount it. What mounts a claim may have been stopped by hand, unless the stage itself stops
    // it only later.
    bool read(const Event& event, const ResourceKey& thing) {
        const bool is_claim = thing.is("persistentvolumeclaim");
        if (!is_claim && !thing.is_configuration()) return false;
        const Things users =
            is_claim ? mounting(thing) : that_need(that_run(now_.surroundings.readers(thing)), thing);
        if (users.empty()) return false;
        auto* d = report(event, {thing}, users);
        if (d == nullptr) return true;
        const Event* later =
            is_claim ? stopped_later(*users.begin()) : later_change(*users.begin(), "/spec/template/spec");
        if (later != nullptr)
            d->label(later->step->span, is_claim ? "is stopped only here" : "is changed only here");
        d->note(
            is_claim
                ? "the cluster keeps a claim that pods mount, so that the step would fail: stop what mounts it first"
                : "no new pod of it could start, from the next crash or node drain on: let what reads it go "
                  "on without it first");
        return true;
    }

    [[nodiscard]] Things that_need(const Things& pods, const ResourceKey& thing) const {
        Things users;
        for (const ResourceKey& user : pods)
            if (const json* now = now_.objects.now(user);
                now != nullptr && needs(field(*now, "/spec/template/spec"), thing))
                users.insert(user);
        return users;
    }

    [[nodiscard]] Things mounting(const ResourceKey& claim) const {
        Things running;
        for (const Object* one : picture_.resources.of_environment(picture_.manifests.mounting(claim),
                                                                   course_.stage->environment))
            if (now_.routes.has_pods(one->thing) && stopped_later(one->thing) != nullptr)
                running.insert(one->thing);
        return that_need(running, claim);
    }

    // The later step that takes a workload's pods away; null if none does.
    [[nodiscard]] const Event* stopped_later(const ResourceKey& workload) const {
        for (std::size_t i = at_ + 1; i < course_.forward.size(); ++i)
            if (course_.forward[i].things.contains(workload) && takes_away(course_.forward[i]))
                return &course_.forward[i];
        return nullptr;
    }

    // Null if it was told already.
    Diagnostic* report(const Event& event, const Things& things, const Things& users) {
        if (!told_.insert(event.step).second) return nullptr;
        return &diagnostics_.report(
            Code::TakenAwayTooEarly, event.step->span,
            fmt::format("{} {} taken away while {} {}", in_words(things), things.size() == 1 ? "is" : "are",
                        still_use(users), things.size() == 1 ? "it" : "them"));
    }

    static void note_users(Diagnostic& d) {
        d.note(
            "its users would fail from then on: change what uses it, see that it works, and take it away last");
    }

    Situation& now_;
    ToldSteps& told_;
    std::string name_space_;
    std::size_t at_ = 0, looks_ = 0;
    std::unordered_map<ResourceKey, std::size_t> gone_;                  // by which event
    std::unordered_map<ResourceKey, std::vector<std::size_t>> changes_;  // the events that change a thing
};

bool takes_anything_away(const CheckContext& picture) {
    return std::ranges::any_of(picture.timeline.courses(), [](const StageEvents& course) {
        return std::ranges::any_of(course.forward, takes_away);
    });
}

void on_the_way_there(const CheckContext& picture, ToldSteps& told, Diagnostics& diagnostics) {
    if (!takes_anything_away(picture)) return;
    std::map<std::string, std::unique_ptr<Situation>> environments;
    for (const StageEvents& course : picture.timeline.courses()) {
        auto& situation = environments[course.stage->environment];
        if (!situation) situation = std::make_unique<Situation>(picture, course);
        Ahead(picture, course, *situation, told, diagnostics).check();
    }
}

}  // namespace

void in_use(const CheckContext& picture, Diagnostics& diagnostics) {
    ToldSteps told;
    std::set<const void*> seen;
    on_the_way_there(picture, told, diagnostics);
    for (const StageEvents& course : picture.timeline.courses()) {
        if (!course.stage->repeats)
            for (const OwnUndo& own : course.undos)
                if (seen.insert(own.undo).second) taken_away_in_undo(picture, course, own, told, diagnostics);
        if (has_own_failure_block(picture.program, *course.stage))
            taken_away_too_early(picture, course, told, diagnostics);
    }
}

}  // namespace migc::checks
