// The tools as a run uses them: the outside is touched, looked at or waited for only when all that was
// recorded is durable (known as output commit). So a loss of power shows nobody a state that the journal does
// not have.
#pragma once

#include <functional>

#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline engine {

// Hands everything on. Where the journal cannot be made durable no tool is started: the answer says so.
class CommittedTools final : public ForwardingTools {
  public:
    // `commit` makes all durable, or says why it cannot be. The tools outlive it.
    CommittedTools(Tools& tools, std::function<std::string()> commit)
        : ForwardingTools(tools), commit_(std::move(commit)) {}

    Answer run(const CommandLine& command) override;
    std::unique_ptr<Watch> watch(const CommandLine& command) override;
    tl::expected<bool, std::string> running(const std::string& log) override;
    Answer stop(const std::string& log, std::int64_t grace_ms) override;
    WakeReason sleep_until(Time deadline) override;

  private:
    std::function<std::string()> commit_;
};

}  // namespace migc::runtime::inline engine
