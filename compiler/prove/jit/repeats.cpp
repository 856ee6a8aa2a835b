#include "compiler/prove/jit/repeats.hpp"

namespace migc::prove::jit {
namespace {

constexpr std::uint32_t longest = 400;    // instructions
constexpr std::uint32_t fewest = 4;       // times
constexpr std::uint32_t worthwhile = 64;  // instructions that need not be compiled

class Finder {
  public:
    explicit Finder(const MachineCode& code)
        : code_(code), size_(static_cast<std::uint32_t>(code.code.size())) {}

    std::vector<Repeat> run() const {
        std::vector<Repeat> result;
        for (std::uint32_t at = 0; at < size_;) {
            const Repeat best = best_at(at);
            if (best.count > 0) result.push_back(unrolled(best));
            at = best.count > 0 ? best.end() : at + 1;
        }
        return result;
    }

  private:
    // A few times in one turn, so that less of it is spent on turning; what is left over stands alone.
    static Repeat unrolled(const Repeat& one) {
        constexpr std::uint32_t times = 4;
        if (one.count < fewest * times) return one;
        return {one.begin, one.length * times, one.count / times};
    }

    Repeat best_at(std::uint32_t begin) const {
        Repeat best;
        std::uint32_t most = worthwhile - 1;
        for (std::uint32_t length = 1; length <= longest && begin + fewest * length <= size_; ++length) {
            const std::uint32_t count = times(begin, length);
            const std::uint32_t saved = count < fewest ? 0 : (count - 1) * length;
            if (saved <= most) continue;
            most = saved;
            best = {begin, length, count};
        }
        return best;
    }

    std::uint32_t times(std::uint32_t begin, std::uint32_t length) const {
        std::uint32_t count = 1;
        while (begin + (count + 1) * length <= size_ && goes_on(begin, length, count)) ++count;
        return count;
    }

    bool goes_on(std::uint32_t begin, std::uint32_t length, std::uint32_t time) const {
        for (std::uint32_t i = 0; i < length; ++i)
            if (!goes_on(begin, begin + i, length, time)) return false;
        return true;
    }

    // Whether an instruction at its `time` is what the first two lead to expect.
    bool goes_on(std::uint32_t begin, std::uint32_t at, std::uint32_t length, std::uint32_t time) const {
        const Instruction& first = code_.code[at];
        const Instruction& second = code_.code[at + length];
        const Instruction& one = code_.code[at + time * length];
        if (first.op != one.op || first.op != second.op) return false;
        const auto moves = [&](std::int64_t a, std::int64_t b, std::int64_t now) {
            return now == a + (b - a) * time;
        };
        const auto leads = [&](std::uint32_t a, std::uint32_t b, std::uint32_t now) {
            if (a == now && a == b) return true;
            return b == a + length && now == a + length * time && a >= begin && a < begin + 2 * length;
        };
        const auto [a, b, c] = register_fields(first.op);
        for (const auto& [field, is_register] : {std::pair(&Instruction::a, a),
                                                 {&Instruction::b, b},
                                                 {&Instruction::c, c},
                                                 {&Instruction::d, false}}) {
            const bool as_expected =
                is_register ? moves(first.*field, second.*field, one.*field) : first.*field == one.*field;
            if (!as_expected) return false;
        }
        if (jumps(first)) return leads(first.target, second.target, one.target);
        if (first.op == Op::Choose)
            return moves(first.target, second.target, one.target) &&
                   code_.is_fault[first.target] == code_.is_fault[one.target] &&
                   leads(hoped_for(first), hoped_for(second), hoped_for(one));
        return first.op == Op::End ? moves(first.target, second.target, one.target) : first.op != Op::Say;
    }

    std::uint32_t hoped_for(const Instruction& choose) const {
        return code_.options[code_.first_option[choose.target]];
    }

    const MachineCode& code_;
    std::uint32_t size_;
};

}  // namespace

std::vector<Repeat> find_repeats(const MachineCode& code) {
    return Finder(code).run();
}

}  // namespace migc::prove::jit
