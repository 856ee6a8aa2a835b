// Whether a phrase has the form that a declaration's signature describes, and what stands in which slot.
#pragma once

#include <optional>
#include <vector>

#include "compiler/syntax/tree.hpp"

namespace migc::sema {

struct Binding {
    // One per slot of the signature in its order; null for a slot of an optional group that was not given.
    std::vector<const syntax::Expr*> slots;
    // One per optional group without slots, in order: whether its words were there.
    std::vector<bool> flags;
    std::size_t labels = 0;  // how many words matched labels: the more, the more special the declaration
};

// The phrase's children are matched from `first` to `last`.
std::optional<Binding> match(const syntax::Signature& signature, const syntax::Expr& phrase,
                             std::size_t first, std::size_t last);

inline std::optional<Binding> match(const syntax::Signature& signature, const syntax::Expr& phrase) {
    return match(signature, phrase, 0, phrase.children.size());
}

bool has_slots(const syntax::Signature& signature);

}  // namespace migc::sema
