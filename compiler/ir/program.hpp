// The typed IR: what a script does, with every name resolved and every phrase bound to its declaration.
// Checks, plan, engine and prover read this and never a syntax tree.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/value.hpp"
#include "compiler/source/source.hpp"

namespace migc::ir {

enum class TypeKind : std::uint8_t {
    Any,  // the type of an expression that has an error, or of a value whose type only the run can tell
    Bool,
    Int,
    String,
    Percent,
    Duration,
    Quantity,
    Url,
    Path,
    Image,
    Json,
    List,
    Condition,
    Environment,
    Secret,
    Plan,
    Resource,
};

struct Type {
    TypeKind kind = TypeKind::Any;
    std::string resource;                 // Resource: "workload"
    std::shared_ptr<const Type> element;  // List
    bool consumed = false;                // a parameter that uses its argument up
    bool written = false;                 // a path that the step makes: it need not be there before
    bool secret = false;                  // a path of a file that holds a secret
};

std::string show(const Type& type);
bool operator==(const Type& a, const Type& b);

// What `"..${name}.."` is once it is joined: a text, or where a resource is expected the one of that name.
Value joined(const Type& type, std::string text);

enum class ExprKind : std::uint8_t {
    Literal,      // value
    Interpolate,  // children, shown and joined: joined()
    Local,        // name: parameter of a declaration, capture, let, loop variable, `as` name
    Param,        // name: a parameter of the script
    Setting,      // name: of the stage's environment and the run: context, namespace, ...
    List,         // children
    Probe,        // declaration = index into Program::probes; one child per parameter of the probe
    Not,          // one child
    And,          // two children
    Or,           // two children
    Compare,      // comparison, two children
    IsAbsent,     // one child
    Arithmetic,   // operation, two children
};

enum class Comparison : std::uint8_t {
    Is,
    IsNot,
    Below,
    Above,
    AtLeast,
    AtMost,
    Matches,
    Contains,
    OneOf,
    NotOneOf
};
enum class Operation : std::uint8_t { Add, Subtract, Multiply, Divide };

struct Expr {
    ExprKind kind = ExprKind::Literal;
    Type type;
    Span span;
    Value value;
    std::string name;  // also, of the argument for a parameter of type `condition`: its text as written
    std::uint32_t declaration = 0;
    Comparison comparison = Comparison::Is;
    Operation operation = Operation::Add;
    std::vector<Expr> children;
};

struct Step;

enum class UndoKind : std::uint8_t {
    None,          // nothing is left to undo: `undo none because ".."`
    ByCaller,      // in a declaration: each use must bring its own
    Steps,         // run these, with the step's parameters and captures in scope
    Irreversible,  // there is no way back: `irreversible because ".."`
};

struct Undo {
    UndoKind kind = UndoKind::None;
    std::string reason;
    std::vector<Step> steps;
    std::optional<Expr> after;  // a probe: what it means, semantics/calls.hpp says
    Span span;
};

enum class StepKind : std::uint8_t { Call, Verify, Soak, Let, If, For, Parallel, Gate, Undo, UndoAll, Hold };

// A name in a step's text: whoever sees the step in a run sees the name's value there.
struct TextName {
    std::size_t at = 0;
    std::string name;
};

struct Step {
    StepKind kind = StepKind::Call;
    Span span;
    std::string text;                  // as written, on one line: for people
    std::vector<TextName> text_names;  // Verify, Soak: in the order of the text

    std::uint32_t verb = 0;  // Call: index into Program::verbs
    std::vector<Expr>
        arguments;  // Call: one per parameter of the verb; an optional one not given is a literal absent
    std::optional<Undo> undo;       // Call: brought by the caller, in place of the declaration's
    std::string name;               // Let, For, and Call with `as`: the name it binds
    std::optional<Expr> condition;  // Verify, Soak, If, Gate
    std::optional<Expr> value;      // Let: the value. For: the list. Soak: how long
    std::optional<Expr> within;     // a limit, of type duration
    std::optional<Expr> retry;      // how often more, of type int
    std::optional<Expr> every;      // the pause between tries
    std::vector<Step> body;         // If, For, Parallel (each statement is a branch)
    std::vector<Step> otherwise;    // If
};

// What a declaration means: one enumerator per row of roles.def, the only table of roles.
enum class Role : std::uint8_t {
    None,
#define MIGC_ROLE(name, of, form, explanation) name,
#include "compiler/ir/roles.def"
#undef MIGC_ROLE
};

// `role field "/spec/replicas" of target;`
struct RoleUse {
    Role role = Role::None;
    std::vector<Expr> arguments;  // one per `_` of the role's form, in the declaration's own scope
    Span span;
};

struct Parameter {
    std::string name;
    Type type;
    bool optional = false;              // stands in [ .. ]
    std::optional<Expr> default_value;  // of a script's parameter, or of an optional one
    Span span;
};

// What is run and how its answer is read: `kubectl [..] at "/spec/replicas"` or `native pods-ready [..]`.
struct Command {
    std::string tool;                    // name of a declared tool; "native" for C++
    std::string native;                  // the native's name, when tool is "native"
    std::optional<Expr> arguments;       // a list
    std::optional<Expr> pointer;         // `at`: a JSON pointer into the answer
    std::optional<Expr> standard_input;  // `stdin`
    std::string format;  // `as`: "json" (also implied by `at`), "yaml", "text" (default), "lines"
    std::vector<std::string> through;  // a native's: the tools that it runs
    std::string absent_on;  // `absent on`: a failure whose text matches this means absent, not unknown
    Span span;
};

struct Capture {
    std::string name;
    Expr value;
    Span span;
};

enum class Becomes : std::uint8_t { Value, Absent, Different };

// `effect PROBE becomes ..`: what the step changes, and how one sees that it did.
struct Effect {
    Expr probe;  // of kind Probe
    Becomes becomes = Becomes::Value;
    std::optional<Expr> value;
    Span span;
};

struct Verb {
    std::string signature;  // "scale (target: workload) to (replicas: int)"
    std::string documentation;
    std::vector<Parameter> parameters;
    RoleUse role;  // None: its effects say all
    std::vector<Expr> needs;
    std::vector<Capture> captures;
    std::vector<Effect> effects;
    std::optional<Command> action;  // `do`; a verb has this or `steps`
    std::vector<Step> steps;
    bool composite = false;
    std::optional<Expr> result;  // what the step yields, for `as`
    std::optional<Type> result_type;
    Undo undo;
    std::optional<Expr> within;  // default limit
    Span span;

    bool steps_mutate = false;  // composite: whether one of its steps does

    // Whether a use of it changes anything outside (then its stage needs a way back).
    [[nodiscard]] bool mutates() const;
};

struct Probe {
    std::string signature;
    std::string documentation;
    std::vector<Parameter> parameters;
    Type type;
    RoleUse role;
    std::vector<Expr> depends;
    std::optional<Command> read;
    std::optional<Expr> computed;   // `read (EXPRESSION);` in place of a command
    std::string computed_as;        // behind it, for what is no number yet: "ratio", "percent"; else empty
    std::optional<Command> watch;   // prints something whenever the answer may have changed
    std::optional<Expr> converges;  // the condition under which a changed value has been caught up with
    std::optional<Expr> within;     // default limit of `verify` and of convergence
    Span span;
};

struct Tool {
    std::string name;
    std::string program;              // found on PATH, or a path
    std::optional<Expr> arguments;    // put before those of each command
    std::optional<Expr> environment;  // list of "NAME=value", added to the allow-listed ones
    std::optional<Expr> within;       // longest time one call may take
    Span span;
};

struct ResourceType {
    std::string name;
    std::string written_as;  // "deployment/${name}"; empty: the name itself
};

struct Stage {
    std::string name;
    std::string environment;
    std::optional<std::string> repeats;  // the stage whose steps these are
    std::vector<Step> gates;             // before the steps
    std::vector<Step> steps;
    std::optional<Expr> throughout;
    std::optional<std::vector<Step>> on_failure;
    Span span;          // `stage NAME`
    Span failure_span;  // `on failure ..`; without one the empty span where it would stand
};

struct Migration {
    std::string title;
    std::vector<std::pair<std::string, std::string>> properties;  // reason, ticket, emergency, ...
    Span span;
    [[nodiscard]] const std::string* property(std::string_view name) const;
};

struct Requirement {
    Expr condition;
    std::string text;
    Span span;
};

// What must hold, or not, wherever a run may come to: `migc prove` looks at it, a run does not.
struct Invariant {
    Expr condition;
    bool never = false;
    std::string text;  // as written: "claim data never shrinks"
    Span span;
};

// Whether a probe speaks of what came before, so that only a proof can answer it.
bool asks_for_history(const Probe& probe);

struct Program {
    std::optional<Migration> migration;
    std::vector<Parameter> parameters;
    std::vector<Step> lets;  // top level, evaluated once per run
    std::vector<Requirement> requirements;
    std::vector<Invariant> invariants;
    std::vector<Stage> stages;

    // Only what the stages reach, in order of first use; expressions refer to these by index.
    std::vector<Verb> verbs;
    std::vector<Probe> probes;
    std::vector<Tool> tools;
    std::vector<ResourceType> resource_types;

    // The probe that an expression asks; null if it is none.
    [[nodiscard]] const Probe* probe(const Expr& expression) const;
    [[nodiscard]] const Tool* tool(std::string_view name) const;
    [[nodiscard]] const Stage* stage(std::string_view name) const;
};

// The IR as text, for people and golden files; the same text feeds the digest.
std::string dump(const Program& program);

// SHA-256 (hex) of what the script does: independent of comments, layout and environment bindings.
std::string change_digest(const Program& program);

// Breaches of the IR's own rules (an index out of range, a call with the wrong number of arguments, an
// untyped expression). Empty for every program that lowering lets through; a non-empty one is a bug in migc.
std::vector<std::string> verify(const Program& program);

}  // namespace migc::ir
