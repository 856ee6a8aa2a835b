#include "runtime/natives/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

using Entries = std::map<std::string, StateEntry>;

// Modules that are nested deeper are garbage, and would exhaust the stack.
constexpr int deepest_module = 100;

std::string kind_of(const json& change) {
    const json& actions = field(change, "/change/actions");
    const auto has = [&](const char* action) {
        return std::find(actions.begin(), actions.end(), action) != actions.end();
    };
    if (has("create")) return has("delete") ? "replace" : "add";
    if (has("delete")) return "destroy";
    if (has("update")) return "change";
    if (has("forget")) return "forget";
    if (!field(change, "/change/importing").is_null()) return "import";
    return text_field(change, "/previous_address").empty() ? "" : "move";
}

PlannedChange planned(std::string address, std::string what, const json& change) {
    return {std::move(address), std::move(what), field(change, "/before"), field(change, "/after"),
            field(change, "/after_unknown")};
}

void add_resource(PlanSummary& plan, const json& resource) {
    const std::string what = kind_of(resource);
    if (what.empty()) return;
    plan.adds += what == "add" || what == "replace" ? 1 : 0;
    plan.destroys += what == "destroy" || what == "replace" ? 1 : 0;
    plan.changes += what == "change" ? 1 : 0;
    std::string address = text_field(resource, "/address");
    if (const std::string left_over = text_field(resource, "/deposed"); !left_over.empty())
        address += fmt::format(" (deposed {})", left_over);
    plan.touched.push_back(planned(std::move(address), what, field(resource, "/change")));
}

void add_output(PlanSummary& plan, const std::string& name, const json& change) {
    const std::string what = kind_of({{"change", change}});
    if (what.empty() || field(change, "/after_unknown") == json(true)) return;
    plan.outputs.push_back(planned("output." + name, what, change));
}

// Whether some of it is known only after the apply.
bool has_unknown(const json& unknown) {
    const json flat = unknown.is_structured() ? unknown.flatten() : json::array({unknown});
    return std::any_of(flat.begin(), flat.end(), [](const json& one) { return one == json(true); });
}

// Names of the attributes that a change gives another value that is known beforehand.
std::vector<std::string> known_differences(const PlannedChange& change) {
    std::vector<std::string> names;
    json all = change.before.is_object() ? change.before : json::object();
    if (change.after.is_object()) all.update(change.after);
    for (const auto& [name, value] : all.items())
        if (!has_unknown(member(change.unknown, name)) &&
            member(change.before, name) != member(change.after, name))
            names.push_back(name);
    return names;
}

bool agree(const json& a, const json& b, const std::vector<std::string>& names) {
    return std::all_of(names.begin(), names.end(),
                       [&](const std::string& name) { return member(a, name) == member(b, name); });
}

// As it was before the change; of a value that is no object, all of it counts.
bool is_before(const PlannedChange& change, const json& now, const std::vector<std::string>& changed) {
    return !now.is_object() || changed.empty() ? now == change.before : agree(now, change.before, changed);
}

bool is_after(const PlannedChange& change, const json& now, const std::vector<std::string>& changed) {
    if (!now.is_object()) return now == change.after;
    return changed.empty() ? now != change.before : agree(now, change.after, changed);
}

struct Progress {
    bool begun = false;
    bool complete = false;
};

const StateEntry* entry_at(const Entries& state, const std::string& address) {
    const auto found = state.find(address);
    return found == state.end() ? nullptr : &found->second;
}

Progress progress_of(const PlannedChange& change, const Entries& state, bool ended_well) {
    const StateEntry* now = entry_at(state, change.address);
    if (change.what == "destroy" || change.what == "forget") return {now == nullptr, now == nullptr};
    const bool whole = now != nullptr && !now->tainted;
    if (change.what != "change" && change.what != "replace") return {now != nullptr, whole};
    if (!whole) return {true, false};
    const auto changed = known_differences(change);
    const bool begun = !is_before(change, now->values, changed);
    return {begun, ended_well ? begun : is_after(change, now->values, changed)};
}

const char* doing(const std::string& what) {
    if (what == "add") return "create";
    return what == "change" ? "update" : what.c_str();
}

std::string fact(const PlannedChange& change) {
    return fmt::format("{} {}", doing(change.what), change.address);
}

// What goes at once is one fact; what can stop half-way are two.
bool has_stages(const PlannedChange& change) {
    return change.what != "destroy" && change.what != "forget";
}

void add_facts(std::vector<std::string>& facts, const PlannedChange& change, const Progress& progress) {
    if (progress.begun) facts.push_back(fact(change));
    if (progress.complete && has_stages(change)) facts.push_back(fact(change) + " complete");
}

const std::vector<PlannedChange>& what_counts(const PlanSummary& plan) {
    return plan.touched.empty() ? plan.outputs : plan.touched;
}

void add_entries(Entries& entries, const json& module, int depth) {
    for (const json& resource : field(module, "/resources")) {
        const std::string left_over = text_field(resource, "/deposed_key");
        const std::string address = text_field(resource, "/address") +
                                    (left_over.empty() ? "" : fmt::format(" (deposed {})", left_over));
        entries[address] = {field(resource, "/values"), field(resource, "/tainted") == json(true)};
    }
    if (depth == deepest_module) return;
    for (const json& child : field(module, "/child_modules")) add_entries(entries, child, depth + 1);
}

const PlannedChange* at_address(const PlanSummary& plan, const std::string& address) {
    const auto found = std::find_if(plan.touched.begin(), plan.touched.end(),
                                    [&](const PlannedChange& change) { return change.address == address; });
    return found == plan.touched.end() ? nullptr : &*found;
}

// Whether one kind of change can take back the other; a replacement may have stopped between its two halves.
bool is_opposite(const std::string& back, const std::string& forward) {
    if (forward == "add") return back == "destroy";
    if (forward == "destroy") return back == "add";
    if (forward == "change") return back == "change";
    return forward == "replace" && (back == "replace" || back == "add");
}

// Attributes that the way back would give another value than they had, among those that can be known.
std::vector<std::string> not_as_before(const PlannedChange& back, const PlannedChange& forward) {
    std::vector<std::string> names;
    const auto forward_changed = known_differences(forward);
    for (const std::string& name : known_differences(back)) {
        const bool was_changed =
            forward.before.is_null() || has_unknown(member(forward.unknown, name)) ||
            std::find(forward_changed.begin(), forward_changed.end(), name) != forward_changed.end();
        if (!was_changed || member(back.after, name) != member(forward.before, name)) names.push_back(name);
    }
    return names;
}

}  // namespace

tl::expected<PlanSummary, std::string> summarize(const json& plan) {
    if (text_field(plan, "/format_version").empty()) return failure("terraform: this is no plan");
    if (field(plan, "/errored") == json(true))
        return failure("the plan is incomplete: terraform met an error while making it");
    PlanSummary summary;
    for (const auto& change : field(plan, "/resource_changes")) add_resource(summary, change);
    for (const auto& [name, change] : field(plan, "/output_changes").items())
        add_output(summary, name, change);
    return summary;
}

bool is_within(const std::string& address, const std::string& allowed) {
    if (allowed.empty() || !address.starts_with(allowed)) return false;
    return address.size() == allowed.size() || address[allowed.size()] == '.' ||
           address[allowed.size()] == '[';
}

Entries entries_of(const json& state) {
    Entries entries;
    add_entries(entries, field(state, "/values/root_module"), 0);
    for (const auto& [name, output] : field(state, "/values/outputs").items())
        entries["output." + name] = {field(output, "/value"), false};
    return entries;
}

std::vector<std::string> facts_of(const PlanSummary& plan) {
    std::vector<std::string> facts;
    for (const PlannedChange& change : what_counts(plan)) add_facts(facts, change, {true, true});
    return facts;
}

std::vector<std::string> facts_in(const PlanSummary& plan, const Entries& state, bool ended_well) {
    std::vector<std::string> facts;
    for (const PlannedChange& change : what_counts(plan))
        add_facts(facts, change, progress_of(change, state, ended_well));
    return facts;
}

std::vector<std::string> not_created(const PlanSummary& plan, const Entries& state) {
    std::vector<std::string> addresses;
    for (const PlannedChange& change : plan.touched)
        if ((change.what == "add" || change.what == "replace") && !progress_of(change, state, false).complete)
            addresses.push_back(change.address);
    return addresses;
}

std::vector<std::string> beyond_taking_back(const PlanSummary& back, const PlanSummary& forward) {
    std::vector<std::string> more;
    for (const PlannedChange& change : back.touched) {
        const PlannedChange* other = at_address(forward, change.address);
        if (other == nullptr || !is_opposite(change.what, other->what)) {
            more.push_back(fmt::format("{} {}", change.what, change.address));
            continue;
        }
        if (const auto names = not_as_before(change, *other); other->what != "add" && !names.empty())
            more.push_back(
                fmt::format("give {} of {} another value than before", enumerate(names), change.address));
    }
    return more;
}

std::vector<std::string> left_standing(const PlanSummary& back, const PlanSummary& forward) {
    std::vector<std::string> addresses;
    for (const PlannedChange& change : forward.touched)
        if (at_address(back, change.address) == nullptr) addresses.push_back(change.address);
    return addresses;
}

std::vector<std::string> left_standing(const PlanSummary& back, const PlanSummary& forward,
                                       const Entries& state) {
    std::vector<std::string> addresses;
    for (const std::string& address : left_standing(back, forward))
        if (progress_of(*at_address(forward, address), state, false).begun) addresses.push_back(address);
    return addresses;
}

}  // namespace migc::runtime::inline natives
