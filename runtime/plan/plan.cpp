#include "runtime/plan/plan.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "compiler/ir/bounds.hpp"
#include "compiler/ir/window.hpp"
#include "runtime/engine/call.hpp"
#include "runtime/engine/kept_secrets.hpp"
#include "runtime/engine/reviewed.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/natives/calendar.hpp"
#include "runtime/tools/concealment.hpp"

namespace migc::runtime {
namespace {

using ir::StepKind;
using nlohmann::json;

std::string shown_value(const Reading& reading) {
    const auto* no = reading.value.get_if<Unknown>();
    return no == nullptr ? printable(show(reading.value), 200)
                         : "unknown (" + printable(no->reason, 200) + ")";
}

// An object is too long to be read; what differs in it is told with the effect.
std::string shown_capture(const Reading& reading) {
    const auto* object = reading.value.get_if<Json>();
    const bool is_long = object != nullptr && (*object)->is_object();
    return is_long ? fmt::format("the object as it is ({} bytes)", (*object)->dump().size())
                   : shown_value(reading);
}

// The fields in which two objects differ: {"/spec/replicas": [2, 4]}; null unless both are objects.
json differences(const Value& before, const Value& after) {
    const auto* from = before.get_if<Json>();
    const auto* to = after.get_if<Json>();
    if (from == nullptr || to == nullptr) return nullptr;
    json result = json::object();
    const json old_fields = (*from)->flatten(), new_fields = (*to)->flatten();
    for (const auto& [field, value] : old_fields.items()) {
        const json now = new_fields.contains(field) ? new_fields[field] : json();
        if (now != value) result[field] = {value, now};
    }
    for (const auto& [field, value] : new_fields.items())
        if (!old_fields.contains(field)) result[field] = {nullptr, value};
    return result;
}

// By the program that a step changes something with.
std::string layer_of(const ir::Command& action) {
    const std::string& tool =
        action.tool == "native" && !action.through.empty() ? action.through.front() : action.tool;
    static const std::map<std::string, std::string, std::less<>> layers = {{"terraform", "infrastructure"},
                                                                           {"kubectl", "cluster"},
                                                                           {"docker", "images"},
                                                                           {"git", "files"},
                                                                           {"native", "files"},
                                                                           {"curl", "web"}};
    const auto known = layers.find(tool);
    return known == layers.end() ? tool : known->second;
}

// Walks one stage's steps as a run would, without acting.
class StagePlanner {
  public:
    StagePlanner(const Surroundings& surroundings, const StageEnvironment& environment, const Scope& globals)
        : program_(surroundings.program),
          evaluator_(Evaluator(surroundings, environment).glance()),
          globals_(globals),
          scope_(&globals) {
        evaluator_.globals = &globals;
        evaluator_.predicted = &predicted_;
        evaluator_.changed_workloads = [this] { return workloads_; };
    }

    json steps(const ir::Stage& stage, const ir::Stage& definition) {
        block(definition.steps, scope_, stage.name + "/", 1);
        const auto& failure = stage.on_failure ? stage.on_failure : definition.on_failure;
        if (failure) times_.failure(*failure, longest(*failure, globals_));
        return std::move(steps_);
    }

    // Of the steps that were planned.
    [[nodiscard]] const ir::Times& times() const { return times_; }

    json gates(const std::vector<ir::Step>& gates) {
        json result = json::array();
        for (const ir::Step& gate : gates) {
            const Reading reading = evaluator_.evaluate(*gate.condition, scope_);
            const bool open = truth(reading.value) == true;
            result.push_back({{"text", gate.text}, {"open", open}, {"why", open ? "" : explain(reading)}});
        }
        return result;
    }

  private:
    void block(const std::vector<ir::Step>& steps, Scope& scope, const std::string& prefix,
               std::size_t first) {
        for (std::size_t i = 0; i < steps.size(); ++i)
            statement(steps[i], scope, prefix + std::to_string(first + i));
    }

    void statement(const ir::Step& step, Scope& scope, const std::string& id) {
        switch (step.kind) {
            case StepKind::Call:
                return call(step, scope, id);
            case StepKind::Verify:
                return verify(step, scope, id);
            case StepKind::Soak:
                return soak(step, scope, id);
            case StepKind::Let:
                return let(step, scope, id);
            case StepKind::If:
                return choose(step, scope, id);
            case StepKind::For:
                return loop(step, scope, id);
            case StepKind::Parallel:
                return parallel(step, scope, id);
            default:
                add(id, "statement", step.text);
        }
    }

    json& add(const std::string& id, const char* kind, const std::string& text) {
        steps_.push_back({{"step", id}, {"kind", kind}, {"text", text}, {"problems", json::array()}});
        return steps_.back();
    }

    void call(const ir::Step& step, Scope& scope, const std::string& id) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        Scope inner(&globals_, scope.depth() + 1);
        if (const auto bound = bind_arguments(evaluator_, verb, step, scope, inner); !bound) {
            add(id, "call", step.text)["problems"].push_back("known only when it runs: " + bound.error());
            assume(step, scope);
            if (!step.name.empty()) scope.bind(step.name, Value(Unknown{"known when it runs"}));
            return;
        }
        json entry = {{"step", id},
                      {"kind", "call"},
                      {"text", describe_call(verb, inner)},
                      {"problems", json::array()}};
        needs(verb, inner, entry);
        captures(verb, inner, entry);
        if (!verb.action) return composite(step, verb, scope, inner, std::move(entry), id);
        command(verb, inner, entry);
        entry["layer"] = layer_of(*verb.action);
        effects(verb, inner, entry);
        // An inverse meets what the step has left.
        inverse_commands_ = json::array();
        entry["undo"] = undo(step, verb, scope, inner);
        entry["undo_commands"] = std::move(inverse_commands_);
        times(step, verb, scope, inner);
        steps_.push_back(std::move(entry));
        if (!step.name.empty()) scope.bind(step.name, Value(Unknown{"known when it runs"}));
    }

    // Told itself only where there is something to tell: it is taken back as a whole, or it cannot begin.
    void composite(const ir::Step& step, const ir::Verb& verb, const Scope& scope, Scope& inner, json entry,
                   const std::string& id) {
        const ir::UndoKind kind = (step.undo ? *step.undo : verb.undo).kind;
        const bool as_a_whole =
            step.undo || kind == ir::UndoKind::Steps || kind == ir::UndoKind::Irreversible;
        if (as_a_whole) entry["undo"] = undo(step, verb, scope, inner);
        if (as_a_whole || !entry["problems"].empty()) steps_.push_back(std::move(entry));
        const std::size_t first = steps_.size();
        const std::int64_t undo_before = times_.undo_ms;
        block(verb.steps, inner, id + ".", 1);
        if (as_a_whole) times_.undo_ms = undo_before + longest_undo(step, verb, {}, scope, inner);
        for (std::size_t i = first; as_a_whole && i < steps_.size(); ++i)
            if (steps_[i].contains("undo")) steps_[i]["undo"] = "with " + id.substr(id.find('/') + 1);
    }

    void needs(const ir::Verb& verb, const Scope& inner, json& entry) {
        for (const ir::Expr& need : verb.needs) {
            const Reading reading = evaluator_.evaluate(need, inner);
            if (truth(reading.value) != true)
                entry["problems"].push_back("what it needs does not hold: " + explain(reading));
        }
    }

    void captures(const ir::Verb& verb, Scope& inner, json& entry) {
        entry["captures"] = json::object();
        for (const ir::Capture& capture : verb.captures) {
            const Reading reading = evaluator_.evaluate(capture.value, inner);
            if (reading.value.is_unknown())
                entry["problems"].push_back(
                    fmt::format("`{}` cannot be captured: {}", capture.name, explain(reading)));
            if (capture.value.type.kind == ir::TypeKind::Secret) {
                keep(capture, reading, inner, entry);
                continue;
            }
            entry["captures"][capture.name] = shown_capture(reading);
            inner.bind(capture.name, reading.value);
        }
    }

    // "secret/creds", where the probe is about a thing; else the probe.
    std::string what_is_kept(const ir::Expr& value, const Scope& inner) {
        for (const ir::Expr& argument : value.children) {
            const Value given = evaluator_.evaluate(argument, inner).value;
            if (const auto* thing = given.get_if<ResourceRef>()) return evaluator_.written(*thing);
        }
        return value.kind == ir::ExprKind::Probe ? evaluator_.describe(value, inner) : value.name;
    }

    // A secret is kept for the undo, and somebody must be able to open it then.
    void keep(const ir::Capture& capture, const Reading& reading, Scope& inner, json& entry) {
        inner.bind_secret(capture.name, reading.value, captured_form(evaluator_.kept(), reading.value));
        if (reading.value.is_unknown() || reading.value.is_absent()) return;
        entry["captures"][capture.name] = "(secret)";
        if (evaluator_.kept() == nullptr) return;
        const std::string what = "the previous value of " + what_is_kept(capture.value, inner);
        const auto keeper = evaluator_.kept()->keeper();
        entry["kept"].push_back(
            keeper ? fmt::format("{} is kept encrypted; only {} can undo it", what, *keeper)
                   : fmt::format("{} cannot be kept here: {}; once the run has ended, its undo will be held",
                                 what, keeper.error()));
    }

    void command(const ir::Verb& verb, const Scope& inner, json& entry) {
        const auto line = evaluator_.preview(*verb.action, inner);
        entry["command"] = line ? *line : "";
        if (!line) entry["problems"].push_back(line.error());
    }

    void effects(const ir::Verb& verb, const Scope& inner, json& entry) {
        entry["effects"] = json::array();
        bool already = !verb.effects.empty();
        std::map<std::string, Value> declared;
        for (const ir::Effect& effect : verb.effects) {
            const std::string phrase = evaluator_.describe(effect.probe, inner);
            const Reading before = evaluator_.evaluate(effect.probe, inner);
            const Reading after = effect.value ? evaluator_.evaluate(*effect.value, inner) : Reading{};
            const bool different = effect.becomes == ir::Becomes::Different;
            already = already && !different && equal(before.value, after.value);
            json told = {{"probe", phrase},
                         {"before", shown_capture(before)},
                         {"after", different ? "different" : shown_capture(after)}};
            if (const json fields = differences(before.value, after.value); !fields.is_null())
                told["fields"] = fields;
            entry["effects"].push_back(std::move(told));
            if (!different) declared[phrase] = after.value;
            remember_workloads(effect.probe, inner);
        }
        entry["already"] = already;
        for (auto& [phrase, value] : declared) predicted_[phrase] = std::move(value);
    }

    void remember_workloads(const ir::Expr& probe, const Scope& inner) {
        for (const ir::Expr& argument : probe.children) {
            const Value value = evaluator_.evaluate(argument, inner).value;
            const auto* resource = value.get_if<ResourceRef>();
            const bool known = std::any_of(workloads_.begin(), workloads_.end(),
                                           [&](const Value& w) { return same(w, value); });
            if (resource != nullptr && resource->type == "workload" && !known) workloads_.push_back(value);
        }
    }

    // What is known only when it runs takes its time all the same: by the limits that need no value to be
    // known.
    void assume(const ir::Step& step, const Scope& scope) {
        if (step.kind == StepKind::Verify) times_.verify(ir::verify_bound(program_, step, number_in(scope)));
        if (step.kind == StepKind::Soak) times_.soak(milliseconds(evaluator_, step.value, scope).value_or(0));
        if (step.kind == StepKind::Call) {
            const ir::Verb& verb = program_.verbs.at(step.verb);
            if (verb.action) times(step, verb, scope, globals_);
            for (const ir::Step& inner : verb.steps) assume(inner, globals_);
        }
        for (const ir::Step& inner : step.body) assume(inner, scope);
    }

    void times(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner) {
        const ir::Bound bound = ir::call_bound(program_, step, verb, number_in(scope), number_in(inner));
        const std::int64_t undo_before = times_.undo_ms;
        times_.call(bound, (step.undo ? *step.undo : verb.undo).kind, verb.mutates(), step.text);
        times_.undo_ms = undo_before + longest_undo(step, verb, bound, scope, inner);
    }

    std::int64_t longest_undo(const ir::Step& step, const ir::Verb& verb, const ir::Bound& bound,
                              const Scope& scope, const Scope& inner) {
        const auto names = std::make_shared<Scope>(step.undo ? &scope : &globals_, inner.depth());
        names->bind_all(inner.journal());
        return ir::undo_bound(program_, step, verb, bound, reader_in(names));
    }

    std::int64_t longest(const std::vector<ir::Step>& steps, const Scope& scope) {
        return ir::longest(program_, steps, reader_in(std::make_shared<Scope>(&scope, scope.depth())));
    }

    ir::Reader reader_in(const std::shared_ptr<Scope>& names) {
        const auto enter = [this, names](const ir::Step& call, const ir::Verb& verb) {
            auto inner = std::make_shared<Scope>(&globals_, names->depth() + 1);
            if (!bind_arguments(evaluator_, verb, call, *names, *inner))
                inner = std::make_shared<Scope>(&globals_, names->depth() + 1);
            return reader_in(inner);
        };
        return {[this, names](const ir::Expr& expression) { return number_in(*names)(expression); }, enter};
    }

    ir::NumberOf number_in(const Scope& scope) {
        return [this, &scope](const ir::Expr& expression) -> std::optional<std::int64_t> {
            const Value value = evaluator_.evaluate(expression, scope).value;
            if (const auto* duration = value.get_if<Duration>())
                return std::max<std::int64_t>(duration->milliseconds, 0);
            const auto* number = value.get_if<std::int64_t>();
            return number != nullptr ? std::optional(*number) : std::nullopt;
        };
    }

    std::string undo(const ir::Step& step, const ir::Verb& verb, const Scope& scope, const Scope& inner) {
        const ir::Undo& way_back = step.undo ? *step.undo : verb.undo;
        switch (way_back.kind) {
            case ir::UndoKind::None:
                return "nothing to undo: " + way_back.reason;
            case ir::UndoKind::Irreversible:
                return "there is no way back: " + way_back.reason;
            case ir::UndoKind::ByCaller:
                return "the step brings no inverse";
            case ir::UndoKind::Steps:
                break;
        }
        Scope names(step.undo ? &scope : &globals_, inner.depth());
        names.bind_all(inner.journal());
        std::string text = inverse(way_back.steps, names);
        if (way_back.after && way_back.after->kind == ir::ExprKind::Probe)
            text += fmt::format(" (after {} is changed back)", evaluator_.describe(*way_back.after, names));
        return text;
    }

    std::string inverse(const std::vector<ir::Step>& steps, const Scope& names) {
        std::string text;
        for (const ir::Step& step : steps) text += (text.empty() ? "" : "; ") + inverse_step(step, names);
        return text;
    }

    // What it captures is read only where its command says it: a look may cost a request, or a pod.
    tl::expected<std::string, std::string> inverse_command(const ir::Verb& verb, Scope& inner) {
        if (!verb.action) return tl::unexpected(std::string());
        if (auto line = evaluator_.preview(*verb.action, inner)) return line;
        if (const auto captured = read_captures(evaluator_, verb, inner); !captured)
            return tl::unexpected(captured.error());
        return evaluator_.preview(*verb.action, inner);
    }

    std::string inverse_step(const ir::Step& step, const Scope& names) {
        if (step.kind == StepKind::If) {
            const auto holds = truth(evaluator_.evaluate(*step.condition, names).value);
            if (holds) return inverse(*holds ? step.body : step.otherwise, names);
        }
        if (step.kind != StepKind::Call) return step.text;
        const ir::Verb& verb = program_.verbs.at(step.verb);
        Scope inner(&globals_, names.depth() + 1);
        if (!bind_arguments(evaluator_, verb, step, names, inner)) return step.text;
        std::string text = describe_call(verb, inner);
        if (const auto line = inverse_command(verb, inner)) inverse_commands_.push_back(*line);
        return text;
    }

    void verify(const ir::Step& step, const Scope& scope, const std::string& id) {
        const ir::Bound bound = ir::verify_bound(program_, step, number_in(scope));
        add(id, "verify", evaluator_.describe(step, scope))["limit"] = show_milliseconds(bound.total());
        times_.verify(bound);
    }

    void soak(const ir::Step& step, const Scope& scope, const std::string& id) {
        const auto limit = milliseconds(evaluator_, step.value, scope);
        add(id, "soak", evaluator_.describe(step, scope))["limit"] =
            limit ? show_milliseconds(*limit) : "unknown";
        times_.soak(limit.value_or(0));
    }

    void let(const ir::Step& step, Scope& scope, const std::string& id) {
        const Reading reading = evaluator_.evaluate(*step.value, scope);
        const bool secret = step.value->type.kind == ir::TypeKind::Secret;
        add(id, "let", fmt::format("{} = {}", step.name, secret ? "(secret)" : shown_value(reading)));
        if (secret)
            scope.bind_secret(step.name, reading.value,
                              kept_form(evaluator_.kept(), *step.value, scope, reading.value));
        else
            scope.bind(step.name, reading.value);
    }

    void choose(const ir::Step& step, Scope& scope, const std::string& id) {
        const Reading reading = evaluator_.evaluate(*step.condition, scope);
        const auto holds = truth(reading.value);
        if (!holds) {
            add(id, "if", step.text)["problems"].push_back("which way it goes is known only when it runs: " +
                                                           explain(reading));
            return;
        }
        Scope inner(&scope, scope.depth());
        if (*holds) return block(step.body, inner, id + ".", 1);
        block(step.otherwise, inner, id + ".", step.body.size() + 1);
    }

    void loop(const ir::Step& step, Scope& scope, const std::string& id) {
        const Reading reading = evaluator_.evaluate(*step.value, scope);
        const auto* items = reading.value.get_if<List>();
        if (items == nullptr) {
            add(id, "for", step.text)["problems"].push_back(
                "what it goes through is known only when it runs: " + explain(reading));
            return;
        }
        for (std::size_t i = 0; i < items->size(); ++i) {
            Scope inner(&scope, scope.depth());
            inner.bind(step.name, (*items)[i]);
            block(step.body, inner, fmt::format("{}[{}].", id, i + 1), 1);
        }
    }

    void parallel(const ir::Step& step, Scope& scope, const std::string& id) {
        const ir::Times before = times_;
        ir::Times longest = before;
        for (std::size_t i = 0; i < step.body.size(); ++i) {
            Scope inner(&scope, scope.depth());
            times_ = before;
            statement(step.body[i], inner, fmt::format("{}.{}", id, i + 1));
            longest.beside(before, times_);
        }
        times_ = longest;
    }

    const ir::Program& program_;
    Evaluator evaluator_;
    const Scope& globals_;
    Scope scope_;
    std::map<std::string, Value> predicted_;
    List workloads_;
    json steps_ = json::array();
    json inverse_commands_ = json::array();  // of the step at hand
    ir::Times times_;
};

std::string failure_text(const std::optional<std::vector<ir::Step>>& block) {
    if (!block) return "hold";
    std::string text;
    for (const ir::Step& step : *block) text += (text.empty() ? "" : "; ") + step.text;
    return text;
}

class Planner {
  public:
    Planner(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
            const RunOptions& options)
        : program_(program), inventory_(inventory), tools_(tools), options_(options) {
        surroundings_.kept = &kept_;
    }

    tl::expected<json, Problem> run() {
        if (auto problem = resolve()) return tl::unexpected(*problem);
        const auto digests = review_all();
        if (!digests) return tl::unexpected(digests.error());
        json plan = {{"title", program_.migration ? program_.migration->title : ""},
                     {"mode", tools_.kind()},
                     {"stages", json::array()}};
        plan["properties"] = json::object();
        for (const auto& [name, value] :
             program_.migration ? program_.migration->properties : decltype(ir::Migration::properties)())
            plan["properties"][name] = value;
        plan["digests"] = *digests;
        if (program_.migration && program_.migration->property("emergency") != nullptr)
            plan["emergency"] = *program_.migration->property("emergency");
        plan["lets"] = lets();
        for (const auto& [stage, environment] : stages_)
            plan["stages"].push_back(plan_stage(*stage, *environment));
        return concealment_.apply(plan);
    }

  private:
    std::optional<Problem> resolve() {
        for (const ir::Stage& stage : program_.stages) {
            if (!options_.only.empty() &&
                std::find(options_.only.begin(), options_.only.end(), stage.name) == options_.only.end())
                continue;
            auto environment = resolve_environment(program_, stage, inventory_, options_, tools_);
            if (!environment) return environment.error();
            for (const std::string& secret : environment->secret_values()) concealment_.add(secret);
            stages_.emplace_back(&stage, std::make_unique<StageEnvironment>(std::move(*environment)));
        }
        return std::nullopt;
    }

    tl::expected<json, Problem> review_all() {
        std::vector<BoundStage> bound;
        for (const auto& [stage, environment] : stages_) bound.push_back({stage, environment.get()});
        auto inputs = Inputs::collect(program_, inventory_, options_);
        if (!inputs) return tl::unexpected(Problem{inputs.error()});
        const Reviewed reviewed = review(program_, bound, inventory_, **inputs, tools_);
        options_.run_digest = reviewed.run_digest();
        change_ = reviewed.change_digest();
        return reviewed.journal();
    }

    json lets() {
        StageEnvironment common;
        common.settings["root"] = std::filesystem::absolute(inventory_.root).lexically_normal().string();
        common.parameters = common_parameters(program_, options_);
        Evaluator evaluator(surroundings_, common);
        json result = json::array();
        for (const ir::Step& step : program_.lets) {
            const Reading reading = evaluator.evaluate(*step.value, globals_);
            const bool secret = step.value->type.kind == ir::TypeKind::Secret;
            if (secret)
                globals_.bind_secret(step.name, reading.value,
                                     kept_form(&kept_, *step.value, globals_, reading.value));
            else
                globals_.bind(step.name, reading.value);
            result.push_back({{"name", step.name}, {"value", secret ? "(secret)" : shown_value(reading)}});
        }
        return result;
    }

    json plan_stage(const ir::Stage& stage, StageEnvironment& environment) {
        environment.settings["run-folder"] =
            (std::filesystem::path(environment.setting("root")) / ".migc" / "runs" / "next").string();
        const ir::Stage& definition = stage_with_steps(program_, stage);
        StagePlanner planner(surroundings_, environment, globals_);
        json gates = planner.gates(stage.gates);
        if (const auto why = environment.is_protected ? frozen(inventory_, tools_.now()) : std::nullopt)
            gates.push_back({{"text", "no freeze"}, {"open", false}, {"why", *why}});
        json entry = {
            {"stage", stage.name},
            {"environment", environment.name},
            {"context", environment.setting("context")},
            {"namespace", environment.setting("namespace")},
            {"gates", std::move(gates)},
            {"steps", planner.steps(stage, definition)},
            {"on_failure", failure_text(stage.on_failure ? stage.on_failure : definition.on_failure)}};
        entry["times"] = times(planner.times(), stage, environment);
        passed_.insert(stage.name);
        return entry;
    }

    json times(const ir::Times& times, const ir::Stage& stage, const StageEnvironment& environment) {
        json result = {{"steps_ms", times.steps_ms},
                       {"soaks_ms", times.soaks_ms},
                       {"soaks_between_ms", times.soaks_between_ms},
                       {"undo_ms", times.undo_ms},
                       {"no_return", times.no_return}};
        for (const std::string& text : windows(stage, environment))
            if (const auto window = ir::parse_window(text))
                result["windows"].push_back(
                    {{"window", text}, {"last_safe_start", ir::last_safe_start(*window, times.window_ms())}});
        return result;
    }

    // The maintenance windows that a stage's gates name.
    std::vector<std::string> windows(const ir::Stage& stage, const StageEnvironment& environment) {
        std::vector<std::string> found;
        Evaluator evaluator(surroundings_, environment);
        for (const ir::Step& gate : stage.gates) {
            if (gate.condition->kind != ir::ExprKind::Probe) continue;
            const ir::Probe& probe = program_.probes.at(gate.condition->declaration);
            if (!probe.read || probe.read->native != "window") continue;
            const Value when = evaluator.evaluate(gate.condition->children.at(0), globals_).value;
            if (const auto* text = when.get_if<std::string>()) found.push_back(*text);
        }
        return found;
    }

    const ir::Program& program_;
    const project::Inventory& inventory_;
    Tools& tools_;
    RunOptions options_;
    std::vector<std::pair<const ir::Stage*, std::unique_ptr<StageEnvironment>>> stages_;
    std::string change_;
    Concealment concealment_;
    KeptSecrets kept_{inventory_.root, tools_.kind() == "live", KeptSecrets::Use::Planning};
    std::set<std::string> passed_;  // stages planned before, which then will have passed
    Surroundings surroundings_{program_,
                               inventory_,
                               tools_,
                               options_,
                               [this](const std::string& stage) { return passed_.contains(stage); },
                               [this](const std::string& secret) { concealment_.add(secret); },
                               {},
                               [this] { return std::vector<std::string>{change_}; }};
    Scope globals_;
};

}  // namespace

tl::expected<json, Problem> make_plan(const ir::Program& program, const project::Inventory& inventory,
                                      Tools& tools, const RunOptions& options) {
    return Planner(program, inventory, tools, options).run();
}

std::string plan(const ir::Program& program, const project::Inventory& inventory, Tools& tools,
                 const RunOptions& options) {
    const auto made = make_plan(program, inventory, tools, options);
    return made ? render_plan(*made) : made.error().message + "\n";
}

}  // namespace migc::runtime
