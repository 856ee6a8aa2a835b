#include "runtime/natives/pod_command.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "runtime/natives/reading.hpp"
#include "runtime/natives/rollout.hpp"

namespace migc::runtime::inline natives {
namespace {

// The living ones, ready ones first, then by name: the same pod each time.
std::vector<json> living(const json& pods) {
    std::vector<json> result;
    for (const json& pod : pods)
        if (!is_being_deleted(pod) && !has_ended(pod)) result.push_back(pod);
    std::sort(result.begin(), result.end(), [](const json& a, const json& b) {
        return std::pair(!holds(a, "Ready"), name_of(a)) < std::pair(!holds(b, "Ready"), name_of(b));
    });
    return result;
}

tl::expected<std::string, NoPlace> container_in(const json& pod, const std::string& wanted) {
    std::vector<std::string> names;
    for (const json& container : field(pod, "/spec/containers"))
        names.push_back(text_field(container, "/name"));
    std::string name = wanted;
    if (name.empty())
        name = text_field(pod, "/metadata/annotations/kubectl.kubernetes.io~1default-container");
    if (name.empty() && !names.empty()) name = names.front();
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
    return tl::unexpected(NoPlace{
        fmt::format("pod {} has no container {}; it has {}", name_of(pod), name, enumerate(names, 10)),
        true});
}

bool runs(const json& pod, const std::string& container) {
    for (const json& status : container_statuses(pod))
        if (text_field(status, "/name") == container) return !field(status, "/state/running").is_null();
    return false;
}

// What the program itself said, without kubectl's remark on the exit code.
std::string said_by_program(const Answer& answer) {
    std::string text = answer.errors;
    RE2::Replace(&text, R"(command terminated with exit code \d+\s*$)", "");
    const bool silent = text.find_first_not_of(" \r\n\t") == std::string::npos;
    const Answer plain = exited(0, {}, silent ? answer.output : text);
    if (plain.errors.find_first_not_of(" \r\n\t") == std::string::npos) return {};
    return complaint("", plain).substr(2);
}

}  // namespace

tl::expected<std::optional<json>, std::string> pods_named(Host& host, const Value& workload) {
    const auto name = workload_argument(host, workload);
    if (!name) return tl::unexpected(name.error());
    const auto object = get_object(host, name->written);
    if (!object) return tl::unexpected(object.error());
    if (object->is_null()) return std::nullopt;
    if (text_field(*object, "/kind") == "Pod") return json::array({*object});
    auto pods = pods_of(host, *object);
    if (!pods) return tl::unexpected(pods.error());
    return std::move(*pods);
}

tl::expected<PodPlace, NoPlace> find_place(Host& host, const Value& workload, const std::string& container,
                                           Choice choice) {
    const auto pods = pods_named(host, workload);
    const std::string shown = show(workload);
    if (!pods) return tl::unexpected(NoPlace{pods.error(), false});
    if (!*pods) return tl::unexpected(NoPlace{shown + " does not exist", false});
    const std::vector<json> found = living(**pods);
    if (found.empty()) return tl::unexpected(NoPlace{shown + " has no pod", false});
    if (choice == Choice::Only && found.size() > 1)
        return tl::unexpected(NoPlace{
            fmt::format("{} has {} pods, and each has files of its own; name the one that is meant, as in "
                        "\"pod/{}\"",
                        shown, found.size(), name_of(found.front())),
            true});
    const json& pod = found.front();
    const auto name = container_in(pod, container);
    if (!name) return tl::unexpected(name.error());
    if (!runs(pod, *name)) {
        const PodTrouble trouble = pod_trouble(pod);
        return tl::unexpected(
            NoPlace{fmt::format("container {} of pod {} is not running{}{}", *name, name_of(pod),
                                trouble.text.empty() ? "" : ": ", trouble.text),
                    trouble.permanent});
    }
    return PodPlace{name_of(pod), *name};
}

std::vector<std::string> exec_arguments(const PodPlace& place, const std::vector<std::string>& command,
                                        bool with_input) {
    std::vector<std::string> arguments = {"exec", place.pod, "-c", place.container};
    if (with_input) arguments.emplace_back("-i");
    arguments.emplace_back("--");
    append(arguments, command);
    return arguments;
}

bool lacks_program(const Answer& answer) {
    return answer.errors.find("executable file not found") != std::string::npos ||
           answer.errors.find("exec: no such file") != std::string::npos;
}

std::string exec_problem(const PodPlace& place, const std::vector<std::string>& command,
                         const Answer& answer) {
    const std::string program = command.empty() ? "" : command.front();
    if (lacks_program(answer)) return fmt::format("container {} has no program `{}`", place.shown(), program);
    int code = 0;
    if (!RE2::PartialMatch(answer.errors, R"(command terminated with exit code (\d+)\s*$)", &code))
        return complaint("kubectl", answer);
    const std::string said = said_by_program(answer);
    return fmt::format("`{}` in container {} ended with exit code {}{}{}", program, place.shown(), code,
                       said.empty() ? "" : ": ", said);
}

Answer exec_outcome(const PodPlace& place, const std::vector<std::string>& command, const Answer& answer) {
    const bool told = answer.ending == Ending::Exited && answer.status != 0;
    if (told && lacks_program(answer)) return not_started(exec_problem(place, command, answer));
    return told ? refused(exec_problem(place, command, answer)) : answer;
}

}  // namespace migc::runtime::inline natives
