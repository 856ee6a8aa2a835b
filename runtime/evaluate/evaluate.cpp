#include "runtime/evaluate/evaluate.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/compute.hpp"
#include "compiler/semantics/weight.hpp"
#include "compiler/support/project_path.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline evaluation {
namespace {

using ir::ExprKind;

// Declarations cannot call themselves; this only keeps a broken program from exhausting the stack.
constexpr unsigned deepest_call = 64;

// As a server shows it: "migc:PROJECT" has applied this.
std::string project_name(const project::Inventory& inventory) {
    if (!inventory.project.empty()) return inventory.project;
    std::error_code error;
    std::string name = std::filesystem::weakly_canonical(inventory.root, error).filename().string();
    std::erase_if(name,
                  [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; });
    return name.substr(0, 60);
}

Reading no_truth(const Value& value) {
    return script_mistake(fmt::format("`{}` is neither true nor false", printable(show(value), 80)));
}

std::string joined(const std::string& one, const std::string& other) {
    if (one.empty() || one == other) return other;
    return other.empty() ? one : one + "; " + other;
}

std::string shown_shortly(const Value& value) {
    return printable(show(value), 80);
}

Reading reading_of(semantics::Computed computed) {
    return {std::move(computed.value), std::move(computed.why), computed.permanent};
}

Reading too_heavy() {
    return script_mistake(fmt::format("what the script puts together here is larger than {} MiB",
                                      semantics::heaviest_value >> 20));
}

// The names by which a command may write that is not told the run's: as kubectl does, its own, or that and
// what it is to do; or the one that it is told. One a line.
std::string writers_of(const ir::Command& command) {
    constexpr std::string_view told = "--field-manager";
    std::string names = command.tool + "\n";
    std::string before;
    for (const ir::Expr& argument : command.arguments->children) {
        const auto* word = argument.value.get_if<std::string>();
        if (word == nullptr) continue;
        if (before.empty()) names += fmt::format("{0}-{1}\n{0}-client-side-{1}\n", command.tool, *word);
        if (before == told) names += *word + "\n";
        if (word->starts_with(std::string(told) + "=")) names += word->substr(told.size() + 1) + "\n";
        before = *word;
    }
    return names;
}

// Those by which any verb of the script may write.
std::string own_writers(const ir::Program& program) {
    std::string names;
    for (const ir::Verb& verb : program.verbs)
        if (verb.action && verb.action->native.empty() && verb.action->arguments)
            names += writers_of(*verb.action);
    return names;
}

}  // namespace

Reading script_mistake(std::string reason) {
    return {Value(Unknown{reason}), std::move(reason), true};
}

std::optional<bool> truth(const Value& value) {
    if (const auto* plain_truth = value.get_if<bool>()) return *plain_truth;
    if (const auto* json = value.get_if<Json>(); json != nullptr && *json && (*json)->is_boolean())
        return (*json)->get<bool>();
    return std::nullopt;
}

Reading compare(ir::Comparison comparison, const Value& left, const Value& right) {
    return reading_of(semantics::compare(comparison, left, right, shown_shortly));
}

Reading calculate(ir::Operation operation, const Value& left, const Value& right) {
    return reading_of(semantics::calculate(operation, left, right, shown_shortly));
}

Evaluator::Evaluator(const EvalContext& eval_context, const StageEnvironment& environment)
    : eval_context_(eval_context), environment_(environment) {}

Reading Evaluator::evaluate(const ir::Expr& expression, const Scope& scope) {
    Reading reading = evaluate_kind(expression, scope, Form::Plain);
    return expression.type.kind == ir::TypeKind::Path ? checked_path(std::move(reading)) : reading;
}

Reading Evaluator::evaluate_kind(const ir::Expr& expression, const Scope& scope, Form form) {
    switch (expression.kind) {
        case ExprKind::Literal:
            return {expression.value, {}, false};
        case ExprKind::Interpolate:
            return interpolate(expression, scope, form);
        case ExprKind::Local:
            return local(expression, scope);
        case ExprKind::Param:
            return parameter(expression.name);
        case ExprKind::Setting:
            return setting_value(expression.name);
        case ExprKind::List:
            return list(expression, scope);
        case ExprKind::Probe:
            return probe(expression, scope);
        case ExprKind::Not:
        case ExprKind::And:
        case ExprKind::Or:
            return logical(expression, scope);
        case ExprKind::IsAbsent:
        case ExprKind::Compare:
            return comparison(expression, scope);
        case ExprKind::Arithmetic:
            break;
    }
    return calculate(expression.operation, evaluate(expression.children.at(0), scope).value,
                     evaluate(expression.children.at(1), scope).value);
}

// In an argument, a resource is written as the tool wants it, and a text with a part that is absent is
// absent.
Reading Evaluator::interpolate(const ir::Expr& expression, const Scope& scope, Form form) {
    const bool is_name = expression.type.kind == ir::TypeKind::Resource;
    std::string text;
    for (const ir::Expr& child : expression.children) {
        Reading part = evaluate(child, scope);
        const bool needs_all = is_name || form == Form::Written;
        if (part.value.is_unknown() || (needs_all && part.value.is_absent())) return part;
        text += form == Form::Written && !is_name ? as_argument(part.value) : show(part.value);
        if (text.size() > semantics::heaviest_value) return too_heavy();
    }
    return {ir::joined(expression.type, std::move(text)), {}, false};
}

Reading Evaluator::local(const ir::Expr& expression, const Scope& scope) {
    const Binding* binding = scope.find(expression.name);
    if (binding == nullptr) return script_mistake(fmt::format("`{}` has no value here", expression.name));
    if (binding->condition != nullptr) return evaluate(*binding->condition, *binding->home);
    if (binding->value.is_unknown() && !binding->kept.is_null()) return reveal(binding->kept);
    return {binding->value, {}, false};
}

// A secret as the journal has it: read again by its name, or opened with the run's key.
Reading Evaluator::reveal(const nlohmann::json& form) {
    if (const auto name = form.find("secret"); name != form.end() && name->is_string())
        return parameter(name->get<std::string>());
    if (eval_context_.kept == nullptr) return script_mistake("nobody here can open a secret that was kept");
    const auto text = eval_context_.kept->open(form);
    if (!text) return script_mistake(text.error());
    Reading reading{from_json(nlohmann::json::parse(*text)), {}, false};
    if (const auto* secret = reading.value.get_if<std::string>()) redact(*secret);
    return reading;
}

// What a probe of type `secret` has read is hidden before anything else is done with it.
Reading Evaluator::secret_answer(Reading reading) {
    const auto* text = reading.value.get_if<std::string>();
    if (text == nullptr) return reading;
    if (text->size() < shortest_secret)
        return script_mistake(
            fmt::format("what was read is shorter than {} characters, and could not be kept out of messages",
                        shortest_secret));
    redact(*text);
    return reading;
}

Reading Evaluator::parameter(const std::string& name) const {
    const auto found = environment_.parameters.find(name);
    if (found == environment_.parameters.end())
        return script_mistake(fmt::format("parameter `{}` has no value here", name));
    return {found->second, {}, false};
}

Reading Evaluator::setting_value(const std::string& name) {
    if (name == "changed-workloads")
        return {Value(changed_workloads ? changed_workloads() : List{}), {}, false};
    if (environment_.outside && name != "root")
        return script_mistake(fmt::format("`{}` is that of a stage, and this stands outside of them", name));
    const std::string value = setting(name);
    return {value.empty() ? Value(Absent{}) : Value(value), {}, false};
}

Reading Evaluator::list(const ir::Expr& expression, const Scope& scope) {
    List items;
    std::size_t weight = 0;
    for (const ir::Expr& child : expression.children) {
        Reading item = evaluate(child, scope);
        if (item.value.is_unknown()) return item;
        weight += semantics::weight(item.value);
        if (weight > semantics::heaviest_value) return too_heavy();
        items.push_back(std::move(item.value));
    }
    return {Value(std::move(items)), {}, false};
}

// Unknown, unless one side decides alone.
Reading Evaluator::logical(const ir::Expr& expression, const Scope& scope) {
    Reading left = evaluate(expression.children.at(0), scope);
    if (!left.value.is_unknown() && !truth(left.value)) return no_truth(left.value);
    if (expression.kind == ExprKind::Not) {
        if (const auto holds = truth(left.value)) left.value = Value(!*holds);
        return left;
    }
    const bool deciding = expression.kind == ExprKind::Or;
    if (truth(left.value) == deciding) return left;
    Reading right = evaluate(expression.children.at(1), scope);
    if (!right.value.is_unknown() && !truth(right.value)) return no_truth(right.value);
    if (truth(right.value) == deciding) return right;
    right.why = joined(left.why, right.why);
    if (left.value.is_unknown()) right.value = left.value;
    // Both sides of an `or` must be beyond hope; one of an `and` is enough.
    right.permanent = deciding ? left.permanent && right.permanent : left.permanent || right.permanent;
    return right;
}

Reading Evaluator::comparison(const ir::Expr& expression, const Scope& scope) {
    const ir::Expr& subject = expression.children.at(0);
    const Reading left = evaluate(subject, scope);
    if (left.value.is_unknown()) return left;
    Reading result{Value(left.value.is_absent()), {}, false};
    if (expression.kind == ExprKind::Compare) {
        const Reading right = evaluate(expression.children.at(1), scope);
        if (right.value.is_unknown()) return right;
        result = compare(expression.comparison, left.value, right.value);
    }
    if (subject.kind == ExprKind::Probe && result.why.empty())
        result.why = fmt::format("{} is {}", describe(subject, scope), printable(show(left.value), 200));
    result.why = joined(result.why, left.why);
    result.permanent = result.permanent || left.permanent;
    return result;
}

Reading Evaluator::argument(const ir::Parameter& slot, const ir::Expr& given, const Scope& scope,
                            const Scope& inner) {
    return semantics::argument_value(slot, evaluate(given, scope),
                                     [&](const ir::Expr& other) { return evaluate(other, inner); });
}

tl::expected<void, Evaluator::UnknownArgument> Evaluator::bind(const std::vector<ir::Parameter>& parameters,
                                                               const std::vector<ir::Expr>& arguments,
                                                               const Scope& scope, Scope& inner, bool keeps,
                                                               const nlohmann::json& knows) {
    for (std::size_t i = 0; i < parameters.size() && i < arguments.size(); ++i) {
        const ir::Parameter& slot = parameters[i];
        if (knows.contains(slot.name)) {
            inner.bind_journaled(slot.name, knows.at(slot.name));
            continue;
        }
        if (slot.type.kind == ir::TypeKind::Condition) {
            inner.bind_condition(slot.name, arguments[i], scope);
            continue;
        }
        Reading argument = this->argument(slot, arguments[i], scope, inner);
        const bool is_left_open = keeps && foresight != nullptr && foresight->leaves_open(argument.value);
        if (argument.value.is_unknown() && !is_left_open)
            return tl::unexpected(UnknownArgument{slot.name, argument});
        const bool secret = slot.type.kind == ir::TypeKind::Secret;
        auto form =
            secret && keeps ? kept_form(kept(), arguments[i], scope, argument.value) : nlohmann::json();
        if (secret)
            inner.bind_secret(slot.name, std::move(argument.value), std::move(form));
        else
            inner.bind(slot.name, std::move(argument.value));
    }
    return {};
}

tl::expected<Scope, Reading> Evaluator::probe_scope(const ir::Expr& expression, const Scope& scope) {
    Scope own(globals, scope.depth() + 1);
    const auto& parameters = eval_context_.program.probes.at(expression.declaration).parameters;
    const auto bound = bind(parameters, expression.children, scope, own, false);
    if (!bound) return tl::unexpected(bound.error().reading);
    return own;
}

std::vector<Value> Evaluator::probe_arguments(const ir::Expr& expression, const Scope& scope) {
    const ir::Probe& declared = eval_context_.program.probes.at(expression.declaration);
    std::vector<Value> values;
    Scope own(globals, scope.depth() + 1);
    for (std::size_t i = 0; i < expression.children.size() && i < declared.parameters.size(); ++i) {
        const ir::Parameter& slot = declared.parameters[i];
        values.emplace_back();
        if (slot.type.kind == ir::TypeKind::Condition) continue;
        values.back() = argument(slot, expression.children[i], scope, own).value;
        if (slot.type.kind != ir::TypeKind::Secret) own.bind(slot.name, values.back());
    }
    return values;
}

std::string Evaluator::describe(const ir::Expr& expression, const Scope& scope) {
    const ir::Probe& declared = eval_context_.program.probes.at(expression.declaration);
    std::vector<Value> values;
    for (std::size_t i = 0; i < expression.children.size() && i < declared.parameters.size(); ++i) {
        const bool condition = declared.parameters[i].type.kind == ir::TypeKind::Condition;
        values.push_back(condition ? Value("..") : evaluate(expression.children[i], scope).value);
    }
    return phrase(declared.signature, declared.parameters, values);
}

// Of a file in the run's own folder only its name.
std::string Evaluator::shown_value(const Value& value) const {
    std::string text = show(value);
    const std::string folder = environment_.setting("run-folder");
    if (!folder.empty() && text.starts_with(folder + "/")) text.erase(0, folder.size() + 1);
    return printable(text, 80);
}

// A name without a value that can be shown stays as it is written.
std::string Evaluator::shown_name(const std::string& name, const Scope& scope) const {
    const Binding* binding = scope.find(name);
    if (binding == nullptr) {
        const auto found = environment_.parameters.find(name);
        const auto& secrets = environment_.secrets;
        const bool secret = std::find(secrets.begin(), secrets.end(), name) != secrets.end();
        return secret || found == environment_.parameters.end() ? name : shown_value(found->second);
    }
    // A whole JSON document says less than the name that it was given.
    if (binding->secret || binding->value.get_if<Json>() != nullptr) return name;
    return binding->condition == nullptr ? shown_value(binding->value) : condition_text(*binding);
}

std::string Evaluator::describe(const ir::Step& step, const Scope& scope) {
    std::string result;
    std::size_t done = 0;
    for (const auto& [at, name] : step.text_names) {
        result += step.text.substr(done, at - done) + shown_name(name, scope);
        done = at + name.size();
    }
    return result + step.text.substr(done);
}

Reading Evaluator::probe(const ir::Expr& expression, const Scope& scope) {
    if (scope.depth() > deepest_call) return script_mistake("the declarations call each other too deeply");
    const ir::Probe& declared = eval_context_.program.probes.at(expression.declaration);
    if (predicted != nullptr)
        if (const auto found = predicted->find(describe(expression, scope)); found != predicted->end())
            return {found->second, {}, false};
    const auto own = probe_scope(expression, scope);
    if (!own) return own.error();
    const auto live = [&] { return read(declared, *own); };
    Reading reading =
        foresight != nullptr ? foresight->read(declared, *own, describe(expression, scope), live) : live();
    if (declared.type.kind == ir::TypeKind::Secret) reading = secret_answer(std::move(reading));
    if (const auto* no = reading.value.get_if<Unknown>(); no != nullptr && reading.why.empty())
        return {reading.value, no->reason, false};
    return reading;
}

// What a run keeps in its own folder is no file of the project, and its steps name it all the same.
bool Evaluator::is_of_this_run(const std::filesystem::path& path) const {
    std::error_code error;
    const std::filesystem::path folder = environment_.setting("run-folder");
    return !folder.empty() && is_within(std::filesystem::weakly_canonical(path, error),
                                        std::filesystem::weakly_canonical(folder, error));
}

Reading Evaluator::checked_path(Reading reading) const {
    const auto* text = reading.value.get_if<std::string>();
    if (text == nullptr) return reading;
    const auto below = project_path(eval_context_.inventory.root, *text);
    if (below || is_of_this_run(*text)) return reading;
    return script_mistake(
        fmt::format("the path `{}` is no file of the project: {}", printable(*text), below.error()));
}

void Evaluator::redact(const std::string& secret) {
    if (!environment_.shows(eval_context_.program, secret)) secrets().add(secret);
}

Approvals Evaluator::approvals() {
    Approvals given = eval_context_.options.approvals ? eval_context_.options.approvals() : Approvals();
    given.digest = eval_context_.options.run_digest;
    given.run = eval_context_.options.run;
    given.title = eval_context_.program.migration ? eval_context_.program.migration->title : "";
    return given;
}

WakeReason Evaluator::sleep_until(Time deadline) {
    if (seen_) seen_->clear();
    return eval_context_.tools.sleep_until(deadline);
}

std::string Evaluator::setting(std::string_view name) {
    if (name == "project") return project_name(eval_context_.inventory);
    if (name == "writers") return asks_others ? "others" : asks_writers ? "yes" : "";
    if (name == "own-revision") return own_revision;
    if (name == "found-before") return found_before;
    if (name == "own-writers") return own_writers(eval_context_.program);
    if (name == "changed-workloads") {
        std::string lines;
        for (const Value& one : changed_workloads ? changed_workloads() : List{})
            if (const auto* workload = one.get_if<ResourceRef>()) lines += written(*workload) + "\n";
        return lines;
    }
    // Who can put a secret's old value back once this process has ended; "" for nobody.
    if (name == "secrets-keeper" || name == "secrets-obstacle") {
        if (eval_context_.kept == nullptr) return name == "secrets-keeper" ? "" : "nobody keeps them";
        const auto keeper = eval_context_.kept->keeper();
        return name == "secrets-keeper" ? keeper.value_or("") : keeper ? "" : keeper.error();
    }
    if (name == "overwrite") return eval_context_.options.overwrite ? "yes" : "";
    return environment_.setting(std::string(name));
}

}  // namespace migc::runtime::inline evaluation
