// What the interfaces answer where their owner has nothing of the kind.
#include "runtime/tools/tools.hpp"

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

namespace {

constexpr const char* no_programs = "no program can be left running here";

}  // namespace

Answer not_started(std::string reason) {
    Answer answer;
    answer.reason = std::move(reason);
    return answer;
}

tl::expected<bool, std::string> Tools::running(const std::string&) {
    return tl::unexpected(std::string(no_programs));
}

Answer Tools::stop(const std::string&, std::int64_t) {
    return not_started(no_programs);
}

Answer Host::perform(const ToolCommand& command) {
    return not_started(command.tool + " cannot be run with files here");
}

tl::expected<bool, std::string> Host::running(const std::string&) {
    return tl::unexpected(std::string(no_programs));
}

Answer Host::stop(const std::string&, std::int64_t) {
    return not_started(no_programs);
}

}  // namespace migc::runtime
