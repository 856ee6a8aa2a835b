// The IR as text. No spans and no words of the source go in, only meaning: the same text feeds the digest.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/ir/describe.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/ir/roles.hpp"
#include "compiler/source/sha256.hpp"

namespace migc::ir {
namespace {

std::string_view sign(Comparison comparison) {
    switch (comparison) {
        case Comparison::Is:
            return "is";
        case Comparison::IsNot:
            return "is not";
        case Comparison::Below:
            return "below";
        case Comparison::Above:
            return "above";
        case Comparison::AtLeast:
            return "at least";
        case Comparison::AtMost:
            return "at most";
        case Comparison::Matches:
            return "matches";
        case Comparison::Contains:
            return "contains";
        case Comparison::OneOf:
            return "one of";
        case Comparison::NotOneOf:
            return "is not one of";
    }
    return "?";
}

char sign(Operation operation) {
    constexpr std::string_view signs = "+-*/";
    return signs[static_cast<std::size_t>(operation)];
}

class Dump {
  public:
    explicit Dump(const Program& program, bool by_signature = false)
        : program_(program), by_signature_(by_signature) {}

    std::string text(const Expr& part) const { return expr(part); }
    std::string text(const Step& part) {
        Step alone = part;
        alone.body.clear();
        alone.otherwise.clear();
        step(alone);
        return std::move(out_);
    }
    std::string text(const Verb& part) {
        verb(part);
        return std::move(out_);
    }
    std::string text(const Probe& part) {
        probe(part);
        return std::move(out_);
    }
    std::string text(const Tool& part) {
        tool(part);
        return std::move(out_);
    }
    std::string text(const Parameter& part) {
        parameters({part});
        return std::move(out_);
    }

    std::string text() {
        if (const auto& m = program_.migration) {
            line("migration {}", quoted(m->title));
            for (const auto& [name, value] : m->properties) line("  {} {}", name, quoted(value));
        }
        for (const auto& p : program_.parameters)
            line("param {}: {}{}", p.name, show(p.type),
                 p.default_value ? " = " + expr(*p.default_value) : "");
        for (const auto& r : program_.requirements) line("require {}", expr(r.condition));
        for (const auto& i : program_.invariants)
            line("{} {}", i.never ? "never" : "always", expr(i.condition));
        steps(program_.lets);
        for (const auto& s : program_.stages) stage(s);
        for (const auto& v : program_.verbs) verb(v);
        for (const auto& p : program_.probes) probe(p);
        for (const auto& t : program_.tools) tool(t);
        for (const auto& r : program_.resource_types) line("resource {} {}", r.name, quoted(r.written_as));
        return std::move(out_);
    }

  private:
    template <typename... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        out_.append(static_cast<std::size_t>(depth_) * 2, ' ');
        fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
        out_ += '\n';
    }

    template <typename Body>
    void indented(Body body) {
        ++depth_;
        body();
        --depth_;
    }

    static std::string quoted(std::string_view text) {
        return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    std::string value(const Value& v) const {
        return to_json(v).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    std::string children(const Expr& e, std::string_view separator) const {
        std::string result;
        for (const auto& c : e.children) result += (result.empty() ? "" : std::string(separator)) + expr(c);
        return result;
    }

    std::string expr(const Expr& e) const {
        switch (e.kind) {
            case ExprKind::Literal:
                return fmt::format("{}:{}", value(e.value), show(e.type));
            case ExprKind::Interpolate:
                return fmt::format("join({}):{}", children(e, ", "), show(e.type));
            case ExprKind::Local:
                return fmt::format("{}:{}", e.name, show(e.type));
            case ExprKind::Param:
                return fmt::format("param.{}:{}", e.name, show(e.type));
            case ExprKind::Setting:
                return fmt::format("setting.{}", e.name);
            case ExprKind::List:
                return fmt::format("[{}]", children(e, ", "));
            case ExprKind::Probe:
                return fmt::format("{}({})", probe_name(e.declaration), children(e, ", "));
            case ExprKind::Not:
                return fmt::format("not({})", children(e, ""));
            case ExprKind::And:
                return fmt::format("({})", children(e, " and "));
            case ExprKind::Or:
                return fmt::format("({})", children(e, " or "));
            case ExprKind::Compare:
                return fmt::format("({})", children(e, fmt::format(" {} ", sign(e.comparison))));
            case ExprKind::IsAbsent:
                return fmt::format("({} is absent)", children(e, ""));
            case ExprKind::Arithmetic:
                return fmt::format("({})", children(e, fmt::format(" {} ", sign(e.operation))));
        }
        return "?";
    }

    std::string clauses(const Step& s) const {
        std::string result;
        if (s.within) result += " within " + expr(*s.within);
        if (s.retry) result += " retry " + expr(*s.retry);
        if (s.every) result += " every " + expr(*s.every);
        if (s.kind == StepKind::Call && !s.name.empty()) result += " as " + s.name;
        return result;
    }

    void steps(const std::vector<Step>& list) {
        for (const auto& s : list) step(s);
    }

    void step(const Step& s) {
        const std::string extra = clauses(s);
        switch (s.kind) {
            case StepKind::Call:
                call(s, extra);
                break;
            case StepKind::Verify:
                line("verify {}{}", expr(*s.condition), extra);
                break;
            case StepKind::Soak:
                line("soak {} while {}{}", expr(*s.value), expr(*s.condition), extra);
                break;
            case StepKind::Let:
                line("let {} = {}", s.name, expr(*s.value));
                break;
            case StepKind::If:
                line("if {}", expr(*s.condition));
                indented([&] { steps(s.body); });
                if (!s.otherwise.empty()) line("else");
                indented([&] { steps(s.otherwise); });
                break;
            case StepKind::For:
                line("for {} in {}", s.name, expr(*s.value));
                indented([&] { steps(s.body); });
                break;
            case StepKind::Parallel:
                line("parallel");
                indented([&] { steps(s.body); });
                break;
            case StepKind::Gate:
                line("gate {}", expr(*s.condition));
                break;
            case StepKind::Undo:
                line("undo");
                break;
            case StepKind::UndoAll:
                line("undo all");
                break;
            case StepKind::Hold:
                line("hold");
                break;
        }
    }

    void call(const Step& s, const std::string& extra) {
        std::string arguments;
        for (const auto& a : s.arguments) arguments += (arguments.empty() ? "" : ", ") + expr(a);
        line("call {}({}){}", verb_name(s.verb), arguments, extra);
        if (s.undo) indented([&] { undo(*s.undo); });
    }

    void undo(const Undo& u) {
        switch (u.kind) {
            case UndoKind::None:
                line("undo none because {}", quoted(u.reason));
                break;
            case UndoKind::ByCaller:
                line("undo by caller");
                break;
            case UndoKind::Irreversible:
                line("irreversible because {}", quoted(u.reason));
                break;
            case UndoKind::Steps:
                line("undo{}", u.after ? " after " + expr(*u.after) : "");
                indented([&] { steps(u.steps); });
        }
    }

    void stage(const Stage& s) {
        line("stage {} in {}{}", s.name, s.environment, s.repeats ? " repeats " + *s.repeats : "");
        indented([&] {
            steps(s.gates);
            steps(s.steps);
            if (s.throughout) line("throughout {}", expr(*s.throughout));
            if (!s.on_failure) return;
            line("on failure");
            indented([&] { steps(*s.on_failure); });
        });
    }

    void parameters(const std::vector<Parameter>& list) {
        for (const auto& p : list)
            line("({}: {}){}{}", p.name, show(p.type), p.optional ? " optional" : "",
                 p.default_value ? " = " + expr(*p.default_value) : "");
    }

    void verb(const Verb& v) {
        line("{} {}{}", verb_name(static_cast<std::size_t>(&v - program_.verbs.data())), v.signature,
             v.result_type ? ": " + show(*v.result_type) : "");
        indented([&] {
            parameters(v.parameters);
            role(v.role);
            for (const auto& need : v.needs) line("needs {}", expr(need));
            for (const auto& c : v.captures) line("capture {} = {}", c.name, expr(c.value));
            for (const auto& e : v.effects)
                line("effect {} becomes {}", expr(e.probe),
                     e.value                        ? expr(*e.value)
                     : e.becomes == Becomes::Absent ? "absent"
                                                    : "different");
            if (v.action) command("do", *v.action);
            if (v.composite) {
                line("steps");
                indented([&] { steps(v.steps); });
            }
            if (v.result) line("result {}", expr(*v.result));
            if (v.within) line("within {}", expr(*v.within));
            undo(v.undo);
        });
    }

    void role(const RoleUse& use) {
        if (use.role == Role::None) return;
        std::string arguments;
        for (const auto& a : use.arguments) arguments += (arguments.empty() ? "" : ", ") + expr(a);
        line("role {}({})", name_of(use.role), arguments);
    }

    void command(std::string_view word, const Command& c) {
        std::string text = c.tool;
        if (!c.native.empty()) text += " " + c.native;
        if (c.arguments) text += " " + expr(*c.arguments);
        if (c.pointer) text += " at " + expr(*c.pointer);
        if (c.standard_input) text += " stdin " + expr(*c.standard_input);
        if (!c.format.empty()) text += " as " + c.format;
        if (!c.through.empty()) text += fmt::format(" through {}", fmt::join(c.through, ", "));
        if (!c.absent_on.empty()) text += " absent on " + quoted(c.absent_on);
        line("{} {}", word, text);
    }

    void probe(const Probe& p) {
        line("{} {}: {}", probe_name(static_cast<std::size_t>(&p - program_.probes.data())), p.signature,
             show(p.type));
        indented([&] {
            parameters(p.parameters);
            role(p.role);
            for (const auto& d : p.depends) line("depends {}", expr(d));
            if (p.read) command("read", *p.read);
            if (p.computed)
                line("read ({}){}{}", expr(*p.computed), p.computed_as.empty() ? "" : " as ", p.computed_as);
            if (p.watch) command("watch", *p.watch);
            if (p.converges) line("converges {}", expr(*p.converges));
            if (p.within) line("within {}", expr(*p.within));
        });
    }

    void tool(const Tool& t) {
        line("tool {} {}{}{}{}", t.name, quoted(t.program), t.arguments ? " " + expr(*t.arguments) : "",
             t.environment ? " environment " + expr(*t.environment) : "",
             t.within ? " within " + expr(*t.within) : "");
    }

    std::string verb_name(std::size_t index) const {
        return by_signature_ ? fmt::format("verb `{}`", program_.verbs[index].signature)
                             : fmt::format("verb#{}", index);
    }

    std::string probe_name(std::size_t index) const {
        return by_signature_ ? fmt::format("probe `{}`", program_.probes[index].signature)
                             : fmt::format("probe#{}", index);
    }

    const Program& program_;
    bool by_signature_;
    std::string out_;
    int depth_ = 0;
};

}  // namespace

std::string dump(const Program& program) {
    return Dump(program).text();
}

std::string describe(const Program& program, const Expr& expr) {
    return Dump(program, true).text(expr);
}

std::string describe(const Program& program, const Step& step) {
    return Dump(program, true).text(step);
}

std::string describe(const Program& program, const Verb& verb) {
    return Dump(program, true).text(verb);
}

std::string describe(const Program& program, const Probe& probe) {
    return Dump(program, true).text(probe);
}

std::string describe(const Program& program, const Tool& tool) {
    return Dump(program, true).text(tool);
}

std::string describe(const Program& program, const Parameter& parameter) {
    return Dump(program, true).text(parameter);
}

std::string change_digest(const Program& program) {
    return sha256(dump(program));
}

}  // namespace migc::ir
