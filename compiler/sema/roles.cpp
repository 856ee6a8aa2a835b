// Binding what stands behind `role` to the table of roles.
#include "compiler/ir/roles.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/sema/lowering.hpp"
#include "compiler/semantics/visit.hpp"

namespace migc::sema {
namespace {

constexpr std::string_view argument = "_";

bool is_role_of(const ir::RoleInfo& role, DeclarationKind kind) {
    return role.of == ir::RoleOf::Either || (role.of == ir::RoleOf::Verb) == (kind == DeclarationKind::Verb);
}

// The next word of a form, which is taken from it.
std::string_view take_word(std::string_view& form) {
    const std::string_view word = form.substr(0, form.find(' '));
    form.remove_prefix(std::min(word.size() + 1, form.size()));
    return word;
}

// What stands at each `_`, if the phrase behind `role` has the form.
std::optional<std::vector<const syntax::Expr*>> arguments_in(std::string_view form,
                                                             const syntax::Expr& phrase) {
    std::vector<const syntax::Expr*> found;
    for (std::size_t i = 1; i < phrase.children.size(); ++i) {
        const syntax::Expr& part = phrase.children[i];
        const std::string_view word = take_word(form);
        if (word == argument)
            found.push_back(&part);
        else if (part.kind != syntax::ExprKind::Word || part.text != word)
            return {};
    }
    return form.empty() ? std::optional(found) : std::nullopt;
}

// The forms that begin as the phrase does; of no such all.
std::vector<std::string_view> forms_near(const syntax::Expr& phrase, DeclarationKind kind) {
    std::vector<std::string_view> all, alike;
    const std::string first = phrase.children.size() > 1 ? phrase.children[1].text : "";
    for (const ir::RoleInfo& row : ir::roles()) {
        if (!is_role_of(row, kind)) continue;
        all.push_back(row.form);
        std::string_view rest = row.form;
        if (!first.empty() && nearest(first, std::vector<std::string>(1, std::string(take_word(rest)))))
            alike.push_back(row.form);
    }
    return alike.empty() ? all : alike;
}

}  // namespace

ir::RoleUse Lowering::role(const std::vector<syntax::Expr>& roles, DeclarationKind kind, Scope& scope) {
    ir::RoleUse result;
    const auto known = ir::roles();
    for (const syntax::Expr& phrase : roles) {
        const std::string& word = phrase.children.front().text;
        if (word != "role") {
            diagnostics_.report(Code::BadDeclaration, phrase.span,
                                fmt::format("`{}` is not known here", word));
            continue;
        }
        if (result.role != ir::Role::None) {
            diagnostics_.report(Code::BadDeclaration, phrase.span, "a declaration has one role")
                .label(result.span, "the first");
            continue;
        }
        const auto row = std::ranges::find_if(known, [&](const ir::RoleInfo& one) {
            return is_role_of(one, kind) && arguments_in(one.form, phrase);
        });
        if (row == known.end()) {
            auto& d = diagnostics_.report(Code::BadDeclaration, phrase.span,
                                          fmt::format("there is no such role of a {}",
                                                      kind == DeclarationKind::Verb ? "verb" : "probe"));
            for (const std::string_view form : forms_near(phrase, kind))
                d.note(fmt::format("`role {};`", form));
            continue;
        }
        result.role = row->role;
        result.span = phrase.span;
        const auto arguments = arguments_in(row->form, phrase);
        for (const syntax::Expr* given : *arguments) {
            result.arguments.push_back(expr(*given, simple(ir::TypeKind::Any), scope));
            const ir::Expr& asked = result.arguments.back();
            const bool is_measure = row->role == ir::Role::Fall && asked.kind == ir::ExprKind::Probe;
            // A declaration must not lead back to itself by its role.
            if (is_measure ? std::ranges::none_of(asked.children, semantics::asks_probe)
                           : !semantics::asks_probe(asked))
                continue;
            diagnostics_.report(Code::BadDeclaration, asked.span,
                                "a role says nothing that must be asked for",
                                "name a parameter of the declaration, or write a value");
        }
    }
    return result;
}

}  // namespace migc::sema
