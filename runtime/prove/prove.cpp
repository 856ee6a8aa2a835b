#include "runtime/prove/prove.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/prove/lower.hpp"

namespace migc::prove {

Answer prove(const ir::Program& program, const project::Inventory& inventory,
             const runtime::RunOptions& parameters, const Options& options) {
    Answer answer;
    answer.faults = std::min(options.faults, most_faults);
    System system = lower(program, inventory, parameters, options.properties);
    if (system.too_large || system.values.full()) {
        answer.verdict = Answer::Verdict::CutOff;
        answer.problem = "the script changes more than can be looked at at once; prove its stages apart";
        return answer;
    }
    std::unique_ptr<Machine> machine;
    if (options.jit) {
        auto compiled = make_compiled(fast_code(system), system.values);
        if (!compiled) {
            answer.verdict = Answer::Verdict::CutOff;
            answer.problem = compiled.error();
            return answer;
        }
        machine = std::move(*compiled);
    } else {
        machine = make_interpreter(fast_code(system), system.values);
    }
    Limits limits;
    limits.faults = answer.faults;
    limits.states = options.states;
    const Findings found = explore(system, *machine, limits);
    answer.counts = found.counts;
    answer.bounds = system.bounds;
    answer.trusted = system.trusted;
    for (std::size_t i = 0; i < system.endings.size(); ++i)
        answer.held_as_declared |= system.endings[i].declared && found.counts.reached_ending[i] != 0 &&
                                   system.endings[i].outcome != Outcome::Refused;
    if (answer.held_as_declared) answer.no_return = system.no_return;
    if (found.cut_off) answer.verdict = Answer::Verdict::CutOff;
    if (found.counterexample) {
        answer.verdict = Answer::Verdict::Counterexample;
        const unsigned budget =
            found.counterexample->variation < 0 ? answer.faults : std::min(answer.faults, 1U);
        answer.story = tell(system, *found.counterexample, budget);
    }
    return answer;
}

namespace {

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

std::string_view name(Outcome outcome) {
    switch (outcome) {
        case Outcome::Done:
            return "done";
        case Outcome::Undone:
            return "undone";
        case Outcome::Held:
            return "held";
        case Outcome::UndoFailed:
            return "undo-failed";
        case Outcome::InDoubt:
            return "in-doubt";
        case Outcome::Refused:
            break;
    }
    return "refused";
}

std::string_view in_words(Outcome outcome) {
    if (outcome == Outcome::UndoFailed) return "ends with an undo that failed";
    if (outcome == Outcome::InDoubt) return "ends in doubt";
    if (outcome == Outcome::Refused) return "is refused";
    return outcome == Outcome::Done ? "is done" : outcome == Outcome::Held ? "is held" : "is called undone";
}

std::string_view name(Hole hole) {
    switch (hole) {
        case Hole::NotRestored:
            return "not restored";
        case Hole::NotListed:
            return "not listed";
        case Hole::NoReason:
            return "no way back";
        case Hole::NeverDone:
            return "never done";
        case Hole::Property:
            return "property";
        case Hole::None:
            break;
    }
    return "none";
}

std::string differing(const Difference& one) {
    return fmt::format("{} is {}, not {}", one.name, one.now, one.was);
}

const Line* first_fault(const Story& story) {
    const auto found =
        std::find_if(story.lines.begin(), story.lines.end(), [](const Line& line) { return line.fault; });
    return found == story.lines.end() ? nullptr : &*found;
}

std::string message(const Story& story) {
    const Line* fault = first_fault(story);
    const std::string when =
        fault == nullptr ? "nothing goes wrong" : fmt::format("`{}`: {}", fault->text, fault->happens);
    std::string text = fmt::format("{}; then the run {}", when, in_words(story.ending.outcome));
    if (story.ending.hole == Hole::Property) return fmt::format("{}; then {}", when, story.ending.text);
    if (!story.differences.empty())
        text += fmt::format(", and {} is left changed", story.differences.front().name);
    return text;
}

std::string told(const Line& line, std::size_t number) {
    std::string text = fmt::format("{}. ", number);
    if (line.kind == Line::Kind::Undo) text += "undo: ";
    text += line.text;
    if (!line.happens.empty()) text += fmt::format(": {}", line.happens);
    if (!line.results.empty()) text += fmt::format(": {}", fmt::join(line.results, ", "));
    return text;
}

nlohmann::json place(Span span, const SourceMap& sources) {
    if (span.file >= sources.size() || span.empty()) return nlohmann::json::object();
    const Position at = sources.begin(span);
    return {{"file", sources.file(span.file).name()}, {"line", at.line}, {"column", at.column}};
}

nlohmann::json as_json(const std::vector<Note>& notes, const SourceMap& sources) {
    auto result = nlohmann::json::array();
    for (const Note& note : notes) {
        auto one = place(note.span, sources);
        one["text"] = note.text;
        result.push_back(std::move(one));
    }
    return result;
}

nlohmann::json as_json(const Story& story, const SourceMap& sources) {
    auto steps = nlohmann::json::array();
    for (const Line& line : story.lines) {
        auto one = place(line.span, sources);
        one.update({{"text", line.text},
                    {"happens", line.happens},
                    {"results", line.results},
                    {"fault", line.fault},
                    {"undo", line.kind == Line::Kind::Undo}});
        steps.push_back(std::move(one));
    }
    auto differences = nlohmann::json::array();
    for (const Difference& difference : story.differences) {
        auto one = place(difference.span, sources);
        one.update({{"name", difference.name},
                    {"environment", difference.environment},
                    {"now", difference.now},
                    {"was", difference.was}});
        differences.push_back(std::move(one));
    }
    return {{"result", name(story.ending.outcome)},
            {"why", name(story.ending.hole)},
            {"message", message(story)},
            {"given", story.given},
            {"steps", steps},
            {"differences", differences}};
}

}  // namespace

void report(const Answer& answer, Diagnostics& diagnostics) {
    if (!answer.story) return;
    const Story& story = *answer.story;
    const Line* fault = first_fault(story);
    Span span = fault != nullptr ? fault->span : story.lines.empty() ? Span{} : story.lines.back().span;
    const bool wrong = !story.differences.empty() && !story.differences.front().span.empty();
    if (wrong) span = story.differences.front().span;
    auto& d = diagnostics.report(Code::NoWayBackFromHere, span, message(story));
    if (wrong) d.primary_label = "changes " + story.differences.front().name;
    if (wrong && fault != nullptr && !(fault->span == span))
        d.labels.push_back({fault->span, fault->happens});
    if (wrong && fault != nullptr && fault->span == span) d.primary_label = fault->happens;
    for (const std::string& given : story.given) d.notes.push_back("if " + given + ":");
    std::size_t number = 0;
    for (const Line& line : story.lines)
        if (line.kind == Line::Kind::Step || line.kind == Line::Kind::Undo || !line.happens.empty())
            d.notes.push_back(told(line, ++number));
        else if (line.kind == Line::Kind::Note)
            d.notes.push_back("   " + line.text);
    if (story.ending.hole == Hole::Property) return;
    std::string end = fmt::format("the run {}", in_words(story.ending.outcome));
    if (story.ending.hole == Hole::NotListed) end += ", and does not say so";
    for (const Difference& one : story.differences) end += fmt::format("; {}", differing(one));
    d.notes.push_back(end);
}

std::string headline(const Answer& answer) {
    const Counts& counts = answer.counts;
    if (!answer.problem.empty()) return "not proved: " + answer.problem;
    if (answer.verdict == Answer::Verdict::Counterexample) {
        const auto faults =
            static_cast<std::uint64_t>(std::count_if(answer.story->lines.begin(), answer.story->lines.end(),
                                                     [](const Line& line) { return line.fault; }));
        return faults == 0 ? "not proved: it goes wrong by itself"
                           : fmt::format("not proved: {} {} enough", counted(faults, "fault", "faults"),
                                         faults == 1 ? "is" : "are");
    }
    if (answer.verdict == Answer::Verdict::CutOff)
        return fmt::format("not proved: after {} the search was given up; nothing wrong was found by then",
                           counted(counts.states, "state", "states"));
    std::string text = fmt::format("proved: {}, 1 fault each: {}",
                                   counted(counts.points, "stopping point", "stopping points"),
                                   counted(counts.schedules[1], "schedule", "schedules"));
    if (answer.faults > 1) text += "; " + counted(counts.schedules[2], "pair", "pairs");
    if (answer.faults > 2) text += "; " + counted(counts.schedules[3], "triple", "triples");
    return text;
}

std::string remarks(const Answer& answer, const SourceMap& sources) {
    std::string text;
    const auto add = [&](std::string_view what, const std::vector<Note>& notes) {
        for (const Note& note : notes) {
            const bool placed = note.span.file < sources.size() && !note.span.empty();
            text += fmt::format("  {}: {}{}\n", what, note.text,
                                placed ? fmt::format(" ({})", sources.location(note.span)) : "");
        }
    };
    add("no way back", answer.no_return);
    add("taken at its word", answer.trusted);
    add("not looked at", answer.bounds);
    return text;
}

nlohmann::json as_json(const Answer& answer, const SourceMap& sources) {
    static constexpr const char* verdicts[] = {"proved", "counterexample", "cut off"};
    nlohmann::json result = {
        {"verdict", verdicts[static_cast<int>(answer.verdict)]},
        {"headline", headline(answer)},
        {"faults", answer.faults},
        {"stopping_points", answer.counts.points},
        {"schedules", std::vector<std::uint64_t>(answer.counts.schedules.begin(),
                                                 answer.counts.schedules.begin() + answer.faults + 1)},
        {"states", answer.counts.states},
        {"no_return", as_json(answer.no_return, sources)},
        {"trusted", as_json(answer.trusted, sources)},
        {"bounds", as_json(answer.bounds, sources)}};
    if (answer.story) result["counterexample"] = as_json(*answer.story, sources);
    return result;
}

}  // namespace migc::prove
