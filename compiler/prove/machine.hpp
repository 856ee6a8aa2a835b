// What carries a system out: an interpreter, or the same as machine code.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "compiler/prove/system.hpp"

namespace migc::prove {

// A choice that has to be made, or an end.
struct Stop {
    bool at_end = false;
    std::uint32_t number = 0;  // of the choice, or of the end
};

class Machine {
  public:
    virtual ~Machine() = default;
    // Goes on behind an option of a choice, or begins. What is `quiet` (bits of `Quiet`) does not stop: what
    // is hoped for happens.
    virtual Stop begin(ValueId* registers, unsigned quiet) = 0;
    virtual Stop go_on(ValueId* registers, std::uint32_t choice, std::uint32_t option, unsigned quiet) = 0;
    // How many instructions it has carried out; 0 where that is not counted, as machine code does not.
    [[nodiscard]] virtual std::uint64_t carried_out() const { return 0; }
};

// `values` outlives the machine; it grows while the machine runs.
std::unique_ptr<Machine> make_interpreter(MachineCode code, Values& values);

// Machine code, made by LLVM, which is loaded now if it was not before. The error: it is not there, or the
// plugin is not.
tl::expected<std::unique_ptr<Machine>, std::string> make_compiled(const MachineCode& code, Values& values);

}  // namespace migc::prove
