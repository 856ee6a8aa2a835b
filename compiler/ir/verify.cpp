#include <array>

#include <fmt/format.h>

#include "compiler/ir/program.hpp"

namespace migc::ir {
namespace {

// Walks everything that a program holds and notes what breaks the IR's own rules.
class Verifier {
  public:
    explicit Verifier(const Program& program) : program_(program) {}

    std::vector<std::string> run() {
        where_ = "program";
        steps(program_.lets);
        for (const auto& r : program_.requirements) expr(r.condition);
        for (const auto& i : program_.invariants) expr(i.condition);
        for (const auto& s : program_.stages) stage(s);
        for (const auto& v : program_.verbs) verb(v);
        for (const auto& p : program_.probes) probe(p);
        for (const auto& t : program_.tools) {
            where_ = "tool " + t.name;
            for (const auto* e : {&t.arguments, &t.environment, &t.within}) optional(*e);
        }
        return std::move(problems_);
    }

  private:
    void problem(std::string what) { problems_.push_back(fmt::format("{}: {}", where_, what)); }

    void optional(const std::optional<Expr>& e) {
        if (e) expr(*e);
    }

    void expr(const Expr& e) {
        constexpr std::size_t any = ~std::size_t{0};
        // In the order of ExprKind.
        constexpr std::array<std::size_t, 13> operands = {0, any, 0, 0, 0, any, any, 1, 2, 2, 2, 1, 2};
        static_assert(operands.size() == static_cast<std::size_t>(ExprKind::Arithmetic) + 1);
        const std::size_t expected = operands.at(static_cast<std::size_t>(e.kind));
        if (expected != any && e.children.size() != expected)
            problem(fmt::format("an expression has {} operands in place of {}", e.children.size(), expected));
        if (e.kind == ExprKind::Probe) probe_call(e);
        const bool named =
            e.kind == ExprKind::Local || e.kind == ExprKind::Param || e.kind == ExprKind::Setting;
        if (named && e.name.empty()) problem("a name is empty");
        if (e.type.kind == TypeKind::List && !e.type.element) problem("a list type has no element type");
        for (const auto& child : e.children) expr(child);
    }

    void probe_call(const Expr& e) {
        if (e.declaration >= program_.probes.size())
            return problem(fmt::format("probe#{} does not exist", e.declaration));
        if (e.children.size() != program_.probes[e.declaration].parameters.size())
            problem(fmt::format("probe#{} is called with {} arguments", e.declaration, e.children.size()));
    }

    void steps(const std::vector<Step>& list) {
        for (const auto& s : list) step(s);
    }

    void step(const Step& s) {
        if (s.kind == StepKind::Call) call(s);
        const bool needs_condition = s.kind == StepKind::Verify || s.kind == StepKind::Soak ||
                                     s.kind == StepKind::If || s.kind == StepKind::Gate;
        if (needs_condition != s.condition.has_value())
            problem(fmt::format("`{}`: condition missing or superfluous", s.text));
        const bool needs_value =
            s.kind == StepKind::Let || s.kind == StepKind::Soak || s.kind == StepKind::For;
        if (needs_value != s.value.has_value())
            problem(fmt::format("`{}`: value missing or superfluous", s.text));
        if ((s.kind == StepKind::Let || s.kind == StepKind::For) && s.name.empty())
            problem(fmt::format("`{}` binds no name", s.text));
        for (const auto* e : {&s.condition, &s.value, &s.within, &s.retry, &s.every}) optional(*e);
        for (const auto& a : s.arguments) expr(a);
        steps(s.body);
        steps(s.otherwise);
    }

    void call(const Step& s) {
        if (s.verb >= program_.verbs.size()) return problem(fmt::format("verb#{} does not exist", s.verb));
        const Verb& v = program_.verbs[s.verb];
        if (s.arguments.size() != v.parameters.size())
            problem(fmt::format("verb#{} is called with {} arguments", s.verb, s.arguments.size()));
        if (s.undo) undo(*s.undo);
    }

    void undo(const Undo& u) {
        if (u.kind != UndoKind::Steps && !u.steps.empty()) problem("an undo without steps has steps");
        steps(u.steps);
        optional(u.after);
    }

    void stage(const Stage& s) {
        where_ = "stage " + s.name;
        if (s.name.empty() || s.environment.empty()) problem("it has no name or no environment");
        for (const auto& g : s.gates)
            if (g.kind != StepKind::Gate) problem("a gate that is none");
        steps(s.gates);
        steps(s.steps);
        optional(s.throughout);
        if (s.on_failure) steps(*s.on_failure);
    }

    void verb(const Verb& v) {
        where_ = "verb " + v.signature;
        if (v.action.has_value() == v.composite) problem("it has both or neither of `do` and `steps`");
        for (const auto& a : v.role.arguments) expr(a);
        for (const auto& need : v.needs) expr(need);
        for (const auto& c : v.captures) expr(c.value);
        for (const auto& e : v.effects) effect(e);
        if (v.action) command(*v.action);
        steps(v.steps);
        optional(v.result);
        optional(v.within);
        undo(v.undo);
    }

    void effect(const Effect& e) {
        if (e.probe.kind != ExprKind::Probe) problem("an effect names no probe");
        if ((e.becomes == Becomes::Value) != e.value.has_value())
            problem("an effect's value is missing or superfluous");
        expr(e.probe);
        optional(e.value);
    }

    void command(const Command& c) {
        if (c.tool == "native") {
            if (c.native.empty()) problem("a native without a name");
        } else if (!program_.tool(c.tool)) {
            problem("the tool " + c.tool + " is not there");
        }
        for (const auto* e : {&c.arguments, &c.pointer, &c.standard_input}) optional(*e);
    }

    void probe(const Probe& p) {
        where_ = "probe " + p.signature;
        if (p.read.has_value() == p.computed.has_value())
            problem("it has both or neither of a command and an expression");
        for (const auto& a : p.role.arguments) expr(a);
        for (const auto& d : p.depends) expr(d);
        if (p.read) command(*p.read);
        optional(p.computed);
        if (p.watch) command(*p.watch);
        optional(p.converges);
        optional(p.within);
    }

    const Program& program_;
    std::string where_;
    std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> verify(const Program& program) {
    return Verifier(program).run();
}

}  // namespace migc::ir
