#include "runtime/report/event_formatter.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "compiler/support/escape.hpp"

namespace migc::runtime::inline report {

namespace {

constexpr std::size_t text_columns = 38;
constexpr std::size_t longest_value = 120;

constexpr EventFormatter::Sign done = {"✓", "+", Ink::Green};
constexpr EventFormatter::Sign failed = {"✗", "x", Ink::Red};
constexpr EventFormatter::Sign undone = {"↩", "<", Ink::Yellow};
constexpr EventFormatter::Sign held = {"‖", "!", Ink::Yellow};
constexpr EventFormatter::Sign nothing = {"·", ".", Ink::Faint};

// "why" after a word: "failed: why".
std::string with_reason(std::string_view word, const std::string& reason) {
    return reason.empty() ? std::string(word) : fmt::format("{}: {}", word, reason);
}

std::string shortened(const std::string& text, const Style& style) {
    const std::string_view first = first_characters(text, longest_value);
    return first.size() == text.size() ? text : std::string(first).append(style.ellipsis());
}

std::string took(const std::optional<std::int64_t>& took_ms) {
    return took_ms ? elapsed(*took_ms) : std::string();
}

std::string ending(Outcome result, std::int64_t exit_code) {
    if (result == Outcome::Undone) return exit_code == 0 ? "fully undone" : "failed and fully undone";
    if (result == Outcome::Held) return "held: it stopped, and something stands";
    if (result == Outcome::UndoFailed) return "failed, and so did its undo";
    if (result == Outcome::InDoubt) return "in doubt: a person has to look";
    if (result == Outcome::Refused) return "refused by a gate or a lock";
    return result == Outcome::None ? "ended" : word(result);
}

}  // namespace

const EventFormatter::Sign EventFormatter::unknown = {"?", "?", Ink::Yellow};

std::string step_key(const events::AtStep& event) {
    return event.stage + "\n" + event.step.text();
}

std::string elapsed(std::int64_t milliseconds) {
    constexpr std::int64_t minute = 60'000;
    const std::int64_t time = std::max<std::int64_t>(milliseconds, 0);
    // Of what is short tenths of seconds count, in columns of one width.
    return time < minute ? fmt::format("{:.1f}s", static_cast<double>(time) / 1000) : shown_duration(time);
}

std::string_view first_characters(std::string_view text, std::size_t count) {
    std::size_t size = 0;
    for (; count > 0 && size < text.size(); --count) size += first_character(text.substr(size)).size;
    return text.substr(0, size);
}

std::vector<std::string> EventFormatter::lines(const Event& event) {
    remember(event);
    return std::visit([this](const auto& body) { return of(body); }, event.body);
}

// What was begun is shown with its outcome, in one line.
void EventFormatter::remember(const Event& event) {
    time_ms_ = event.time_ms;
    if (const auto* begun = event.as<events::RunBegun>()) run_ = escaped(begun->run);
    if (const auto* resumed = event.as<events::RunResumed>()) run_ = escaped(resumed->run);
    const auto* call = event.as<events::Call>();
    if (call == nullptr) return;
    const std::string key = step_key(*call);
    const bool forward = event.kind() == EventKind::Intent;
    if (forward) commands_[key] = escaped(call->command);
    if (forward || !texts_.contains(key)) texts_[key] = escaped(call->text);
}

std::string EventFormatter::line(const Sign& sign, const std::string& text,
                                 const std::vector<std::string>& details, bool part) const {
    std::string out = part ? "      " : "  ";
    out += style_.paint(sign.ink, style_.unicode ? sign.unicode : sign.ascii) + " " + text;
    std::string separator(text_columns - std::min(text_columns, character_count(text)) + 2, ' ');
    for (const std::string& detail : details) {
        if (detail.empty()) continue;
        out += separator + detail;
        separator = "   ";
    }
    return out;
}

EventFormatter::Lines EventFormatter::of(const events::RunBegun& begun) const {
    std::string out = "run";
    if (!begun.run.empty()) out += " " + escaped(begun.run);
    if (!begun.title.empty()) out += "  " + escaped(begun.title);
    if (!begun.mode.empty())
        out += fmt::format("   ({})", with_reason(escaped(begun.mode),
                                                  begun.world == begun.mode ? "" : escaped(begun.world)));
    Lines lines = {style_.paint(Ink::Bold, out)};
    const auto warn = [&](const char* what, const std::string& why, const char* consequence) {
        if (!why.empty())
            lines.push_back(
                style_.paint(Ink::Red, fmt::format("!!! {}: {} !!!   {}", what, escaped(why), consequence)));
    };
    warn("EMERGENCY", begun.emergency, "its gates and freezes are waived, its undo is not");
    warn("WITHOUT EVIDENCE", begun.without_evidence, "nothing says that what is repeated has passed");
    return lines;
}

EventFormatter::Lines EventFormatter::of(const events::RunResumed& resumed) const {
    const char* what = resumed.action == events::RunResumed::Action::Undo ? "is taken back" : "goes on";
    return {style_.paint(Ink::Bold, fmt::format("run {} {}", run_, what)) +
            (resumed.by.empty()
                 ? ""
                 : fmt::format("   (by {}, {})", escaped(resumed.by), trust::utc_time(time_ms_)))};
}

EventFormatter::Lines EventFormatter::of(const events::Resolved& resolved) const {
    const char* what = resolved.part == events::Resolved::Part::Inverse ? "the undo of " : "";
    const char* verdict =
        resolved.verdict == events::Resolved::Verdict::Done ? "it is done" : "it is not done";
    return {line(
        held, what + escaped(resolved.text),
        {fmt::format("{} says: {}, because: {}", escaped(resolved.by), verdict, escaped(resolved.because))})};
}

EventFormatter::Lines EventFormatter::of(const events::StageBegun& begun) const {
    std::string where;
    const auto add = [&](const char* what, const std::string& name) {
        if (!name.empty()) where += fmt::format("{}{} {}", where.empty() ? "" : ", ", what, escaped(name));
    };
    if (begun.where.environment != begun.stage) add("environment", begun.where.environment);
    add("context", begun.where.context);
    add("namespace", begun.where.name_space);
    return {style_.paint(Ink::Bold, "stage " + escaped(begun.stage)) +
            (where.empty() ? "" : fmt::format("  ({})", where))};
}

EventFormatter::Lines EventFormatter::of(const events::Noted& noted) const {
    // What an undo compares with later, or a resumed run does not find out again, is of no interest to a
    // person.
    if (noted.kind != events::Noted::Kind::Name) return {};
    // A secret that is kept for an undo.
    const nlohmann::json& kept = noted.value;
    const bool secret =
        kept.is_object() && (kept.contains("sealed") || (kept.size() == 1 && kept.contains("secret")));
    const std::string value = secret ? "(secret)" : escaped(show(from_json(kept)));
    return {line(nothing, fmt::format("{} = {}", escaped(noted.name), shortened(value, style_)), {})};
}

EventFormatter::Lines EventFormatter::of(const events::UndoBegun& undo) const {
    return {with_reason("undo stage " + escaped(undo.stage), escaped(undo.reason))};
}

std::string EventFormatter::taken(std::map<std::string, std::string>& from, const std::string& key) {
    auto node = from.extract(key);
    return node.empty() ? std::string() : std::move(node.mapped());
}

EventFormatter::Lines EventFormatter::of(const events::StepOutcome& ended) {
    const std::string key = step_key(ended);
    const std::string command = style_.paint(Ink::Faint, taken(commands_, key));
    const std::string message = escaped(ended.message);
    // Kept under its key, for the undo of the step.
    if (!ended.text.empty()) texts_[key] = escaped(ended.text);
    const std::string& text = texts_[key];
    switch (ended.result) {
        case Outcome::Done:
            return {line(done, text, {command, message, took(ended.took_ms)})};
        case Outcome::Already:
            return {line(done, text, {with_reason("already so", message)})};
        case Outcome::Failed:
            return {line(failed, text, {with_reason(word(Outcome::Failed), message)})};
        case Outcome::None:
            return {line(unknown, text, {with_reason("ended", message)})};
        default:
            return {line(unknown, text, {with_reason(in_words(ended.result), message)})};
    }
}

EventFormatter::Lines EventFormatter::of(const events::Checked& checked) const {
    const std::string message = escaped(checked.message);
    const std::string text = escaped(checked.text);
    if (checked.result == Finding::Holds) return {line(done, text, {message, took(checked.took_ms)})};
    if (checked.result == Finding::Fails)
        return {line(failed, text, {with_reason(word(Outcome::Failed), message)})};
    return {line(unknown, text, {with_reason(word(Finding::Unknown), message)})};
}

EventFormatter::Lines EventFormatter::of(const events::UndoOutcome& ended) {
    const std::string message = escaped(ended.message);
    const bool part = ended.part.has_value();
    const std::string text = ended.text.empty() ? texts_[step_key(ended)] : escaped(ended.text);
    switch (ended.result) {
        case Outcome::Undone:
            return {line(undone, text, {message}, part)};
        case Outcome::NothingToUndo:
            return {line(nothing, text, {with_reason("nothing to undo", message)}, part)};
        case Outcome::Held:
            return {line(held, text, {with_reason("not undone", message)}, part)};
        case Outcome::Failed:
            return {line(failed, text, {with_reason("the undo failed", message)}, part)};
        default:
            return {line(unknown, text, {with_reason(in_words(ended.result), message)}, part)};
    }
}

EventFormatter::Lines EventFormatter::of(const events::StageEnded& ended) const {
    // The reason stands in the lines above, and again at the end of the run.
    return {fmt::format("stage {} {}", escaped(ended.stage),
                        ended.result == Outcome::UndoFailed ? "not undone" : in_words(ended.result))};
}

EventFormatter::Lines EventFormatter::of(const events::LockBroken& broken) const {
    return {fmt::format("the lock of {} was broken by {}: {}", escaped(broken.lock), escaped(broken.by),
                        escaped(broken.because))};
}

EventFormatter::Lines EventFormatter::of(const events::Adopted& adopted) const {
    return {fmt::format("adopted by {} because {} ({})", escaped(adopted.by), escaped(adopted.because),
                        escaped(adopted.why))};
}

EventFormatter::Lines EventFormatter::of(const events::RunEnded& ended) const {
    const Outcome result = ended.result;
    const bool is_undone = result == Outcome::Undone;
    const Ink ink = result == Outcome::Done ? Ink::Green : is_undone ? Ink::Yellow : Ink::Red;
    const std::string how = is_undone && !ended.standing.empty() ? "failed; the stage that failed is undone"
                                                                 : ending(result, ended.exit_code);
    Lines out = {style_.paint(
        ink, fmt::format("run {}{}{} (exit code {})", run_, run_.empty() ? "" : " ", how, ended.exit_code))};
    if (result == Outcome::Done) return out;
    if (!is_undone && !ended.message.empty()) out.push_back("  " + escaped(ended.message));
    for (const std::string& one : ended.standing)
        out.push_back((is_undone ? "  stays, from an earlier stage: " : "  still changed: ") + escaped(one));
    if (is_undone) return out;
    for (const StepId& step : ended.decide)
        out.push_back(fmt::format("  `migc resolve {} {} done|not-done --because \"..\"` says how it went",
                                  run_, escaped(step.text())));
    return out;
}

}  // namespace migc::runtime::inline report
