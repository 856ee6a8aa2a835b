// Whether a value is what a change left, what it found, or neither.
#pragma once

#include "compiler/ir/value.hpp"

namespace migc::runtime::inline evaluation {

// Whether `now` is what a change from `before` to `declared` leaves. Of objects only the fields in which the
// two differ count: a controller that annotates, a colleague who adds a label, change other ones. Never true
// of an unknown value.
bool has_become(const Value& before, const Value& declared, const Value& now);

// Whether nothing of that change is there: those fields are as they were before. Never true of an unknown
// value.
bool is_as_before(const Value& before, const Value& declared, const Value& now);

// The first part of a map that is neither as it was nor as declared, as a JSON pointer: somebody else has put
// it there, and a change of the whole back to `before` would take it away. Empty if there is none.
std::string part_of_others(const Value& before, const Value& declared, const Value& now);

}  // namespace migc::runtime::inline evaluation
