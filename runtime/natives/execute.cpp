// Commands in pods: in a workload's own, and in one that is started for them.

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/pod_command.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/short_pod.hpp"

namespace migc::runtime::inline natives {
namespace {

// What a person would read: without the line breaks at the end.
Reading output_reading(const Answer& answer) {
    if (answer.truncated) return unknown("the output is too long to be read");
    std::string text = answer.output;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return {Value(std::move(text))};
}

}  // namespace

static Answer execute(Host& host, const Arguments& arguments) {
    const std::vector<std::string> command = words_of(list_argument(arguments, 0));
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
    append(words, words_of(list_argument(arguments, 0)));
    return shown_command(host, words);
}

static Reading output_of(Host& host, const Arguments& arguments) {
    const std::vector<std::string> command = words_of(list_argument(arguments, 0));
    if (command.empty() || command.front().empty()) return mistaken("there is no command to execute");
    const auto place = find_place(host, argument(arguments, 1), text_argument(arguments, 2), Choice::Any);
    if (!place) return not_known(place.error().why, place.error().permanent);
    const Answer answer = host.run("kubectl", exec_arguments(*place, command));
    if (answer.succeeded()) return output_reading(answer);
    return not_known(exec_problem(*place, command, answer), lacks_program(answer));
}

static Reading output_of_pod(Host& host, const Arguments& arguments) {
    const ShortPod pod = {"migc-output", text_argument(arguments, 0), words_of(list_argument(arguments, 1))};
    if (pod.command.empty() || pod.command.front().empty()) return mistaken("there is no command to run");
    const auto answer = run_short_pod(host, pod);
    return answer ? output_reading(*answer) : not_known(answer.error().text, answer.error().permanent);
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
