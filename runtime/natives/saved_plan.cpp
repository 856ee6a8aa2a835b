#include "runtime/natives/saved_plan.hpp"

#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>
#include <sys/stat.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/ownership.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/refusals.hpp"

namespace migc::runtime::inline natives {
namespace {

using Done = tl::expected<void, std::string>;

std::string origin_file(const std::string& plan) {
    return plan + ".json";
}
std::string progress_file(const std::string& plan) {
    return plan + ".apply";
}
std::string left_file(const std::string& plan) {
    return plan + ".left";
}

json read_json(const std::string& path) {
    const auto text = read_bytes(path);
    return text ? json::parse(*text, nullptr, false) : json();
}

// "" where there is none: a replayed run makes no plan file.
std::string file_digest(const std::string& path) {
    const auto bytes = read_bytes(path);
    return bytes ? sha256(*bytes) : std::string();
}

std::string value_digest(const json& value) {
    return sha256(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

json to_record(const StateIdentity& state) {
    return {{"workspace", state.workspace}, {"lineage", state.lineage}, {"serial", state.serial}};
}

StateIdentity from_record(const json& record) {
    return {text_field(record, "/workspace"), text_field(record, "/lineage"), int_field(record, "/serial")};
}

// The ids that terraform printed while it created, by address: "a.b[0]: Creation complete after 0s [id=x]".
// One that it has shortened is none.
std::map<std::string, std::string> printed_ids(const std::string& output) {
    static const RE2 created(R"((?m)^(.+): Creation complete after \S+ \[id=(.*)\]\r?$)");
    std::map<std::string, std::string> ids;
    re2::StringPiece rest(output);
    std::string address, id;
    while (RE2::FindAndConsume(&rest, created, &address, &id))
        if (id.find("...") == std::string::npos) ids[address] = id;
    return ids;
}

// Whether the plan says what an attribute will be: nothing in it is known only after the apply.
bool is_planned(const PlannedChange& change, const std::string& name) {
    const std::string unknown = member(change.unknown, name).dump();
    return change.after.is_object() && change.after.contains(name) &&
           unknown.find("true") == std::string::npos;
}

// What of a resource does not change by itself: its id, and what the plan gave it. Of one that was there
// before that is what the plan changed.
std::set<std::string> lasting_attributes(const PlannedChange& change, const json& values) {
    std::set<std::string> names;
    for (const auto& [name, value] : values.items()) {
        const bool given =
            is_planned(change, name) &&
            (change.what != "change" || member(change.before, name) != member(change.after, name));
        if (name == "id" || given) names.insert(name);
    }
    return names;
}

// A digest for each lasting attribute; of a value that is no object, one under "".
json digests_of(const PlannedChange& change, const json& values) {
    json digests = json::object();
    if (!values.is_object() || !change.after.is_object()) return {{"", value_digest(values)}};
    for (const std::string& name : lasting_attributes(change, values))
        digests[name] = value_digest(values.at(name));
    return digests;
}

bool is_left(const PlannedChange& change) {
    return change.what != "destroy" && change.what != "forget";
}

bool is_as_left(const json& digests, const json& values) {
    if (!values.is_object()) return digests.value("", "") == value_digest(values);
    for (const auto& [name, digest] : digests.items())
        if (!values.contains(name) || digest != json(value_digest(values.at(name)))) return false;
    return true;
}

}  // namespace

Done write_origin(const std::string& plan, const PlanOrigin& origin) {
    ::chmod(plan.c_str(), 0600);  // terraform leaves it readable, with every secret of the state in it
    json record = to_record(origin.state);
    record.update({{"configuration", origin.configuration}, {"plan", file_digest(plan)}});
    return write_private(origin_file(plan), record.dump());
}

std::optional<PlanOrigin> origin_of(const std::string& plan) {
    const json record = read_json(origin_file(plan));
    if (!record.is_object()) return std::nullopt;
    return PlanOrigin{from_record(record), text_field(record, "/configuration")};
}

bool is_as_made(const std::string& plan) {
    return file_digest(plan) == text_field(read_json(origin_file(plan)), "/plan");
}

ApplyProgress progress_of(const std::string& plan) {
    const json progress = read_json(progress_file(plan));
    if (progress.is_null()) return ApplyProgress::NotBegun;
    if (!field(progress, "/status").is_number_integer()) return ApplyProgress::Begun;
    return int_field(progress, "/status") == 0 ? ApplyProgress::EndedWell : ApplyProgress::Ended;
}

Done write_begun(const std::string& plan, Time now) {
    return write_private(progress_file(plan), json{{"begun", now}}.dump());
}

Done write_ended(const std::string& plan, int status) {
    return write_private(progress_file(plan), json{{"status", status}}.dump());
}

void forget_begun(const std::string& plan) {
    std::error_code ignored;
    std::filesystem::remove(progress_file(plan), ignored);
}

std::string output_file_of(const std::string& plan) {
    return plan + ".out";
}

bool was_accepted(const std::string& plan) {
    switch (progress_of(plan)) {
        case ApplyProgress::NotBegun:
            return false;
        case ApplyProgress::Begun:
            return has_begun("terraform", output_so_far(output_file_of(plan)));
        default:
            return true;
    }
}

// What this plan was to leave, where somebody else has applied between its end and the look at the state.
json planned_values(const PlannedChange& change, const json& values) {
    if (!change.after.is_object() || !values.is_object()) return change.after;
    json planned = values;
    planned.update(change.after);
    return planned;
}

// Who looks here may come after somebody else's apply; the ids that terraform printed are this plan's.
Done write_left(Host& host, const std::string& plan, const PlanSummary& summary) {
    const auto identity = state_identity(host);
    if (!identity) return tl::unexpected(identity.error());
    const auto shown = shown_state(host);
    if (!shown) return tl::unexpected(shown.error());
    const auto state = entries_of(*shown);
    const auto ids = printed_ids(output_so_far(output_file_of(plan)));
    const auto origin = origin_of(plan);
    const bool alone = !origin || identity->serial <= origin->state.serial + 1;
    json objects = json::object();
    for (const PlannedChange& change : summary.touched.empty() ? summary.outputs : summary.touched) {
        const auto entry = state.find(change.address);
        if (!is_left(change) || entry == state.end()) continue;
        const json& values = entry->second.values;
        json digests = digests_of(change, alone ? values : planned_values(change, values));
        if (const auto id = ids.find(change.address); id != ids.end() && digests.contains("id"))
            digests["id"] = value_digest(id->second);
        objects[change.address] = std::move(digests);
    }
    json left = to_record(*identity);
    left["objects"] = std::move(objects);
    return write_private(left_file(plan), left.dump());
}

Done write_taken_back(const std::string& plan) {
    json left = read_json(left_file(plan));
    if (!left.is_object()) return {};
    left["objects"] = json::object();
    return write_private(left_file(plan), left.dump());
}

std::optional<std::string> other_state(const std::string& plan, const StateIdentity& now) {
    const auto origin = origin_of(plan);
    if (!origin) return std::nullopt;
    const StateIdentity left = from_record(read_json(left_file(plan)));
    const std::string& workspace = origin->state.workspace;
    if (!workspace.empty() && workspace != now.workspace)
        return fmt::format(
            "the workspace {} is selected, and {} was made in the workspace {}: `terraform workspace select {}` "
            "goes back to it",
            now.workspace, std::filesystem::path(plan).filename().string(), workspace, workspace);
    const std::string& lineage = left.lineage.empty() ? origin->state.lineage : left.lineage;
    if (lineage.empty() || lineage == now.lineage) return std::nullopt;
    if (now.lineage.empty())
        return fmt::format(
            "there is no state any more (its lineage was {}): what it held may well be there still. A person "
            "puts the state back to where it was, from a backup if it is lost",
            lineage);
    return fmt::format(
        "this is another state (lineage {}) than the one that was changed (lineage {}): a person puts that one "
        "back to where it was",
        now.lineage, lineage);
}

std::vector<std::string> changed_since_apply(const std::string& plan, const PlanSummary& summary,
                                             const std::map<std::string, StateEntry>& state) {
    std::vector<std::string> changed;
    const json left = read_json(left_file(plan));
    if (!left.is_object() && progress_of(plan) == ApplyProgress::NotBegun) return changed;
    const auto ids = left.is_object() ? std::map<std::string, std::string>()
                                      : printed_ids(output_so_far(output_file_of(plan)));
    const json& objects = field(left, "/objects");
    for (const PlannedChange& change : summary.touched.empty() ? summary.outputs : summary.touched) {
        const auto entry = state.find(change.address);
        const auto digests = objects.find(change.address);
        if (entry == state.end()) continue;
        // Where nobody could look after the apply, the plan and what terraform printed tell what it was to
        // leave.
        if (!left.is_object()) {
            json digests_then = digests_of(change, change.after);
            if (const auto id = ids.find(change.address); id != ids.end())
                digests_then["id"] = value_digest(id->second);
            if (is_left(change) && !is_as_left(digests_then, entry->second.values))
                changed.push_back(change.address);
            continue;
        }
        if (digests == objects.end()) continue;
        if (!is_as_left(*digests, entry->second.values)) changed.push_back(change.address);
    }
    return changed;
}

}  // namespace migc::runtime::inline natives
