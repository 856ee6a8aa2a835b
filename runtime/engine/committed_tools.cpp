#include "runtime/engine/committed_tools.hpp"

namespace migc::runtime::inline engine {

Answer CommittedTools::run(const CommandLine& command) {
    Answer answer;
    answer.reason = commit_();
    return answer.reason.empty() ? tools_.run(command) : answer;
}

// Neither starts anything that the journal would have to know about: a run whose journal fails waits, and
// ends what it has started, as it would otherwise.
std::unique_ptr<Watch> CommittedTools::watch(const CommandLine& command) {
    commit_();
    return tools_.watch(command);
}

tl::expected<bool, std::string> CommittedTools::running(const std::string& log) {
    commit_();
    return tools_.running(log);
}

Answer CommittedTools::stop(const std::string& log, std::int64_t grace_ms) {
    commit_();
    return tools_.stop(log, grace_ms);
}

WakeReason CommittedTools::sleep_until(Time deadline) {
    commit_();
    return tools_.sleep_until(deadline);
}

}  // namespace migc::runtime::inline engine
