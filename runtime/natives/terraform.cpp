// Probes over saved plans, the state and the outputs.
#include "runtime/natives/terraform.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "runtime/natives/rows.hpp"
#include "runtime/natives/saved_plan.hpp"

namespace migc::runtime::inline natives {
namespace {

std::vector<std::string> told(const std::vector<PlannedChange>& changes) {
    std::vector<std::string> lines;
    lines.reserve(changes.size());
    for (const auto& change : changes) lines.push_back(change.what + " " + change.address);
    return lines;
}

std::string shown_counts(std::int64_t adds, std::int64_t changes, std::int64_t destroys) {
    return fmt::format("{} to add, {} to change, {} to destroy", adds, changes, destroys);
}

// A plan and the one that it is compared with.
struct TwoPlans {
    PlanSummary back;
    PlanSummary forward;
};

tl::expected<TwoPlans, std::string> read_two(Host& host, const Arguments& arguments) {
    auto back = read_plan(host, text_argument(arguments, 0));
    if (!back) return tl::unexpected(back.error());
    auto forward = read_plan(host, text_argument(arguments, 1));
    if (!forward) return tl::unexpected(forward.error());
    return TwoPlans{std::move(*back), std::move(*forward)};
}

// The plan stays for whoever looks at it; it is never to be applied by hand, since what it was made from
// changes.
Reading no_way_back(const std::string& file, const std::string& what) {
    return {
        Value(false),
        fmt::format("the undo {}. `terraform show {}` shows it; nothing of it is applied. Once a person has "
                    "corrected that, `migc undo` makes a new plan",
                    what, file),
        true};
}

constexpr const char* kept_back = "(sensitive, kept back by migc)";

// Outputs and attributes that terraform calls sensitive; an attribute is kept back as a whole.
void keep_back_sensitive(json& state) {
    for (auto& [name, output] : state["outputs"].items())
        if (field(output, "/sensitive") == json(true)) output["value"] = kept_back;
    for (json& resource : state["resources"])
        for (json& instance : resource["instances"])
            for (const json& path : field(instance, "/sensitive_attributes"))
                if (const std::string name = text_field(path, "/0/value"); !name.empty())
                    instance["attributes"][name] = kept_back;
}

// What the configuration is not right about: the first error that `terraform validate` lists.
std::string first_mistake(const json& answer) {
    for (const json& one : field(answer, "/diagnostics")) {
        if (text_field(one, "/severity") != "error") continue;
        const std::string file = text_field(one, "/range/filename");
        const std::string place =
            file.empty() ? "" : fmt::format("{}:{}: ", file, int_field(one, "/range/start/line"));
        const std::string detail = text_field(one, "/detail");
        return place + text_field(one, "/summary") + (detail.empty() ? "" : ": " + detail);
    }
    return "terraform does not say why";
}

}  // namespace

// That the configuration is wrong is said by the exit status, too.
static Reading terraform_valid(Host& host, const Arguments&) {
    Answer answer = host.run("terraform", {"validate", "-json"});
    const auto parsed = json::parse(answer.output, nullptr, false);
    if (answer.ending != Ending::Exited || !field(parsed, "/valid").is_boolean())
        return unknown(answer.succeeded() ? "terraform: the answer is not JSON"
                                          : terraform_complaint(answer));
    if (field(parsed, "/valid") == json(true)) return {Value(true)};
    return never("the configuration is not valid: " + first_mistake(parsed));
}

static Reading plan_count(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, text_argument(arguments, 0));
    if (!plan) return unknown(plan.error());
    const std::string what = text_argument(arguments, 1);
    const std::int64_t count = what == "adds"      ? plan->adds
                               : what == "changes" ? plan->changes
                                                   : plan->destroys;
    return {Value(count), enumerate(told(plan->touched), 10), true};
}

// A saved plan does not change: what it is not, it will not become.
static Reading expect_plan(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, text_argument(arguments, 0));
    if (!plan) return unknown(plan.error());
    const std::int64_t adds = int_argument(arguments, 1, 0);
    const std::int64_t changes = int_argument(arguments, 2, 0);
    const std::int64_t destroys = int_argument(arguments, 3, 0);
    if (plan->adds == adds && plan->changes == changes && plan->destroys == destroys)
        return {Value(true), shown_counts(adds, changes, destroys)};
    return never("the plan has {}, expected were {}{}{}",
                 shown_counts(plan->adds, plan->changes, plan->destroys),
                 shown_counts(adds, changes, destroys), plan->touched.empty() ? "" : ": ",
                 enumerate(told(plan->touched), 10));
}

static Reading plan_touches_only(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, text_argument(arguments, 0));
    if (!plan) return unknown(plan.error());
    std::vector<PlannedChange> others;
    const List allowed = list_argument(arguments, 1);
    for (const auto& change : plan->touched) {
        const auto covers = [&](const Value& value) { return is_within(change.address, show(value)); };
        if (std::none_of(allowed.begin(), allowed.end(), covers)) others.push_back(change);
    }
    if (others.empty()) return {Value(true), enumerate(told(plan->touched), 10)};
    return never("the plan would also " + enumerate(told(others), 10));
}

static Reading plan_mirrors(Host& host, const Arguments& arguments) {
    const auto plans = read_two(host, arguments);
    if (!plans) return unknown(plans.error());
    const auto more = beyond_taking_back(plans->back, plans->forward);
    if (!more.empty()) return never("the plan would also " + enumerate(more, 10));
    const auto left = left_standing(plans->back, plans->forward);
    if (left.empty()) return {Value(true)};
    return never("the plan would not take back " + enumerate(left, 10));
}

// As `mirrors`, but a part is enough: what an apply that failed half-way has done. Where `still fits` holds
// after this, the state is the one that is looked at here.
static Reading plan_takes_back_only(Host& host, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0), forward_file = text_argument(arguments, 1);
    if (const auto made = origin_of(file))
        if (const auto other = other_state(forward_file, made->state)) return never(*other);
    if (progress_of(forward_file) == ApplyProgress::NotBegun)
        return never("{} was not applied here: what the state shows of it is somebody else's",
                     std::filesystem::path(forward_file).filename().string());
    const auto plans = read_two(host, arguments);
    if (!plans) return unknown(plans.error());
    const auto shown = shown_state(host);
    if (!shown) return unknown(shown.error());
    const auto state = entries_of(*shown);
    if (const auto more = beyond_taking_back(plans->back, plans->forward); !more.empty())
        return no_way_back(file, fmt::format("would also {}, which does not take back what was applied",
                                             enumerate(more, 10)));
    if (const auto changed = changed_since_apply(forward_file, plans->forward, state); !changed.empty())
        return no_way_back(
            file, fmt::format("would undo what somebody else did since: {} {} not as this run left it",
                              enumerate(changed, 10), changed.size() == 1 ? "is" : "are"));
    const auto left = left_standing(plans->back, plans->forward, state);
    if (!left.empty() && plans->back.touched.empty())
        return never("the configuration still asks for what was applied: nothing would be taken back");
    if (!left.empty())
        return no_way_back(file,
                           fmt::format("would leave {} as it was applied: the configuration from before "
                                       "asks for that, too",
                                       enumerate(left, 10)));
    return {Value(true), enumerate(told(plans->back.touched), 10)};
}

// [pointer]: the state can hold secrets; only what is asked for is given on.
static Reading terraform_state(Host& host, const Arguments& arguments) {
    const std::string pointer = text_argument(arguments, 0);
    if (!is_pointer(pointer)) return mistaken("`{}` is no JSON pointer; one looks like /serial", pointer);
    const Answer answer = host.run("terraform", {"state", "pull"});
    if (answer.succeeded() && answer.output.find_first_not_of(" \r\n\t") == std::string::npos)
        return absent("there is no state yet");
    auto state = printed_json(answer);
    if (!state) return unknown(state.error());
    keep_back_sensitive(*state);
    const json& found = field(*state, pointer);
    if (found.dump(-1, ' ', false, json::error_handler_t::replace).find(kept_back) != std::string::npos)
        return mistaken(
            "{} of the state holds a sensitive value: it must not become a value that is written down",
            pointer.empty() ? "the whole" : pointer);
    return found.is_null() ? absent() : json_reading(found);
}

static Reading terraform_output(Host& host, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0);
    const auto outputs = printed_json(host.run("terraform", {"output", "-json"}));
    if (!outputs) return unknown(outputs.error());
    if (!outputs->contains(name)) return absent("terraform has no output {}", name);
    if (field(outputs->at(name), "/sensitive") == json(true))
        return mistaken("output {} is sensitive: it must not become a value that is written down", name);
    const json& value = field(outputs->at(name), "/value");
    return value.is_null() ? absent() : json_reading(value);
}

const Rows terraform_rows([]() -> std::vector<Row> {
    return {
        // []: bool
        reads("terraform-valid", terraform_valid),
        // [plan, "adds" | "changes" | "destroys"]
        reads("plan-count", plan_count),
        // [plan, adds, changes, destroys]: bool
        reads("expect-plan", expect_plan),
        // [plan, addresses]: bool
        reads("plan-touches-only", plan_touches_only),
        // [plan, other plan]: bool
        reads("plan-mirrors", plan_mirrors),
        // [plan, other plan]: bool
        reads("plan-takes-back-only", plan_takes_back_only),
        // [pointer]: json, or absent
        reads("terraform-state", terraform_state),
        // [name]: json, or absent
        reads("terraform-output", terraform_output),
    };
});

}  // namespace migc::runtime::inline natives
