// The state that the parts of the lowering share; private to sema.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/sema/analyse.hpp"
#include "compiler/sema/match.hpp"
#include "compiler/sema/scope.hpp"
#include "compiler/sema/types.hpp"

namespace migc::sema {

class Lowering {
  public:
    Lowering(const project::Inventory& inventory, Library& library, SourceMap& sources,
             Diagnostics& diagnostics, Symbols* symbols = nullptr);

    ir::Program script(const syntax::File& file);
    ir::Program whole_library();

  private:
    // Where a statement stands: what is allowed there.
    enum class Place { Stage, Failure, Declaration };

    // A phrase that was bound to its declaration.
    struct Bound {
        const Declaration* declaration = nullptr;
        Binding binding;
    };

    // --- symbols.cpp
    void defined(DefinitionKind kind, const std::string& name, Span span, const ir::Type* type = nullptr);
    void defined(const Declaration& declaration);
    void used(Span span, Span declared);
    void used_in_string(Span string, Scope& scope);

    // --- expressions.cpp
    ir::Expr expr(const syntax::Expr& e, const ir::Type& expected, Scope& scope);
    ir::Expr untyped(const syntax::Expr& e, const ir::Type& expected, Scope& scope);
    ir::Expr string(const syntax::Expr& e, const ir::Type& expected, Scope& scope);
    ir::Expr interpolated(const std::string& name, Span span, Scope& scope);
    ir::Expr number(const syntax::Expr& e, const ir::Type& expected);
    ir::Expr list(const syntax::Expr& e, const ir::Type& expected, Scope& scope);
    ir::Expr name(const syntax::Expr& word, const ir::Type& expected, Scope& scope);
    ir::Expr unknown_name(const syntax::Expr& word, const ir::Type& expected, Scope& scope);
    ir::Expr binary(const syntax::Expr& e, Scope& scope);
    ir::Expr comparison(const syntax::Expr& e, Scope& scope);
    ir::Expr arithmetic(const syntax::Expr& e, Scope& scope);
    ir::Expr probe_call(const syntax::Expr& phrase, Scope& scope);
    ir::Expr condition(const syntax::Expr& e, Scope& scope);
    ir::Expr bad(Span span) const;
    void mismatch(const ir::Expr& found, const ir::Type& expected);

    // --- phrases.cpp
    Bound bind(const syntax::Expr& phrase, DeclarationKind kind, Scope& scope);
    bool arguments_fit(const Declaration& declaration, const Binding& binding, Scope& scope);
    bool might_fit(const syntax::Expr& e, const ir::Type& type, Scope& scope);
    std::vector<ir::Expr> arguments(const Bound& bound, const std::vector<ir::Parameter>& parameters,
                                    Span call, Scope& scope);
    void unknown_phrase(const syntax::Expr& phrase, DeclarationKind kind);
    bool missing_semicolon(const syntax::Expr& phrase, DeclarationKind kind);

    // --- roles.cpp
    ir::RoleUse role(const std::vector<syntax::Expr>& roles, DeclarationKind kind, Scope& scope);

    // --- declarations.cpp
    std::uint32_t verb(const Declaration& declaration);
    std::uint32_t probe(const Declaration& declaration);
    ir::Expr computed(const syntax::Probe& probe, const ir::Type& type, Scope& scope);
    bool says_how(const syntax::Name& word, const ir::Type& type);
    void check_reading(const ir::Probe& probe);
    void bare_number(Span read);
    void tool(std::string_view name, Span span);
    std::vector<ir::Parameter> parameters(const syntax::Signature& signature);
    void add_parameters(const syntax::Signature& signature, bool optional, Scope& scope,
                        std::vector<ir::Parameter>& slots, std::vector<ir::Parameter>& flags);
    std::vector<ir::Parameter> declare(const syntax::Signature& signature, Scope& scope);
    void verb_body(const syntax::Verb& verb, ir::Verb& result, Scope& scope);
    void verb_action(const syntax::Verb& verb, ir::Verb& result, Scope& scope);
    void verb_undo(const syntax::Verb& verb, ir::Verb& result, Scope& scope);
    ir::Command command(const syntax::Expr& phrase, Scope& scope);
    void command_option(ir::Command& result, const syntax::Expr& phrase, std::size_t& at, Scope& scope);
    ir::Effect effect(const syntax::Effect& effect, Scope& scope);
    ir::Undo undo(const syntax::Undo& undo, Scope& scope);
    std::optional<ir::Type> type(const syntax::Type& type);
    void check_duplicates(const std::vector<const Declaration*>& declarations);

    // --- statements.cpp
    std::vector<ir::Step> block(const std::vector<syntax::Statement>& statements, Scope& outer, Place place);
    ir::Step statement(const syntax::Statement& s, Scope& scope, Place place);
    ir::Step call(const syntax::Statement& s, Scope& scope, ir::Step step);
    ir::Step if_statement(const syntax::Statement& s, Scope& scope, Place place, ir::Step step);
    ir::Step for_statement(const syntax::Statement& s, Scope& scope, Place place, ir::Step step);
    void bind_name(const syntax::Name& name, const ir::Type& type, Scope& scope);
    void clauses(const syntax::Statement& s, Scope& scope, ir::Step& step);
    void meaningless_clauses(const syntax::Statement& s, const ir::Step& step);
    void stage(const syntax::Stage& stage, Scope& globals);
    void stage_body(const syntax::Stage& stage, ir::Stage& result, Scope& globals);
    void repeated(const syntax::Stage& stage, ir::Stage& result);
    std::string environment_of(const syntax::Stage& stage);
    void globals(const syntax::File& file, Scope& scope);
    ir::Invariant invariant(const syntax::Invariant& invariant, Scope& scope);
    ir::Program check_unused();
    std::string text(Span span) const;
    void find_text_names(ir::Step& step) const;
    void find_text_names(const ir::Expr& e, ir::Step& step) const;

    const project::Inventory& inventory_;
    Library& library_;
    SourceMap& sources_;
    Diagnostics& diagnostics_;
    Symbols* symbols_;  // null if nobody asks
    ir::Program program_;
    Scope settings_;
    bool in_invariant_ = false;
    std::unordered_map<const Declaration*, std::uint32_t> verbs_;
    std::unordered_map<const Declaration*, std::uint32_t> probes_;
    std::vector<const Declaration*> open_composites_;  // to find a composite that contains itself
};

}  // namespace migc::sema
