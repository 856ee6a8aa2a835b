// An undo that is written by hand takes back what was changed, and in an order that hurts nobody.
#include <algorithm>
#include <cctype>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/checks/checks.hpp"
#include "compiler/ir/compare.hpp"

namespace migc::checks {
namespace {

using Events = std::vector<Event>;

// A change that only a run could name might be any; then nothing is said against it.
bool all_named(const Events& events) {
    return std::all_of(events.begin(), events.end(),
                       [](const Event& event) { return event.act != Act::Change || !event.things.empty(); });
}

std::set<Thing> changed_by(const Events& events) {
    std::set<Thing> things;
    for (const Event& event : events)
        if (event.act == Act::Change) things.insert(event.things.begin(), event.things.end());
    return things;
}

bool overlap(const std::set<Thing>& a, const std::set<Thing>& b) {
    return std::any_of(a.begin(), a.end(), [&](const Thing& thing) { return b.contains(thing); });
}

std::string in_words(const std::set<Thing>& things) {
    return fmt::format("{}", fmt::join(things, ", "));
}

bool sets_the_same(const Effect& forward, const Effect& back) {
    return forward.exact && back.exact && forward.name == back.name && forward.value && back.value &&
           same(*forward.value, *back.value);
}

// What each state variable is left at.
std::map<std::string, const Effect*> last_effects(const Events& events) {
    std::map<std::string, const Effect*> last;
    for (const Event& event : events)
        for (const Effect& effect : event.effects) last[effect.name] = event.conditional ? nullptr : &effect;
    return last;
}

const Effect* repeated_effect(const Events& forward, const Events& back) {
    const auto left = last_effects(forward), restored = last_effects(back);
    for (const auto& [name, effect] : left) {
        const auto other = restored.find(name);
        const bool both = effect != nullptr && other != restored.end() && other->second != nullptr;
        if (both && forward.size() == 1 && sets_the_same(*effect, *other->second)) return effect;
    }
    return nullptr;
}

// `scale webapi to 4 undo < scale worker to 2; >`.
void own_undo(const Picture& picture, const ir::Stage& stage, const ir::Step& step,
              Diagnostics& diagnostics) {
    if (!step.undo || step.undo->kind != ir::UndoKind::Steps) return;
    const Events back = picture.timeline.events(step.undo->steps, stage);
    const Events forward = picture.timeline.events({step}, stage);
    const auto changed = changed_by(forward), restored = changed_by(back);
    if (const Effect* effect = repeated_effect(forward, back)) {
        auto& d = diagnostics.report(Code::UndoMisses, step.undo->span,
                                     fmt::format("this undo does what `{}` did", step.text));
        d.notes.push_back(fmt::format("both set it to {}: after the undo, nothing would be as it was before",
                                      show(*effect->value)));
        return;
    }
    if (changed.empty() || !all_named(back) || overlap(changed, restored)) return;
    auto& d = diagnostics.report(Code::UndoMisses, step.undo->span,
                                 fmt::format("this undo does not take back what `{}` changes", step.text));
    d.primary_label = restored.empty() ? "changes nothing" : "changes " + in_words(restored);
    d.labels.push_back({step.span, "changes " + in_words(changed)});
    d.notes.push_back(fmt::format("after a failure {} would stay changed, and the run would be called undone",
                                  in_words(changed)));
}

bool undoes_by_itself(const Events& failure) {
    return std::any_of(failure.begin(), failure.end(), [](const Event& event) {
        return event.act == Act::Undo || event.act == Act::UndoAll || event.act == Act::Hold;
    });
}

// A failure block that takes back by hand leaves nothing out.
void left_out(const Course& course, Diagnostics& diagnostics) {
    const auto restored = changed_by(course.failure);
    if (restored.empty() || undoes_by_itself(course.failure) || !all_named(course.failure)) return;
    for (const Event& event : course.forward) {
        if (event.act != Act::Change || event.things.empty() || overlap(event.things, restored)) continue;
        const ir::UndoKind kind = way_back(event).kind;
        if (kind == ir::UndoKind::None || kind == ir::UndoKind::Irreversible) continue;
        auto& d = diagnostics.report(
            Code::FailureBlockMisses, event.step->span,
            fmt::format("when `{}` fails, nothing takes back `{}`", course.stage->name, event.step->text));
        d.primary_label = "changes " + in_words(event.things);
        d.labels.push_back({course.stage->failure_span, "this takes back only " + in_words(restored)});
        d.notes.emplace_back("`undo;` takes back every step of the stage, the last one first");
        return;
    }
}

// Things that an event destroys, or leaves without pods.
bool destroys(const Event& event) {
    return std::any_of(event.effects.begin(), event.effects.end(), [](const Effect& effect) {
        const auto* number = effect.value ? effect.value->get_if<std::int64_t>() : nullptr;
        return effect.becomes == ir::Becomes::Absent || (number != nullptr && *number == 0);
    });
}

bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// As a word of its own: "redis" is not in "redis-service:6379", and "redis-service" is.
bool names(const std::string& text, const std::string& name) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const bool begins = at == 0 || !is_name_character(text[at - 1]);
        const auto end = at + name.size();
        if (begins && (end == text.size() || !is_name_character(text[end]))) return true;
    }
    return false;
}

bool names(const nlohmann::json& json, const std::string& name) {
    if (json.is_string()) return names(json.get_ref<const std::string&>(), name);
    return json.is_structured() && std::any_of(json.begin(), json.end(), [&](const nlohmann::json& inner) {
               return names(inner, name);
           });
}

std::string name_of(const Thing& thing) {
    return thing.substr(thing.find('/') + 1);
}

// The names under which others reach a thing: its own, and those of the services that select its pods.
std::set<std::string> addresses(const Picture& picture, const std::set<Thing>& things) {
    std::set<std::string> found;
    for (const Thing& thing : things) {
        if (thing.find('/') == std::string::npos || thing.starts_with("file ")) continue;
        found.insert(name_of(thing));
        for (const Object* object : picture.manifests.all()) {
            static const nlohmann::json::json_pointer labels("/spec/template/metadata/labels"),
                selector("/spec/selector");
            if (object->thing != thing || !object->json.contains(labels)) continue;
            for (const Object* service : picture.manifests.all()) {
                if (!service->thing.starts_with("service/") || !service->json.contains(selector)) continue;
                const auto& wanted = service->json[selector];
                const auto& given = object->json[labels];
                bool selects = wanted.is_object() && !wanted.empty();
                for (const auto& [key, value] : wanted.items())
                    selects = selects && given.is_object() && given.value(key, nlohmann::json()) == value;
                if (selects) found.insert(name_of(service->thing));
            }
        }
    }
    return found;
}

// Whether a change of the stage makes something point to a name: by a value that it sets, or by the manifest
// that it applies.
bool points_to(const Picture& picture, const Event& change, const std::string& name) {
    for (const auto& argument : change.arguments) {
        const auto* text = argument ? argument->get_if<std::string>() : nullptr;
        if (text != nullptr && names(*text, name)) return true;
    }
    for (const Thing& thing : change.things)
        for (const Object* object : picture.manifests.all())
            if (object->thing == thing && names(object->json, name)) return true;
    return false;
}

// The guide's own rollback: Redis is deleted first, while the configuration still points to it.
void taken_away_too_early(const Picture& picture, const Course& course, Diagnostics& diagnostics) {
    const Events& failure = course.failure;
    for (std::size_t i = 0; i < failure.size(); ++i) {
        if (failure[i].act != Act::Change || !destroys(failure[i])) continue;
        const auto taken = addresses(picture, failure[i].things);
        std::set<Thing> restored;
        bool undone = false;
        for (std::size_t before = 0; before < i; ++before) {
            undone = undone || failure[before].act == Act::Undo || failure[before].act == Act::UndoAll;
            if (failure[before].act == Act::Change)
                restored.insert(failure[before].things.begin(), failure[before].things.end());
        }
        if (undone) continue;
        // What goes itself, sooner or later, is no user that would suffer.
        std::set<Thing> going;
        for (const Event& other : failure)
            if (other.act == Act::Change && destroys(other))
                going.insert(other.things.begin(), other.things.end());
        for (const Event& change : course.forward) {
            if (change.act != Act::Change || overlap(change.things, going) ||
                overlap(change.things, restored))
                continue;
            const auto name = std::find_if(taken.begin(), taken.end(), [&](const std::string& one) {
                return points_to(picture, change, one);
            });
            if (name == taken.end()) continue;
            std::set<Thing> readers = change.things;
            for (const Thing& thing : change.things)
                for (const Object* reader : picture.manifests.readers(thing)) readers.insert(reader->thing);
            auto& d = diagnostics.report(Code::TakenAwayTooEarly, failure[i].step->span,
                                         fmt::format("{} is taken away while {} still use{} it", *name,
                                                     in_words(readers), readers.size() == 1 ? "s" : ""));
            d.labels.push_back({change.step->span, fmt::format("from here on {} is used", *name)});
            d.notes.emplace_back(
                "its users would fail until they are taken back, too: take back what uses it first, or write "
                "`undo;`, which goes backwards");
            return;
        }
    }
}

bool is_backup(const Event& event) {
    return event.verb != nullptr && event.verb->signature.starts_with("backup");
}

bool is_irreversible(const Event& event) {
    return event.act == Act::Change && way_back(event).kind == ir::UndoKind::Irreversible;
}

// From an irreversible step on there is no way back, so that nothing but it should be left to fail.
void point_of_no_return(const Course& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    const auto irreversible = std::find_if(events.begin(), events.end(), is_irreversible);
    if (irreversible == events.end() || std::any_of(events.begin(), irreversible, is_backup)) return;
    const auto later = std::find_if(irreversible + 1, events.end(), [&](const Event& event) {
        const bool leaves = event.inner->undo && event.inner->undo->kind == ir::UndoKind::None;
        return event.act == Act::Change && !leaves && !is_irreversible(event) && touches_live(event);
    });
    if (later == events.end()) return;
    auto& d = diagnostics.report(
        Code::NoReturnTooEarly, irreversible->step->span,
        fmt::format("from `{}` on there is no way back, and it is not the last", irreversible->step->text));
    d.labels.push_back({later->step->span, "if this fails, what stands before it can be taken back no more"});
    d.notes.emplace_back(
        "put it last, or save what it destroys first: `backup \"FOLDER\" of WORKLOAD to \"FILE\"`");
}

}  // namespace

void undo(const Picture& picture, Diagnostics& diagnostics) {
    for (const Course& course : picture.timeline.courses()) {
        if (!course.stage->repeats) {
            each_step(course.stage->steps,
                      [&](const ir::Step& step) { own_undo(picture, *course.stage, step, diagnostics); });
            point_of_no_return(course, diagnostics);
        }
        const bool inherited = course.stage->repeats && !course.stage->on_failure;
        if (inherited) continue;
        left_out(course, diagnostics);
        taken_away_too_early(picture, course, diagnostics);
    }
}

}  // namespace migc::checks
