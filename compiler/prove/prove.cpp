#include "compiler/prove/prove.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/prove/lower.hpp"

namespace migc::prove {

namespace {

// A system and what was found in it.
struct Searched {
    System system;
    Findings found;
    Verdict verdict = Verdict::Proved;
    std::optional<Trace> trace;
    bool ruled_out = false;  // nothing was looked at: the invariant is broken before the run
};

tl::expected<std::unique_ptr<Machine>, std::string> machine_for(System& system, bool jit) {
    if (system.too_large || system.values.full())
        return tl::unexpected(
            std::string("the script changes more than can be examined at once; prove its stages apart"));
    if (jit) return make_compiled(fast_code(system), system.values);
    return make_interpreter(fast_code(system), system.values);
}

// Branches that stop where they may are looked at in every combination, and each is a state or several: it is
// said at once that this leads nowhere, and not after minutes.
std::optional<std::string> too_many_orders(const System& system, const Options& options) {
    constexpr double states_for_each = 4;
    if (system.orders * states_for_each <= static_cast<double>(options.states)) return std::nullopt;
    return "too many orders: the branches of a `parallel` may come about in more ways than can be looked at; "
           "let fewer of them be parallel, or say with --states how many states may be looked at";
}

tl::expected<Searched, std::string> search(System system, const Options& options, bool only_invariant) {
    Searched result;
    result.system = std::move(system);
    if (auto why = too_many_orders(result.system, options)) return tl::unexpected(std::move(*why));
    auto machine = machine_for(result.system, options.jit);
    if (!machine) return tl::unexpected(machine.error());
    Limits limits;
    limits.faults = std::min(options.faults, most_faults);
    limits.states = options.states;
    limits.only_invariant = only_invariant;
    // What must always hold is said of what the script does, and not of others.
    limits.others = options.others && !only_invariant;
    result.found = explore(result.system, **machine, limits);
    if (result.found.cut_off) result.verdict = Verdict::CutOff;
    if (const auto& way = result.found.counterexample) {
        result.verdict = Verdict::Counterexample;
        result.trace = tell(result.system, *way, budget_for(limits, way->variation));
    }
    auto registers = beginning(result.system, -1);
    const Stop first = (*machine)->begin(registers.data(), NoFaults | NoOthers);
    result.ruled_out = first.at_end && result.system.endings[first.number].ruled_out;
    return result;
}

std::map<std::string, std::set<std::string>> ends_of(const Searched& searched) {
    std::map<std::string, std::set<std::string>> result;
    const auto add = [&](const std::string& what, Outcomes outcomes) {
        for (unsigned i = 0; i <= static_cast<unsigned>(Outcome::Unfinished); ++i)
            if ((outcomes >> i & 1U) != 0) result[what].insert(word(static_cast<Outcome>(i)));
    };
    const Counts& counts = searched.found.counts;
    add("", counts.without_fault);
    std::size_t next = 0;
    for (const Choice& choice : searched.system.choices)
        for (const Option& option : choice.options) add(option.text, counts.after_fault[next++]);
    return result;
}

std::vector<Note> undecided_in(const Searched& searched, Span stated) {
    std::vector<Note> result;
    if (searched.ruled_out)
        result.push_back({"it does not hold before anything is begun, so nothing can break it", stated});
    const auto& choices = searched.system.choices;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (!choices[i].undecided || searched.found.counts.reached_choice[i] == 0) continue;
        const std::string& text = choices[i].text;
        const auto same = [&](const Note& one) { return one.text == text && one.span == choices[i].span; };
        if (std::none_of(result.begin(), result.end(), same)) result.push_back({text, choices[i].span});
    }
    return result;
}

// What is known of an invariant must not depend on how another one ends a run, so each has a
// search of its own.
tl::expected<InvariantAnswer, std::string> prove(const ir::Invariant& invariant, System system,
                                                 const Options& options, std::vector<Note>& trusted) {
    const auto searched = search(std::move(system), options, true);
    if (!searched) return tl::unexpected(searched.error());
    InvariantAnswer result{invariant.text, invariant.span, searched->verdict, searched->trace,
                           undecided_in(*searched, invariant.span)};
    if (result.verdict == Verdict::Proved && !result.undecided.empty()) result.verdict = Verdict::Undecided;
    for (const Note& note : searched->system.trusted)
        if (std::ranges::find(trusted, note.text, &Note::text) == trusted.end()) trusted.push_back(note);
    return result;
}

// A counterexample outweighs a search that was given up, and that one what only a run can tell.
Verdict worse(Verdict a, Verdict b) {
    for (const Verdict one : {Verdict::Counterexample, Verdict::CutOff, Verdict::Undecided})
        if (a == one || b == one) return one;
    return Verdict::Proved;
}

}  // namespace

Answer prove(const ir::Program& program, const project::Inventory& inventory, const Facts& facts,
             const Options& options) {
    Answer answer;
    answer.faults = std::min(options.faults, most_faults);
    answer.others = options.others;
    const auto give_up = [&](const std::string& problem) {
        answer.verdict = Verdict::CutOff;
        answer.problem = problem;
        return answer;
    };
    const auto searched = search(lower(program, inventory, facts, nullptr, options.others), options, false);
    if (!searched) return give_up(searched.error());
    const System& system = searched->system;
    answer.verdict = searched->verdict;
    answer.trace = searched->trace;
    answer.counts = searched->found.counts;
    answer.bounds = system.bounds;
    answer.trusted = system.trusted;
    answer.ends = ends_of(*searched);
    answer.undecided = undecided_in(*searched, {});
    if (answer.verdict == Verdict::Proved && !answer.undecided.empty()) answer.verdict = Verdict::Undecided;
    for (std::size_t i = 0; i < system.endings.size(); ++i)
        answer.held_as_declared |= system.endings[i].declared && answer.counts.reached_ending[i] != 0 &&
                                   system.endings[i].outcome != Outcome::Refused;
    if (answer.held_as_declared) answer.no_return = system.no_return;
    for (const ir::Invariant& invariant : program.invariants) {
        auto one = prove(invariant, lower(program, inventory, facts, &invariant), options, answer.trusted);
        if (!one) return give_up(one.error());
        answer.verdict = worse(answer.verdict, one->verdict);
        answer.invariants.push_back(std::move(*one));
    }
    return answer;
}

namespace {

std::string counted(std::uint64_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string_view as_an_end(Outcome outcome) {
    if (outcome == Outcome::UndoFailed) return "ends with an undo that failed";
    if (outcome == Outcome::InDoubt) return "ends in doubt";
    if (outcome == Outcome::Refused) return "is refused";
    return outcome == Outcome::Done ? "is done" : outcome == Outcome::Held ? "is held" : "is called undone";
}

std::string_view name(Verdict verdict) {
    static constexpr const char* names[] = {"proved", "counterexample", "cut off", "undecided"};
    return names[static_cast<int>(verdict)];
}

std::string_view name(Violation violation) {
    static constexpr std::array names = {"none",       "not restored", "not listed", "irreversible",
                                         "never done", "property",     "overwritten"};
    static_assert(names.size() == static_cast<std::size_t>(Violation::Overwritten) + 1);
    return names.at(static_cast<std::size_t>(violation));
}

std::string differing(const Difference& one) {
    return fmt::format("{} is {}, not {}", one.name, one.now, one.was);
}

const Line* first_fault(const Trace& trace) {
    const auto found = std::ranges::find_if(trace.lines, &Line::fault);
    return found == trace.lines.end() ? nullptr : &*found;
}

// The last step before anything was taken back: where it stopped.
const Line* last_forward(const Trace& trace) {
    const Line* last = nullptr;
    for (const Line& line : trace.lines) {
        if (line.kind == Line::Kind::Undo) break;
        if (line.kind == Line::Kind::Step) last = &line;
    }
    return last;
}

std::string message(const Trace& trace) {
    const Line* fault = first_fault(trace);
    const std::string when = fault != nullptr      ? fmt::format("`{}`: {}", fault->text, fault->happens)
                             : trace.given.empty() ? "nothing goes wrong"
                                                   : trace.given.front();
    std::string text = fmt::format("{}; then the run {}", when, as_an_end(trace.ending.outcome));
    if (trace.ending.violation == Violation::Overwritten)
        return fmt::format("{}; then what somebody else wrote is overwritten: {}", when, trace.ending.text);
    if (trace.ending.violation == Violation::Property)
        return fmt::format("{}; then {}", when, trace.ending.text);
    if (!trace.differences.empty())
        text += fmt::format(", and {} is left changed", trace.differences.front().name);
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

nlohmann::json as_json(const Trace& trace, const SourceMap& sources) {
    auto steps = nlohmann::json::array();
    for (const Line& line : trace.lines) {
        auto one = place(line.span, sources);
        one.update({{"text", line.text},
                    {"happens", line.happens},
                    {"results", line.results},
                    {"fault", line.fault},
                    {"undo", line.kind == Line::Kind::Undo}});
        steps.push_back(std::move(one));
    }
    auto differences = nlohmann::json::array();
    for (const Difference& difference : trace.differences) {
        auto one = place(difference.span, sources);
        one.update({{"name", difference.name},
                    {"environment", difference.environment},
                    {"now", difference.now},
                    {"was", difference.was}});
        differences.push_back(std::move(one));
    }
    return {{"result", word(trace.ending.outcome)},
            {"why", name(trace.ending.violation)},
            {"message", message(trace)},
            {"given", trace.given},
            {"steps", steps},
            {"differences", differences}};
}

nlohmann::json as_json(const InvariantAnswer& one, const SourceMap& sources) {
    auto result = place(one.span, sources);
    result["text"] = one.text;
    result["verdict"] = name(one.verdict);
    result["undecided"] = as_json(one.undecided, sources);
    if (one.trace) result["counterexample"] = as_json(*one.trace, sources);
    return result;
}

void report(const Trace& trace, Span stated, Diagnostics& diagnostics) {
    const Line* fault = first_fault(trace);
    const Line* where = fault != nullptr ? fault : last_forward(trace);
    Span span = where != nullptr ? where->span : stated;
    const bool property =
        trace.ending.violation == Violation::Property || trace.ending.violation == Violation::Overwritten;
    if (property && !trace.ending.span.empty()) span = trace.ending.span;
    const bool wrong = !property && !trace.differences.empty() && !trace.differences.front().span.empty();
    if (wrong) span = trace.differences.front().span;
    auto& d = diagnostics.report(Code::NoWayBackFromHere, span, message(trace));
    if (wrong) d.primary_label = "changes " + trace.differences.front().name;
    if ((wrong || property) && fault != nullptr && !(fault->span == span))
        d.labels.push_back({fault->span, fault->happens});
    if ((wrong || property) && fault != nullptr && fault->span == span) d.primary_label = fault->happens;
    if (property && !stated.empty() && !(stated == span)) d.labels.push_back({stated, "stated here"});
    for (const std::string& given : trace.given) d.notes.push_back("if " + given + ":");
    std::size_t number = 0;
    for (const Line& line : trace.lines)
        if (line.kind == Line::Kind::Step || line.kind == Line::Kind::Undo || !line.happens.empty())
            d.notes.push_back(told(line, ++number));
        else if (line.kind == Line::Kind::Note)
            d.notes.push_back("   " + line.text);
    if (property) return;
    std::string end = fmt::format("the run {}", as_an_end(trace.ending.outcome));
    if (trace.ending.violation == Violation::NotListed) end += ", and does not say so";
    for (const Difference& one : trace.differences) end += fmt::format("; {}", differing(one));
    d.notes.push_back(end);
}

}  // namespace

void report(const Answer& answer, Diagnostics& diagnostics) {
    if (answer.trace) report(*answer.trace, {}, diagnostics);
    for (const Note& note : answer.undecided)
        diagnostics.report(Code::InvariantUndecided, note.span, note.text);
    for (const InvariantAnswer& one : answer.invariants) {
        if (one.trace) report(*one.trace, one.span, diagnostics);
        if (one.verdict != Verdict::Undecided) continue;
        auto& d =
            diagnostics.report(Code::InvariantUndecided, one.span,
                               fmt::format("whether `{}` holds cannot be decided before the run", one.text));
        for (const Note& note : one.undecided) {
            if (!(note.span == one.span)) d.labels.push_back({note.span, note.text});
            if (note.span == one.span) d.notes.push_back(note.text);
        }
    }
}

namespace {

const Trace& first_story(const Answer& answer) {
    return answer.trace ? *answer.trace
                        : *std::ranges::find_if(answer.invariants, &std::optional<Trace>::has_value,
                                                &InvariantAnswer::trace)
                               ->trace;
}

}  // namespace

std::string headline(const Answer& answer) {
    const Counts& counts = answer.counts;
    if (!answer.problem.empty()) return "unknown: " + answer.problem;
    if (answer.verdict == Answer::Verdict::Counterexample) {
        const auto faults =
            static_cast<std::uint64_t>(std::ranges::count_if(first_story(answer).lines, &Line::fault));
        return faults == 0 ? "not proved: it goes wrong by itself"
                           : fmt::format("not proved: {} {} enough", counted(faults, "fault"),
                                         faults == 1 ? "is" : "are");
    }
    if (answer.verdict == Answer::Verdict::CutOff)
        return fmt::format("unknown: after {} the search was given up; nothing wrong was found by then",
                           counted(counts.states, "state"));
    if (answer.verdict == Verdict::Undecided)
        return "unknown: " + (answer.undecided.empty() ? "what is stated cannot be decided before the run"
                                                       : answer.undecided.front().text);
    std::string text =
        fmt::format("proved: {}, 1 fault each{}: {}", counted(counts.points, "stopping point"),
                    answer.others ? ", and somebody else once" : "",
                    counted(counts.schedules[1] + (answer.others ? counts.schedules[0] - 1 : 0), "schedule"));
    if (answer.faults > 1) text += "; " + counted(counts.schedules[2], "pair");
    if (answer.faults > 2) text += "; " + counted(counts.schedules[3], "triple");
    if (!answer.invariants.empty()) text += "; " + counted(answer.invariants.size(), "invariant");
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
    add("irreversible", answer.no_return);
    add("taken at its word", answer.trusted);
    add("not looked at", answer.bounds);
    return text;
}

nlohmann::json as_json(const Answer& answer, const SourceMap& sources) {
    nlohmann::json result = {
        {"verdict", name(answer.verdict)},
        {"headline", headline(answer)},
        {"faults", answer.faults},
        {"ends", answer.ends},
        {"stopping_points", answer.counts.points},
        {"schedules", std::vector<std::uint64_t>(answer.counts.schedules.begin(),
                                                 answer.counts.schedules.begin() + answer.faults + 1)},
        {"states", answer.counts.states},
        {"no_return", as_json(answer.no_return, sources)},
        {"trusted", as_json(answer.trusted, sources)},
        {"bounds", as_json(answer.bounds, sources)}};
    if (answer.others) result["others"] = true;
    if (!answer.undecided.empty()) result["undecided"] = as_json(answer.undecided, sources);
    if (answer.trace) result["counterexample"] = as_json(*answer.trace, sources);
    for (const InvariantAnswer& one : answer.invariants)
        result["invariants"].push_back(as_json(one, sources));
    return result;
}

}  // namespace migc::prove
