#include "runtime/journal/resolve.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/journal/operator.hpp"
#include "runtime/journal/run_state.hpp"

namespace migc::runtime::inline journal {
namespace {

std::string steps_in_doubt(const std::string& run, const std::vector<OpenStep>& open) {
    if (open.empty()) return fmt::format("no step of run {} is in doubt", run);
    std::vector<std::string> steps;
    steps.reserve(open.size());
    for (const auto& one : open) steps.push_back(fmt::format("{} ({})", one.step, one.text));
    return fmt::format("in doubt: {}", fmt::join(steps, ", "));
}

}  // namespace

tl::expected<Event, std::string> resolve(Journal& journal, const Decision& decision, std::int64_t now_ms) {
    const auto events = journal.events(decision.run);
    if (!events) return tl::unexpected(events.error());
    const RunState state = run_state(*events);
    const auto step = std::find_if(state.open.begin(), state.open.end(),
                                   [&](const OpenStep& one) { return one.step == decision.step; });
    if (step == state.open.end())
        return tl::unexpected(fmt::format("step {} is not in doubt; {}", decision.step,
                                          steps_in_doubt(decision.run, state.open)));
    using Part = events::Resolved::Part;
    Event event{now_ms, events::Resolved{{{{step->stage}, step->step}, step->text},
                                         step->inverse ? Part::Inverse : Part::Forward,
                                         decision.verdict,
                                         decision.because,
                                         operator_here()}};
    if (auto written = journal.append(decision.run, event); !written) return tl::unexpected(written.error());
    return event;
}

}  // namespace migc::runtime::inline journal
