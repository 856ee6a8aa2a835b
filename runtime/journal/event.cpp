#include "runtime/journal/event.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace migc::runtime {

namespace {

// In the order of EventKind.
constexpr std::array<std::string_view, 17> names = {
    "run-begun",    "run-resumed", "stage-begun", "step-begun",   "waiting",    "noted",
    "intent",       "outcome",     "checked",     "stage-failed", "undo-begun", "undo-intent",
    "undo-outcome", "resolved",    "stage-ended", "lock-broken",  "run-ended"};

static_assert(names.size() == static_cast<std::size_t>(EventKind::RunEnded) + 1);

}  // namespace

std::string name(EventKind kind) {
    return std::string(names.at(static_cast<std::size_t>(kind)));
}

bool parse(const std::string& name, EventKind& kind) {
    const auto found = std::find(names.begin(), names.end(), name);
    const bool known = found != names.end();
    kind = known ? static_cast<EventKind>(found - names.begin()) : EventKind::RunBegun;
    return known;
}

}  // namespace migc::runtime
