// The state that the parts of the lowering share; private to sema.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/sema/analyse.hpp"
#include "compiler/semantics/scope.hpp"

namespace migc::sema {

// ------------------------------------------------------------------ names

// What a name means at some place.
struct Meaning {
    ir::ExprKind kind = ir::ExprKind::Local;  // Local, Param or Setting
    ir::Type type;
    Span declared;
    bool used_up = false;  // a plan that a step has applied
    Span used_up_at;
    bool borrowed = false;  // a plan that a verb is given without using it up
};

using Scope = semantics::Scope<Meaning>;

// ------------------------------------------------------------------ phrases

// Whether a phrase has the form that a declaration's signature describes, and what stands in which slot.
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

// ------------------------------------------------------------------ types

ir::Type simple(ir::TypeKind kind);
ir::Type list_of(ir::Type element);

// "int", "list of workload", "consumed plan", "new path"; a word that is no built-in type is a resource type
// if `is_resource` says so. nullopt for anything else.
std::optional<ir::Type> parse_type(std::string_view text,
                                   const std::function<bool(std::string_view)>& is_resource);

// Whether a value of type `from` may stand where `to` is expected. A single value fits a list of its type.
bool fits(const ir::Type& from, const ir::Type& to);

bool is_textual(ir::TypeKind kind);  // string, url, path, image, environment: all written as strings

// ------------------------------------------------------------------ expressions

template <typename... Children>
ir::Expr make(ir::ExprKind kind, ir::Type type, Span span, Children... children) {
    ir::Expr result;
    result.kind = kind;
    result.type = std::move(type);
    result.span = span;
    (result.children.push_back(std::move(children)), ...);
    return result;
}

ir::Expr literal(Value value, ir::Type type, Span span);

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
    [[nodiscard]] bool is_place(const std::string& word) const;
    [[nodiscard]] bool is_in_script(const Scope& scope) const;
    ir::Expr unknown_name(const syntax::Expr& word, const ir::Type& expected, Scope& scope);
    ir::Expr binary(const syntax::Expr& e, Scope& scope);
    ir::Expr comparison(const syntax::Expr& e, Scope& scope);
    ir::Expr arithmetic(const syntax::Expr& e, Scope& scope);
    ir::Expr probe_call(const syntax::Expr& phrase, Scope& scope);
    ir::Expr condition(const syntax::Expr& e, Scope& scope);
    static ir::Expr bad(Span span) { return make(ir::ExprKind::Literal, simple(ir::TypeKind::Any), span); }
    void mismatch(const ir::Expr& found, const ir::Type& expected);

    // --- phrases.cpp
    Bound bind(const syntax::Expr& phrase, DeclarationKind kind, Scope& scope);
    bool arguments_fit(const Declaration& declaration, const Binding& binding, Scope& scope);
    bool might_fit(const syntax::Expr& e, const ir::Type& type, Scope& scope);
    std::vector<ir::Expr> arguments(const Bound& bound, const std::vector<ir::Parameter>& parameters,
                                    Span call, Scope& scope);
    void hint_of_other_words(Diagnostic& d, const syntax::Expr& phrase) const;
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
    template <class Result>
    void begin(const syntax::Declared& declared, Result& result, Scope& scope);
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
    Diagnostic& unknown_environment(const std::string& name, Span span);
    std::string environment_of(const syntax::Stage& stage);
    void globals(const syntax::File& file, Scope& scope);
    ir::Invariant invariant(const syntax::Invariant& invariant, Scope& scope);
    ir::Program check_unused();
    std::string text(Span span) const;
    void find_text_names(ir::Step& step) const;

    const project::Inventory& inventory_;
    Library& library_;
    SourceMap& sources_;
    Diagnostics& diagnostics_;
    Symbols* symbols_;  // null if nobody asks
    ir::Program program_;
    Scope settings_;
    // The script's params and lets so far, and where: for those who write a name where it cannot be seen.
    std::map<std::string, Span, std::less<>> named_in_script_;
    const Scope* script_scope_ = nullptr;  // the names that all of the script sees
    std::set<std::string> stage_names_;    // of the whole script
    bool in_gate_ = false;
    std::string in_list_of_;  // the name of the loop whose list, of a type that it does not say, is read
    bool in_invariant_ = false;
    std::unordered_map<const Declaration*, std::uint32_t> verbs_;
    std::unordered_map<const Declaration*, std::uint32_t> probes_;
    std::vector<const Declaration*> open_computed_;    // probes, to find one that asks itself
    std::vector<const Declaration*> open_composites_;  // to find a composite that contains itself
};

}  // namespace migc::sema
