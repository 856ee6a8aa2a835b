#include "compiler/prove/system.hpp"

namespace migc::prove {

MachineCode fast_code(const System& system) {
    MachineCode result;
    std::vector<std::uint32_t> places;
    std::uint32_t next = 0;
    for (const Instruction& one : system.code) {
        places.push_back(next);
        next += one.op == Op::Say ? 0 : 1;
    }
    places.push_back(next);
    for (Instruction one : system.code) {
        if (one.op == Op::Say) continue;
        if (jumps(one)) one.target = places[one.target];
        result.code.push_back(one);
    }
    for (const Choice& choice : system.choices) {
        result.first_option.push_back(static_cast<std::uint32_t>(result.options.size()));
        const Quiet bit = choice.others ? NoOthers : choice.fault ? NoFaults : NotQuiet;
        result.is_fault.push_back(static_cast<char>(bit));
        for (const Option& option : choice.options) result.options.push_back(places[option.target]);
    }
    for (const std::uint32_t place : system.returns) result.returns.push_back(places[place]);
    result.registers = system.registers;
    return result;
}

std::vector<ValueId> beginning(const System& system, int variation) {
    std::vector<ValueId> registers = system.start;
    if (variation < 0) return registers;
    const Variation& one = system.variations[static_cast<std::size_t>(variation)];
    registers[system.variables[one.variable].now] = one.value;
    registers[system.variables[one.variable].origins.back()] = one.value;
    return registers;
}

}  // namespace migc::prove
