// What the lowering tells editors about names and phrases.
#include "compiler/sema/symbols.hpp"

#include "compiler/sema/lowering.hpp"

namespace migc::sema {

void Lowering::defined(DefinitionKind kind, const std::string& name, Span span, const ir::Type* type) {
    if (symbols_) symbols_->definitions.push_back({kind, name, span, span, type ? ir::show(*type) : "", ""});
}

void Lowering::defined(const Declaration& declaration) {
    if (!symbols_) return;
    const syntax::Declared& common = declaration.common();
    const auto kind = declaration.verb ? DefinitionKind::Verb : DefinitionKind::Probe;
    const Span signature = common.signature_span;
    Definition d{kind, text(signature), signature, common.span, "", common.documentation};
    if (declaration.probe) d.type = declaration.probe->type.text;
    if (declaration.verb && declaration.verb->result_type) d.type = declaration.verb->result_type->text;
    symbols_->definitions.push_back(std::move(d));
}

// A setting is declared nowhere.
void Lowering::used(Span span, Span declared) {
    if (symbols_ && !declared.empty()) symbols_->uses.push_back({span, declared});
}

// The lowering knows only the place of the string, so its text is searched for each `${name}`, once.
void Lowering::used_in_string(Span string, Scope& scope) {
    if (!symbols_) return;
    const std::string_view text = sources_.text(string);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
            continue;
        }
        if (!text.substr(i).starts_with("${")) continue;
        const std::size_t name = i + 2, end = text.find('}', name);
        if (end == std::string_view::npos) return;
        const auto place = [&](std::size_t at) { return string.begin + static_cast<std::uint32_t>(at); };
        if (const Meaning* meaning = scope.find(text.substr(name, end - name)))
            used({string.file, place(name), place(end)}, meaning->declared);
    }
}

}  // namespace migc::sema
