// Expressions to values, commands to answers, in one stage's environment.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/ir/compare.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/evaluate/environment.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/evaluate/scope.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline evaluation {

class KeptSecrets;

// What an evaluator reads from; all of it outlives the evaluator.
struct EvalContext {
    const ir::Program& program;
    const project::Inventory& inventory;
    Tools& tools;
    const RunOptions& options;
    // Whether the stage of that name completed in this run; may be empty.
    std::function<bool(const std::string&)> stage_passed;
    // Told each file of the project that a native has written; may be empty.
    std::function<void(const std::string&)> wrote = {};
    // The change digests under which an earlier run may have passed a stage; may be empty.
    std::function<std::vector<std::string>()> changes = {};
    // Why the work of a stage that completed in this run, or in an earlier one of that id, does not stand any
    // more as it was left; "" if it does, or nobody can look. May be empty.
    std::function<std::string(const std::string& stage, const std::string& run)> changed_since = {};
    // Where a stage of this run works; null for one that is no part of it. May be empty.
    std::function<const StageEnvironment*(const std::string&)> environment_of = {};
    // Told the ids of the approvals that have opened a gate; may be empty.
    std::function<void(const std::vector<std::string>&)> approved_by = {};
    // Keeps the secrets that an undo will need, and opens them; null where nothing is undone.
    KeptSecrets* kept = nullptr;
};

// What a plan knows of the world as its earlier steps will have left it.
class Foresight {
  public:
    virtual ~Foresight() = default;
    // Reads a probe, whose own names are bound in `names` and whose phrase is "replicas of webapi"; `live`
    // reads it through the tools. What only the run can know is Unknown.
    virtual Reading read(const ir::Probe& probe, const Scope& names, const std::string& phrase,
                         const std::function<Reading()>& live) = 0;
    // Whether a value is left to the run, so that a plan goes on without it.
    [[nodiscard]] virtual bool leaves_open(const Value& value) const = 0;
};

// Safe to use from several threads once its public hooks are set.
class Evaluator final : public Host {
  public:
    Evaluator(const EvalContext& eval_context, const StageEnvironment& environment);

    // The workloads that this stage changed so far: the setting `changed-workloads`.
    std::function<List()> changed_workloads;
    // What a probe will answer, by the probe's phrase; null in a run.
    const std::map<std::string, Value>* predicted = nullptr;
    // Whether readings say who last wrote what was read, where a server keeps that: it costs more.
    bool asks_writers = false;
    // Whether they say instead who else has written it since this run did.
    bool asks_others = false;
    // Then also the revision that the thing had when this run had written it under a name that others have,
    // too, when that was, and which thing it was: "4 2026-01-10T01:00:05Z 6a3f..".
    std::string own_revision;
    // And what the step had found there, if that was a text.
    std::string found_before;
    // Of a plan, whose later steps meet what its earlier ones leave; null in a run.
    Foresight* foresight = nullptr;
    // What the bodies of declarations see besides their own names: the script's top-level lets.
    const Scope* globals = nullptr;

    // This evaluator for one look at things: what kubectl is asked to get twice it is asked once, until it
    // sleeps, so that what is found is of one moment. A command over a slow network takes half a second.
    [[nodiscard]] Evaluator snapshot() const;
    // From now on the snapshot is of this moment.
    void look_anew() {
        if (seen_) seen_->clear();
    }
    // Of a snapshot: whether a server has refused one of its questions (a dry run) because somebody wrote
    // after what the question was made of was read. It is worth taking another one.
    [[nodiscard]] bool outrun() const { return outrun_; }

    // A mistake (overflow, a path that leaves the root) is unknown and permanent: waiting cannot mend it.
    Reading evaluate(const ir::Expr& expression, const Scope& scope);

    // What the parameters of a probe stand for; for a condition: absent.
    std::vector<Value> probe_arguments(const ir::Expr& probe, const Scope& scope);
    // "replicas of webapi": a probe with its arguments filled in. The arguments are evaluated, the probe is
    // not.
    std::string describe(const ir::Expr& probe, const Scope& scope);
    // The text of a step as it stands in the script, with the values of the names in it.
    std::string describe(const ir::Step& step, const Scope& scope);
    [[nodiscard]] const ir::Program& program() const { return eval_context_.program; }
    // Who keeps the secrets that an undo will need; null where nobody does.
    [[nodiscard]] KeptSecrets* kept() const { return eval_context_.kept; }

    // Binds what a call gives to the parameters of what it calls, in their order. Those that the journal
    // `knows` are not evaluated again; `keeps`: it is a call of a verb: a secret is bound with its form in
    // the journal, and in a plan what only the run can know is bound as that. The error is the argument that
    // is unknown.
    struct UnknownArgument {
        std::string name;
        Reading reading;
    };
    tl::expected<void, UnknownArgument> bind(const std::vector<ir::Parameter>& parameters,
                                             const std::vector<ir::Expr>& arguments, const Scope& scope,
                                             Scope& inner, bool keeps, const nlohmann::json& knows = {});
    // The probe's own names bound to the expression's arguments; the error is the argument that is unknown.
    tl::expected<Scope, Reading> probe_scope(const ir::Expr& probe, const Scope& scope);

    // The whole command line of a `do`, a `read` or a `watch`. `within` in milliseconds replaces the tool's
    // own.
    tl::expected<CommandLine, std::string> command_line(const ir::Command& command, const Scope& scope,
                                                        std::int64_t within = 0);
    // Runs a `do`. The error: it was not begun, because an argument is not to be had.
    tl::expected<Answer, std::string> act(const ir::Command& command, const Scope& scope,
                                          std::int64_t within);
    // The command line as one could type it, or what a native says of itself.
    tl::expected<Preview, std::string> preview(const ir::Command& command, const Scope& scope);

    // What a native is given.
    tl::expected<List, std::string> native_values(const ir::Command& command, const Scope& scope) {
        return native_arguments(command, scope);
    }

    // Host, for natives.
    Answer run(const std::string& tool, const std::vector<std::string>& arguments,
               const std::string& input) override;
    std::vector<std::string> line_of(const std::string& tool, const std::vector<std::string>& own) override;
    Answer perform(const ToolCommand& command) override;
    tl::expected<bool, std::string> running(const std::string& log) override {
        return eval_context_.tools.running(log);
    }
    Answer stop(const std::string& log, std::int64_t grace_ms) override {
        return eval_context_.tools.stop(log, grace_ms);
    }
    std::int64_t limit_ms() override { return limit_ms_; }
    void redact(const std::string& secret) override;
    Time now() override { return eval_context_.tools.now(); }
    Time steady() override { return eval_context_.tools.steady(); }
    Approvals approvals() override;
    void approved_by(const std::vector<std::string>& approvals) override {
        if (eval_context_.approved_by) eval_context_.approved_by(approvals);
    }
    Time newest_known() override {
        return eval_context_.options.newest_known ? eval_context_.options.newest_known() : 0;
    }
    void wrote_file(const std::string& path) override {
        if (eval_context_.wrote) eval_context_.wrote(path);
    }
    WakeReason sleep_until(Time deadline) override;
    std::string setting(std::string_view name) override;
    std::string written(const ResourceRef& resource) override;
    const project::Inventory& inventory() override { return eval_context_.inventory; }
    std::string kind() override { return eval_context_.tools.kind(); }

  private:
    enum class Form { Plain, Written };

    Reading evaluate_kind(const ir::Expr& expression, const Scope& scope, Form form);
    // What a parameter stands for in a call; `inner` has those before it.
    Reading argument(const ir::Parameter& slot, const ir::Expr& given, const Scope& scope,
                     const Scope& inner);
    Reading interpolate(const ir::Expr& expression, const Scope& scope, Form form);
    Reading local(const ir::Expr& expression, const Scope& scope);
    Reading reveal(const nlohmann::json& kept);
    Reading secret_answer(Reading reading);
    Reading parameter(const std::string& name) const;
    [[nodiscard]] std::string shown_value(const Value& value) const;
    [[nodiscard]] std::string shown_name(const std::string& name, const Scope& scope) const;
    Reading setting_value(const std::string& name);
    Reading list(const ir::Expr& expression, const Scope& scope);
    Reading logical(const ir::Expr& expression, const Scope& scope);
    Reading comparison(const ir::Expr& expression, const Scope& scope);
    Reading probe(const ir::Expr& expression, const Scope& scope);
    Reading read(const ir::Probe& probe, const Scope& scope);
    Reading read_tool(const ir::Command& command, const ir::Type& type, const Scope& scope);
    Reading read_native(const ir::Probe& declared, const Scope& scope);
    Reading stage_passed(const std::string& stage);
    [[nodiscard]] Reading checked_path(Reading reading) const;
    [[nodiscard]] bool is_of_this_run(const std::filesystem::path& path) const;

    tl::expected<std::vector<std::string>, std::string> arguments(const ir::Expr& list, const Scope& scope,
                                                                  bool options_allowed = false);
    tl::expected<CommandLine, std::string> tool_line(const std::string& name);
    [[nodiscard]] bool is_own(Span span) const;
    [[nodiscard]] std::filesystem::path moved(const std::filesystem::path& path,
                                              const std::filesystem::path& root) const;
    tl::expected<List, std::string> native_arguments(const ir::Command& command, const Scope& scope);
    std::string as_argument(const Value& value);
    Answer ask(const CommandLine& line, const std::string& first);

    const EvalContext& eval_context_;
    const StageEnvironment& environment_;
    std::int64_t limit_ms_ = 0;  // of the step that a native action is run for
    bool own_ = false;           // a declaration of the project calls the native at hand
    std::shared_ptr<std::map<std::vector<std::string>, Answer>> seen_;  // in a snapshot; else null
    bool outrun_ = false;
};

// Whether an earlier run, or a signed file, says that the stage passed, and as far as one can see it still
// stands. Only where the eval_context have evidence and changes.
Reading evidence_now(const EvalContext& eval_context, const std::string& stage);

// A mistake that waiting cannot mend.
Reading script_mistake(std::string reason);

// The two sides of an arithmetic or comparison; see semantics/compute.hpp.
Reading compare(ir::Comparison comparison, const Value& left, const Value& right);
Reading calculate(ir::Operation operation, const Value& left, const Value& right);
using migc::equal;
// True, false, or nothing for a value that is no truth.
std::optional<bool> truth(const Value& value);

}  // namespace migc::runtime::inline evaluation
