// Steps that are alike are lowered to instructions that are alike: what repeats is found here, so that it is
// compiled once, as a loop.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/prove/system.hpp"

namespace migc::prove::jit {

// The instructions from `begin` on, `count` times `length` of them. From each time to the next, a register,
// and the number of a choice or an end, moves on by the same; constants stay; a jump leads to the same place
// always, or moves on with what it stands in: within its time or into the next one.
struct Repeat {
    std::uint32_t begin = 0, length = 0, count = 0;
    [[nodiscard]] std::uint32_t end() const { return begin + length * count; }
};

// In their order; they do not overlap.
std::vector<Repeat> find_repeats(const MachineCode& code);

}  // namespace migc::prove::jit
