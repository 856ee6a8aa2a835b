// What is used: cpu and memory as the cluster measures them, and space in a container's file systems.
#include <sstream>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/ir/value.hpp"
#include "runtime/natives/pod_command.hpp"
#include "runtime/natives/pod_path.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

enum class Measure { Cpu, Memory };

// One row of `kubectl top --no-headers`: NAME CPU MEMORY for pods, NAME CPU CPU% MEMORY MEMORY% for nodes.
struct UsageRow {
    std::string cpu;
    std::string memory;
};
using UsageRows = std::map<std::string, UsageRow>;

UsageRows rows_of(const std::string& output) {
    UsageRows rows;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::vector<std::string> all;
        for (std::string word; words >> word;) all.push_back(word);
        if (all.size() == 3) rows[all[0]] = {all[1], all[2]};
        if (all.size() == 5) rows[all[0]] = {all[1], all[3]};
    }
    return rows;
}

tl::expected<UsageRows, Reading> top(Host& host, const char* what) {
    const Answer answer = host.run("kubectl", {"top", what, "--no-headers"});
    if (answer.succeeded()) return rows_of(answer.output);
    if (answer.errors.find("Metrics API not available") != std::string::npos)
        return tl::unexpected(
            mistaken("the cluster does not measure cpu and memory: it has no metrics server"));
    return tl::unexpected(unknown(complaint("kubectl", answer)));
}

constexpr double mebibyte = 1024 * 1024;

Reading amount_reading(double amount, Measure measure) {
    const std::string text = measure == Measure::Cpu ? fmt::format("{:.0f}m", amount * 1000)
                                                     : fmt::format("{:.0f}Mi", amount / mebibyte);
    return {Value(Quantity{text, amount})};
}

// Every name must have a row: one that is missing would make the sum look small.
Reading sum_of(const UsageRows& rows, const std::vector<std::string>& names, Measure measure) {
    double sum = 0;
    for (const std::string& name : names) {
        const auto row = rows.find(name);
        if (row == rows.end()) return unknown("there are no figures for " + name + " yet");
        const auto amount = parse_quantity(measure == Measure::Cpu ? row->second.cpu : row->second.memory);
        if (!amount) return unknown("kubectl top: " + amount.error());
        sum += amount->amount;
    }
    return amount_reading(sum, measure);
}

template <Measure measure>
Reading of_workload(Host& host, const Arguments& arguments) {
    const auto pods = pods_named(host, argument(arguments, 0));
    if (!pods) return unknown(pods.error());
    if (!*pods) return absent(text_argument(arguments, 0) + " does not exist");
    std::vector<std::string> names;
    for (const auto& pod : **pods)
        if (text_field(pod, "/status/phase") == "Running") names.push_back(name_of(pod));
    const auto rows = top(host, "pods");
    return rows ? sum_of(*rows, names, measure) : rows.error();
}

template <Measure measure>
Reading of_node(Host& host, const Arguments& arguments) {
    const auto rows = top(host, "nodes");
    return rows ? sum_of(*rows, {text_argument(arguments, 0)}, measure) : rows.error();
}

struct Space {
    std::int64_t size = 0;  // in KiB
    std::int64_t used = 0;
};

// Of [path, workload, container or absent]; the error is why it is not known.
tl::expected<Space, Reading> space_of(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 0));
    if (!path) return tl::unexpected(mistaken(path.error()));
    const auto place = find_place(host, argument(arguments, 1), text_argument(arguments, 2), Choice::Only);
    if (!place) return tl::unexpected(not_known(place.error().why, place.error().permanent));
    const std::vector<std::string> command = {"df", "-kP", *path};
    const Answer answer = host.run("kubectl", exec_arguments(*place, command));
    if (!answer.succeeded())
        return tl::unexpected(not_known(exec_problem(*place, command, answer), lacks_program(answer)));
    Space space;
    if (!RE2::PartialMatch(answer.output, R"(\s(\d+)\s+(\d+)\s+-?\d+\s+\d+%)", &space.size, &space.used))
        return tl::unexpected(unknown("df in the container did not answer with sizes"));
    return space;
}

template <std::int64_t Space::*amount>
Reading of_space(Host& host, const Arguments& arguments) {
    const auto space = space_of(host, arguments);
    if (!space) return space.error();
    const std::int64_t kibibytes = (*space).*amount;
    return {Value(Quantity{fmt::format("{}Ki", kibibytes), static_cast<double>(kibibytes) * 1024})};
}

}  // namespace

const Rows usage_rows([]() -> std::vector<Row> {
    return {
        // [workload]: quantity
        reads("cpu-of", of_workload<Measure::Cpu>),
        // [workload]: quantity
        reads("memory-of", of_workload<Measure::Memory>),
        // [node]: quantity
        reads("node-cpu", of_node<Measure::Cpu>),
        // [node]: quantity
        reads("node-memory", of_node<Measure::Memory>),
        // [path, workload, container or absent]: quantity
        reads("used-space", of_space<&Space::used>),
        // the same: of the file system
        reads("path-size", of_space<&Space::size>),
    };
});

}  // namespace migc::runtime::inline natives
