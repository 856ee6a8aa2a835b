// What lies beside a saved plan: what it was made from, how far its apply has come, and what that has left.
// It proves, later and in another process, that what a state shows is the work of this plan and of nobody
// else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/natives/terraform.hpp"

namespace migc::runtime::inline natives {

// What a plan is made from.
struct PlanOrigin {
    StateIdentity state;
    std::string configuration;  // a digest
};

// Beside the plan's file; a plan without it was made by somebody else.
tl::expected<void, std::string> write_origin(const std::string& plan, const PlanOrigin& origin);
// Nothing if there is none.
std::optional<PlanOrigin> origin_of(const std::string& plan);
// Whether the plan's file is the one that the origin was written down for.
bool is_as_made(const std::string& plan);

// Refused: terraform said no before it did anything, which is as if it had never begun.
enum class ApplyProgress { NotBegun, Begun, Ended, EndedWell };
ApplyProgress progress_of(const std::string& plan);
// Durable when it returns.
tl::expected<void, std::string> write_begun(const std::string& plan, Time now);
tl::expected<void, std::string> write_ended(const std::string& plan, int status);
void forget_begun(const std::string& plan);

// The file into which terraform itself writes what it does with the plan, also when migc has been killed.
std::string output_file_of(const std::string& plan);
// Whether that says that terraform accepted the plan: no other apply of the same thing is written there.
bool was_accepted(const std::string& plan);

// Writes down, right after the plan's apply, which state that has left and what is in it.
tl::expected<void, std::string> write_left(Host& host, const std::string& plan, const PlanSummary& summary);
// Another plan has taken it back: nothing of it is left, and what is there now is not held against it.
tl::expected<void, std::string> write_taken_back(const std::string& plan);

// Why the state that is here is not the one that the plan is about; nothing if it is.
std::optional<std::string> other_state(const std::string& plan, const StateIdentity& now);
// Addresses that the plan has made or changed, and that are not as its apply left them.
std::vector<std::string> changed_since_apply(const std::string& plan, const PlanSummary& summary,
                                             const std::map<std::string, StateEntry>& state);

}  // namespace migc::runtime::inline natives
