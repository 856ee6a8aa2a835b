// Lowering of the script itself: stages, statements, and what they may contain where.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/sema/lowering.hpp"
#include "compiler/semantics/visit.hpp"
#include "compiler/support/find.hpp"

namespace migc::sema {

using ir::StepKind;
using ir::Type;
using ir::TypeKind;
using syntax::StatementKind;

namespace {

Type workload_list() {
    Type workload = simple(TypeKind::Resource);
    workload.resource = "workload";
    return list_of(workload);
}

}  // namespace

const std::vector<std::pair<std::string_view, Type>>& settings() {
    static const std::vector<std::pair<std::string_view, Type>> all = {
        {"context", simple(TypeKind::String)},     {"namespace", simple(TypeKind::String)},
        {"kubeconfig", simple(TypeKind::Path)},    {"environment", simple(TypeKind::Environment)},
        {"root", simple(TypeKind::Path)},          {"run-folder", simple(TypeKind::Path)},
        {"terraform-dir", simple(TypeKind::Path)}, {"var-file", simple(TypeKind::String)},
        {"changed-workloads", workload_list()},    {"stage-began", simple(TypeKind::String)},
    };
    return all;
}

Lowering::Lowering(const project::Inventory& inventory, Library& library, SourceMap& sources,
                   Diagnostics& diagnostics, Symbols* symbols)
    : inventory_(inventory),
      library_(library),
      sources_(sources),
      diagnostics_(diagnostics),
      symbols_(symbols) {
    for (const auto& [name, type] : settings())
        settings_.bind(std::string(name), {ir::ExprKind::Setting, type, {}, false, {}});
}

// A piece of source on one line, as people see it in plans and reports.
std::string Lowering::text(Span span) const {
    std::string result;
    bool comment = false;
    bool quoted = false;
    for (const char c : sources_.text(span)) {
        if (c == '"') quoted = !quoted;
        if (c == '#' && !quoted) comment = true;
        if (c == '\n') comment = false;
        if (comment) continue;
        const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!space || quoted)
            result += c;
        else if (!result.empty() && result.back() != ' ')
            result += ' ';
    }
    while (!result.empty() && (result.back() == ' ' || result.back() == ';')) result.pop_back();
    return result;
}

void Lowering::find_text_names(ir::Step& step) const {
    const auto note = [&](const ir::Expr& e) {
        const bool is_name = e.kind == ir::ExprKind::Local || e.kind == ir::ExprKind::Param;
        // Inside of a string the place is that of the whole string.
        if (is_name && sources_.text(e.span) == e.name)
            step.text_names.push_back(
                {text({e.span.file, step.span.begin, e.span.end}).size() - e.name.size(), e.name});
    };
    for (const auto* e : {&step.value, &step.condition, &step.within}) semantics::each_expression(*e, note);
    // A default of the declaration that is used has a place of its own.
    std::erase_if(step.text_names,
                  [&](const ir::TextName& n) { return step.text.compare(n.at, n.name.size(), n.name) != 0; });
    std::ranges::sort(step.text_names,
                      [](const ir::TextName& a, const ir::TextName& b) { return a.at < b.at; });
    const auto same = [](const ir::TextName& a, const ir::TextName& b) { return a.at == b.at; };
    step.text_names.erase(std::unique(step.text_names.begin(), step.text_names.end(), same),
                          step.text_names.end());
}

// ------------------------------------------------------------------ statements

std::vector<ir::Step> Lowering::block(const std::vector<syntax::Statement>& statements, Scope& outer,
                                      Place place) {
    Scope scope(&outer);
    std::vector<ir::Step> result;
    result.reserve(statements.size());
    for (const auto& s : statements) result.push_back(statement(s, scope, place));
    return result;
}

ir::Step Lowering::statement(const syntax::Statement& s, Scope& scope, Place place) {
    ir::Step step;
    step.kind = static_cast<StepKind>(s.kind);  // the same, in the same order
    static_assert(static_cast<int>(StatementKind::Hold) == static_cast<int>(StepKind::Hold));
    step.span = s.span;
    step.text = text(s.span);
    const auto only_in = [&](Place right, std::string_view word, std::string note) {
        if (place != right)
            diagnostics_.report(Code::Misplaced, s.span, fmt::format("{} cannot stand here", word),
                                std::move(note));
    };
    switch (s.kind) {
        case StatementKind::Step:
            return call(s, scope, std::move(step));
        case StatementKind::Verify:
        case StatementKind::Soak:
            step.condition = condition(*s.expr, scope);
            if (s.duration) step.value = expr(*s.duration, simple(TypeKind::Duration), scope);
            clauses(s, scope, step);
            find_text_names(step);
            return step;
        case StatementKind::Gate:
            only_in(Place::Stage, "a gate",
                    "gates stand at the beginning of a stage: they decide whether it may begin");
            in_gate_ = true;
            step.condition = condition(*s.expr, scope);
            in_gate_ = false;
            return step;
        case StatementKind::Undo:
        case StatementKind::UndoAll:
        case StatementKind::Hold:
            only_in(Place::Failure, s.kind == StatementKind::Hold ? "`hold`" : "`undo`",
                    "it belongs into `on failure < .. >`, behind the stage's block");
            return step;
        case StatementKind::Let:
            step.value = expr(*s.expr, simple(TypeKind::Any), scope);
            step.name = s.name.text;
            bind_name(s.name, step.value->type, scope);
            if (place != Place::Declaration) named_in_script_.insert_or_assign(s.name.text, s.name.span);
            // A second name for a plan would allow a second use: the first one ends here.
            if (Meaning* plan =
                    step.value->type.kind == TypeKind::Plan ? scope.find(step.value->name) : nullptr) {
                plan->used_up = true;
                plan->used_up_at = step.value->span;
            }
            return step;
        case StatementKind::If:
            return if_statement(s, scope, place, std::move(step));
        case StatementKind::For:
            return for_statement(s, scope, place, std::move(step));
        case StatementKind::Parallel:
            step.text = "parallel";
            step.body = block(s.body, scope, place);
            return step;
    }
    return step;
}

ir::Step Lowering::if_statement(const syntax::Statement& s, Scope& scope, Place place, ir::Step step) {
    step.condition = condition(*s.expr, scope);
    step.text = fmt::format("if {}", text(s.expr->span));
    // Only one branch runs, so a plan may be used up once in each.
    std::map<std::string, Meaning> before;
    scope.each([&](const std::string& name, const Meaning& m) { before.emplace(name, m); });
    step.body = block(s.body, scope, place);
    std::map<std::string, Meaning> after_body;
    scope.each([&](const std::string& name, Meaning& m) {
        after_body.emplace(name, m);
        m = before.at(name);
    });
    step.otherwise = block(s.otherwise, scope, place);
    scope.each([&](const std::string& name, Meaning& m) {
        if (const auto& other = after_body.at(name); other.used_up) m = other;
    });
    return step;
}

ir::Step Lowering::for_statement(const syntax::Statement& s, Scope& scope, Place place, ir::Step step) {
    step.text = fmt::format("for {} in {}", s.name.text, text(s.expr->span));
    step.name = s.name.text;
    const Type element = s.type ? type(*s.type).value_or(simple(TypeKind::Any)) : simple(TypeKind::Any);
    in_list_of_ = s.type ? "" : s.name.text;
    step.value = expr(*s.expr, list_of(element), scope);
    in_list_of_.clear();
    Scope inner(&scope);
    bind_name(s.name,
              step.value->type.kind == TypeKind::List ? *step.value->type.element : simple(TypeKind::Any),
              inner);
    std::set<std::string> used_before;
    scope.each([&](const std::string& name, const Meaning& m) {
        if (m.used_up) used_before.insert(name);
    });
    step.body = block(s.body, inner, place);
    scope.each([&](const std::string& name, const Meaning& m) {
        if (!m.used_up || used_before.contains(name)) return;
        diagnostics_.report(Code::UsedUp, m.used_up_at,
                            fmt::format("`{}` would be used up in the first turn of the loop", name),
                            "make the plan inside the loop, or apply it behind it");
    });
    return step;
}

ir::Step Lowering::call(const syntax::Statement& s, Scope& scope, ir::Step step) {
    const Bound bound = bind(*s.expr, DeclarationKind::Verb, scope);
    if (!bound.declaration) {
        // Bound to nothing; the error was reported. A name it would have bound must still be known.
        if (!s.name.text.empty()) bind_name(s.name, simple(TypeKind::Any), scope);
        step.kind = StepKind::Hold;
        return step;
    }
    step.verb = verb(*bound.declaration);
    used(s.expr->span, bound.declaration->span());
    const std::vector<ir::Parameter> parameters = program_.verbs[step.verb].parameters;
    step.arguments = arguments(bound, parameters, s.expr->span, scope);
    clauses(s, scope, step);
    if (s.name.text.empty()) return step;
    const auto result_type = program_.verbs[step.verb].result_type;
    if (!result_type)
        diagnostics_
            .report(Code::TypeMismatch, s.name.span,
                    fmt::format("`{}` yields nothing that could be named", text(s.expr->span)))
            .label(bound.declaration->span(), "its declaration has no `: TYPE`");
    step.name = s.name.text;
    bind_name(s.name, result_type.value_or(simple(TypeKind::Any)), scope);
    return step;
}

void Lowering::clauses(const syntax::Statement& s, Scope& scope, ir::Step& step) {
    if (s.within) step.within = expr(*s.within, simple(TypeKind::Duration), scope);
    if (s.retry) step.retry = expr(*s.retry, simple(TypeKind::Int), scope);
    if (s.every) step.every = expr(*s.every, simple(TypeKind::Duration), scope);
    meaningless_clauses(s, step);
    if (!s.undo) return;
    if (step.kind != StepKind::Call) {
        diagnostics_.report(Code::Misplaced, s.undo->span,
                            "only a step that changes something can be undone");
        return;
    }
    step.undo = undo(*s.undo, scope);
    if (step.undo->kind == ir::UndoKind::ByCaller)
        diagnostics_.report(Code::Misplaced, s.undo->span,
                            "`undo by caller` belongs into a declaration; the caller is here");
}

// What would be read, and mean nothing.
void Lowering::meaningless_clauses(const syntax::Statement& s, const ir::Step& step) {
    if (step.kind == StepKind::Call) return;
    const bool is_soak = step.kind == StepKind::Soak;
    const auto refuse = [&](Span place, std::string_view clause, const char* why) {
        diagnostics_.report(
            Code::Misplaced, place,
            fmt::format("`{}` means nothing behind a `{}`", clause, is_soak ? "soak" : "verify"), why);
    };
    if (s.retry)
        refuse(s.retry->span, "retry",
               is_soak ? "it fails as soon as its condition does"
                       : "it looks again and again until its limit: `within 5m`");
    if (s.within && is_soak) refuse(s.within->span, "within", "it lasts as long as it says");
    if (!s.name.text.empty()) refuse(s.name.span, "as", "it yields nothing that could be named");
}

void Lowering::bind_name(const syntax::Name& name, const Type& type, Scope& scope) {
    if (const Meaning* earlier = scope.find(name.text); earlier && earlier->kind != ir::ExprKind::Setting) {
        auto& d = diagnostics_.report(Code::Redefined, name.span,
                                      fmt::format("`{}` has a meaning already", name.text));
        d.label(earlier->declared, "declared here");
        d.note("a reader would take one for the other; choose another name");
    }
    scope.bind(name.text, {ir::ExprKind::Local, type, name.span, false, {}});
    defined(DefinitionKind::Name, name.text, name.span, &type);
}

// ------------------------------------------------------------------ stages

Diagnostic& Lowering::unknown_environment(const std::string& name, Span span) {
    auto names = names_of(inventory_.environments);
    const std::string environments = fmt::format("{}", fmt::join(names, ", "));
    if (in_gate_) names.insert(names.end(), stage_names_.begin(), stage_names_.end());
    auto& d = diagnostics_.report(
        Code::UnknownEnvironment, span,
        fmt::format("there is no {}environment `{}`", in_gate_ ? "stage and no " : "", name));
    if (const auto near = suggest(d, name, names))
        d.fixes.push_back(write_instead(span, *near));
    else
        d.note(fmt::format("{} has: {}", inventory_.exists ? inventory_.file_name : "without a migc.yaml one",
                           environments));
    return d;
}

std::string Lowering::environment_of(const syntax::Stage& stage) {
    const syntax::Name& name = stage.environment ? *stage.environment : stage.name;
    if (inventory_.environment(name.text)) return name.text;
    Diagnostic& d = unknown_environment(name.text, name.span);
    if (!stage.environment)
        d.note("a stage of another name says where it runs: `stage NAME in ENVIRONMENT < .. >`");
    return name.text;
}

void Lowering::stage(const syntax::Stage& s, Scope& globals) {
    ir::Stage result;
    result.name = s.name.text;
    result.span = s.name.span;
    defined(DefinitionKind::Stage, s.name.text, s.name.span);
    result.environment = environment_of(s);
    const std::uint32_t end = s.throughout ? s.throughout->span.end : s.body_span.end;
    result.failure_span = s.on_failure ? s.failure_span : Span{s.span.file, end, end};
    if (const ir::Stage* earlier = program_.stage(s.name.text)) {
        auto& d = diagnostics_.report(Code::Redefined, s.name.span,
                                      fmt::format("there are two stages `{}`", s.name.text));
        d.label(earlier->span, "the first one");
        d.note("for a second stage in one environment: `stage NAME in ENVIRONMENT < .. >`");
    }
    stage_body(s, result, globals);
    if (s.on_failure) result.on_failure = block(*s.on_failure, globals, Place::Failure);
    if (s.repeats) repeated(s, result);
    program_.stages.push_back(std::move(result));
}

void Lowering::stage_body(const syntax::Stage& s, ir::Stage& result, Scope& globals) {
    Scope scope(&globals);
    // `throughout` is watched from the first step on, so it sees only what is outside of the stage.
    if (s.throughout) result.throughout = condition(*s.throughout, globals);
    for (const auto& statement : s.body) {
        const bool is_gate = statement.kind == StatementKind::Gate;
        if (is_gate && !result.steps.empty())
            diagnostics_.report(Code::Misplaced, statement.span, "a gate cannot stand behind a step",
                                "gates decide whether the stage may begin, so they come first");
        if (!is_gate && s.repeats)
            diagnostics_.report(
                Code::Misplaced, statement.span,
                fmt::format("this stage repeats the steps of `{}` and cannot have its own", s.repeats->text),
                "a repeating stage holds only gates; what production does is exactly what was tested");
        auto& target = is_gate ? result.gates : result.steps;
        target.push_back(this->statement(statement, scope, Place::Stage));
    }
}

void Lowering::repeated(const syntax::Stage& s, ir::Stage& result) {
    const ir::Stage* source = program_.stage(s.repeats->text);
    result.repeats = s.repeats->text;
    if (!source) {
        auto& d = diagnostics_.report(Code::UnknownName, s.repeats->span,
                                      fmt::format("there is no stage `{}` before this one", s.repeats->text));
        suggest(d, s.repeats->text, names_of(program_.stages));
        return;
    }
    used(s.repeats->span, source->span);
    result.steps = source->steps;
    if (!result.throughout) result.throughout = source->throughout;
    if (!result.on_failure) {
        result.on_failure = source->on_failure;
        result.failure_span = source->failure_span;
    }
}

// ------------------------------------------------------------------ the script

void Lowering::globals(const syntax::File& file, Scope& scope) {
    for (const auto& p : file.params) {
        ir::Parameter parameter{
            p.name.text, type(p.type).value_or(simple(TypeKind::Any)), false, {}, p.name.span};
        if (p.default_value) parameter.default_value = expr(*p.default_value, parameter.type, scope);
        bind_name(p.name, parameter.type, scope);
        scope.find(p.name.text)->kind = ir::ExprKind::Param;
        named_in_script_.insert_or_assign(p.name.text, p.name.span);
        program_.parameters.push_back(std::move(parameter));
    }
    for (const auto& l : file.lets) program_.lets.push_back(statement(l, scope, Place::Stage));
    for (const auto& r : file.requires_)
        program_.requirements.push_back({condition(r.condition, scope), text(r.condition.span), r.span});
    for (const auto& i : file.invariants) program_.invariants.push_back(invariant(i, scope));
}

ir::Invariant Lowering::invariant(const syntax::Invariant& i, Scope& scope) {
    in_invariant_ = true;
    ir::Invariant result{condition(i.condition, scope), i.never, text(i.span), i.span};
    in_invariant_ = false;
    result.text = result.text.substr(0, result.text.find_last_not_of("; ") + 1);
    return result;
}

ir::Program Lowering::script(const syntax::File& file) {
    if (!file.verbs.empty() || !file.probes.empty() || !file.uses.empty()) {
        check_duplicates(library_.alike(DeclarationKind::Verb));
        check_duplicates(library_.alike(DeclarationKind::Probe));
    }
    const bool declares =
        !file.verbs.empty() || !file.probes.empty() || !file.tools.empty() || !file.resources.empty();
    if (file.stages.empty() && !declares)
        diagnostics_.report(Code::NothingToDo, {file.id, 0, 0}, "the script has no stage",
                            "running it would do nothing, and report success");
    if (file.migration) {
        ir::Migration m{file.migration->title.text, {}, file.migration->span};
        for (const auto& [name, value] : file.migration->properties)
            m.properties.emplace_back(name.text,
                                      value.kind == syntax::ExprKind::String ? value.text : text(value.span));
        program_.migration = std::move(m);
    }
    Scope scope(&settings_);
    script_scope_ = &scope;
    for (const auto& s : file.stages) stage_names_.insert(s.name.text);
    globals(file, scope);
    for (const auto& s : file.stages) stage(s, scope);
    return check_unused();
}

// A declaration that no stage reaches is no part of the program, but what is wrong in it is said all the
// same.
ir::Program Lowering::check_unused() {
    const auto own = library_.own();
    if (own.empty()) return std::move(program_);
    ir::Program reached = program_;
    for (const Declaration* d : own) d->verb ? verb(*d) : probe(*d);
    return reached;
}

ir::Program Lowering::whole_library() {
    check_duplicates(library_.all(DeclarationKind::Verb));
    check_duplicates(library_.all(DeclarationKind::Probe));
    for (const Declaration* d : library_.all(DeclarationKind::Verb)) verb(*d);
    for (const Declaration* d : library_.all(DeclarationKind::Probe)) probe(*d);
    return std::move(program_);
}

ir::Program analyse(const syntax::File& script, const project::Inventory& inventory, Library& library,
                    SourceMap& sources, Diagnostics& diagnostics, Symbols* symbols) {
    library.add(script);
    return Lowering(inventory, library, sources, diagnostics, symbols).script(script);
}

ir::Program analyse_library(const project::Inventory& inventory, Library& library, SourceMap& sources,
                            Diagnostics& diagnostics) {
    return Lowering(inventory, library, sources, diagnostics).whole_library();
}

}  // namespace migc::sema
