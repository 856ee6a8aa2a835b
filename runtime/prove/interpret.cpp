#include "runtime/prove/machine.hpp"

namespace migc::prove {
namespace {

class Interpreter : public Machine {
  public:
    Interpreter(MachineCode code, Values& values) : code_(std::move(code)), values_(values) {}

    Stop begin(ValueId* registers, bool quiet) override { return run(registers, code_.entry, quiet); }

    Stop go_on(ValueId* registers, std::uint32_t choice, std::uint32_t option, bool quiet) override {
        return run(registers, code_.options[code_.first_option[choice] + option], quiet);
    }

  private:
    Stop run(ValueId* r, std::uint32_t at, bool quiet) {
        for (const Instruction* const code = code_.code.data();;) {
            const Instruction& one = code[at++];
            switch (one.op) {
                case Op::Set:
                    r[one.a] = one.b;
                    break;
                case Op::Copy:
                    r[one.a] = r[one.b];
                    break;
                case Op::Apply:
                    r[one.a] = values_.apply(one.d, r[one.b], r[one.c]);
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
                    if (!quiet || !code_.is_fault[one.target]) return {false, one.target};
                    at = code_.options[code_.first_option[one.target]];
                    break;
                case Op::Return:
                    at = code_.returns[r[one.a]];
                    break;
                case Op::End:
                    return {true, one.target};
                case Op::Say:
                    break;
            }
        }
    }

    MachineCode code_;
    Values& values_;
};

}  // namespace

std::unique_ptr<Machine> make_interpreter(MachineCode code, Values& values) {
    return std::make_unique<Interpreter>(std::move(code), values);
}

}  // namespace migc::prove
