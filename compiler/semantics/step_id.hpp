// Which step of a script, and in which turn of its loops.
#pragma once

#include <cstddef>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// Numbers count from 1. "staging/2" is the second step of the stage, "staging/2.1" the first inside of it (a
// composite's, a block's; after an `if`'s body come those of its `else`), "staging/3[2].1" the first in the
// second turn of a loop, "staging/gate.1" the stage's first gate, "staging/on-failure.1" the first step of
// its failure block, "staging/2/undo.1" the first of the inverse of its second step.
class StepId {
  public:
    StepId() = default;
    explicit StepId(std::string text) : text_(std::move(text)) {}

    // What the ids of a stage's steps, of its gates and of the steps of its failure block are children of.
    static StepId steps_of(const std::string& stage) { return StepId(stage + "/"); }
    static StepId gates_of(const std::string& stage) { return StepId(stage + "/gate"); }
    static StepId failure_block_of(const std::string& stage) { return StepId(stage + "/on-failure"); }
    // Likewise of the steps that take this one back.
    [[nodiscard]] StepId undo() const { return StepId(text_ + "/undo"); }
    [[nodiscard]] StepId child(std::size_t number) const { return child(std::to_string(number)); }
    [[nodiscard]] StepId child(const std::string& name) const;
    // The body of a loop, in its `number`th turn.
    [[nodiscard]] StepId turn(std::size_t number) const {
        return StepId(fmt::format("{}[{}]", text_, number));
    }

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] std::string stage() const { return text_.substr(0, text_.find('/')); }
    // Without the stage: "3[2].1".
    [[nodiscard]] std::string within_stage() const { return text_.substr(text_.find('/') + 1); }
    // Whether it stands inside of another: "staging/2.1" inside of "staging/2".
    [[nodiscard]] bool is_inside(const StepId& outer) const;
    [[nodiscard]] bool is_gate() const { return within_stage().starts_with("gate."); }
    [[nodiscard]] bool is_in_failure_block() const { return within_stage().starts_with("on-failure."); }

    // As texts, for maps; the order of the script is `earlier`.
    friend auto operator<=>(const StepId&, const StepId&) = default;

  private:
    std::string text_;
};

// Whether one step stands before another in its script: numbers in ids count as numbers.
bool earlier(const StepId& step, const StepId& other);

// The stage whose steps these are: itself, or the one it repeats.
const ir::Stage& stage_with_steps(const ir::Program& program, const ir::Stage& stage);

// The step of that id; null if the program has none.
const ir::Step* find_step(const ir::Program& program, const StepId& id);

void to_json(nlohmann::json& json, const StepId& id);
void from_json(const nlohmann::json& json, StepId& id);

}  // namespace migc::semantics

template <>
struct fmt::formatter<migc::semantics::StepId> : fmt::formatter<std::string> {
    template <typename Context>
    auto format(const migc::semantics::StepId& id, Context& context) const {
        return fmt::formatter<std::string>::format(id.text(), context);
    }
};
