#include "runtime/inspect/status.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/semantics/bounds.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "runtime/journal/run_state.hpp"
#include "runtime/natives/calendar.hpp"

namespace migc::runtime::inline inspect {
namespace {

// What stands in a declaration; names have no value here, so that its default holds.
std::optional<std::int64_t> literal(const ir::Expr& expression) {
    if (expression.kind != ir::ExprKind::Literal) return std::nullopt;
    if (const auto* duration = expression.value.get_if<Duration>()) return duration->milliseconds;
    const auto* number = expression.value.get_if<std::int64_t>();
    return number != nullptr ? std::optional(*number) : std::nullopt;
}

const ir::Verb* verb_of(const ir::Program& program, const std::string& signature) {
    const auto found = std::find_if(program.verbs.begin(), program.verbs.end(),
                                    [&](const ir::Verb& verb) { return verb.signature == signature; });
    return found == program.verbs.end() ? nullptr : &*found;
}

semantics::Reader literals() {
    return {literal, [](const ir::Step&, const ir::Verb&) { return literals(); }};
}

// A composite without a way back of its own is taken back by what was done inside of it.
void add_undo(Status& status, const ir::Program& program, const Change& change) {
    const ir::Verb* verb = verb_of(program, change.verb);
    if (verb == nullptr) return;
    const ir::Step* step = semantics::find_step(program, change.step);
    static const ir::Step unknown;
    const ir::Step& written = step != nullptr ? *step : unknown;
    const ir::UndoKind way_back = semantics::way_back(written, *verb).kind;
    if (way_back == ir::UndoKind::Irreversible) status.no_return = change.text;
    const semantics::Bound forward = semantics::call_bound(program, written, *verb, literal, literal);
    status.undo_ms += semantics::undo_bound(program, written, *verb, forward, literals());
}

void add_standing(Status& status, const ir::Program& program, const std::vector<Change>& changes) {
    std::vector<const Change*> standing;
    for (const Change& change : changes)
        if (change.stands()) standing.push_back(&change);
    for (const Change* change : standing) {
        status.standing.push_back(change->text);
        const bool is_part = std::any_of(standing.begin(), standing.end(), [&](const Change* outer) {
            return change->step.is_inside(outer->step);
        });
        if (!is_part) add_undo(status, program, *change);
    }
}

// Of a gate `window ".."`, what stands in the quotes.
std::optional<std::string> window_text(const ir::Program& program, const ir::Stage& stage) {
    for (const ir::Step& gate : stage.gates) {
        if (semantics::role_of(program, *gate.condition) != ir::Role::Window) continue;
        const ir::Expr* when = semantics::role_argument(program, *gate.condition, 0);
        const auto* text = when != nullptr ? when->value.get_if<std::string>() : nullptr;
        if (text != nullptr) return *text;
    }
    return std::nullopt;
}

void add_window(Status& status, const StatusInput& input) {
    const ir::Stage* stage = input.program.stage(status.stage);
    const auto text = stage != nullptr ? window_text(input.program, *stage) : std::nullopt;
    const auto hour = text ? window_at(*text, input.now) : tl::expected<Hour, std::string>(Hour());
    if (!text || !hour) return;
    status.window = *text;
    status.window_open = hour->within;
    status.window_until = hour->until;
    if (hour->within) status.last_safe_ms = hour->until - status.undo_ms;
}

bool is_at_work(const StatusInput& input) {
    return input.worker && input.worker->condition != LockCondition::Orphaned;
}

std::string state_of(const StatusInput& input) {
    if (is_at_work(input)) return "at work";
    return input.about.ended_ms == 0 ? "cut off" : input.about.result;
}

std::string zone_of(const std::string& window) {
    return window.substr(window.rfind(' ') + 1);
}

std::string what_next(const Status& status, const StatusInput& input) {
    const Outcome end = input.about.ended_ms == 0 ? Outcome::None : input.about.outcome();
    if (end == Outcome::Done || end == Outcome::Undone || is_at_work(input)) return {};
    const std::string& run = input.about.id;
    if (!status.in_doubt.empty())
        return fmt::format("look at what is in doubt, then `migc resolve {} STEP done|not-done --because ..`",
                           run);
    return fmt::format("`migc resume {0}` continues it, `migc undo {0}` undoes it", run);
}

std::string window_in_words(const Status& status, Time now) {
    const std::string zone = zone_of(status.window);
    if (!status.window_open)
        return fmt::format(
            "{} is closed{}", status.window,
            status.window_until == 0 ? "" : "; it opens " + local_time(status.window_until, zone));
    const std::string closes =
        fmt::format("{} closes in {}", status.window, shown_duration(status.window_until - now));
    if (status.undo_ms == 0) return closes;
    if (status.last_safe_ms <= now)
        return fmt::format("{}; an undo that takes all of its time does not fit into it any more", closes);
    return fmt::format("{}; an undo has to begin by {}, in {}", closes, local_time(status.last_safe_ms, zone),
                       shown_duration(status.last_safe_ms - now));
}

}  // namespace

Status status_of(const StatusInput& input) {
    Status status;
    status.state = state_of(input);
    const bool at_work = status.state == "at work";
    if (at_work) status.doing = input.progress;
    // What cannot be read says nothing here; whoever goes on with the run, or takes it back, is told.
    const RunState run = run_state(input.events);
    for (const BegunStage& stage : run.stages) {
        status.stage = stage.name;
        add_standing(status, input.program, stage.state.changes);
    }
    if (!at_work)  // then what is open is only under way
        for (const OpenStep& open : run.open)
            status.in_doubt.push_back(fmt::format("{} ({})", open.step, open.text));
    add_window(status, input);
    return status;
}

std::string render_status(const Status& status, const StatusInput& input) {
    std::string out = fmt::format("run {}   {}{}\n", input.about.id, input.about.script,
                                  input.about.title.empty() ? "" : "   " + input.about.title);
    const auto line = [&](const std::string& label, const std::string& text) {
        if (!text.empty()) out += fmt::format("  {:<9}{}\n", label, text);
    };
    line("state", status.state + (status.stage.empty() ? "" : fmt::format(", stage {}", status.stage)));
    if (status.doing)
        line("now", fmt::format("{}, for {}{}{}", status.doing->text,
                                shown_duration(input.now - status.doing->since_ms),
                                status.doing->state.empty() ? "" : ": ", status.doing->state));
    if (input.worker) line("lock", describe(*input.worker));
    for (const std::string& text : status.standing) line("changed", text);
    for (const std::string& text : status.in_doubt) line(in_words(Outcome::InDoubt), text);
    if (!status.standing.empty())
        line("undo", status.no_return.empty()
                         ? fmt::format("would take {} at most", shown_duration(status.undo_ms))
                         : fmt::format("stops at `{}`, which cannot be undone", status.no_return));
    if (!status.window.empty()) line("window", window_in_words(status, input.now));
    line("next", what_next(status, input));
    return out;
}

nlohmann::json to_json(const Status& status, const StatusInput& input) {
    nlohmann::json json = {{"run", input.about.id},
                           {"script", input.about.script},
                           {"state", status.state},
                           {"stage", status.stage},
                           {"changed", status.standing},
                           {"in_doubt", status.in_doubt},
                           {"undo_ms", status.undo_ms},
                           {"no_return", status.no_return},
                           {"window", status.window},
                           {"window_open", status.window_open},
                           {"window_until", status.window_until},
                           {"last_safe_undo", status.last_safe_ms}};
    if (status.doing) json["now"] = *status.doing;
    if (input.worker) json["lock"] = describe(*input.worker);
    return json;
}

}  // namespace migc::runtime::inline inspect
