// What is waited for fits into its limit, and steps and undo into the maintenance window. Only what the
// script states, and what a `verify` declares, is counted: that every command takes as long as it may is not
// to be expected.
#include <algorithm>
#include <filesystem>

#include <date/tz.h>
#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/semantics/bounds.hpp"
#include "compiler/semantics/window.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

std::string shown(std::int64_t milliseconds) {
    return show(Value(Duration{milliseconds}));
}

struct Gate {
    const ir::Step* step = nullptr;
    std::string text;
    std::optional<semantics::Window> window;
    std::string mistake;  // why it can never open; "" if nothing is wrong with it
};

bool is_time_zone(const std::string& name) {
    // The machine's own file first: the library lists all zones before it tells of one.
    const std::filesystem::path zones = "/usr/share/zoneinfo";
    std::error_code error;
    const bool is_inside = !name.starts_with('/') && name.find("..") == std::string::npos;
    if (is_inside && std::filesystem::is_regular_file(zones / name, error)) return true;
    try {
        return date::locate_zone(name) != nullptr;
    } catch (const std::runtime_error&) {
        return false;
    }
}

// What is wrong with the name of a time zone; "" if nothing is, or this machine has no data base of them.
std::string mistake_in_zone(const std::string& name) {
    if (is_time_zone(name) || !is_time_zone("Europe/Berlin")) return "";
    return fmt::format("there is no time zone `{}`", name);
}

Gate window_gate(const ir::Step& step, const std::string& text) {
    const auto window = semantics::parse_window(text);
    if (!window) return {&step, text, std::nullopt, window.error()};
    return {&step, text, *window, mistake_in_zone(window->zone)};
}

Gate freeze_gate(const ir::Step& step, const std::string& text) {
    const auto freeze = semantics::parse_freeze(text);
    return {&step, text, std::nullopt, freeze ? mistake_in_zone(freeze->zone) : freeze.error()};
}

// The gates of a stage that ask for the hour.
std::vector<Gate> gates_of(const CheckContext& picture, const ir::Stage& stage) {
    std::vector<Gate> found;
    for (const ir::Step& gate : stage.gates) {
        if (!gate.condition || gate.condition->kind != ir::ExprKind::Probe) continue;
        const ir::Role role = semantics::role_of(picture.program, *gate.condition);
        if (role != ir::Role::Window && role != ir::Role::Freeze) continue;
        const auto when = asked_of(picture, gate, stage);
        if (when) found.push_back((role == ir::Role::Window ? window_gate : freeze_gate)(gate, show(*when)));
    }
    return found;
}

// A freeze whose zone nobody knows would close every stage of a protected environment, for ever.
void unreadable_freezes(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const project::Freeze& freeze : picture.inventory.freezes)
        if (const std::string mistake = mistake_in_zone(freeze.zone);
            !freeze.zone.empty() && !mistake.empty())
            diagnostics.report(Code::BadInventory, freeze.span, mistake)
                .notes.emplace_back("every stage of a protected environment would be refused");
}

// A gate that is no window or freeze, and two windows that are never open at the same time.
void never_open(const std::vector<Gate>& gates, Diagnostics& diagnostics) {
    for (std::size_t i = 0; i < gates.size(); ++i) {
        if (!gates[i].mistake.empty()) {
            auto& d =
                diagnostics.report(Code::GateNeverOpens, gates[i].step->span, "this gate can never open");
            d.note(gates[i].mistake);
            continue;
        }
        for (std::size_t j = 0; j < i; ++j) {
            if (!gates[i].window || !gates[j].window ||
                !semantics::never_together(*gates[i].window, *gates[j].window))
                continue;
            auto& d =
                diagnostics.report(Code::GateNeverOpens, gates[i].step->span, "this gate can never open");
            d.label(gates[j].step->span, "this one is closed whenever it is open");
            d.note("all gates of a stage must be open at the same time");
        }
    }
}

// A limit that the step states holds for the command and for its effect: seldom for both in full.
std::int64_t stated(const Event& event) {
    return event.bound.stated ? std::max(event.bound.act_ms, event.bound.see_ms) : 0;
}

// What steps that take back surely need, looks and soaks included.
std::int64_t needed(const std::vector<Event>& events) {
    std::int64_t sum = 0;
    for (const Event& event : events) {
        if (!event.is_sure()) continue;
        if (event.act == EventKind::Soak)
            sum += event.at_least_ms.value_or(0);
        else if (event.verb != nullptr)
            sum += stated(event);
        else if (event.act == EventKind::Look)
            sum += event.bound.total();
    }
    return sum;
}

// The events that an undo of somebody's own takes back, instead of what their verbs declare.
std::vector<bool> taken_back_by_hand(const StageEvents& course) {
    std::vector<bool> by_hand(course.forward.size());
    for (const OwnUndo& own : course.undos)
        for (std::size_t i = own.begin; own.outermost && i < own.end; ++i) by_hand[i] = true;
    return by_hand;
}

// How much of the window is surely needed.
semantics::Times times_of(const StageEvents& course) {
    semantics::Times times;
    const auto by_hand = taken_back_by_hand(course);
    for (std::size_t i = 0; i < course.forward.size(); ++i) {
        const Event& event = course.forward[i];
        if (!event.is_sure()) continue;
        if (event.act == EventKind::Soak) {
            times.soak(event.at_least_ms.value_or(0));
        } else if (event.verb != nullptr) {
            const ir::UndoKind kind = by_hand[i] ? ir::UndoKind::None : way_back(event).kind;
            times.call({stated(event), 0, true}, kind, event.is_change(), event.step->text);
        } else if (event.act == EventKind::Look) {
            times.verify(event.bound);
        }
    }
    for (const OwnUndo& own : course.undos) {
        const bool is_done = own.outermost && own.begin < own.end && course.forward[own.begin].is_sure();
        if (is_done) times.undo_ms += needed(own.back);
    }
    if (course.stage->on_failure) times.failure(*course.stage->on_failure, needed(course.failure));
    return times;
}

// The event that takes longest, there and back, to be pointed at.
const Event* longest(const StageEvents& course) {
    const Event* found = nullptr;
    std::int64_t most = 0;
    each_event(course, [&](const Event& event) {
        const bool counts = event.is_sure() && (event.bound.stated || event.act == EventKind::Look);
        const std::int64_t length = counts ? std::max(event.bound.act_ms, event.bound.see_ms) : 0;
        if (event.act == EventKind::Soak || length <= most) return;
        most = length;
        found = &event;
    });
    return found;
}

void too_long(const StageEvents& course, const std::vector<Gate>& gates, Diagnostics& diagnostics) {
    const semantics::Times times = times_of(course);
    for (const Gate& gate : gates) {
        if (!gate.window) continue;
        const std::int64_t window = std::int64_t{gate.window->length()} * 60'000;
        // A soak alone that is too long is told as such: the change behind it begins too late.
        if (times.soaks_between_ms >= window || times.window_ms() <= window) continue;
        auto& d = diagnostics.report(Code::BeyondWindow, gate.step->span,
                                     fmt::format("steps and undo may take {}, and the window lasts {}",
                                                 shown(times.window_ms()), shown(window)));
        d.primary_label = "lasts " + shown(window);
        if (const Event* event = longest(course)) d.label(event->step->span, "this may take longest of all");
        d.note(fmt::format(
            "forward and verified at most {}, then back {}: an undo would end when users are there again",
            shown(times.steps_ms + times.soaks_between_ms), shown(times.undo_ms)));
        d.note("make the limits (`within`) smaller, the window longer, or two stages of it");
        return;
    }
}

// ------------------------------------------------------------------ limits

bool waits_for_pods(const ir::Program& program, const ir::Expr& condition) {
    const bool is_it = semantics::role_of(program, condition) == ir::Role::Readiness;
    return is_it || (condition.kind == ir::ExprKind::And &&
                     std::ranges::any_of(condition.children, [&](const ir::Expr& child) {
                         return waits_for_pods(program, child);
                     }));
}

struct Start {
    std::int64_t ms = 0;
    std::string pointer;
};

std::int64_t seconds_at(const json& object, const std::string& pointer) {
    const json* found = value_at(object, pointer);
    return found != nullptr && found->is_number_integer()
               ? std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, 1'000'000)
               : 0;
}

// How long a new pod surely takes until it is available.
Start start_of(const json& object) {
    Start start{0, "/spec/minReadySeconds"};
    for (std::size_t i = 0; i < containers_of(object).size(); ++i) {
        const std::string pointer =
            fmt::format("/spec/template/spec/containers/{}/readinessProbe/initialDelaySeconds", i);
        if (const std::int64_t delay = seconds_at(object, pointer) * 1000; delay > start.ms)
            start = {delay, pointer};
    }
    start.ms += seconds_at(object, "/spec/minReadySeconds") * 1000;
    return start;
}

bool makes_new_pods(const Event& event) {
    return event.is_change() && !event.conditional &&
           (image_of(event) != nullptr || effect_on(event, ir::Role::Generation) != nullptr);
}

// `verify pods ready of webapi within 30s`, and a pod is not even asked before a minute is over.
void too_short(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics) {
    std::set<ResourceKey> renewed;
    for (const Event& event : course.forward) {
        if (makes_new_pods(event)) renewed.insert(event.things.begin(), event.things.end());
        const bool waits = event.act == EventKind::Look && event.bound.stated && event.inner->condition &&
                           !event.conditional && waits_for_pods(picture.program, *event.inner->condition);
        if (!waits) continue;
        for (const ResourceKey& thing : event.things) {
            const auto& declared = picture.manifests.declaring(thing);
            const json* now = renewed.contains(thing) && !declared.empty()
                                  ? picture.files.object(*declared.front(), course.moment)
                                  : nullptr;
            const Start start = now != nullptr ? start_of(*now) : Start();
            if (start.ms == 0 || start.ms < event.bound.see_ms) continue;
            auto& d = diagnostics.report(
                Code::LimitTooShort, event.step->span,
                fmt::format("a new pod of {} is not ready within {}", thing, shown(event.bound.see_ms)));
            d.label(picture.manifests.span(*declared.front(), start.pointer),
                    fmt::format("it takes at least {}", shown(start.ms)));
            d.note("the stage would fail every time, and take back a change that works");
        }
    }
}

// `verify .. within 0s` and `soak 0s` look once, or not at all.
void no_time(const StageEvents& course, Diagnostics& diagnostics) {
    for (const Event& event : course.forward) {
        if (event.inner != event.step) continue;
        const bool looks_once = event.act == EventKind::Look && event.verb == nullptr && event.bound.stated &&
                                event.bound.see_ms <= 0;
        const bool is_no_soak = event.act == EventKind::Soak && event.at_least_ms && *event.at_least_ms <= 0;
        if (!looks_once && !is_no_soak) continue;
        auto& d = diagnostics.report(
            Code::LimitTooShort, event.step->span,
            is_no_soak ? "a soak of no time watches nothing" : "there is no time for this to become true");
        d.note(is_no_soak ? "what goes wrong a minute later would be found by the users"
                          : "a change takes a moment to be seen: give it a limit, or leave `within` out");
    }
}

}  // namespace

void times(const CheckContext& picture, Diagnostics& diagnostics) {
    unreadable_freezes(picture, diagnostics);
    for (const StageEvents& course : picture.timeline.courses()) {
        const auto gates = gates_of(picture, *course.stage);
        never_open(gates, diagnostics);
        if (!gates.empty()) too_long(course, gates, diagnostics);
        if (course.stage->repeats) continue;
        too_short(picture, course, diagnostics);
        no_time(course, diagnostics);
    }
}

}  // namespace migc::checks
