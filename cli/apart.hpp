// Work that is done in processes of its own: what one leaves behind in memory, no other sees.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace migc::cli {

// Does each piece of work, a few at a time, and gives what it returns to `take`, in the order of the works.
// The error: a process could not be made, or ended without an answer.
tl::expected<void, std::string> do_apart(const std::vector<std::function<std::string()>>& works,
                                         const std::function<void(const std::string&)>& take);

}  // namespace migc::cli
