// Small stand-ins for what an engine works with: a cluster behind Tools, a journal in memory, and helpers
// that build programs by hand.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/tools/tools.hpp"
#include "tests/unit/events.hpp"

namespace fakes {

using namespace migc;
using namespace migc::runtime;

inline Answer answered(std::string output) {
    Answer answer;
    answer.ending = Ending::Exited;
    answer.output = std::move(output);
    return answer;
}

inline Answer failed(int status, std::string errors) {
    Answer answer;
    answer.ending = Ending::Exited;
    answer.status = status;
    answer.errors = std::move(errors);
    return answer;
}

// What happens to the next command whose words contain a text: it fails before or after it acted, or not at
// all.
class FakeTools;
struct Fault {
    std::string words;
    Answer answer;
    bool acts = false;
    int times = 1;
    std::function<void(FakeTools&)> meanwhile = {};  // what somebody else does just before it answers
};

// A few workloads, told apart by context, whose fields are read and written by `get` and `put`.
class FakeTools final : public Tools {
  public:
    std::map<std::string, nlohmann::json> objects;  // "staging deployment/webapi" -> {"spec": {..}}
    std::vector<std::string> changes;               // every command that changed something, in order
    std::vector<std::string> commands;              // every command
    std::deque<Fault> faults;
    std::function<std::unique_ptr<Watch>()> all;  // of a simulation that knows when something happens
    std::function<void(FakeTools&)> tick;         // after each sleep
    std::function<void(FakeTools&)> on_change;    // after each command that changed something
    std::function<void()> before;                 // each command, and each sleep
    std::string how = "simulated";                // what kind of tools they are
    std::string contexts = "staging\nproduction\n";
    bool interrupt = false;  // the next sleep is interrupted
    bool parallel = false;
    std::string cluster = "the first one";  // the UID of its namespace kube-system

    Answer run(const CommandLine& command) override {
        const std::lock_guard lock(mutex_);
        if (before) before();
        clock_ += 10;
        const std::string words = joined(command.argv);
        commands.push_back(words);
        for (Fault& fault : faults) {
            if (fault.times == 0 || words.find(fault.words) == std::string::npos) continue;
            --fault.times;
            if (fault.acts) act(command.argv);
            if (fault.meanwhile) fault.meanwhile(*this);
            return fault.answer;
        }
        return act(command.argv);
    }
    std::unique_ptr<Watch> watch(const CommandLine&) override { return nullptr; }
    std::unique_ptr<Watch> watch_all() override { return all ? all() : nullptr; }
    Time now() override { return clock_; }
    WakeReason sleep_until(Time deadline) override {
        const std::lock_guard lock(mutex_);
        if (before) before();
        if (interrupt) {
            interrupt = false;
            return WakeReason::Interrupted;
        }
        clock_ = std::max(clock_.load(), deadline);
        if (tick) tick(*this);
        return WakeReason::Deadline;
    }
    [[nodiscard]] bool concurrent() const override { return parallel; }
    [[nodiscard]] std::string kind() const override { return how; }
    // As if it were installed.
    std::optional<ProgramFile> program_file(const std::string& program) override {
        return how == "live" ? std::optional(ProgramFile{"/usr/bin/" + program, program}) : std::nullopt;
    }
    // Time passes in which nobody does anything.
    void pass(std::int64_t milliseconds) { clock_ += milliseconds; }

    nlohmann::json& field(const std::string& context, const std::string& name, const std::string& field) {
        return objects[context + " deployment/" + name]["spec"][field];
    }

  private:
    static std::string joined(const std::vector<std::string>& argv) {
        std::string words;
        for (const auto& word : argv) words += (words.empty() ? "" : " ") + word;
        return words;
    }

    Answer act(const std::vector<std::string>& argv) {
        if (argv.size() > 5 && argv[5] == "kube-system")
            return answered(nlohmann::json({{"metadata", {{"uid", cluster}}}}).dump());
        if (argv.size() > 2 && argv[1] == "config")
            return argv[2] == "get-contexts" ? answered(contexts) : answered("current\n");
        if (argv[0] == "say") return answered("");
        const std::string key = argv.at(2) + " " + argv.at(6);
        const std::string& verb = argv.at(5);
        if (verb == "get") return answered(objects.contains(key) ? objects[key].dump() : "");
        auto& spec = objects[key]["spec"];
        const std::string& field = argv.at(7);
        changes.push_back(argv.at(2) + " " + verb + " " + argv.at(6) + " " + field +
                          (argv.size() > 8 ? "=" + argv.at(8) : ""));
        if (verb == "bump") spec[field] = spec.value(field, 0) + 1;
        if (verb == "put") spec[field] = nlohmann::json::parse(argv.at(8), nullptr, false);
        if (on_change) on_change(*this);
        return answered("");
    }

    std::mutex mutex_;
    std::atomic<Time> clock_ = 1'000'000;
};

class FakeJournal final : public Journal {
  public:
    std::vector<Event> stored;
    std::size_t durable = 0;  // so many of them survive a loss of power
    int appends_left = -1;    // then every append fails; -1: never
    bool ended = false;

    tl::expected<std::string, std::string> begin_run(const RunSummary& about, const std::string&) override {
        summary = about;
        summary.id = "run-1";
        return summary.id;
    }
    tl::expected<void, std::string> append(const std::string&, const Event& event) override {
        if (appends_left == 0) return tl::unexpected(std::string("no space left on the device"));
        if (appends_left > 0) --appends_left;
        stored.push_back(event);
        durable = stored.size();
        return {};
    }
    tl::expected<void, std::string> append_unsynced(const std::string& run, const Event& event) override {
        const std::size_t before = durable;
        auto written = append(run, event);
        durable = before;
        return written;
    }
    tl::expected<void, std::string> sync() override {
        durable = stored.size();
        return {};
    }
    void lose_power() { stored.resize(durable); }
    tl::expected<void, std::string> end_run(const std::string& run, const Event& event) override {
        ended = true;
        return append(run, event);
    }
    tl::expected<std::vector<RunSummary>, std::string> runs() override { return std::vector{summary}; }
    tl::expected<RunSummary, std::string> find(const std::string& id) override {
        if (id != summary.id) return tl::unexpected("there is no run " + id);
        return summary;
    }
    tl::expected<std::vector<Event>, std::string> events(const std::string&) override { return stored; }
    tl::expected<std::string, std::string> script_copy(const std::string&) override { return std::string(); }
    tl::expected<void, std::string> vouched(const std::string&) override { return {}; }
    tl::expected<std::vector<AdoptedRun>, std::string> adopt(const events::Adopted&, std::int64_t) override {
        return {};
    }

    // "outcome staging/1 done", for each event of a kind.
    std::vector<std::string> told(EventKind kind) const {
        std::vector<std::string> lines;
        for (const Event& event : stored)
            if (const nlohmann::json body = json_of(event); event.kind() == kind)
                lines.push_back(body.value("step", body.value("stage", "")) + " " + body.value("result", ""));
        return lines;
    }

    RunSummary summary;
};

// ---- expressions

inline ir::Expr literal(Value value, ir::TypeKind kind = ir::TypeKind::Any) {
    ir::Expr e;
    e.type.kind = kind;
    e.value = std::move(value);
    return e;
}
inline ir::Expr text(std::string value) {
    return literal(Value(std::move(value)), ir::TypeKind::String);
}
inline ir::Expr number(std::int64_t value) {
    return literal(Value(value), ir::TypeKind::Int);
}
inline ir::Expr workload(std::string name) {
    return literal(Value(ResourceRef{"workload", std::move(name)}), ir::TypeKind::Resource);
}
inline ir::Expr duration(std::int64_t ms) {
    return literal(Value(Duration{ms}), ir::TypeKind::Duration);
}

inline ir::Expr node(ir::ExprKind kind, std::vector<ir::Expr> children) {
    ir::Expr e;
    e.kind = kind;
    e.children = std::move(children);
    return e;
}
inline ir::Expr named(ir::ExprKind kind, std::string name) {
    ir::Expr e;
    e.kind = kind;
    e.name = std::move(name);
    return e;
}
inline ir::Expr local(std::string name) {
    return named(ir::ExprKind::Local, std::move(name));
}
inline ir::Expr setting(std::string name) {
    return named(ir::ExprKind::Setting, std::move(name));
}
inline ir::Expr list(std::vector<ir::Expr> items) {
    return node(ir::ExprKind::List, std::move(items));
}
inline ir::Expr joined(std::vector<ir::Expr> parts) {
    return node(ir::ExprKind::Interpolate, std::move(parts));
}
inline ir::Expr probe(std::uint32_t index, std::vector<ir::Expr> arguments) {
    ir::Expr e = node(ir::ExprKind::Probe, std::move(arguments));
    e.declaration = index;
    return e;
}
inline ir::Expr compare(ir::Comparison comparison, ir::Expr left, ir::Expr right) {
    ir::Expr e = node(ir::ExprKind::Compare, {std::move(left), std::move(right)});
    e.comparison = comparison;
    return e;
}
inline ir::Expr is(ir::Expr left, ir::Expr right) {
    return compare(ir::Comparison::Is, std::move(left), std::move(right));
}
inline ir::Expr calculate(ir::Operation operation, ir::Expr left, ir::Expr right) {
    ir::Expr e = node(ir::ExprKind::Arithmetic, {std::move(left), std::move(right)});
    e.operation = operation;
    return e;
}

// ---- steps

inline ir::Step call(std::uint32_t verb, std::vector<ir::Expr> arguments) {
    ir::Step step;
    step.verb = verb;
    step.arguments = std::move(arguments);
    return step;
}
inline ir::Step step(ir::StepKind kind, std::string words = {}) {
    ir::Step s;
    s.kind = kind;
    s.text = std::move(words);
    return s;
}
inline ir::Step verify(ir::Expr condition, std::int64_t within_ms) {
    ir::Step s = step(ir::StepKind::Verify, "verify ..");
    s.condition = std::move(condition);
    s.within = duration(within_ms);
    return s;
}
inline ir::Undo inverse(std::vector<ir::Step> steps) {
    ir::Undo undo;
    undo.kind = ir::UndoKind::Steps;
    undo.steps = std::move(steps);
    return undo;
}

// ---- declarations: every program has these

enum Probes : std::uint32_t { Replicas, Configuration, Seen, Caught };
enum Verbs : std::uint32_t { Scale, Configure, Restart, Say, Erase, Both, Poke };

inline ir::Parameter parameter(std::string name, ir::TypeKind kind) {
    ir::Parameter p;
    p.name = std::move(name);
    p.type.kind = kind;
    return p;
}
inline ir::Parameter target() {
    ir::Parameter p = parameter("target", ir::TypeKind::Resource);
    p.type.resource = "workload";
    return p;
}
inline ir::Command kubectl(std::vector<ir::Expr> arguments) {
    ir::Command command;
    command.tool = "kubectl";
    command.arguments = list(std::move(arguments));
    return command;
}
inline ir::Probe field_probe(std::string signature, std::string pointer, ir::TypeKind kind) {
    ir::Probe p;
    p.signature = std::move(signature);
    p.parameters = {target()};
    p.type.kind = kind;
    p.read = kubectl({text("get"), local("target"), text("-o"), text("json")});
    p.read->pointer = text(std::move(pointer));
    return p;
}
inline ir::Effect effect(ir::Expr of, ir::Becomes becomes, std::optional<ir::Expr> value = {}) {
    return {std::move(of), becomes, std::move(value), {}};
}

// scale (target) to (replicas); configure (target) as (value); restart (target), run after the configuration
// is back; say (text); erase (target), irreversible; both (target), a composite; poke (target), without an
// effect.
inline ir::Program declarations() {
    ir::Program program;
    ir::Tool tool;
    tool.name = tool.program = "kubectl";
    tool.arguments = list({text("--context"), setting("context"), text("--namespace"), setting("namespace")});
    ir::Tool say_tool;
    say_tool.name = say_tool.program = "say";
    program.tools = {tool, say_tool};
    program.resource_types = {{"workload", "deployment/${name}"}};

    program.probes = {
        field_probe("replicas of (target: workload)", "/spec/replicas", ir::TypeKind::Int),
        field_probe("configuration of (target: workload)", "/spec/configuration", ir::TypeKind::Int),
        field_probe("configuration seen by (target: workload)", "/spec/seen", ir::TypeKind::Int),
        field_probe("caught up (target: workload)", "/spec/caught", ir::TypeKind::Bool)};

    ir::Verb scale;
    scale.signature = "scale (target: workload) to (replicas: int)";
    scale.parameters = {target(), parameter("replicas", ir::TypeKind::Int)};
    scale.captures = {{"prior", probe(Replicas, {local("target")}), {}}};
    scale.effects = {effect(probe(Replicas, {local("target")}), ir::Becomes::Value, local("replicas"))};
    scale.action = kubectl({text("put"), local("target"), text("replicas"), joined({local("replicas")})});
    scale.undo = inverse({call(Scale, {local("target"), local("prior")})});

    ir::Verb configure;
    configure.signature = "configure (target: workload) as (value: int)";
    configure.parameters = {target(), parameter("value", ir::TypeKind::Int)};
    configure.captures = {{"prior", probe(Configuration, {local("target")}), {}}};
    configure.effects = {effect(probe(Configuration, {local("target")}), ir::Becomes::Value, local("value"))};
    configure.action = kubectl({text("put"), local("target"), text("configuration"), local("value")});
    configure.undo = inverse({call(Configure, {local("target"), local("prior")})});

    ir::Verb restart;
    restart.signature = "restart (target: workload)";
    restart.parameters = {target()};
    restart.effects = {effect(probe(Seen, {local("target")}), ir::Becomes::Different)};
    restart.action = kubectl({text("bump"), local("target"), text("seen")});
    restart.undo = inverse({call(Restart, {local("target")})});
    restart.undo.after = probe(Configuration, {local("target")});

    ir::Verb say;
    say.signature = "say (words: string)";
    say.parameters = {parameter("words", ir::TypeKind::String)};
    say.action = ir::Command{};
    say.action->tool = "say";
    say.action->arguments = list({local("words")});
    say.undo.reason = "said words stay said";

    ir::Verb erase = scale;
    erase.signature = "erase (target: workload)";
    erase.parameters = {target()};
    erase.captures.clear();
    erase.effects = {effect(probe(Replicas, {local("target")}), ir::Becomes::Absent)};
    erase.action = kubectl({text("put"), local("target"), text("replicas"), text("null")});
    erase.undo = {};
    erase.undo.kind = ir::UndoKind::Irreversible;
    erase.undo.reason = "what is erased is gone";

    ir::Verb both;
    both.signature = "both (target: workload)";
    both.parameters = {target()};
    both.composite = true;
    both.steps = {call(Configure, {local("target"), number(9)}), call(Scale, {local("target"), number(9)})};

    ir::Verb poke;
    poke.signature = "poke (target: workload)";
    poke.parameters = {target()};
    poke.action = kubectl({text("bump"), local("target"), text("pokes")});
    poke.undo.kind = ir::UndoKind::ByCaller;

    program.verbs = {scale, configure, restart, say, erase, both, poke};
    return program;
}

inline ir::Step scale_to(std::int64_t replicas, const std::string& name = "webapi") {
    return call(Scale, {workload(name), number(replicas)});
}
inline ir::Step configure_as(std::int64_t value, const std::string& name = "webapi") {
    return call(Configure, {workload(name), number(value)});
}
inline ir::Step restart(const std::string& name = "webapi") {
    return call(Restart, {workload(name)});
}
inline ir::Expr replicas(const std::string& name = "webapi") {
    return probe(Replicas, {workload(name)});
}
// Never true.
inline ir::Step failing_verify() {
    return verify(is(replicas(), number(77)), 2'000);
}

inline ir::Stage& add_stage(ir::Program& program, std::string name, std::vector<ir::Step> steps) {
    ir::Stage stage;
    stage.name = stage.environment = std::move(name);
    stage.steps = std::move(steps);
    stage.on_failure = std::vector<ir::Step>{step(ir::StepKind::Undo, "undo")};
    program.stages.push_back(std::move(stage));
    return program.stages.back();
}

inline project::Inventory inventory() {
    project::Inventory result;
    result.root = "/tmp";
    for (const char* name : {"staging", "production"}) {
        project::Environment environment;
        environment.name = name;
        environment.is_protected = environment.name == "production";
        result.environments.push_back(std::move(environment));
    }
    return result;
}

}  // namespace fakes
