// The IR as text. No spans and no words of the source go in, only meaning: the same text feeds the digest.
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/ir/describe.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/ir/roles.hpp"
#include "compiler/support/sha256.hpp"

namespace migc::ir {
namespace {

std::string_view sign(Comparison comparison) {
    constexpr std::array<std::string_view, 10> signs = {"is",       "is not",       "below",   "above",
                                                        "at least", "at most",      "matches", "contains",
                                                        "one of",   "is not one of"};
    static_assert(signs.size() == static_cast<std::size_t>(Comparison::NotOneOf) + 1);
    return signs.at(static_cast<std::size_t>(comparison));
}

char sign(Operation operation) {
    constexpr std::string_view signs = "+-*/";
    return signs[static_cast<std::size_t>(operation)];
}

class Dump {
  public:
    explicit Dump(const Program& program, bool by_signature = false)
        : program_(program), by_signature_(by_signature) {}

    template <typename Part>
    std::string text(const Part& part) {
        add(part);
        return std::move(out_);
    }

    std::string text() {
        if (const auto& m = program_.migration) {
            line("migration {}", quoted(m->title));
            for (const auto& [name, value] : m->properties) line("  {} {}", name, quoted(value));
        }
        for (const auto& p : program_.parameters)
            line("param {}: {}{}", p.name, show(p.type), also(" = ", p.default_value));
        for (const auto& r : program_.requirements) line("require {}", expr(r.condition));
        for (const auto& i : program_.invariants)
            line("{} {}", i.never ? "never" : "always", expr(i.condition));
        add(program_.lets);
        add(program_.stages);
        add(program_.verbs);
        add(program_.probes);
        add(program_.tools);
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

    static std::string quoted(std::string_view text) { return dumped(text); }
    static std::string dumped(const nlohmann::json& json) {
        return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    std::string joined(const std::vector<Expr>& all, std::string_view separator = ", ") const {
        std::string result;
        for (const auto& one : all) result += (result.empty() ? "" : std::string(separator)) + expr(one);
        return result;
    }

    // What there need not be, behind its word.
    std::string also(std::string_view word, const std::optional<Expr>& e) const {
        return e ? std::string(word) + expr(*e) : "";
    }
    void own_line(std::string_view word, const std::optional<Expr>& e) {
        if (e) line("{} {}", word, expr(*e));
    }

    std::string expr(const Expr& e) const {
        switch (e.kind) {
            case ExprKind::Literal:
                return fmt::format("{}:{}", dumped(to_json(e.value)), show(e.type));
            case ExprKind::Interpolate:
                return fmt::format("join({}):{}", joined(e.children), show(e.type));
            case ExprKind::Local:
                return fmt::format("{}:{}", e.name, show(e.type));
            case ExprKind::Param:
                return fmt::format("param.{}:{}", e.name, show(e.type));
            case ExprKind::Setting:
                return fmt::format("setting.{}", e.name);
            case ExprKind::List:
                return fmt::format("[{}]", joined(e.children));
            case ExprKind::Probe:
                return fmt::format("{}({})", probe_name(e.declaration), joined(e.children));
            case ExprKind::Not:
                return fmt::format("not({})", joined(e.children, ""));
            case ExprKind::And:
                return fmt::format("({})", joined(e.children, " and "));
            case ExprKind::Or:
                return fmt::format("({})", joined(e.children, " or "));
            case ExprKind::Compare:
                return fmt::format("({})", joined(e.children, fmt::format(" {} ", sign(e.comparison))));
            case ExprKind::IsAbsent:
                return fmt::format("({} is absent)", joined(e.children, ""));
            case ExprKind::Arithmetic:
                return fmt::format("({})", joined(e.children, fmt::format(" {} ", sign(e.operation))));
        }
        return "?";
    }

    std::string clauses(const Step& s) const {
        const bool is_named = s.kind == StepKind::Call && !s.name.empty();
        return also(" within ", s.within) + also(" retry ", s.retry) + also(" every ", s.every) +
               (is_named ? " as " + s.name : "");
    }

    template <typename Part>
    void add(const std::vector<Part>& parts) {
        for (const auto& part : parts) add(part);
    }

    void add(const Expr& e) { out_ += expr(e); }

    void add(const Step& s) {
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
                indented([&] { add(s.body); });
                if (!s.otherwise.empty()) line("else");
                indented([&] { add(s.otherwise); });
                break;
            case StepKind::For:
                line("for {} in {}", s.name, expr(*s.value));
                indented([&] { add(s.body); });
                break;
            case StepKind::Parallel:
                line("parallel");
                indented([&] { add(s.body); });
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
        line("call {}({}){}", verb_name(s.verb), joined(s.arguments), extra);
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
                line("undo{}", also(" after ", u.after));
                indented([&] { add(u.steps); });
        }
    }

    void add(const Stage& s) {
        line("stage {} in {}{}", s.name, s.environment, s.repeats ? " repeats " + *s.repeats : "");
        indented([&] {
            add(s.gates);
            add(s.steps);
            own_line("throughout", s.throughout);
            if (!s.on_failure) return;
            line("on failure");
            indented([&] { add(*s.on_failure); });
        });
    }

    void add(const Parameter& p) {
        line("({}: {}){}{}", p.name, show(p.type), p.optional ? " optional" : "",
             also(" = ", p.default_value));
    }

    void add(const Verb& v) {
        line("{} {}{}", verb_name(static_cast<std::size_t>(&v - program_.verbs.data())), v.signature,
             v.result_type ? ": " + show(*v.result_type) : "");
        indented([&] {
            add(v.parameters);
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
                indented([&] { add(v.steps); });
            }
            own_line("result", v.result);
            own_line("within", v.within);
            undo(v.undo);
        });
    }

    void role(const RoleUse& use) {
        if (use.role == Role::None) return;
        const RoleInfo& known = roles()[static_cast<std::size_t>(use.role) - 1];
        line("role {}({})", known.name, joined(use.arguments));
    }

    void command(std::string_view word, const Command& c) {
        std::string text = c.tool;
        if (!c.native.empty()) text += " " + c.native;
        text += also(" ", c.arguments) + also(" at ", c.pointer) + also(" stdin ", c.standard_input);
        if (!c.format.empty()) text += " as " + c.format;
        if (!c.through.empty()) text += fmt::format(" through {}", fmt::join(c.through, ", "));
        if (!c.absent_on.empty()) text += " absent on " + quoted(c.absent_on);
        line("{} {}", word, text);
    }

    void add(const Probe& p) {
        line("{} {}: {}", probe_name(static_cast<std::size_t>(&p - program_.probes.data())), p.signature,
             show(p.type));
        indented([&] {
            add(p.parameters);
            role(p.role);
            for (const auto& d : p.depends) line("depends {}", expr(d));
            if (p.read) command("read", *p.read);
            if (p.computed)
                line("read ({}){}{}", expr(*p.computed), p.computed_as.empty() ? "" : " as ", p.computed_as);
            if (p.watch) command("watch", *p.watch);
            own_line("converges", p.converges);
            own_line("within", p.within);
        });
    }

    void add(const Tool& t) {
        line("tool {} {}{}{}{}", t.name, quoted(t.program), also(" ", t.arguments),
             also(" environment ", t.environment), also(" within ", t.within));
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

template <typename Part>
std::string describe(const Program& program, const Part& part) {
    return Dump(program, true).text(part);
}

template std::string describe(const Program&, const Expr&);
template std::string describe(const Program&, const Step&);
template std::string describe(const Program&, const Verb&);
template std::string describe(const Program&, const Probe&);
template std::string describe(const Program&, const Tool&);

std::string change_digest(const Program& program) {
    return sha256(dump(program));
}

}  // namespace migc::ir
