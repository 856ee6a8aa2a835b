// Comparing and calculating, as a script means it.
#pragma once

#include <string>

#include "compiler/ir/program.hpp"
#include "compiler/semantics/phrase.hpp"

namespace migc::semantics {

// What came out. Where it cannot be said the value is unknown, and `why` says so for people; `permanent`: the
// same two values, or others of their kind, never have an answer.
struct Computed {
    Value value;
    std::string why;
    bool permanent = false;
};

// `shown` writes the values in messages; both sides may be unknown.
Computed compare(ir::Comparison comparison, const Value& left, const Value& right, const Shown& shown);
Computed calculate(ir::Operation operation, const Value& left, const Value& right, const Shown& shown);

// A calculated number without the last digits of a double, in which 0.07 times 100 is not quite 7.
double without_noise(double number);

}  // namespace migc::semantics
