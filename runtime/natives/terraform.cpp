// Probes over saved plans, the state and the outputs.
#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/plan.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;
using Printed = tl::expected<json, std::string>;

// terraform draws a frame around its messages, and puts warnings before the error.
std::string terraform_complaint(Answer answer) {
    for (const char* frame : {"\u2577", "\u2502", "\u2575"})
        for (auto at = answer.errors.find(frame); at != std::string::npos; at = answer.errors.find(frame, at))
            answer.errors.replace(at, std::string_view(frame).size(), " ");
    if (const auto error = answer.errors.find("Error: "); error != std::string::npos)
        answer.errors.erase(0, error);
    return complaint("terraform", answer);
}

Printed printed(const Answer& answer) {
    if (!answer.succeeded()) return tl::unexpected(terraform_complaint(answer));
    if (answer.truncated) return tl::unexpected<std::string>("terraform: the answer is too long to be read");
    auto parsed = json::parse(answer.output, nullptr, false);
    if (!parsed.is_object()) return tl::unexpected<std::string>("terraform: the answer is not JSON");
    return parsed;
}

tl::expected<PlanSummary, std::string> read_plan(Host& host, const Arguments& arguments) {
    const std::string path = text_argument(arguments, 0);
    if (path.empty()) return tl::unexpected<std::string>("there is no plan to read");
    const auto plan = printed(host.run("terraform", {"show", "-json", path}));
    if (!plan) return tl::unexpected(plan.error());
    return summarize(*plan);
}

std::vector<std::string> told(const std::vector<PlannedChange>& changes) {
    std::vector<std::string> lines;
    for (const auto& change : changes) lines.push_back(change.what + " " + change.address);
    return lines;
}

std::string shown_counts(std::int64_t adds, std::int64_t changes, std::int64_t destroys) {
    return fmt::format("{} to add, {} to change, {} to destroy", adds, changes, destroys);
}

}  // namespace

Reading terraform_counts(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, arguments);
    if (!plan) return unknown(plan.error());
    json addresses = json::array();
    for (const auto& change : plan->touched) addresses.push_back(change.address);
    return json_reading({{"adds", plan->adds},
                         {"changes", plan->changes},
                         {"destroys", plan->destroys},
                         {"addresses", addresses}});
}

// A saved plan does not change: what it is not, it will not become.
Reading expect_plan(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, arguments);
    if (!plan) return unknown(plan.error());
    const std::int64_t adds = int_argument(arguments, 1, 0);
    const std::int64_t changes = int_argument(arguments, 2, 0);
    const std::int64_t destroys = int_argument(arguments, 3, 0);
    if (plan->adds == adds && plan->changes == changes && plan->destroys == destroys)
        return {Value(true), shown_counts(adds, changes, destroys), false};
    return {Value(false),
            fmt::format("the plan has {}, expected were {}: {}",
                        shown_counts(plan->adds, plan->changes, plan->destroys),
                        shown_counts(adds, changes, destroys), enumerate(told(plan->touched), 10)),
            true};
}

Reading plan_touches_only(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, arguments);
    if (!plan) return unknown(plan.error());
    std::vector<PlannedChange> others;
    const List allowed = list_argument(arguments, 1);
    for (const auto& change : plan->touched) {
        const auto covers = [&](const Value& value) { return is_within(change.address, show(value)); };
        if (std::none_of(allowed.begin(), allowed.end(), covers)) others.push_back(change);
    }
    if (others.empty()) return {Value(true), enumerate(told(plan->touched), 10), false};
    return {Value(false), "the plan would also " + enumerate(told(others), 10), true};
}

// [pointer]: the state can hold secrets; only what is asked for is given on.
Reading terraform_state(Host& host, const Arguments& arguments) {
    const std::string pointer = text_argument(arguments, 0);
    if (!is_pointer(pointer))
        return mistaken(fmt::format("`{}` is no JSON pointer; one looks like /serial", pointer));
    const Answer answer = host.run("terraform", {"state", "pull"});
    if (answer.succeeded() && answer.output.find_first_not_of(" \r\n\t") == std::string::npos)
        return absent("there is no state yet");
    const auto state = printed(answer);
    if (!state) return unknown(state.error());
    const json& found = field(*state, pointer);
    return found.is_null() ? absent() : json_reading(found);
}

Reading terraform_output(Host& host, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0);
    const auto outputs = printed(host.run("terraform", {"output", "-json"}));
    if (!outputs) return unknown(outputs.error());
    if (!outputs->contains(name)) return absent(fmt::format("terraform has no output {}", name));
    if (field(outputs->at(name), "/sensitive") == json(true))
        return mistaken(
            fmt::format("output {} is sensitive: it must not become a value that is written down", name));
    const json& value = field(outputs->at(name), "/value");
    return value.is_null() ? absent() : json_reading(value);
}

}  // namespace migc::runtime
