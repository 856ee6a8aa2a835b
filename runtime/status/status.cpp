#include "runtime/status/status.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/ir/bounds.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "runtime/engine/change.hpp"
#include "runtime/journal/doubts.hpp"
#include "runtime/natives/calendar.hpp"

namespace migc::runtime {
namespace {

// The changes of a run in order, as its events tell them.
class Account {
  public:
    explicit Account(const std::vector<Event>& events) {
        for (const Event& event : events) read(event);
    }

    std::vector<Change> changes;

  private:
    void read(const Event& event) {
        const std::string step = event.body.value("step", "");
        if (event.kind == EventKind::Intent && !event.body.value("failure_block", false))
            changes.push_back(Change::from_intent(event.body));
        Change* const change = find(step);
        if (change == nullptr) return;
        if (event.kind == EventKind::Outcome) change->conclude(event.body);
        if (event.kind == EventKind::Resolved && event.body.value("part", "") == "forward")
            change->resolve(outcome_in(event.body, "verdict") == Outcome::Done);
        if (event.kind == EventKind::UndoOutcome && !event.body.contains("part")) undo(step, event.body);
    }

    void undo(const std::string& step, const nlohmann::json& body) {
        const Outcome result = outcome_in(body);
        if (result != Outcome::Undone && result != Outcome::NothingToUndo) return;
        for (Change& change : changes)
            if (change.step == step || inside(change.step, step)) change.undone = true;
    }

    Change* find(const std::string& step) {
        const auto found =
            std::find_if(changes.rbegin(), changes.rend(), [&](const Change& c) { return c.step == step; });
        return found == changes.rend() ? nullptr : &*found;
    }
};

// Whether the step is part of one of these: "staging/3.2[1]" is of "staging/3" and of "staging/3.2".
bool inside_any(const std::string& step, const std::set<std::string>& steps) {
    for (std::size_t end = step.find_first_of(".["); end != std::string::npos;
         end = step.find_first_of(".[", end + 1))
        if (steps.contains(step.substr(0, end))) return true;
    return false;
}

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

ir::Reader literals() {
    return {literal, [](const ir::Step&, const ir::Verb&) { return literals(); }};
}

// A composite without a way back of its own is taken back by what was done inside of it.
void add_undo(Status& status, const ir::Program& program, const Change& change) {
    const ir::Verb* verb = verb_of(program, change.verb);
    if (verb == nullptr) return;
    const ir::Step* step = find_step(program, change.step);
    static const ir::Step unknown;
    const ir::Step& written = step != nullptr ? *step : unknown;
    const ir::UndoKind way_back = semantics::way_back(written, *verb).kind;
    if (way_back == ir::UndoKind::Irreversible) status.no_return = change.text;
    const ir::Bound forward = ir::call_bound(program, written, *verb, literal, literal);
    status.undo_ms += ir::undo_bound(program, written, *verb, forward, literals());
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

std::string in_words(std::int64_t milliseconds) {
    const std::int64_t seconds = std::max<std::int64_t>(milliseconds, 0) / 1000;
    if (seconds < 60) return fmt::format("{} s", seconds);
    if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
    return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
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
    return fmt::format("`migc resume {0}` goes on, `migc undo {0}` takes it back", run);
}

std::string window_in_words(const Status& status, Time now) {
    const std::string zone = zone_of(status.window);
    if (!status.window_open)
        return fmt::format(
            "{} is closed{}", status.window,
            status.window_until == 0 ? "" : "; it opens " + local_time(status.window_until, zone));
    const std::string closes =
        fmt::format("{} closes in {}", status.window, in_words(status.window_until - now));
    if (status.undo_ms == 0) return closes;
    if (status.last_safe_ms <= now)
        return fmt::format("{}; an undo that takes all of its time does not fit into it any more", closes);
    return fmt::format("{}; an undo has to begin by {}, in {}", closes, local_time(status.last_safe_ms, zone),
                       in_words(status.last_safe_ms - now));
}

}  // namespace

Status status_of(const StatusInput& input) {
    Status status;
    status.state = state_of(input);
    for (const Event& event : input.events)
        if (event.kind == EventKind::StageBegun) status.stage = event.body.value("stage", "");
    if (status.state == "at work") status.doing = input.progress;
    const std::vector<Change> changes = Account(input.events).changes;
    std::set<std::string> standing;
    for (const Change& change : changes)
        if (change.stands()) standing.insert(change.step);
    for (const Change& change : changes) {
        if (!change.stands()) continue;
        status.standing.push_back(change.text);
        if (!inside_any(change.step, standing)) add_undo(status, input.program, change);
    }
    const bool at_work = status.state == "at work";  // then what is open is only under way
    for (const OpenStep& open : open_steps(input.events))
        if (!at_work) status.in_doubt.push_back(fmt::format("{} ({})", open.step, open.text));
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
        line("now",
             fmt::format("{}, for {}{}{}", status.doing->text, in_words(input.now - status.doing->since_ms),
                         status.doing->state.empty() ? "" : ": ", status.doing->state));
    if (input.worker) line("lock", describe(*input.worker));
    for (const std::string& text : status.standing) line("changed", text);
    for (const std::string& text : status.in_doubt) line(in_words(Outcome::InDoubt), text);
    if (!status.standing.empty())
        line("undo", status.no_return.empty()
                         ? fmt::format("would take {} at most", in_words(status.undo_ms))
                         : fmt::format("stops at `{}`, which has no way back", status.no_return));
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
    if (status.doing)
        json["now"] = {{"step", status.doing->step},
                       {"text", status.doing->text},
                       {"state", status.doing->state},
                       {"since", status.doing->since_ms}};
    if (input.worker) json["lock"] = describe(*input.worker);
    return json;
}

}  // namespace migc::runtime
