// The syntax tree: what stands in the text, with a span on every node and no name resolved yet.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/source/source.hpp"

namespace migc::syntax {

enum class ExprKind {
    Word,      // text; only as a child of a phrase
    Phrase,    // children: words and values; at least one, the first a word
    String,    // text, escapes resolved; `${name}` still inside
    Number,    // text with its unit: "5m"
    List,      // children
    Binary,    // op, two children
    Not,       // one child
    IsAbsent,  // one child; negated for `is not absent`
};

enum class BinaryOp {
    Or,
    And,
    Is,
    IsNot,
    Below,
    Above,
    AtLeast,
    AtMost,
    Matches,
    Contains,
    OneOf,
    NotOneOf,
    Add,
    Subtract,
    Multiply,
    Divide
};

struct Expr {
    ExprKind kind = ExprKind::Word;
    Span span;
    std::string text;
    std::vector<Expr> children;
    BinaryOp op = BinaryOp::Or;
    bool negated = false;
    bool parenthesised = false;

    // A phrase of one word, which is a name.
    [[nodiscard]] bool is_name() const { return kind == ExprKind::Phrase && children.size() == 1; }
    friend bool operator==(const Expr&, const Expr&) = default;
};

struct Name {
    std::string text;
    Span span;
    friend bool operator==(const Name&, const Name&) = default;
};

struct Statement;

enum class UndoForm { Block, Phrase, None, ByCaller, Irreversible };

struct Undo {
    UndoForm form = UndoForm::Block;
    std::string reason;
    std::vector<Statement> steps;
    std::optional<Expr> after;
    Span span;
    friend bool operator==(const Undo&, const Undo&) = default;
};

struct Type {
    std::string text;  // words joined by one space: "list of workload"
    Span span;
    friend bool operator==(const Type&, const Type&) = default;
};

enum class StatementKind { Step, Verify, Soak, Gate, Undo, UndoAll, Hold, Let, If, For, Parallel };

struct Statement {
    StatementKind kind = StatementKind::Step;
    Span span;
    std::optional<Expr>
        expr;  // Step, Gate: the phrase. Verify, Soak, If: the condition. Let: the value. For: the list
    std::optional<Expr> duration;  // Soak
    Name name;                     // Let, For; `as` of a step
    std::optional<Type> type;      // For: of the name, where the list alone does not tell it
    std::optional<Expr> within;
    std::optional<Expr> retry;
    std::optional<Expr> every;
    std::optional<Undo> undo;
    std::vector<Statement> body;
    std::vector<Statement> otherwise;
    friend bool operator==(const Statement&, const Statement&) = default;
};

struct Migration {
    Expr title;
    std::vector<std::pair<Name, Expr>> properties;
    Span span;
    friend bool operator==(const Migration&, const Migration&) = default;
};

struct Use {
    std::string module;  // "std.canary", or a path
    bool is_path = false;
    Span span;
    friend bool operator==(const Use&, const Use&) = default;
};

struct Param {
    Name name;
    Type type;
    std::optional<Expr> default_value;
    Span span;
    friend bool operator==(const Param&, const Param&) = default;
};

struct Require {
    Expr condition;
    Span span;
    friend bool operator==(const Require&, const Require&) = default;
};

// `always CONDITION;`, `never CONDITION;`: what a proof looks at wherever a run may come to.
struct Invariant {
    bool never = false;
    Expr condition;
    Span span;
    friend bool operator==(const Invariant&, const Invariant&) = default;
};

struct Stage {
    Name name;
    std::optional<Name> environment;
    std::optional<Name> repeats;
    std::vector<Statement> body;
    Span body_span;  // from `<` to `>`
    std::optional<Expr> throughout;
    std::optional<std::vector<Statement>> on_failure;
    Span failure_span;
    Span span;
    friend bool operator==(const Stage&, const Stage&) = default;
};

enum class SignatureKind { Label, Slot, Optional };

struct SignaturePart {
    SignatureKind kind = SignatureKind::Label;
    Name name;  // Label: the word; Slot: its name
    Type type;
    std::optional<Expr> default_value;
    std::vector<SignaturePart> parts;  // Optional
    Span span;
    friend bool operator==(const SignaturePart&, const SignaturePart&) = default;
};
using Signature = std::vector<SignaturePart>;

struct Effect {
    Expr probe;
    enum class Becomes { Value, Absent, Different } becomes = Becomes::Value;
    std::optional<Expr> value;
    Span span;
    friend bool operator==(const Effect&, const Effect&) = default;
};

struct Verb {
    Signature signature;
    std::optional<Type> result_type;
    std::string documentation;  // of the `##` lines before it
    std::vector<Expr> needs;
    std::vector<std::pair<Name, Expr>> captures;
    std::vector<Effect> effects;
    std::vector<Expr> actions;  // `do`, as a phrase; more than one is an error that sema reports
    std::optional<std::vector<Statement>> steps;
    std::optional<Expr> result;
    std::optional<Expr> within;
    std::vector<Undo> undos;
    std::vector<Expr>
        roles;  // phrases that begin with the word `role`; more than one is an error that sema reports
    Span signature_span;
    Span span;
    friend bool operator==(const Verb&, const Verb&) = default;
};

struct Probe {
    Signature signature;
    Type type;
    std::string documentation;
    std::vector<Expr> depends;
    std::vector<Expr> reads;  // a phrase, or any other expression when parenthesised
    Span read_span;           // of the last one, without `read`
    Name read_as;             // `read (..) as ratio`; empty without
    std::optional<Expr> watch;
    std::optional<Expr> converges;
    std::optional<Expr> within;
    std::vector<Expr> roles;  // as a verb's
    Span signature_span;
    Span span;
    friend bool operator==(const Probe&, const Probe&) = default;
};

struct Resource {
    Name name;
    std::string written_as;
    Span span;
    friend bool operator==(const Resource&, const Resource&) = default;
};

struct Tool {
    Name name;
    std::vector<std::pair<Name, Expr>> properties;
    Span span;
    friend bool operator==(const Tool&, const Tool&) = default;
};

struct File {
    FileId id = 0;
    std::optional<Migration> migration;
    std::vector<Use> uses;
    std::vector<Param> params;
    std::vector<Statement> lets;
    std::vector<Require> requires_;
    std::vector<Invariant> invariants;
    std::vector<Stage> stages;
    std::vector<Verb> verbs;
    std::vector<Probe> probes;
    std::vector<Resource> resources;
    std::vector<Tool> tools;
    friend bool operator==(const File&, const File&) = default;
};

}  // namespace migc::syntax
