// One call of a verb: needs, captures, intent, act, observe, outcome.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

// An effect of a call, with its probe and what was read from it.
struct EffectTarget {
    const ir::Effect* effect = nullptr;
    std::string phrase;  // "replicas of webapi"
    Value before;
    Value declared;  // absent for `becomes absent`; not used for `becomes different`
    Value observed;
    // Which thing it was, before and when it was last looked at; empty where nothing tells.
    std::string identity = {};
    std::string identity_now = {};
    std::string revision = {};  // when it was last looked at
    std::string version = {};   // before

    void see(const Reading& reading);
    // It was deleted and made anew since: this is another thing of the same name.
    [[nodiscard]] bool remade() const;
};

// Whether a reading is what the effect declares.
bool taken(const EffectTarget& target, const Value& reading);

// Whether a part of an inverse is begun anew, though an earlier undo has begun or finished it: it only yields
// a value, and was cut off; or that value is a plan, which is out of date by now. Not while another part is
// open: that one may have used it.
bool is_made_again(const StepContext& course, const ir::Verb& verb, const StepId& id);

// The phrase of a call with its arguments filled in: "scale webapi to 4".
std::string describe_call(const ir::Verb& verb, const Scope& inner);

// Binds a call's arguments to the verb's parameters; those that the journal `knows` are not evaluated again.
// The error says which argument could not be had.
tl::expected<void, std::string> bind_arguments(Evaluator& evaluator, const ir::Verb& verb,
                                               const ir::Step& step, const Scope& scope, Scope& inner,
                                               const nlohmann::json& known = nlohmann::json::object());

// Whether a need is the standard library's word on what is never taken away. Its second argument is what the
// thing would become, and where that is absent the thing stays: no failure, but declared.
bool keeps_what_is_new(const ir::Program& program, const ir::Expr& need);

// Whether everything that the verb needs holds; the error says what does not.
struct Unmet {
    std::string message;
    Reason why = Reason::None;
};
tl::expected<void, Unmet> check_needs(Evaluator& evaluator, const ir::Program& program, const ir::Verb& verb,
                                      const Scope& inner);

// Reads the verb's captures into its scope, and gives them as the journal keeps them. The error: one could
// not be read, so there would be no way back.
tl::expected<nlohmann::json, std::string> read_captures(Evaluator& evaluator, const ir::Verb& verb,
                                                        Scope& inner);

// Whether what a verb's effects show is known to be this run's work though its tool did not say so: the thing
// itself says who wrote it, or the native that wrote it works where nobody else can. `exited`: its tool
// reported a failure and ended by itself; else its answer was lost.
bool proves(StageRun& stage, const ir::Verb& verb, const Scope& inner, bool exited);
// The second half of that alone: nobody else can have done it, or can still do it in this call's name.
bool works_alone(StageRun& stage, const ir::Verb& verb, bool exited);

class Call {
  public:
    // `inner` holds the verb's parameters; captures are added to it.
    Call(StageRun& stage, const StepContext& course, const ir::Step& step, const ir::Verb& verb,
         const Scope& outer, Scope& inner, StepId id);

    // On success the result that `as` binds is in `result`.
    Result run();
    Value result;

  private:
    // Hopeless: it cannot be read, and waiting cannot help. NotAwaited: the operator did not let it be seen.
    Result attempt();
    [[nodiscard]] std::set<std::string> names();
    enum class Seen { Taken, NotTaken, Unreadable, Hopeless, NotAwaited };
    struct Action {
        Answer answer;
        bool begun = false;   // something may have happened
        std::string refusal;  // why it was not begun
    };

    std::optional<Result> resume();
    std::optional<Result> resume_forward();
    std::optional<Result> resume_in_failure();
    std::optional<Result> resume_inverse();
    std::optional<Result> reconcile(const events::Call& intent);
    void recall(const events::Call& then);
    [[nodiscard]] bool all_taken() const;
    [[nodiscard]] bool untouched() const;
    void keep_way_back();
    tl::expected<void, Unmet> needs(Evaluator& snapshot);
    Result not_seen(const Evaluator& snapshot, const std::string& why);
    Result prepare();
    Result read_effects(Evaluator& snapshot);
    [[nodiscard]] bool holds_already() const;
    Result already();
    bool intend();
    Action act();
    Action act_once();
    Seen observe(std::int64_t limit_ms, bool accepted);
    Seen look();
    Result decide(const Action& action);
    Result decide_refused(const std::string& said);
    Result decide_taken(const Answer& answer, const std::string& said);
    Result decide_done(const Answer& answer);
    Result decide_not_taken(const Answer& answer, const std::string& said);
    Result decide_unseen(const Action& action);
    Result not_ours(std::vector<EffectTarget> first, const std::string& refusal);
    bool was_only_outrun(const Action& action);
    void withdraw();
    void rest_before(int left);
    [[nodiscard]] bool found_as(const std::vector<EffectTarget>& first) const;
    [[nodiscard]] bool found_as_decided() const;
    [[nodiscard]] bool is_proved(bool exited);
    [[nodiscard]] bool all_different() const;
    Result conclude(Outcome outcome, const std::string& message, bool acted, Reason why = Reason::None);
    Result not_begun(const std::string& message);
    [[nodiscard]] std::string readings() const;
    [[nodiscard]] std::string obstacle() const;
    [[nodiscard]] std::int64_t effect_limit();
    [[nodiscard]] std::int64_t action_limit();
    [[nodiscard]] Texts identities(bool made) const;
    [[nodiscard]] Texts revisions() const;
    [[nodiscard]] events::Call intent() const;
    events::StepOutcome step_outcome(Outcome outcome, const std::string& message, bool acted);
    [[nodiscard]] List workloads() const;
    [[nodiscard]] std::vector<std::string> workload_names() const;

    StageRun& stage_;
    const StepContext& course_;
    const ir::Step& step_;
    const ir::Verb& verb_;
    const Scope& outer_;
    Scope& inner_;
    StepId id_;
    std::string text_;
    std::string command_;
    nlohmann::json captures_ = nlohmann::json::object();
    std::vector<EffectTarget> targets_;
    Time begun_ = 0;
    bool intended_ = false;
    Ownership ownership_ = Ownership::Ours;
    bool accepted_ = false;            // it failed though its tool said that all went well
    std::string refusal_;              // why the last try was refused
    bool outrun_ = false;              // somebody wrote while the last try looked
    std::optional<Change> half_done_;  // what an earlier try left, and how it is taken back
};

}  // namespace migc::runtime::inline engine
