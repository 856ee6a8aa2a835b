// What each instruction does: the one loop of the interpreter and of the stories.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/prove/machine.hpp"

namespace migc::prove {

constexpr std::uint32_t stop_here = ~std::uint32_t{0};

// From `at` on until an end, or a choice at which `watcher` wants to stop. `watcher.choose(choice)` says
// where it goes on, or `stop_here`; `watcher.say(remark)` hears of a remark, and `watcher.carried(count)` how
// many instructions it were.
template <typename Watcher>
Stop execute(const std::vector<Instruction>& instructions, const std::vector<std::uint32_t>& returns,
             std::uint32_t at, ValueId* r, Values& values, Watcher&& watcher) {
    const Instruction* const code = instructions.data();
    for (std::uint64_t count = 1;; ++count) {
        const Instruction& one = code[at++];
        switch (one.op) {
            case Op::Set:
                r[one.a] = one.b;
                break;
            case Op::Copy:
                r[one.a] = r[one.b];
                break;
            case Op::Apply:
                r[one.a] = values.apply(one.d, r[one.b], r[one.c]);
                break;
            case Op::Jump:
                at = one.target;
                break;
            case Op::IfSame:
                if (r[one.a] == r[one.b]) at = one.target;
                break;
            case Op::IfDiffer:
                if (r[one.a] != r[one.b]) at = one.target;
                break;
            case Op::IfIs:
                if (r[one.a] == one.b) at = one.target;
                break;
            case Op::IfIsNot:
                if (r[one.a] != one.b) at = one.target;
                break;
            case Op::Choose:
                at = watcher.choose(one.target);
                if (at != stop_here) break;
                watcher.carried(count);
                return {false, one.target};
            case Op::Return:
                at = returns[r[one.a]];
                break;
            case Op::End:
                watcher.carried(count);
                return {true, one.target};
            case Op::Say:
                watcher.say(one.target);
                break;
        }
    }
}

}  // namespace migc::prove
