// Statements in order: calls, waits, names, branches and loops.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/semantics/walk.hpp"
#include "runtime/engine/stage_run.hpp"

namespace migc::runtime::inline engine {

class Steps {
  public:
    // `undo` is what the statements `undo` (false) and `undo all` (true) of a failure block do.
    Steps(StageRun& stage, StepContext course, std::function<Result(bool all)> undo = {});

    // Runs one after the other until one does not end well. Their ids are children of `parent`, numbered from
    // `first` on.
    Result block(const std::vector<ir::Step>& steps, Scope& scope, const StepId& parent,
                 std::size_t first = 1);
    Result statement(const ir::Step& step, Scope& scope, const StepId& id);
    // The gate of every stage of a protected environment: closed in a freeze of migc.yaml.
    Result freeze(const StepId& id);
    // The gate of a stage that repeats one which is no part of the run: closed without evidence that the
    // repeated one passed with this very change.
    Result evidence(const StepId& id);

  private:
    friend struct semantics::Walk;

    Result may_go_on();
    Result call(const ir::Step& step, Scope& scope, const StepId& id);
    Result composite(const ir::Step& step, const ir::Verb& verb, Scope& inner, const Scope& outer,
                     const StepId& id);
    Result tries(const ir::Step& step, const ir::Verb& verb, Scope& inner, const Scope& outer,
                 const StepId& id, const std::string& text);
    Result try_again(const ir::Step& step, const Scope& outer, const StepId& id, const std::string& text,
                     Result failed, const std::function<Result()>& one_try);
    [[nodiscard]] bool had_no_effect(const StepId& id);
    [[nodiscard]] std::optional<ir::Step> hurried(const ir::Step& step, const ir::Verb& verb,
                                                  const Scope& outer, const Scope& inner);
    [[nodiscard]] std::int64_t time_left() const;
    Result verify(const ir::Step& step, Scope& scope, const StepId& id);
    Result soak(const ir::Step& step, Scope& scope, const StepId& id);
    Result let(const ir::Step& step, Scope& scope, const StepId& id);
    Result choose(const ir::Step& step, Scope& scope, const StepId& id);
    Result loop(const ir::Step& step, Scope& scope, const StepId& id);
    Result parallel(const ir::Step& step, Scope& scope, const StepId& id);
    Result gate(const ir::Step& step, Scope& scope, const StepId& id);
    using Noted = events::Noted::Kind;
    Result note(const std::string& name, const nlohmann::json& value, const StepId& id);
    // Binds a secret, and notes what the journal keeps of it.
    Result keep_secret(const std::string& name, const Value& value, nlohmann::json kept, Scope& scope,
                       const StepId& id);
    static void bind_noted(Scope& scope, const std::string& name, const Value& noted);
    Result remember(Noted kind, const nlohmann::json& value, const StepId& id, const std::string& name = {});
    [[nodiscard]] std::optional<Value> known_name(const StepId& id) const;
    [[nodiscard]] bool was_held(const StepId& id) const;
    [[nodiscard]] bool recalls() const;
    tl::expected<nlohmann::json, Result> composite_captures(const ir::Verb& verb, Scope& inner,
                                                            const std::string& text, const StepId& id);
    Result not_begun(const std::string& text, const StepId& id, const std::string& why);
    Result check(const std::string& text, const StepId& id, Result verdict, Time begun);
    Result closed(const std::string& text, const StepId& id, const std::string& why, Time begun);
    Result may_change(const ir::Verb& verb, const Scope& inner);

    StageRun& stage_;
    StepContext course_;
    std::function<Result(bool)> undo_;
};

}  // namespace migc::runtime::inline engine
