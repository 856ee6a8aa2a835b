// Work that is done in processes of its own: what one leaves behind in memory, no other sees.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace migc::trial {

// Gets its place: a number below `pool_size()` that no other piece of work has at the same time.
using Work = std::function<std::string(std::size_t place)>;

// How many pieces of work are done at a time: one more than there are processors.
std::size_t pool_size();

// Does each piece of work, a few at a time, and gives what it returns to `take`, in the order of the works.
// The error: a process could not be made, or ended without an answer.
tl::expected<void, std::string> execute(const std::vector<Work>& works,
                                        const std::function<void(const std::string&)>& take);

}  // namespace migc::trial
