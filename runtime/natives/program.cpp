// Programs of the project: scripts that only read, and programs that go on running.
#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/ownership.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::int64_t grace_ms = 10'000;

}  // namespace

static Reading script_succeeds(Host& host, const Arguments& arguments) {
    std::vector<std::string> command = words_of(list_argument(arguments, 1));
    command.insert(command.begin(), text_argument(arguments, 0));
    const Answer answer = host.run("program", command);
    if (answer.ending != Ending::Exited) return unknown(complaint(command.front(), answer));
    if (answer.status == 0) return {Value(true)};
    return not_yet("{} (exit code {})", complaint(command.front(), answer), answer.status);
}

// [program and its arguments, log]
static Answer start_program(Host& host, const Arguments& arguments) {
    const std::vector<std::string> command = words_of(list_argument(arguments, 0));
    if (command.empty() || command.front().empty() || command.front().starts_with('-'))
        return not_started("there is no program to start");
    return host.perform({"program", command, {}, {}, text_argument(arguments, 1), 0});
}

static std::string preview_start_program(Host&, const Arguments& arguments) {
    return shown(words_of(list_argument(arguments, 0)));
}

// [log], which is the run's own: what writes it was started by this run.
static Reading program_running(Host& host, const Arguments& arguments) {
    const auto running = host.running(text_argument(arguments, 0));
    if (!running) return unknown(running.error());
    return written_by_us(host, {Value(*running)}, *running);
}

static Answer stop_program(Host& host, const Arguments& arguments) {
    return host.stop(text_argument(arguments, 0), grace_ms);
}

static std::string preview_stop_program(Host&, const Arguments& arguments) {
    return fmt::format("end the program that writes {}", text_argument(arguments, 0));
}

const Rows program_rows([]() -> std::vector<Row> {
    return {
        // [path, arguments]: bool
        reads("script-succeeds", script_succeeds),
        // [program and arguments, log]
        does("start-program", start_program, preview_start_program),
        // [log]: bool
        reads("program-running", program_running),
        // [log]
        does("stop-program", stop_program, preview_stop_program).by_hand(stop_program_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
