// Expressions: what is known of them before the run, and instructions for the rest.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/phrase.hpp"
#include "compiler/semantics/weight.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/sha256.hpp"

namespace migc::prove {
namespace {

std::string shown_on_one_line(const Value& value) {
    constexpr std::size_t longest = 1000;
    return one_line(migc::show(value).substr(0, longest));
}

std::string pointer_through(const Value& names) {
    std::string pointer;
    const List* parts = names.get_if<List>();
    for (const Value& part : parts != nullptr ? *parts : List{names})
        pointer += '/' + pointer_token(migc::show(part));
    return pointer;
}

}  // namespace

Names* Lowering::new_names(const Names* outer) {
    return &all_names_.emplace_back(outer);
}

Term Lowering::evaluate(const ir::Expr& expression, const Names& names) {
    const auto child = [&](std::size_t i) { return evaluate(expression.children.at(i), names); };
    switch (expression.kind) {
        case ir::ExprKind::Literal:
            return literal(expression.value);
        case ir::ExprKind::Interpolate:
            return interpolate(expression, names);
        case ir::ExprKind::Local:
            if (const Meaning* meaning = names.find(expression.name))
                return meaning->condition != nullptr ? evaluate(*meaning->condition, *meaning->home)
                                                     : meaning->term;
            return symbol(expression.name);
        case ir::ExprKind::Param:
            if (now_ != nullptr)
                if (const auto found = now_->parameters.find(expression.name);
                    found != now_->parameters.end())
                    return literal(found->second);
            return from_outside(expression.name);
        case ir::ExprKind::Setting: {
            if (now_ == nullptr) return from_outside(expression.name);
            const auto found = now_->settings.find(expression.name);
            if (found != now_->settings.end()) return literal(found->second);
            return from_outside(fmt::format("the {} of {}", expression.name, now_->environment));
        }
        case ir::ExprKind::List:
            return list(expression, names);
        case ir::ExprKind::Probe:
            return probe(expression, names);
        case ir::ExprKind::Not:
            return negated(child(0));
        case ir::ExprKind::And:
            return apply({FunctionKind::And, "and"}, child(0), child(1));
        case ir::ExprKind::Or:
            return apply({FunctionKind::Or, "or"}, child(0), child(1));
        case ir::ExprKind::Compare:
            return compare(expression, names);
        case ir::ExprKind::IsAbsent:
            return apply({FunctionKind::IsAbsent, "is absent"}, child(0));
        case ir::ExprKind::Arithmetic:
            return apply({FunctionKind::Arithmetic, "a calculation", {}, expression.operation}, child(0),
                         child(1));
    }
    return {};
}

Term Lowering::apply(const Function& function, Term a, Term b) {
    const std::uint16_t number = out_.values.function(function);
    if (!a.is_register && !b.is_register) return {false, out_.values.apply(number, a.id, b.id)};
    const Register result = new_register();
    const Register left = as_register(a), right = as_register(b);
    const std::uint32_t at = emit(Op::Apply, result, left);
    out_.code[at].c = right;
    out_.code[at].d = number;
    if (function.kind == FunctionKind::Opaque) computed_.insert(result);
    return {true, result};
}

// Something that only a run can tell, and that is the same for the same arguments.
Term Lowering::opaque(const std::string& name, const std::vector<Term>& arguments) {
    Term result = symbol(name);
    for (const Term& argument : arguments) result = apply({FunctionKind::Opaque, name}, result, argument);
    made_of_[result] = arguments;
    return result;
}

// What the command line or migc.yaml says, and not what is there.
Term Lowering::from_outside(const std::string& name) {
    const Term result = symbol(name);
    outside_.insert(result);
    return result;
}

Term Lowering::interpolate(const ir::Expr& expression, const Names& names) {
    std::string text;
    std::vector<Term> unknown;
    for (const ir::Expr& part : expression.children) {
        const Term term = evaluate(part, names);
        const Value* value = known(term);
        text += value != nullptr ? migc::show(*value)
                                 : fmt::format("${{{}}}", migc::show(shown(term, part.name)));
        if (value == nullptr) unknown.push_back(term);
        // Of a text that doubles with each line only this is kept: the same is the same.
        if (text.size() > semantics::heaviest_known) text = sha256(text);
    }
    if (unknown.empty()) return literal(ir::joined(expression.type, text));
    if (expression.children.size() == 1) return unknown.front();
    const Term result = opaque(text, unknown);
    texts_.insert(result);
    return result;
}

Term Lowering::list(const ir::Expr& expression, const Names& names) {
    List items;
    std::vector<Term> terms;
    bool all = true;
    std::size_t weight = 0;
    for (const ir::Expr& part : expression.children) {
        terms.push_back(evaluate(part, names));
        const Value* value = known(terms.back());
        weight += value == nullptr ? 0 : semantics::weight(*value);
        all = all && value != nullptr && weight <= semantics::heaviest_known;
        if (all) items.push_back(*value);
    }
    return all ? literal(Value(std::move(items))) : opaque("a list", terms);
}

// What a variable is now, compared with what it was when it was captured, is no guess.
Term Lowering::compare(const ir::Expr& expression, const Names& names) {
    const Term a = evaluate(expression.children.at(0), names), b = evaluate(expression.children.at(1), names);
    const bool same = expression.comparison == ir::Comparison::Is;
    const auto read = read_from(a);
    if (read && read == read_from(b) && (same || expression.comparison == ir::Comparison::IsNot)) {
        const Term result = apply({FunctionKind::Same, "is the same"}, a, b);
        return same ? result : negated(result);
    }
    return apply({FunctionKind::Compare, "a comparison", expression.comparison, {}}, a, b);
}

std::vector<Term> Lowering::probe_arguments(const ir::Expr& expression, const Names& names) {
    const ir::Probe& declared = program_.probes.at(expression.declaration);
    std::vector<Term> result;
    for (std::size_t i = 0; i < expression.children.size() && i < declared.parameters.size(); ++i)
        result.push_back(argument(declared.parameters[i], evaluate(expression.children[i], names)));
    return result;
}

// What a parameter stands for: what it is given, or its default where that is left out, as a run does it.
Term Lowering::argument(const ir::Parameter& parameter, Term given) {
    if (parameter.optional && left_out_.contains(given)) given = {false, absent};
    if (!parameter.default_value) return given;
    const auto by_default = [&] { return evaluate(*parameter.default_value, *globals_); };
    if (!given.is_register) {
        const Value* value = known(given);
        return value != nullptr && semantics::is_left_out(parameter, *value) ? by_default() : given;
    }
    const Register result = new_register();
    const Label joined = label();
    copy(result, given);
    emit(Op::IfDiffer, given.id, as_register(literal(semantics::not_given())), joined);
    copy(result, by_default());
    place(joined);
    made_of_[{true, result}] = {given};
    return {true, result};
}

Term Lowering::of_probe(const ir::Expr& part, const ir::Expr& probe, const Names& names) {
    ++depth_;
    const Term result = evaluate(part, *probe_names(probe, names));
    --depth_;
    return result;
}

Names* Lowering::probe_names(const ir::Expr& expression, const Names& names) {
    const ir::Probe& declared = program_.probes.at(expression.declaration);
    const std::vector<Term> arguments = probe_arguments(expression, names);
    Names* own = new_names(globals_);
    for (std::size_t i = 0; i < declared.parameters.size() && i < arguments.size(); ++i)
        own->bind(declared.parameters[i].name, {arguments[i]});
    return own;
}

Term Lowering::probe(const ir::Expr& expression, const Names& names) {
    const ir::Probe& declared = program_.probes.at(expression.declaration);
    if (declared.computed && depth_ < deepest) return of_probe(*declared.computed, expression, names);
    const ir::Role role = declared.role.role;
    if (invariant_ != nullptr && role == ir::Role::Precedence) return changed_before(expression, names);
    if (invariant_ != nullptr && role == ir::Role::Fall) return falls(expression, names);
    // What nobody else has changed since is put back as it was; others' changes are a fault of their own.
    if (role == ir::Role::Restored) return of_probe(declared.role.arguments.at(1), expression, names);
    if (const auto given = given_to(expression, names)) return *given;
    if (role == ir::Role::Pointer)
        if (const Value* path = known(of_probe(declared.role.arguments.front(), expression, names)))
            return literal(Value(pointer_through(*path)));
    const std::vector<Term> arguments = probe_arguments(expression, names);
    if (const auto found = variable_of(expression, names))
        return as_influenced({true, out_.variables[*found].now}, expression.declaration, arguments);
    if (const auto value = settled(expression, names)) return *value;
    return as_influenced(reading(expression.declaration, arguments), expression.declaration, arguments);
}

// What no step of the script has an effect on: a value of its own.
Term Lowering::reading(std::uint32_t declaration, const std::vector<Term>& arguments) {
    const ir::Probe& declared = program_.probes.at(declaration);
    const std::string phrase = phrase_of(declaration, arguments);
    if (std::any_of(arguments.begin(), arguments.end(), [](Term t) { return t.is_register; }))
        return opaque(phrase, arguments);
    const Term result = symbol(phrase + '\x01' + environment_of(declared));
    asked_about_.try_emplace(result, arguments);
    if (declared.role.role == ir::Role::Given) left_out_.insert(result);
    return result;
}

// A probe that names what it is given: that, unless it was left out.
std::optional<Term> Lowering::given_to(const ir::Expr& probe, const Names& names) {
    const ir::Probe& declared = program_.probes.at(probe.declaration);
    if (declared.role.role != ir::Role::Given) return std::nullopt;
    const Term given = of_probe(declared.role.arguments.front(), probe, names);
    return given == Term{false, absent} ? std::nullopt : std::optional(given);
}

// Empty: the same in all.
std::string Lowering::environment_of(const ir::Probe& probe) const {
    return is_everywhere(probe) || now_ == nullptr ? "" : now_->environment;
}

std::string Lowering::reads_through(const ir::Probe& probe) {
    if (!probe.read) return "";
    if (probe.read->tool != "native") return probe.read->tool;
    return probe.read->through.empty() ? "files" : fmt::format("{}", fmt::join(probe.read->through, ","));
}

std::optional<std::size_t> Lowering::variable_of(const ir::Expr& probe, const Names& names) {
    if (probe.kind != ir::ExprKind::Probe || !written_.contains(probe.declaration)) return std::nullopt;
    return variable(probe.declaration, probe_arguments(probe, names), probe.span);
}

bool Lowering::is_everywhere(const ir::Probe& probe) {
    const std::string name = reads_through(probe);
    return name == "files" || name == "docker" || name == "docker,curl" || name == "curl" || name == "git";
}

std::size_t Lowering::variable(std::uint32_t declaration, const std::vector<Term>& arguments, Span span) {
    std::string key = std::to_string(declaration);
    for (const Term& argument : arguments)
        key += fmt::format(" {}{}", argument.is_register ? 'r' : 'c', argument.id);
    const std::string environment = environment_of(program_.probes.at(declaration));
    const auto found = variables_.find(key + '@' + environment);
    if (found != variables_.end()) return found->second;
    const std::size_t result = add_variable(key, phrase_of(declaration, arguments), environment, span);
    variable_probe_[result] = declaration;
    variable_arguments_[result] = arguments;
    return result;
}

// What a command did that has no effect to look at.
std::size_t Lowering::hidden_variable(const std::string& text, Span span) {
    return add_variable(fmt::format("hidden {} {}", out_.variables.size(), text),
                        fmt::format("what `{}` did", text), now_ == nullptr ? "" : now_->environment, span);
}

std::size_t Lowering::add_variable(const std::string& key, const std::string& name,
                                   const std::string& environment, Span span) {
    const std::string place = key + '@' + environment;
    const ValueId initial = out_.values.initial(name + '\x01' + place);
    Variable variable{name, environment, new_register(initial), span, {}};
    const Register run = new_register(initial);
    variable.origins.push_back(run);  // nothing comes before the first stage
    while (variable.origins.size() < program_.stages.size()) variable.origins.push_back(new_register());
    variable.origins.push_back(run);
    if (program_.stages.empty()) variable.origins.push_back(run);
    read_from_[variable.now] = out_.variables.size();
    variables_[place] = out_.variables.size();
    out_.variables.push_back(std::move(variable));
    if (others_) others_of_.push_back({new_register(), new_register(), new_register(no)});
    variable_probe_.push_back(no_probe);
    variable_arguments_.emplace_back();
    return out_.variables.size() - 1;
}

// For a text: a value that is not known is called by its name.
Value Lowering::shown(Term term, const std::string& name) const {
    if (read_from(term)) return Value(std::string("what it was before"));
    if (term.is_register) return Value(name.empty() ? std::string("..") : name);
    const Value* literal = known(term);
    return literal != nullptr ? *literal : Value(out_.values.show(term.id));
}

std::string Lowering::phrase_of(std::uint32_t declaration, const std::vector<Term>& arguments) {
    const ir::Probe& declared = program_.probes.at(declaration);
    std::vector<Value> values;
    for (std::size_t i = 0; i < arguments.size(); ++i)
        values.push_back(
            shown(arguments[i], i < declared.parameters.size() ? declared.parameters[i].name : ""));
    return semantics::phrase(declared.signature, declared.parameters, values, shown_on_one_line);
}

std::string Lowering::text_of(const ir::Verb& verb, const Names& inner) {
    std::vector<Value> values;
    for (const ir::Parameter& parameter : verb.parameters) {
        const auto found = inner.own().find(parameter.name);
        if (found == inner.own().end())
            values.emplace_back(Absent{});
        else if (const ir::Expr* condition = found->second.condition)
            values.emplace_back("(" + condition->name + ")");
        else
            values.push_back(shown(found->second.term, parameter.name));
    }
    return semantics::phrase(verb.signature, verb.parameters, values, shown_on_one_line);
}

// Computed by probes from something else, so that what it is cannot be said.
bool Lowering::computed(Term term) const {
    if (term.is_register) return computed_.contains(term.id);
    return known(term) == nullptr && !out_.values.is_initial(term.id);
}

std::optional<std::size_t> Lowering::read_from(Term term) const {
    const auto found = term.is_register ? read_from_.find(term.id) : read_from_.end();
    return found == read_from_.end() ? std::nullopt : std::optional(found->second);
}

void Lowering::tell_once(std::vector<Note>& notes, const std::string& key, std::string text, Span span) {
    if (said_.insert(key).second) notes.push_back({std::move(text), span});
}

bool Lowering::has_probe(const ir::Expr& expression, const Names& names) const {
    if (expression.kind == ir::ExprKind::Probe) return true;
    const Names* home = &names;
    if (const ir::Expr& condition = semantics::handed_on(expression, home); &condition != &expression)
        return has_probe(condition, *home);
    return std::any_of(expression.children.begin(), expression.children.end(),
                       [&](const ir::Expr& child) { return has_probe(child, names); });
}

// Worth a look: that it is so from the beginning.
void Lowering::may_be(std::size_t variable, ValueId value) {
    const auto known = [&](const Variation& one) { return one.variable == variable && one.value == value; };
    if (std::any_of(out_.variations.begin(), out_.variations.end(), known)) return;
    out_.variations.push_back(
        {fmt::format("{} is {} from the beginning", out_.variables[variable].name, out_.values.show(value)),
         variable, value});
}

}  // namespace migc::prove
