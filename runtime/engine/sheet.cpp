#include "runtime/engine/sheet.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "runtime/engine/call.hpp"
#include "runtime/engine/stage_run.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/planted.hpp"

namespace migc::runtime {

using ir::StepKind;
using ir::UndoKind;

// A sheet is written while a step runs: it must not ask anybody anything.
class Sheet::NoTools final : public Tools {
  public:
    Answer run(const CommandLine&) override {
        Answer answer;
        answer.reason = "nothing is asked for a sheet";
        return answer;
    }
    std::unique_ptr<Watch> watch(const CommandLine&) override { return nullptr; }
    Time now() override { return 0; }
    Woken sleep_until(Time) override { return Woken::Deadline; }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "sheet"; }
};

namespace {

std::string shown_value(const Value& value) {
    const auto text = readable(value);
    return text ? *text : "as it was before the run (`migc show` has it)";
}

StageEnvironment without_secrets(StageEnvironment environment) {
    for (const std::string& name : environment.secrets)
        environment.parameters.insert_or_assign(name, Value(fmt::format("<the secret {}>", name)));
    return environment;
}

}  // namespace

// Writes how one change is taken back.
class Sheet::Writer {
  public:
    Writer(const ir::Program& program, const Surroundings& surroundings, const StageRun& stage,
           const Change& change)
        : program_(program),
          change_(change),
          environment_(without_secrets(stage.environment)),
          evaluator_(surroundings, environment_),
          known_(change.observed),
          scope_(&stage.run.globals) {
        evaluator_.globals = &stage.run.globals;
        known_.insert(change.declared.begin(), change.declared.end());
        evaluator_.predicted = &known_;
        scope_.bind_all(change.scope);
        scope_.bind_all(change.arguments);
        scope_.bind_all(change.captures);
    }

    std::string text(const ir::Verb& verb, const ir::Undo& undo) {
        bind_secrets(verb, scope_);
        head();
        switch (undo.kind) {
            case UndoKind::Irreversible:
                line("THERE IS NO WAY BACK: " + printable(undo.reason, 400));
                return text_;
            case UndoKind::ByCaller:
                line("the script says no way back");
                return text_;
            case UndoKind::None:
            case UndoKind::Steps:
                break;
        }
        if (change_.open()) look_first(verb);
        if (undo.after) line(fmt::format("after {} is as it was before:", described(*undo.after, scope_)));
        Scope inner(&scope_);
        steps(undo.steps, inner);
        verify(verb);
        return text_;
    }

  private:
    void line(const std::string& what) { text_ += "     " + what + "\n"; }

    void head() {
        const bool half_done = change_.state == ChangeState::Failed;
        text_ = fmt::format("take back: {}   ({}{})\n", printable(change_.text, 200), change_.step,
                            half_done ? ", failed half way" : "");
    }

    std::string described(const ir::Expr& expression, const Scope& scope) {
        return expression.kind == ir::ExprKind::Probe ? evaluator_.describe(expression, scope)
                                                      : "what it follows";
    }

    static void bind_secrets(const ir::Verb& verb, Scope& scope) {
        for (const ir::Parameter& parameter : verb.parameters)
            if (parameter.type.kind == ir::TypeKind::Secret)
                scope.bind(parameter.name, Value(fmt::format("<the secret {}>", parameter.name)));
    }

    // How one sees a probe's value by hand; empty where that takes more than a command.
    std::string reading(const ir::Expr& probe, const Scope& scope) {
        const ir::Probe& declared = program_.probes.at(probe.declaration);
        const auto own = evaluator_.probe_scope(probe, scope);
        if (!own || !declared.read || declared.read->tool == "native") return {};
        const auto command = evaluator_.preview(*declared.read, *own);
        if (!command) return {};
        const std::string at = declared.read->pointer && declared.read->pointer->kind == ir::ExprKind::Literal
                                   ? fmt::format("      # at {}", show(declared.read->pointer->value))
                                   : "";
        return *command + at;
    }

    void look(const ir::Effect& effect, const std::string& words) {
        line(words);
        if (const std::string command = reading(effect.probe, scope_); !command.empty())
            line("  look: " + command);
    }

    void look_first(const ir::Verb& verb) {
        line("IN DOUBT: it was begun, and nobody knows whether it was done. Look first.");
        for (const ir::Effect& effect : verb.effects) {
            const std::string phrase = evaluator_.describe(effect.probe, scope_);
            const auto before = change_.before.find(phrase);
            if (before != change_.before.end())
                look(effect, fmt::format("if {} is {}, it was not done: leave this out", phrase,
                                         shown_value(before->second)));
        }
    }

    void verify(const ir::Verb& verb) {
        for (const ir::Effect& effect : verb.effects) {
            const std::string phrase = evaluator_.describe(effect.probe, scope_);
            const auto before = change_.before.find(phrase);
            if (before != change_.before.end() && effect.becomes != ir::Becomes::Different)
                look(effect, fmt::format("then {} must be {}", phrase, shown_value(before->second)));
        }
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
                return line("then: " + printable(evaluator_.describe(step, scope), 400));
            case StepKind::If:
                return choose(step, scope);
            case StepKind::For:
                return loop(step, scope);
            case StepKind::Parallel:
                return steps(step.body, scope);
            case StepKind::Let:
                return scope.bind(step.name, value_of(*step.value, scope, step.name));
            default:
                return line(printable(step.text, 400));
        }
    }

    // What cannot be known beforehand is named where it is to be put in.
    Value value_of(const ir::Expr& expression, const Scope& scope, const std::string& name) {
        Value value = evaluator_.evaluate(expression, scope).value;
        return value.is_unknown() ? Value(fmt::format("<{}>", name)) : value;
    }

    void call(const ir::Step& step, Scope& scope) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        Scope inner(evaluator_.globals, scope.depth() + 1);
        for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
            const ir::Parameter& slot = verb.parameters[i];
            if (slot.type.kind == ir::TypeKind::Condition)
                inner.bind_condition(slot.name, step.arguments[i], scope);
            else if (slot.type.kind != ir::TypeKind::Secret)
                inner.bind(slot.name, value_of(step.arguments[i], scope, slot.name));
        }
        bind_secrets(verb, inner);
        for (const ir::Capture& capture : verb.captures)
            inner.bind(capture.name, value_of(capture.value, inner, capture.name + " now"));
        if (!step.name.empty()) scope.bind(step.name, Value(fmt::format("<{}>", step.name)));
        if (!verb.action) return steps(verb.steps, inner);
        const auto command = evaluator_.preview(*verb.action, inner);
        if (command && !command->empty()) {
            line("$ " + *command);
            return input(*verb.action, inner);
        }
        line("by hand: " + printable(describe_call(verb, inner), 400));
        if (!verb.documentation.empty())
            line("         (" + printable(verb.documentation.substr(0, verb.documentation.find('\n')), 400) +
                 ")");
    }

    void input(const ir::Command& command, const Scope& scope) {
        if (!command.standard_input) return;
        const Value given = value_of(*command.standard_input, scope, "its input");
        line("  on its input: " + printable(shown_value(given), 400));
    }

    void choose(const ir::Step& step, Scope& scope) {
        const auto holds = truth(evaluator_.evaluate(*step.condition, scope).value);
        if (holds) return steps(*holds ? step.body : step.otherwise, scope);
        line(printable(step.text, 400) + ":");
        steps(step.body, scope);
        if (step.otherwise.empty()) return;
        line("otherwise:");
        steps(step.otherwise, scope);
    }

    void loop(const ir::Step& step, Scope& scope) {
        const Value list = evaluator_.evaluate(*step.value, scope).value;
        const auto* items = list.get_if<List>();
        if (items == nullptr) line(printable(step.text, 400) + ":");
        for (const Value& item : items == nullptr ? List{Value(fmt::format("<{}>", step.name))} : *items) {
            Scope inner(&scope, scope.depth());
            inner.bind(step.name, item);
            steps(step.body, inner);
        }
    }

    const ir::Program& program_;
    const Change& change_;
    StageEnvironment environment_;
    Evaluator evaluator_;
    std::map<std::string, Value> known_;
    Scope scope_;
    std::string text_;
};

Sheet::Sheet(const ir::Program& program, const project::Inventory& inventory, const RunOptions& options)
    : program_(program), inventory_(inventory), options_(options), tools_(std::make_unique<NoTools>()) {}

Sheet::~Sheet() = default;

std::map<std::string, Sheet::Entry, decltype(&earlier)>& Sheet::entries_of(const std::string& stage) {
    const auto found =
        std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) { return part.stage == stage; });
    if (found != parts_.end()) return found->entries;
    parts_.push_back({stage});
    return parts_.back().entries;
}

void Sheet::update(const StageRun& stage, const Change& change) {
    const std::lock_guard lock(mutex_);
    auto& entries = entries_of(stage.stage.name);
    if (!planted("sheet-keeps-undone")) entries.erase(change.step);
    const ir::Verb* verb = stage.verb(change.verb);
    const ir::Step* step = change.own_undo ? find_step(program_, change.step) : nullptr;
    const ir::Undo* undo = step != nullptr && step->undo ? &*step->undo
                           : verb != nullptr             ? &verb->undo
                                                         : nullptr;
    if (undo == nullptr || !(change.to_undo() || change.open()) || undo->kind == UndoKind::None) return;
    const Surroundings surroundings{program_, inventory_, *tools_, options_, {}};
    entries[change.step] = {!verb->action, undo->after.has_value(),
                            Writer(program_, surroundings, stage, change).text(*verb, *undo)};
}

// The last one first, without what a composite speaks for.
std::vector<const Sheet::Entry*> Sheet::shown(const Part& part) {
    std::vector<const Entry*> entries;
    entries.reserve(part.entries.size());
    const std::string* composite = nullptr;
    for (const auto& [step, entry] : part.entries) {
        if (composite != nullptr && inside(step, *composite)) continue;
        if (entry.composite) composite = &step;
        entries.push_back(&entry);
    }
    std::reverse(entries.begin(), entries.end());
    const auto is_deferred = [](const Entry* entry) { return entry->deferred; };
    if (std::any_of(entries.begin(), entries.end(), is_deferred))
        std::stable_partition(entries.begin(), entries.end(), std::not_fn(is_deferred));
    return entries;
}

// With every step of a run, so it has to be quick.
std::string Sheet::assembled(const std::string& heading) const {
    std::vector<const Entry*> all;
    for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
        const auto entries = shown(*part);
        all.insert(all.end(), entries.begin(), entries.end());
    }
    if (all.empty()) return heading + "\nThere is nothing to take back.\n";
    constexpr std::size_t numbering = 10;
    std::size_t size = heading.size();
    for (const Entry* entry : all) size += entry->text.size() + numbering;
    std::string out;
    out.reserve(size);
    out += heading;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string number = std::to_string(i + 1);
        out += number.size() < 2 ? "\n " : "\n";
        out += number;
        out += ". ";
        out += all[i]->text;
    }
    return out;
}

std::string Sheet::text(const std::string& heading) {
    const std::lock_guard lock(mutex_);
    return assembled(heading);
}

void Sheet::keep_in(const std::filesystem::path& folder) {
    const std::lock_guard lock(mutex_);
    if (!file_) file_ = std::make_unique<ReplacedFile>(folder / "undo-sheet.txt");
}

void Sheet::write(const std::string& heading) {
    const std::lock_guard lock(mutex_);
    if (file_) file_->replace(assembled(heading));
}

}  // namespace migc::runtime
