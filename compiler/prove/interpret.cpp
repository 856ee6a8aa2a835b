#include "compiler/prove/execute.hpp"
#include "compiler/prove/machine.hpp"

namespace migc::prove {
namespace {

class Interpreter : public Machine {
  public:
    Interpreter(MachineCode code, Values& values) : code_(std::move(code)), values_(values) {}

    Stop begin(ValueId* registers, unsigned quiet) override { return run(registers, 0, quiet); }

    Stop go_on(ValueId* registers, std::uint32_t choice, std::uint32_t option, unsigned quiet) override {
        return run(registers, code_.options[code_.first_option[choice] + option], quiet);
    }

    [[nodiscard]] std::uint64_t carried_out() const override { return carried_out_; }

  private:
    struct Watcher {
        const MachineCode& code;
        unsigned quiet;
        std::uint64_t& sum;
        std::uint32_t choose(std::uint32_t choice) const {
            if ((quiet & static_cast<unsigned>(code.is_fault[choice])) == 0) return stop_here;
            return code.options[code.first_option[choice]];
        }
        void say(std::uint32_t) const {}
        void carried(std::uint64_t count) const { sum += count; }
    };

    Stop run(ValueId* registers, std::uint32_t at, unsigned quiet) {
        return execute(code_.code, code_.returns, at, registers, values_,
                       Watcher{code_, quiet, carried_out_});
    }

    MachineCode code_;
    Values& values_;
    std::uint64_t carried_out_ = 0;
};

}  // namespace

std::unique_ptr<Machine> make_interpreter(MachineCode code, Values& values) {
    return std::make_unique<Interpreter>(std::move(code), values);
}

}  // namespace migc::prove
