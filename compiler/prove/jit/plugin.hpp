// What the plugin offers: one function, found by its name. Plugin and program are built together.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/prove/machine.hpp"

namespace migc::prove::jit {

constexpr const char* file_name = "libmigc-jit.so";
constexpr const char* entry = "migc_jit_make";

// The plugin links nothing of the program: what it needs of it comes with the call.
using Apply = ValueId(void* values, std::uint32_t function, ValueId a, ValueId b);

// The machine, which belongs to the caller; null, and why not. `values` is what `apply` gets.
using Make = Machine*(const MachineCode& code, void* values, Apply* apply, std::string& problem);

}  // namespace migc::prove::jit
