#include "compiler/semantics/weight.hpp"

#include <numeric>

namespace migc::semantics {

std::size_t weight(const Value& value) {
    if (const auto* text = value.get_if<std::string>()) return sizeof(Value) + text->size();
    const auto* items = value.get_if<List>();
    if (items == nullptr) return sizeof(Value);
    return std::accumulate(items->begin(), items->end(), sizeof(Value),
                           [](std::size_t sum, const Value& item) { return sum + weight(item); });
}

}  // namespace migc::semantics
