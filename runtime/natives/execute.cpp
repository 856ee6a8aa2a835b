// Commands in pods: in a workload's own, and in one that is started for them.
#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/pod_command.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/short_pod.hpp"

namespace migc::runtime::inline natives {
namespace {

std::vector<std::string> command_of(const Arguments& arguments, std::size_t index) {
    std::vector<std::string> command;
    for (const Value& word : list_argument(arguments, index)) command.push_back(show(word));
    return command;
}

// What a person would read: without the line breaks at the end.
Reading output_reading(const Answer& answer) {
    if (answer.truncated) return unknown("the output is too long to be read");
    std::string text = answer.output;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return {Value(std::move(text)), {}, false};
}

}  // namespace

static Answer execute(Host& host, const Arguments& arguments) {
    const std::vector<std::string> command = command_of(arguments, 0);
    if (command.empty() || command.front().empty()) return not_started("there is no command to execute");
    const auto place = find_place(host, argument(arguments, 1), text_argument(arguments, 2), Choice::Any);
    if (!place) return not_started(place.error().why);
    ToolCommand line{"kubectl", exec_arguments(*place, command), {}, {}, {}, host.limit_ms()};
    return exec_outcome(*place, command, host.perform(line));
}

static Preview preview_execute(Host& host, const Arguments& arguments) {
    const auto name = workload_argument(host, argument(arguments, 1));
    if (!name) return {};
    std::vector<std::string> words = {"exec", name->written, "--"};
    for (std::string& word : command_of(arguments, 0)) words.push_back(std::move(word));
    return shown_command(host, words);
}

static Reading output_of(Host& host, const Arguments& arguments) {
    const std::vector<std::string> command = command_of(arguments, 0);
    if (command.empty() || command.front().empty()) return mistaken("there is no command to execute");
    const auto place = find_place(host, argument(arguments, 1), text_argument(arguments, 2), Choice::Any);
    if (!place) return place.error().permanent ? mistaken(place.error().why) : unknown(place.error().why);
    const Answer answer = host.run("kubectl", exec_arguments(*place, command));
    if (answer.succeeded()) return output_reading(answer);
    const std::string problem = exec_problem(*place, command, answer);
    return lacks_program(answer) ? mistaken(problem) : unknown(problem);
}

static Reading output_of_pod(Host& host, const Arguments& arguments) {
    const ShortPod pod = {"migc-output", text_argument(arguments, 0), command_of(arguments, 1)};
    if (pod.command.empty() || pod.command.front().empty()) return mistaken("there is no command to run");
    const auto answer = run_short_pod(host, pod);
    if (!answer)
        return answer.error().permanent ? mistaken(answer.error().text) : unknown(answer.error().text);
    return output_reading(*answer);
}

const Rows execute_rows([]() -> std::vector<Row> {
    return {
        // [command, workload, container or absent]
        does("execute", execute, preview_execute).reaches({Reach::Of::AnyObject}).by_hand(execute_by_hand),
        // the same: string
        reads("output-of", output_of),
        // [image, command]: string
        reads("output-of-pod", output_of_pod),
    };
});

}  // namespace migc::runtime::inline natives
