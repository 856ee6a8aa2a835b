#include "runtime/engine/runbook.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <random>

#include <fmt/format.h>

#include "compiler/semantics/calls.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/engine/call.hpp"
#include "runtime/engine/stage_run.hpp"
#include "runtime/evaluate/kept_secrets.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/natives/written_by_hand.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline engine {

using ir::StepKind;
using ir::UndoKind;

// A runbook is written while a step runs: it must not ask anybody anything.
class Runbook::NoTools final : public Tools {
  public:
    Answer run(const CommandLine&) override {
        Answer answer;
        answer.reason = "nothing is asked for a runbook";
        return answer;
    }
    std::unique_ptr<Watch> watch(const CommandLine&) override { return nullptr; }
    Time now() override { return 0; }
    WakeReason sleep_until(Time) override { return WakeReason::Deadline; }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "runbook"; }
};

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_words = 4000;

std::string shown_value(const Value& value) {
    const auto* document = value.get_if<Json>();
    const bool whole = document != nullptr && *document != nullptr && (*document)->is_structured();
    return whole ? "as it was before the run" : show(value);
}

// No secret is on a runbook.
StageEnvironment without_secrets(StageEnvironment environment) {
    for (const std::string& name : environment.secrets)
        environment.parameters.insert_or_assign(
            name, Value(Unknown{fmt::format("the secret {} is on no runbook", name)}));
    return environment;
}

// "staging/3[2].1" as a part of a file's name.
std::string file_part(const StepId& step) {
    std::string name;
    for (const char c : step.text()) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
    return name;
}

// What only the cluster can tell when the line is typed stands in a command as this and a name. Nobody
// outside of this process knows it, so that no value can say it.
const std::string& later_begin() {
    static const std::string mark = [] {
        std::random_device random;
        return fmt::format("@{{{:08x}{:08x} ", random(), random());
    }();
    return mark;
}
constexpr std::string_view later_end = "}@";

bool is_later(const Value& value) {
    const auto* text = value.get_if<std::string>();
    return text != nullptr && text->find(later_begin()) != std::string::npos;
}

// What a shell takes for a variable's name.
bool is_variable(std::string_view name) {
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// "NAME=value" before a command.
std::string assignment(const std::string& variable) {
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    if (!is_variable(name) || equals == std::string::npos) return "env " + shell_word(variable);
    return name + "=" + (equals + 1 == variable.size() ? "" : shell_word(variable.substr(equals + 1)));
}

// From wherever a line is typed.
StageEnvironment from_anywhere(StageEnvironment environment) {
    if (const auto found = environment.settings.find("kubeconfig"); found != environment.settings.end())
        found->second = (fs::path(environment.setting("root")) / found->second).string();
    return environment;
}

}  // namespace

// Writes how one change is taken back.
class Runbook::Writer final : public HandWork {
  public:
    Writer(const ir::Program& program, const EvalContext& eval_context, const StageRun& stage,
           const StageEnvironment& environment, const Change& change, const fs::path& folder)
        : program_(program),
          inventory_(eval_context.inventory),
          natives_(eval_context.options.natives),
          change_(change),
          environment_(environment),
          evaluator_(eval_context, environment),
          known_(change.observed),
          scope_(&stage.run.globals),
          folder_(folder) {
        evaluator_.globals = &stage.run.globals;
        known_.insert(change.declared.begin(), change.declared.end());
        evaluator_.predicted = &known_;
        scope_.bind_all(change.scope);
        scope_.bind_all(change.arguments);
        scope_.bind_all(change.captures);
    }

    std::string text(const ir::Verb& verb, const ir::Undo& undo) {
        changed_by_ = &verb;
        head();
        switch (undo.kind) {
            case UndoKind::Irreversible:
                return without_way_back(verb, "THERE IS NO WAY BACK: " + undo.reason);
            case UndoKind::ByCaller:
                return without_way_back(verb, "the script says that it cannot be undone");
            case UndoKind::None:
            case UndoKind::Steps:
                break;
        }
        if (change_.open()) look_first(verb);
        if (undo.after) say(fmt::format("after {} is as it was before:", described(*undo.after, scope_)));
        Scope inner(&scope_);
        steps(undo.steps, inner);
        look_at_effects(verb, "then {} must be {}", false);
        return text_;
    }

    std::map<std::string, std::string> files() && { return std::move(files_); }

    // HandWork, for natives.
    void type(const std::string& line) override {
        text_ += (only_said_ > 0 ? "#   if so: " : "") + line + "\n";
    }

    // On one line, whatever is in it: the next one would be a command.
    void say(const std::string& words) override { text_ += "# " + printable(words, longest_words) + "\n"; }

    std::string command(const std::string& tool, const std::vector<std::string>& arguments) override {
        ir::Command asked;
        asked.tool = tool;
        ir::Expr list;
        list.kind = ir::ExprKind::List;
        for (const std::string& argument : arguments) {
            ir::Expr one;
            one.value = Value(argument);
            list.children.push_back(std::move(one));
        }
        asked.arguments = std::move(list);
        const auto line = evaluator_.command_line(asked, scope_);
        if (line) return typed(*line);
        std::string words = tool;
        for (const std::string& argument : arguments) words += " " + shell_word(argument);
        return words;
    }

    std::string file(const std::string& ending, const std::string& content) override {
        const fs::path path =
            folder_ / "undo" / fmt::format("{}-{}.{}", file_part(change_.step), files_.size() + 1, ending);
        files_[path.string()] = content;
        return path.string();
    }

    Value left() override {
        if (changed_by_ == nullptr || changed_by_->effects.empty()) return {};
        const auto found = known_.find(evaluator_.describe(changed_by_->effects.front().probe, scope_));
        return found == known_.end() ? Value() : found->second;
    }

    Value captured(const std::string& name) override {
        return change_.captures.contains(name) ? from_json(change_.captures.at(name)) : Value();
    }

    std::string who_has_the_secret() override {
        for (const auto& [name, value] : change_.captures.items())
            if (is_kept_secret(value)) return source_of(value);
        return "they were not kept, and must come from where they are kept otherwise";
    }

  private:
    // What one goes by who mends it otherwise.
    std::string without_way_back(const ir::Verb& verb, const std::string& why) {
        say(why);
        look_at_effects(verb, "{} was {}");
        return text_;
    }

    void head() {
        const bool half_done = change_.state == ChangeState::Failed;
        text_ = fmt::format("take back: {}   ({}{})\n", printable(change_.text, 200), change_.step,
                            half_done ? ", failed half way" : "");
    }

    std::string described(const ir::Expr& expression, const Scope& scope) {
        return expression.kind == ir::ExprKind::Probe ? printable(evaluator_.describe(expression, scope), 200)
                                                      : "what it follows";
    }

    // A command as bash reads it. Where it depends on the folder in which it is run, it goes there.
    std::string typed(const CommandLine& line) {
        std::string text;
        for (const std::string& variable : line.environment) text += assignment(variable) + " ";
        for (const std::string& word : line.argv) text += word_of(word) + " ";
        text.pop_back();
        const bool on_path = line.argv.front().find('/') == std::string::npos;
        const bool anywhere = line.tool == "curl" || line.tool == "docker" || line.tool == "kubectl";
        if ((on_path && anywhere) || line.directory.empty()) return text;
        return fmt::format("(cd {} && {})", shell_word(line.directory), text);
    }

    // What is read only when the line is typed stands in it as a command of its own.
    std::string word_of(const std::string& word) {
        const auto begin = word.find(later_begin());
        const auto end = word.find(later_end, begin);
        if (begin == std::string::npos || end == std::string::npos) return shell_word(word);
        const std::size_t named = begin + later_begin().size();
        const std::string name = word.substr(named, end - named);
        const auto reads = later_.find(name);
        if (reads == later_.end() || reads->second.empty()) cannot_type_ = name;
        const std::string before = word.substr(0, begin), after = word.substr(end + later_end.size());
        return (before.empty() ? "" : shell_word(before)) +
               printed_by(reads == later_.end() ? "" : reads->second) + (after.empty() ? "" : word_of(after));
    }

    // How one sees a probe's value by hand; empty where that takes more than a command.
    std::string reading(const ir::Expr& expression, const Scope& scope) {
        const auto own = evaluator_.probe_scope(expression, scope);
        const ir::Probe& declared = *program_.probe(expression);
        if (!own || !declared.read || declared.read->tool == "native") return {};
        const auto line = evaluator_.command_line(*declared.read, *own);
        if (!line) return {};
        const std::string at = declared.read->pointer && declared.read->pointer->kind == ir::ExprKind::Literal
                                   ? fmt::format("      # at {}", show(declared.read->pointer->value))
                                   : "";
        return typed(*line) + at;
    }

    void look(const ir::Effect& effect, const std::string& words) {
        say(words);
        if (const std::string command = reading(effect.probe, scope_); !command.empty())
            say("  look: " + command);
    }

    // How one sees what an effect is on, for each of which it is known what it was: `words` has a place for
    // the phrase and one for the value.
    void look_at_effects(const ir::Verb& verb, fmt::format_string<std::string, std::string> words,
                         bool also_different = true) {
        for (const ir::Effect& effect : verb.effects) {
            const std::string phrase = evaluator_.describe(effect.probe, scope_);
            const auto before = change_.before.find(phrase);
            if (before == change_.before.end()) continue;
            if (effect.becomes != ir::Becomes::Different || also_different)
                look(effect,
                     fmt::format(words, printable(phrase, 200), printable(shown_value(before->second), 200)));
        }
    }

    void look_first(const ir::Verb& verb) {
        say("IN DOUBT: it was begun, and nobody knows whether it was done. Look first.");
        look_at_effects(verb, "if {} is {}, it was not done: leave this out");
        ++only_said_;
    }

    void steps(const std::vector<ir::Step>& steps, Scope& scope) {
        for (const ir::Step& step : steps) statement(step, scope);
    }

    void statement(const ir::Step& step, Scope& scope) {
        switch (step.kind) {
            case StepKind::Call:
                return call(step, scope);
            case StepKind::Verify:
            case StepKind::Soak:
                return say("then: " + printable(evaluator_.describe(step, scope), 400));
            case StepKind::If:
                return choose(step, scope);
            case StepKind::For:
                return loop(step, scope);
            case StepKind::Parallel:
                return steps(step.body, scope);
            case StepKind::Let:
                return scope.bind(step.name, value_of(*step.value, scope, step.name));
            default:
                return say(printable(step.text, 400));
        }
    }

    // What cannot be known beforehand is read when the line is typed, or the line is none.
    Value value_of(const ir::Expr& expression, const Scope& scope, const std::string& name) {
        Value value = evaluator_.evaluate(expression, scope).value;
        if (!value.is_unknown()) return value;
        if (Value told = container_named(expression, scope); !told.is_absent()) return told;
        later_[name] = read_later(expression, scope);
        return Value(fmt::format("{}{}{}", later_begin(), name, later_end));
    }

    // `container of webapi named "web"` is "web": it was captured when the step was done.
    Value container_named(const ir::Expr& expression, const Scope& scope) {
        const ir::Probe* declared = program_.probe(expression);
        if (declared == nullptr || declared->role.role != ir::Role::Given) return {};
        const auto own = evaluator_.probe_scope(expression, scope);
        const Value given = own ? evaluator_.evaluate(declared->role.arguments.front(), *own).value : Value();
        return given.is_unknown() ? Value() : given;
    }

    // A command that prints the value, and nothing else.
    std::string read_later(const ir::Expr& expression, const Scope& scope) {
        const ir::Probe* declared = program_.probe(expression);
        if (declared == nullptr || !declared->read) return {};
        const auto own = evaluator_.probe_scope(expression, scope);
        if (!own) return {};
        const ir::Command& read = *declared->read;
        if (read.tool == "kubectl" && read.pointer && read.pointer->kind == ir::ExprKind::Literal)
            return field_of(read, *own, show(read.pointer->value));
        const std::string place = place_read_by(*declared, *own);
        if (place.empty()) return {};
        const Value thing = evaluator_.evaluate(declared->role.arguments.back(), *own).value;
        const auto* resource = thing.get_if<ResourceRef>();
        if (resource == nullptr) return {};
        return command("kubectl",
                       {"get", evaluator_.written(*resource), "-o", fmt::format("jsonpath={{{}}}", place)});
    }

    // Of a probe that does no more than read one field, a number.
    std::string place_read_by(const ir::Probe& declared, const Scope& own) {
        if (declared.role.role == ir::Role::Version) return ".metadata.resourceVersion";
        const bool is_number =
            declared.type.kind == ir::TypeKind::Int || declared.type.kind == ir::TypeKind::Quantity;
        if (declared.role.role != ir::Role::Field || !is_number) return {};
        std::string pointer = show(evaluator_.evaluate(declared.role.arguments.front(), own).value);
        if (pointer.find_first_of("~*=") != std::string::npos) return {};
        std::replace(pointer.begin(), pointer.end(), '/', '.');
        return pointer;
    }

    // kubectl [.. "-o" "json" ..] at "/spec/replicas"
    std::string field_of(const ir::Command& read, const Scope& own, std::string pointer) {
        auto line = evaluator_.command_line(read, own);
        if (!line || pointer.find('~') != std::string::npos) return {};
        std::replace(pointer.begin(), pointer.end(), '/', '.');
        const auto json = std::find(line->argv.begin(), line->argv.end(), "json");
        if (json == line->argv.end()) return {};
        *json = "jsonpath={" + pointer + "}";
        return typed(*line);
    }

    void bind_arguments(const ir::Verb& verb, const ir::Step& step, const Scope& scope, Scope& inner) {
        for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
            const ir::Parameter& slot = verb.parameters[i];
            if (slot.type.kind == ir::TypeKind::Condition)
                inner.bind_condition(slot.name, step.arguments[i], scope);
            else if (slot.type.kind == ir::TypeKind::Secret)
                inner.bind_secret(slot.name, Value(), secret_form(step.arguments[i], scope));
            else
                inner.bind(slot.name,
                           semantics::argument_value(
                               slot, value_of(step.arguments[i], scope, slot.name),
                               [&](const ir::Expr& other) { return value_of(other, inner, slot.name); }));
        }
    }

    static nlohmann::json secret_form(const ir::Expr& expression, const Scope& scope) {
        return kept_form(nullptr, expression, scope, Value("a secret"));
    }

    void call(const ir::Step& step, Scope& scope) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        Scope inner(evaluator_.globals, scope.depth() + 1);
        bind_arguments(verb, step, scope, inner);
        for (const ir::Capture& capture : verb.captures)
            if (capture.value.type.kind == ir::TypeKind::Secret)
                inner.bind_secret(capture.name, Value(), nullptr);
            else
                inner.bind(capture.name, value_of(capture.value, inner, capture.name));
        if (!step.name.empty() && verb.result)
            scope.bind(step.name, value_of(*verb.result, inner, step.name));
        if (!verb.action) return steps(verb.steps, inner);
        if (!act(*verb.action, verb, inner)) by_hand(verb, inner);
    }

    // False: words must do.
    bool act(const ir::Command& action, const ir::Verb& verb, const Scope& inner) {
        cannot_type_.clear();
        if (action.tool == "native") return native(action, verb, inner);
        ir::Command without_input = action;
        without_input.standard_input.reset();
        const auto line = evaluator_.command_line(without_input, inner);
        if (!line) return false;
        const std::string text = typed(*line);
        if (!cannot_type_.empty()) return false;
        if (!action.standard_input) return type(text), true;
        return with_input(action, verb, inner, text);
    }

    bool native(const ir::Command& action, const ir::Verb& verb, const Scope& inner) {
        auto values = evaluator_.native_values(action, inner);
        if (!values) return false;
        for (Value& value : *values)
            if (is_later(value)) value = Value();
        const NativeEntry* entry = natives_(action.native);
        if (entry != nullptr && entry->by_hand != nullptr) return entry->by_hand(evaluator_, *values, *this);
        return as_previewed(action, verb, inner);
    }

    // A native that runs one command, and says which: "terraform plan ..".
    bool as_previewed(const ir::Command& action, const ir::Verb& verb, const Scope& inner) {
        const NativeEntry* entry = natives_(action.native);
        if (entry == nullptr || !entry->is_its_preview) return false;
        const auto line = evaluator_.preview(action, inner);
        if (!line || line->text.empty()) return false;
        std::string guard;
        if (verb.role.role == ir::Role::AppliesPlan) {
            say("look at the plan before it is applied: it must take back what this step did, and nothing else");
            guard = only_takes_back(action, inner);
        }
        const ir::Tool* tool = program_.tool("terraform");
        std::string variables;
        if (tool != nullptr && tool->environment)
            for (const ir::Expr& one : tool->environment->children)
                if (const Value value = evaluator_.evaluate(one, scope_).value;
                    value.get_if<std::string>() != nullptr)
                    variables += assignment(show(value)) + " ";
        type(fmt::format("({}cd {} && {}{})", guard, shell_word(environment_.setting("root")), variables,
                         line->text));
        return true;
    }

    // What terraform says of a plan that takes back what `fact` tells: "create a.b[0]".
    static std::vector<std::string> said_of_way_back(const std::string& fact) {
        const auto space = fact.find(' ');
        const std::string what = fact.substr(0, space);
        if (space == std::string::npos || fact.ends_with(" complete")) return {};
        const std::string about = "  # " + fact.substr(space + 1);
        if (what == "create") return {about + " will be destroyed"};
        if (what == "update") return {about + " will be updated in-place"};
        if (what == "replace") return {about + " must be replaced", about + " will be created"};
        return {about + " will be created"};
    }

    // A condition before the apply: the plan touches nothing but what this step did, and goes the other way.
    std::string only_takes_back(const ir::Command& action, const Scope& inner) {
        const auto values = evaluator_.native_values(action, inner);
        const Value captured_facts = captured("wanted");
        const auto* facts = captured_facts.get_if<List>();
        if (!values || values->empty() || facts == nullptr) return {};
        std::string allowed;
        for (const Value& fact : *facts)
            for (const std::string& line : said_of_way_back(show(fact))) allowed += " -e " + shell_word(line);
        if (allowed.empty()) return {};
        const std::string shown = command("terraform", {"show", "-no-color", show(values->front())});
        return fmt::format(
            "seen={} && ! printf '%s\\n' \"$seen\" | grep -E '^  # .+ (will|must) be ' | "
            "grep -v ' will be read during apply$' | grep -vxF{} && ",
            printed_by(shown), allowed);
    }

    void by_hand(const ir::Verb& verb, const Scope& inner) {
        say("by hand: " + printable(describe_call(verb, inner), 400));
        const std::string about = verb.documentation.substr(0, verb.documentation.find('\n'));
        if (!about.empty()) say("  (" + printable(about, 400) + ")");
        if (!cannot_type_.empty())
            say(fmt::format("  it needs {}, which only the cluster can tell then",
                            printable(cannot_type_, 100)));
    }

    // "--password-stdin": given without an end of line, as migc gives it.
    bool with_input(const ir::Command& action, const ir::Verb& verb, const Scope& inner,
                    const std::string& text) {
        const ir::Expr& input = *action.standard_input;
        if (input.type.kind == ir::TypeKind::Secret) {
            const nlohmann::json form = secret_form(input, inner);
            const std::string printed = secret_printed_by(form);
            if (!printed.empty()) return type(fmt::format("printf %s \"{}\" | {}", printed, text)), true;
            say(fmt::format("by hand: {}: {}", printable(describe_call(verb, inner), 400), source_of(form)));
            say("  with it on its input: " + text);
            return true;
        }
        const Value given = evaluator_.evaluate(input, inner).value;
        if (given.is_unknown()) return false;
        type(text + " < " + shell_word(file("input", show(given))));
        return true;
    }

    // What puts a secret of migc.yaml into a line without its being there.
    std::string secret_printed_by(const nlohmann::json& form) const {
        if (!form.is_object() || !form.contains("secret")) return {};
        const std::string name = form.at("secret"), root = environment_.setting("root");
        const project::Environment* entry = inventory_.environment(environment_.name);
        if (entry == nullptr || !entry->secrets.contains(name)) return {};
        const project::SecretSource* source = &entry->secrets.at(name);
        if (!source->variable.empty())
            return is_variable(source->variable) ? fmt::format("${{{}:?}}", source->variable) : "";
        if (!source->file.empty())
            return fmt::format("$(cat {})", shell_word((fs::path(root) / source->file).string()));
        std::string words;
        for (const std::string& word : source->command) words += " " + shell_word(word);
        return fmt::format("$(cd {} &&{})", shell_word(root), words);
    }

    // Where a secret comes from that cannot be put into a line.
    static std::string source_of(const nlohmann::json& form) {
        if (form.is_object() && form.contains("secret"))
            return fmt::format("it takes the secret {}, and migc.yaml says not where that is",
                               printable(form.at("secret").get<std::string>(), 100));
        if (!form.is_object() || !form.contains("sealed")) return "it takes a secret that was not kept";
        if (form.contains("in_memory")) return "it takes a secret that was kept only while the run went on";
        return fmt::format(
            "kept encrypted, and only `migc undo` of {} can open and put back what was there before",
            printable(form.value("by", "the operator of the run"), 100));
    }

    // Which way it goes only the cluster can tell: the shell asks it, or nothing of it is typed blindly.
    void choose(const ir::Step& step, Scope& scope) {
        const auto holds = truth(evaluator_.evaluate(*step.condition, scope).value);
        if (holds) return steps(*holds ? step.body : step.otherwise, scope);
        const std::string test = only_said_ > 0 ? "" : asked_by_shell(*step.condition, scope);
        if (!test.empty()) {
            type("if " + test + "; then :");
            steps(step.body, scope);
            if (!step.otherwise.empty()) type("else :");
            steps(step.otherwise, scope);
            return type("fi");
        }
        say(printable(trimmed(step.text), 400) + ":");
        ++only_said_;
        steps(step.body, scope);
        if (!step.otherwise.empty()) say("otherwise:");
        steps(step.otherwise, scope);
        --only_said_;
    }

    // `replicas of web is not 3`, where a command prints the one and the other is known.
    std::string asked_by_shell(const ir::Expr& condition, const Scope& scope) {
        const bool is = condition.comparison == ir::Comparison::Is;
        if (condition.kind != ir::ExprKind::Compare || (!is && condition.comparison != ir::Comparison::IsNot))
            return {};
        const std::string asked = read_later(condition.children.at(0), scope);
        const Value wanted = evaluator_.evaluate(condition.children.at(1), scope).value;
        const bool plain =
            wanted.get_if<std::int64_t>() != nullptr || wanted.get_if<std::string>() != nullptr;
        if (asked.empty() || !plain || is_later(wanted)) return {};
        return fmt::format("[ {} {} {} ]", printed_by(asked), is ? "=" : "!=", shell_word(show(wanted)));
    }

    void loop(const ir::Step& step, Scope& scope) {
        const Value list = evaluator_.evaluate(*step.value, scope).value;
        const auto* items = list.get_if<List>();
        if (items == nullptr) return say("by hand: " + printable(trimmed(step.text), 400));
        for (const Value& item : *items) {
            Scope inner(&scope, scope.depth());
            inner.bind(step.name, item);
            steps(step.body, inner);
        }
    }

    const ir::Program& program_;
    const project::Inventory& inventory_;
    std::function<const NativeEntry*(std::string_view)> natives_;
    const Change& change_;
    const StageEnvironment& environment_;
    Evaluator evaluator_;
    std::map<std::string, Value> known_;
    Scope scope_;
    const fs::path& folder_;
    const ir::Verb* changed_by_ = nullptr;
    std::map<std::string, std::string> later_;  // commands that print what is not known yet, by its name
    std::map<std::string, std::string> files_;
    std::string cannot_type_;  // what a line lacks to be typed; empty: nothing
    int only_said_ = 0;        // above 0: commands are for people only
    std::string text_;
};

Runbook::Runbook(const ir::Program& program, const project::Inventory& inventory, const RunOptions& options)
    : program_(program), inventory_(inventory), options_(options), tools_(std::make_unique<NoTools>()) {}

Runbook::~Runbook() = default;

Runbook::Part& Runbook::part_of(const StageRun& stage) {
    const auto found = std::find_if(parts_.begin(), parts_.end(),
                                    [&](const Part& part) { return part.stage == stage.stage.name; });
    if (found != parts_.end()) return *found;
    parts_.push_back({stage.stage.name, from_anywhere(without_secrets(stage.environment))});
    return parts_.back();
}

void Runbook::update(const StageRun& stage, const Change& change) {
    const std::lock_guard lock(mutex_);
    Part& part = part_of(stage);
    auto& entries = part.entries;
    entries.erase(change.step);
    const ir::Verb* verb = stage.verb(change.verb);
    const ir::Step* step = change.own_undo ? semantics::find_step(program_, change.step) : nullptr;
    const ir::Undo* undo = step != nullptr && step->undo ? &*step->undo
                           : verb != nullptr             ? &verb->undo
                                                         : nullptr;
    if (undo == nullptr || !(change.to_undo() || change.open()) || undo->kind == UndoKind::None) return;
    const EvalContext eval_context{program_, inventory_, *tools_, options_, {}};
    Writer writer(program_, eval_context, stage, part.environment, change, folder_);
    std::string text = secrets().apply(writer.text(*verb, *undo));
    auto files = std::move(writer).files();
    for (auto& [path, content] : files) {
        if (!secrets().finds(content)) continue;
        content = secrets().apply(std::move(content));
        text += "# Put what is secret in its place first, where it says (secret): " + shell_word(path) + "\n";
    }
    entries[change.step] = {!verb->action, undo->after.has_value(), std::move(text), std::move(files)};
}

void Runbook::forget(const std::string& stage, const StepId& step) {
    const std::lock_guard lock(mutex_);
    for (Part& part : parts_)
        if (part.stage == stage) part.entries.erase(step);
}

std::vector<const Runbook::Entry*> Runbook::shown(const Part& part) {
    std::vector<const Entry*> entries;
    entries.reserve(part.entries.size());
    const StepId* composite = nullptr;
    for (const auto& [step, entry] : part.entries) {
        if (composite != nullptr && step.is_inside(*composite)) continue;
        if (entry.composite) composite = &step;
        entries.push_back(&entry);
    }
    std::reverse(entries.begin(), entries.end());
    const auto is_deferred = [](const Entry* entry) { return entry->deferred; };
    if (std::any_of(entries.begin(), entries.end(), is_deferred))
        std::stable_partition(entries.begin(), entries.end(), std::not_fn(is_deferred));
    return entries;
}

std::vector<const Runbook::Entry*> Runbook::shown() const {
    std::vector<const Entry*> all;
    for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
        const auto entries = shown(*part);
        all.insert(all.end(), entries.begin(), entries.end());
    }
    return all;
}

// With every step of a run, so it has to be quick.
std::string Runbook::assembled(const std::string& heading, const std::vector<const Entry*>& entries) {
    if (entries.empty()) return heading + "\n# There is nothing to take back.\n";
    constexpr std::size_t numbering = 12;
    std::size_t size = heading.size();
    for (const Entry* entry : entries) size += entry->text.size() + numbering;
    std::string out;
    out.reserve(size);
    out += heading;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string number = std::to_string(i + 1);
        out += number.size() < 2 ? "\n#  " : "\n# ";
        out += number;
        out += ". ";
        out += entries[i]->text;
    }
    return out;
}

std::string Runbook::text(const std::string& heading) {
    const std::lock_guard lock(mutex_);
    return assembled(heading, shown());
}

void Runbook::belongs_to(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    folder_ = folder;
}

void Runbook::keep_in(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    folder_ = folder;
    if (!file_) file_ = std::make_unique<ReplacedFile>(folder / "undo-sheet.txt");
}

// With every step of a run, so only what is not there yet.
void Runbook::write_wanted_files(const std::vector<const Entry*>& entries) {
    std::map<std::string, std::string> wanted;
    for (const Entry* entry : entries) wanted.insert(entry->files.begin(), entry->files.end());
    std::error_code ignored;
    for (const auto& [path, content] : written_)
        if (!wanted.contains(path)) fs::remove(path, ignored);
    if (!wanted.empty()) {
        fs::create_directories(folder_ / "undo", ignored);
        fs::permissions(folder_ / "undo", fs::perms::owner_all, ignored);
    }
    for (const auto& [path, content] : wanted)
        if (const auto known = written_.find(path); known == written_.end() || known->second != content)
            (void)write_file(path, content, {.mode = 0600, .synced = false});  // like the runbook itself
    written_ = std::move(wanted);
}

void Runbook::write_files() {
    const std::lock_guard lock(mutex_);
    write_wanted_files(shown());
}

// The lines name the files: those are there first.
void Runbook::write(const std::string& heading) {
    const std::lock_guard lock(mutex_);
    if (!file_) return;
    const std::vector<const Entry*> entries = shown();
    write_wanted_files(entries);
    file_->replace(assembled(heading, entries));
}

}  // namespace migc::runtime::inline engine
