// What was: runs and their events as the journal has them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/journal/run_state.hpp"
#include "runtime/report/event_formatter.hpp"
#include "runtime/report/report.hpp"

namespace migc::runtime::inline report {

namespace {

using Row = std::array<std::string, 6>;

Row row_of(const RunSummary& run) {
    const std::string took = run.ended_ms == 0 ? "" : elapsed(run.ended_ms - run.begun_ms);
    const std::string& what = run.title.empty() ? run.script : run.title;
    return {escaped(run.id),   trust::utc_time(run.begun_ms), took,
            escaped(run.mode), escaped(run.result),           escaped(what)};
}

std::string heading(const RunSummary& run, const Style& style) {
    std::string first = fmt::format("run {}", escaped(run.id));
    if (!run.title.empty()) first += "  " + escaped(run.title);
    std::string second =
        fmt::format("script {}   begun {}", escaped(run.script), trust::utc_time(run.begun_ms));
    if (run.ended_ms != 0) second += "   took " + elapsed(run.ended_ms - run.begun_ms);
    std::string out =
        style.paint(Ink::Bold, fmt::format("{}   ({})", first, escaped(run.mode))) + "\n" + second + "\n";
    if (!run.digest.empty()) out += fmt::format("change digest {}\n", escaped(short_digest(run.digest)));
    return out;
}

std::string open_step(const EventFormatter& formatter, const OpenStep& open) {
    const std::string why =
        open.in_doubt ? "in doubt: " + escaped(open.message) : "begun; its outcome is not known";
    const std::string what = (open.inverse ? "the undo of " : "") + escaped(open.text);
    return formatter.line(EventFormatter::unknown, what, {escaped(open.step.text()), why}) + "\n";
}

// What a person can do about it.
std::string way_on(const RunSummary& run, const std::vector<OpenStep>& open) {
    const std::string id = escaped(run.id);
    std::string out;
    if (run.ended_ms == 0)
        out += fmt::format(
            "run {} has no end: it still runs, or was interrupted; then `migc resume {}` continues it, "
            "and `migc undo {}` undoes it\n",
            id, id, id);
    const bool doubtful =
        std::any_of(open.begin(), open.end(), [](const OpenStep& one) { return one.in_doubt; });
    if (run.ended_ms != 0 && !doubtful && run.outcome() != Outcome::Done && run.outcome() != Outcome::Undone)
        out += fmt::format("`migc resume {}` continues it, `migc undo {}` undoes it\n", id, id);
    for (const OpenStep& one : open)
        if (one.in_doubt)
            out += fmt::format("`migc resolve {} {} done|not-done --because \"..\"` says how it went\n", id,
                               escaped(one.step.text()));
    return out;
}

}  // namespace

std::string show_run(const RunSummary& run, const std::vector<Event>& events, bool colour) {
    const Style style{colour, locale_is_utf8()};
    EventFormatter formatter(style);
    std::string out = heading(run, style);
    for (const Event& event : events) {
        auto lines = formatter.lines(event);
        if (const auto* begun = event.as<events::RunBegun>()) {
            lines.erase(lines.begin());  // the heading says it
            if (!begun->run_digest.empty())
                out += fmt::format("run digest {}\n", escaped(short_digest(begun->run_digest)));
            if (!begun->by.empty()) out += fmt::format("run by {}\n", escaped(begun->by));
        }
        for (const std::string& line : lines) out += line + "\n";
    }
    const auto open = run_state(events).open;
    for (const OpenStep& one : open) out += open_step(formatter, one);
    out += way_on(run, open);
    return out;
}

std::string runs_table(const std::vector<RunSummary>& runs) {
    if (runs.empty()) return "no runs yet\n";
    std::vector<Row> rows = {{"RUN", "BEGUN", "TOOK", "MODE", "RESULT", "MIGRATION"}};
    for (const RunSummary& run : runs) rows.push_back(row_of(run));
    std::array<std::size_t, 6> widths{};
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths.at(i) = std::max(widths.at(i), character_count(row.at(i)));
    std::string out;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            out += row.at(i) + std::string(widths.at(i) - character_count(row.at(i)) + 3, ' ');
        out += row.back() + "\n";
    }
    return out;
}

}  // namespace migc::runtime::inline report
