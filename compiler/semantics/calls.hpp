// What a call of a declaration means: what its parameters stand for, and how it is taken back.
#pragma once

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// What a parameter stands for, as far as the text tells: an argument that says `absent` was not given, and
// then the parameter's default counts. What turns out to be absent only in a run is treated alike: by
// `is_left_out`.
const ir::Expr& argument_for(const ir::Parameter& parameter, const ir::Expr& given);
// Whether the default counts in place of a value that an argument has.
bool is_left_out(const ir::Parameter& parameter, const Value& value);

// How a step is taken back: as the step itself says, else as its verb does.
const ir::Undo& way_back(const ir::Step& call, const ir::Verb& verb);

}  // namespace migc::semantics
