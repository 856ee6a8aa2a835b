// One stage from its gates to its end, its failure block included.
#pragma once

#include <functional>
#include <string>

#include "runtime/engine/stage_run.hpp"
#include "runtime/engine/undo.hpp"

namespace migc::runtime::inline engine {

struct StageEnd {
    Outcome result = Outcome::None;
    std::string message;
    Reason why = Reason::None;
};

class StageFlow {
  public:
    // `undo_earlier` takes back the stages that completed before this one; it is what `undo all` adds.
    StageFlow(StageRun& stage, std::function<UndoEnd()> undo_earlier);

    StageEnd run();

  private:
    StageEnd begin();
    bool announce();
    StageEnd steps();
    StageEnd fail(const Result& failed);
    [[nodiscard]] Result held_by_tool(const Result& verdict) const;
    StageEnd failure_block(const std::vector<ir::Step>& steps, const std::string& reason);
    Result undo(bool all, const std::string& reason);
    [[nodiscard]] bool only_says(const ir::Step& step) const;
    [[nodiscard]] std::string left_by_failure_block();
    [[nodiscard]] const Value* found_by_stage(const std::string& phrase) const;
    [[nodiscard]] StageEnd untrusted() const;
    StageEnd end(StageEnd end);

    StageRun& stage_;
    std::function<UndoEnd()> undo_earlier_;
    bool undid_ = false;
    UndoEnd undo_end_ = UndoEnd::Undone;
    std::string undo_message_;
};

// Held or in doubt: what is left when the journal cannot be written any more.
Outcome untrusted_result(const RunContext& run);

}  // namespace migc::runtime::inline engine
