#include "compiler/sema/lowering.hpp"

namespace migc::sema {

using syntax::Signature;
using syntax::SignatureKind;

namespace {

std::size_t count_slots(const Signature& signature) {
    std::size_t count = 0;
    for (const auto& part : signature) {
        if (part.kind == SignatureKind::Slot) ++count;
        if (part.kind == SignatureKind::Optional) count += count_slots(part.parts);
    }
    return count;
}

// A signature as one row of parts, each group closed by what it means when it is left out.
struct Row {
    const syntax::SignaturePart* part;
    std::size_t skip_to;  // Optional: the row behind its group
};

void flatten(const Signature& signature, std::vector<Row>& rows) {
    for (const auto& part : signature) {
        rows.push_back({&part, 0});
        if (part.kind != SignatureKind::Optional) continue;
        const std::size_t at = rows.size() - 1;
        flatten(part.parts, rows);
        rows[at].skip_to = rows.size();
    }
}

class Matcher {
  public:
    Matcher(const Signature& signature, const syntax::Expr& phrase, std::size_t last)
        : phrase_(phrase), last_(last) {
        flatten(signature, rows_);
    }

    bool from(std::size_t row, std::size_t at, Binding& binding) {
        // A phrase can be tried in many ways only if labels repeat; nobody writes a hundred of them.
        if (++tries_ > 10'000) return false;
        if (row == rows_.size()) return at == last_;
        const auto& [part, skip_to] = rows_[row];
        if (part->kind == SignatureKind::Optional) return optional(*part, row, skip_to, at, binding);
        if (at == last_) return false;
        if (part->kind == SignatureKind::Label) return label(*part, row, at, binding);
        binding.slots.push_back(&phrase_.children[at]);
        if (from(row + 1, at + 1, binding)) return true;
        binding.slots.pop_back();
        return false;
    }

  private:
    bool label(const syntax::SignaturePart& part, std::size_t row, std::size_t at, Binding& binding) {
        const auto& word = phrase_.children[at];
        if (word.kind != syntax::ExprKind::Word || word.text != part.name.text) return false;
        ++binding.labels;
        if (from(row + 1, at + 1, binding)) return true;
        --binding.labels;
        return false;
    }

    bool optional(const syntax::SignaturePart& part, std::size_t row, std::size_t skip_to, std::size_t at,
                  Binding& binding) {
        const std::size_t slots = count_slots(part.parts);
        const Binding before = binding;
        if (slots == 0) binding.flags.push_back(true);
        if (from(row + 1, at, binding)) return true;
        binding = before;
        if (slots == 0) binding.flags.push_back(false);
        binding.slots.insert(binding.slots.end(), slots, nullptr);
        if (from(skip_to, at, binding)) return true;
        binding = before;
        return false;
    }

    const syntax::Expr& phrase_;
    std::size_t last_;
    std::vector<Row> rows_;
    std::size_t tries_ = 0;
};

}  // namespace

bool has_slots(const Signature& signature) {
    return count_slots(signature) > 0;
}

std::optional<Binding> match(const Signature& signature, const syntax::Expr& phrase, std::size_t first,
                             std::size_t last) {
    Binding binding;
    if (Matcher(signature, phrase, last).from(0, first, binding)) return binding;
    return {};
}

}  // namespace migc::sema
