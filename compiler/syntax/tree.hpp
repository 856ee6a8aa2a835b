// The syntax tree: what stands in the text, with a span on every node and no name resolved yet.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "compiler/source/source.hpp"

namespace migc::syntax {

// Each kind of node says once what it consists of, for whoever compares, moves or stores a tree.
template <typename Node>
concept WithFields = requires(Node node) {
    node.fields();
};

template <WithFields Node>
bool operator==(const Node& a, const Node& b) {
    return const_cast<Node&>(a).fields() == const_cast<Node&>(b).fields();  // which are only looked at
}

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
    auto fields() { return std::tie(kind, span, text, children, op, negated, parenthesised); }
};

struct Name {
    std::string text;
    Span span;
    auto fields() { return std::tie(text, span); }
};

struct Statement;

enum class UndoForm { Block, Phrase, None, ByCaller, Irreversible };

struct Undo {
    UndoForm form = UndoForm::Block;
    std::string reason;
    std::vector<Statement> steps;
    std::optional<Expr> after;
    Span span;
    auto fields() { return std::tie(form, reason, steps, after, span); }
};

struct Type {
    std::string text;  // words joined by one space: "list of workload"
    Span span;
    auto fields() { return std::tie(text, span); }
};

// In the order of ir::StepKind.
enum class StatementKind { Step, Verify, Soak, Let, If, For, Parallel, Gate, Undo, UndoAll, Hold };

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
    auto fields() {
        return std::tie(kind, span, expr, duration, name, type, within, retry, every, undo, body, otherwise);
    }
};

struct Migration {
    Expr title;
    std::vector<std::pair<Name, Expr>> properties;
    Span span;
    auto fields() { return std::tie(title, properties, span); }
};

struct Use {
    std::string module;  // "std.canary", or a path
    bool is_path = false;
    Span span;
    auto fields() { return std::tie(module, is_path, span); }
};

struct Param {
    Name name;
    Type type;
    std::optional<Expr> default_value;
    Span span;
    auto fields() { return std::tie(name, type, default_value, span); }
};

struct Require {
    Expr condition;
    Span span;
    auto fields() { return std::tie(condition, span); }
};

// `always CONDITION;`, `never CONDITION;`: what a proof looks at wherever a run may come to.
struct Invariant {
    bool never = false;
    Expr condition;
    Span span;
    auto fields() { return std::tie(never, condition, span); }
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
    auto fields() {
        return std::tie(name, environment, repeats, body, body_span, throughout, on_failure, failure_span,
                        span);
    }
};

enum class SignatureKind { Label, Slot, Optional };

struct SignaturePart {
    SignatureKind kind = SignatureKind::Label;
    Name name;  // Label: the word; Slot: its name
    Type type;
    std::optional<Expr> default_value;
    std::vector<SignaturePart> parts;  // Optional
    Span span;
    auto fields() { return std::tie(kind, name, type, default_value, parts, span); }
};
using Signature = std::vector<SignaturePart>;

struct Effect {
    Expr probe;
    enum class Becomes { Value, Absent, Different } becomes = Becomes::Value;
    std::optional<Expr> value;
    Span span;
    auto fields() { return std::tie(probe, becomes, value, span); }
};

// What verbs and probes have in common.
struct Declared {
    Signature signature;
    std::string documentation;  // of the `##` lines before it
    std::optional<Expr> within;
    // Phrases that begin with the word `role`; more than one is an error that sema reports.
    std::vector<Expr> roles;
    Span signature_span;
    Span span;
};

struct Verb : Declared {
    std::optional<Type> result_type;
    std::vector<Expr> needs;
    std::vector<std::pair<Name, Expr>> captures;
    std::vector<Effect> effects;
    std::vector<Expr> actions;  // `do`, as a phrase; more than one is an error that sema reports
    std::optional<std::vector<Statement>> steps;
    std::optional<Expr> result;
    std::vector<Undo> undos;
    auto fields() {
        return std::tie(signature, documentation, within, roles, signature_span, span, result_type, needs,
                        captures, effects, actions, steps, result, undos);
    }
};

struct Probe : Declared {
    Type type;
    std::vector<Expr> depends;
    std::vector<Expr> reads;  // a phrase, or any other expression when parenthesised
    Span read_span;           // of the last one, without `read`
    Name read_as;             // `read (..) as ratio`; empty without
    std::optional<Expr> watch;
    std::optional<Expr> converges;
    auto fields() {
        return std::tie(signature, documentation, within, roles, signature_span, span, type, depends, reads,
                        read_span, read_as, watch, converges);
    }
};

struct Resource {
    Name name;
    std::string written_as;
    Span span;
    auto fields() { return std::tie(name, written_as, span); }
};

struct Tool {
    Name name;
    std::vector<std::pair<Name, Expr>> properties;
    Span span;
    auto fields() { return std::tie(name, properties, span); }
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
