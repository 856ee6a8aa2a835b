// Parts of the IR as text, without the indices that differ from one program to the next: two parts that do
// the same have the same text, whichever programs they are of.
#pragma once

#include <string>

#include "compiler/ir/program.hpp"

namespace migc::ir {

std::string describe(const Program& program, const Expr& expr);
// A step without those within it.
std::string describe(const Program& program, const Step& step);
std::string describe(const Program& program, const Verb& verb);
std::string describe(const Program& program, const Probe& probe);
std::string describe(const Program& program, const Tool& tool);
std::string describe(const Program& program, const Parameter& parameter);

}  // namespace migc::ir
