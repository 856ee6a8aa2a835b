// Comparing values as a script's `is` does: by what they mean, not by how they are written.
#pragma once

#include <optional>
#include <string>

#include "compiler/ir/value.hpp"

namespace migc {

enum class Unit { Number, Percent, Duration };

struct Amount {
    Unit unit = Unit::Number;
    double value = 0;
};

// Of a number of any kind; nothing for a value that is none.
std::optional<Amount> amount_of(const Value& value);
// Likewise; a text is read as the other side is.
std::optional<Amount> amount_like(const Value& value, const Value& other);
// The text of a string, a resource, a string in JSON.
std::optional<std::string> text_of(const Value& value);

// Whether two values are the same state: as `same`, and 1Gi is 1024Mi, and a resource is its name.
bool equal(const Value& left, const Value& right);

}  // namespace migc
