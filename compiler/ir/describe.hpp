// Parts of the IR as text, without the indices that differ from one program to the next: two parts that do
// the same have the same text, whichever programs they are of.
#pragma once

#include <string>

#include "compiler/ir/program.hpp"

namespace migc::ir {

// A part is an Expr, a Step, a Verb, a Probe or a Tool.
template <typename Part>
std::string describe(const Program& program, const Part& part);

}  // namespace migc::ir
