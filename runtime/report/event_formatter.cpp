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

std::int64_t number_at(const nlohmann::json& body, const char* key) {
    const auto found = body.is_object() ? body.find(key) : body.end();
    return found != body.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::string took(const nlohmann::json& body) {
    return body.is_object() && body.contains("took_ms") ? elapsed(number_at(body, "took_ms")) : std::string();
}

bool is_true(const nlohmann::json& body, const char* key) {
    return body.is_object() && body.value(key, nlohmann::json()) == true;
}

}  // namespace

const EventFormatter::Sign EventFormatter::unknown = {"?", "?", Ink::Yellow};

std::string text_at(const nlohmann::json& body, const char* key) {
    const auto found = body.is_object() ? body.find(key) : body.end();
    if (found == body.end() || found->is_null()) return {};
    if (found->is_string()) return escaped(found->get_ref<const std::string&>());
    return escaped(found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string step_key(const Event& event) {
    return text_at(event.body, "stage") + "\n" + text_at(event.body, "step");
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

// The word of an event's result, also one that this migc does not know.
std::string text_or(const nlohmann::json& body, const char* otherwise) {
    const std::string text = text_at(body, "result");
    return text.empty() ? otherwise : text;
}

std::string in_words(Outcome outcome, const nlohmann::json& body) {
    return outcome == Outcome::InDoubt ? in_words(outcome) : text_or(body, "");
}

std::string ending(const nlohmann::json& body, std::int64_t exit_code) {
    const Outcome result = outcome_in(body);
    if (result == Outcome::Undone) return exit_code == 0 ? "fully undone" : "failed and fully undone";
    if (result == Outcome::Held) return "held: it stopped, and something stands";
    if (result == Outcome::UndoFailed) return "failed, and so did its undo";
    if (result == Outcome::InDoubt) return "in doubt: a person has to look";
    if (result == Outcome::Refused) return "refused by a gate or a lock";
    return text_or(body, "ended");
}

std::vector<std::string> EventFormatter::lines(const Event& event) {
    remember(event);
    switch (event.kind) {
        case EventKind::RunBegun:
            return run_begun(event.body);
        case EventKind::StageBegun:
            return stage_begun(event.body);
        case EventKind::Noted:
            return noted(event.body);
        case EventKind::Outcome:
            return outcome(event);
        case EventKind::Checked:
            return checked(event.body);
        case EventKind::RunResumed:
            return run_resumed(event);
        case EventKind::Resolved:
            return resolved(event.body);
        case EventKind::UndoBegun:
            return {with_reason("undo stage " + text_at(event.body, "stage"), text_at(event.body, "reason"))};
        case EventKind::UndoOutcome:
            return undo_outcome(event);
        case EventKind::StageEnded:
            return stage_ended(event.body);
        case EventKind::LockBroken:
            return {fmt::format("the lock of {} was broken by {}: {}", text_at(event.body, "lock"),
                                text_at(event.body, "by"), text_at(event.body, "because"))};
        case EventKind::Adopted:
            return {fmt::format("adopted by {} because {} ({})", text_at(event.body, "by"),
                                text_at(event.body, "because"), text_at(event.body, "why"))};
        case EventKind::RunEnded:
            return run_ended(event.body);
        case EventKind::StageFailed:
        case EventKind::StepBegun:
        case EventKind::Waiting:
        case EventKind::Intent:
        case EventKind::UndoIntent:
            return {};
    }
    return {};
}

// What was begun is shown with its outcome, in one line.
void EventFormatter::remember(const Event& event) {
    if (event.kind == EventKind::RunBegun || event.kind == EventKind::RunResumed)
        run_ = text_at(event.body, "run");
    if (event.kind != EventKind::Intent && event.kind != EventKind::UndoIntent) return;
    const std::string key = step_key(event);
    if (event.kind == EventKind::Intent) commands_[key] = text_at(event.body, "command");
    if (event.kind == EventKind::Intent || texts_.count(key) == 0) texts_[key] = text_at(event.body, "text");
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

std::vector<std::string> EventFormatter::run_begun(const nlohmann::json& body) const {
    std::string out = "run";
    for (const char* key : {"run", "title"})
        if (const std::string text = text_at(body, key); !text.empty())
            out += (key[0] == 'r' ? " " : "  ") + text;
    const std::string mode = text_at(body, "mode");
    const std::string world = text_at(body, "world");
    if (!mode.empty()) out += fmt::format("   ({})", with_reason(mode, world == mode ? "" : world));
    std::vector<std::string> lines = {style_.paint(Ink::Bold, out)};
    if (const std::string why = text_at(body, "emergency"); !why.empty())
        lines.push_back(style_.paint(
            Ink::Red,
            fmt::format("!!! EMERGENCY: {} !!!   its gates and freezes are waived, its undo is not", why)));
    if (const std::string why = text_at(body, "without_evidence"); !why.empty())
        lines.push_back(style_.paint(
            Ink::Red,
            fmt::format("!!! WITHOUT EVIDENCE: {} !!!   nothing says that what is repeated has passed",
                        why)));
    return lines;
}

std::vector<std::string> EventFormatter::run_resumed(const Event& event) const {
    const std::string by = text_at(event.body, "by");
    const std::string what = text_at(event.body, "action") == "undo" ? "is taken back" : "goes on";
    return {style_.paint(Ink::Bold, fmt::format("run {} {}", text_at(event.body, "run"), what)) +
            (by.empty() ? "" : fmt::format("   (by {}, {})", by, trust::utc_time(event.time_ms)))};
}

std::vector<std::string> EventFormatter::resolved(const nlohmann::json& body) const {
    const std::string what = text_at(body, "part") == "inverse" ? "the undo of " : "";
    const std::string verdict =
        outcome_in(body, "verdict") == Outcome::Done ? "it is done" : "it is not done";
    return {line(
        held, what + text_at(body, "text"),
        {fmt::format("{} says: {}, because: {}", text_at(body, "by"), verdict, text_at(body, "because"))})};
}

std::vector<std::string> EventFormatter::stage_begun(const nlohmann::json& body) const {
    std::string where;
    const std::string stage = text_at(body, "stage");
    for (const char* key : {"environment", "context", "namespace"}) {
        const std::string text = text_at(body, key);
        const bool says_nothing_new =
            text.empty() || (text == stage && std::string_view(key) == "environment");
        if (!says_nothing_new) where += fmt::format("{}{} {}", where.empty() ? "" : ", ", key, text);
    }
    return {style_.paint(Ink::Bold, "stage " + stage) + (where.empty() ? "" : fmt::format("  ({})", where))};
}

std::vector<std::string> EventFormatter::noted(const nlohmann::json& body) const {
    // What an undo compares with later, or a resumed run does not find out again, is of no interest to a
    // person.
    if (is_true(body, "baseline") || is_true(body, "undo_start") || !body.is_object() ||
        !body.contains("value") || body.contains("kind"))
        return {};
    const nlohmann::json& noted = body["value"];
    // A secret that is kept for an undo.
    const bool secret =
        noted.is_object() && (noted.contains("sealed") || (noted.size() == 1 && noted.contains("secret")));
    const std::string value = secret ? "(secret)" : escaped(show(from_json(noted)));
    return {line(nothing, fmt::format("{} = {}", text_at(body, "name"), shortened(value, style_)), {})};
}

std::string EventFormatter::taken(std::map<std::string, std::string>& from, const std::string& key) {
    auto node = from.extract(key);
    return node.empty() ? std::string() : std::move(node.mapped());
}

std::vector<std::string> EventFormatter::outcome(const Event& event) {
    const nlohmann::json& body = event.body;
    const std::string key = step_key(event);
    const std::string command = style_.paint(Ink::Faint, taken(commands_, key));
    const Outcome result = outcome_in(body);
    const std::string message = text_at(body, "message");
    // Kept under its key, for the undo of the step.
    if (const std::string own = text_at(body, "text"); !own.empty()) texts_[key] = own;
    const std::string& text = texts_[key];
    if (result == Outcome::Done) return {line(done, text, {command, message, took(body)})};
    if (result == Outcome::Already) return {line(done, text, {with_reason("already so", message)})};
    if (result == Outcome::Failed) return {line(failed, text, {with_reason(word(Outcome::Failed), message)})};
    if (result == Outcome::InDoubt)
        return {line(unknown, text, {with_reason(in_words(result, body), message)})};
    return {line(unknown, text, {with_reason(text_or(body, "ended"), message)})};
}

std::vector<std::string> EventFormatter::checked(const nlohmann::json& body) const {
    const Finding found = finding_in(body);
    const std::string message = text_at(body, "message");
    const std::string text = text_at(body, "text");
    if (found == Finding::Holds) return {line(done, text, {message, took(body)})};
    if (found == Finding::Fails) return {line(failed, text, {with_reason(word(Outcome::Failed), message)})};
    return {line(unknown, text, {with_reason(text_or(body, "unknown"), message)})};
}

std::vector<std::string> EventFormatter::undo_outcome(const Event& event) {
    const nlohmann::json& body = event.body;
    const Outcome result = outcome_in(body);
    const std::string message = text_at(body, "message");
    const bool part = body.is_object() && body.contains("part");
    std::string text = text_at(body, "text");
    if (text.empty()) text = texts_[step_key(event)];
    if (result == Outcome::Undone) return {line(undone, text, {message}, part)};
    if (result == Outcome::NothingToUndo)
        return {line(nothing, text, {with_reason("nothing to undo", message)}, part)};
    if (result == Outcome::Held) return {line(held, text, {with_reason("not undone", message)}, part)};
    if (result == Outcome::Failed)
        return {line(failed, text, {with_reason("the undo failed", message)}, part)};
    return {line(unknown, text, {with_reason(in_words(result, body), message)}, part)};
}

std::vector<std::string> EventFormatter::stage_ended(const nlohmann::json& body) const {
    const Outcome result = outcome_in(body);
    const std::string stage = "stage " + text_at(body, "stage") + " ";
    // The reason stands in the lines above, and again at the end of the run.
    return {stage + (result == Outcome::UndoFailed ? "not undone" : in_words(result, body))};
}

std::vector<std::string> EventFormatter::run_ended(const nlohmann::json& body) const {
    const Outcome result = outcome_in(body);
    const auto code = number_at(body, "exit_code");
    const bool standing =
        body.contains("standing") && body["standing"].is_array() && !body["standing"].empty();
    const Ink ink = result == Outcome::Done ? Ink::Green : result == Outcome::Undone ? Ink::Yellow : Ink::Red;
    const std::string how =
        fmt::format("run {}{}{} (exit code {})", run_, run_.empty() ? "" : " ",
                    standing && result == Outcome::Undone ? "failed; the stage that failed is undone"
                                                          : ending(body, code),
                    code);
    std::vector<std::string> out = {style_.paint(ink, how)};
    if (result == Outcome::Done) return out;
    if (result == Outcome::Undone) {
        for (const auto& one : standing ? body["standing"] : nlohmann::json::array())
            out.push_back("  stays, from an earlier stage: " + text_at({{"text", one}}, "text"));
        return out;
    }
    if (const std::string message = text_at(body, "message"); !message.empty()) out.push_back("  " + message);
    for (const auto& one : standing ? body["standing"] : nlohmann::json::array())
        out.push_back("  still changed: " + text_at({{"text", one}}, "text"));
    for (const auto& one : body.contains("decide") ? body["decide"] : nlohmann::json::array())
        out.push_back(fmt::format("  `migc resolve {} {} done|not-done --because \"..\"` says how it went",
                                  run_, text_at({{"step", one}}, "step")));
    return out;
}

}  // namespace migc::runtime::inline report
