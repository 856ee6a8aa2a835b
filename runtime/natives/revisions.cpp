// The revisions of a workload: which there are, what their pods are, and going back to one.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compiler/support/text.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"

namespace migc::runtime::inline natives {
namespace {

struct Revision {
    std::int64_t number = 0;
    std::string digest;  // of its pod template
    json pods;           // the template; of a stateful or daemon set the patch that brings it back
};

struct History {
    WorkloadName name;
    std::string current;  // digest of the template that is asked for now
    bool paused = false;
    std::vector<Revision> revisions;  // lowest number first
};

std::optional<Revision> revision_from(const json& item) {
    if (text_field(item, "/kind") == "ControllerRevision")
        return Revision{int_field(item, "/revision"), template_digest(field(item, "/data/spec/template")),
                        field(item, "/data")};
    const auto number =
        whole_number(text_field(item, "/metadata/annotations/deployment.kubernetes.io~1revision"));
    if (!number) return std::nullopt;
    json pods = field(item, "/spec/template");
    if (pods.contains("/metadata"_json_pointer) && field(pods, "/metadata/creationTimestamp").is_null())
        pods["metadata"].erase("creationTimestamp");
    if (pods.contains("/metadata/labels"_json_pointer)) pods["metadata"]["labels"].erase("pod-template-hash");
    return Revision{*number, template_digest(pods), std::move(pods)};
}

bool is_owned(const json& item, const json& workload) {
    const json& owners = field(item, "/metadata/ownerReferences");
    return std::any_of(owners.begin(), owners.end(), [&](const json& owner) {
        return text_field(owner, "/uid") == text_field(workload, "/metadata/uid");
    });
}

tl::expected<History, std::string> history_of(Host& host, const Value& target) {
    const auto name = workload_argument(host, target);
    if (!name) return tl::unexpected(name.error());
    const auto workload = get_object(host, name->written);
    if (!workload) return tl::unexpected(workload.error());
    if (workload->is_null()) return tl::unexpected(name->written + " does not exist");
    const bool in_sets = text_field(*workload, "/kind") == "Deployment";
    const auto items = list_objects(host, {in_sets ? "replicasets" : "controllerrevisions"});
    if (!items) return tl::unexpected(items.error());
    History history = {
        *name, template_digest(pod_template(*workload)), field(*workload, "/spec/paused") == json(true), {}};
    for (const auto& item : *items)
        if (const auto revision = is_owned(item, *workload) ? revision_from(item) : std::nullopt)
            history.revisions.push_back(*revision);
    std::sort(history.revisions.begin(), history.revisions.end(),
              [](const Revision& a, const Revision& b) { return a.number < b.number; });
    return history;
}

std::vector<std::string> numbers(const History& history) {
    std::vector<std::string> result;
    for (const Revision& one : history.revisions) result.push_back(std::to_string(one.number));
    return result;
}

template <typename Wanted>
const Revision* newest(const History& history, Wanted is_wanted) {
    const auto found = std::find_if(history.revisions.rbegin(), history.revisions.rend(), is_wanted);
    return found == history.revisions.rend() ? nullptr : &*found;
}

// The newest of that template: going back to it would make no other.
const Revision* with_digest(const History& history, const std::string& digest) {
    return newest(history, [&](const Revision& one) { return one.digest == digest; });
}

// What `kubectl rollout undo` sends, with the version that was captured: [workload, digest, version].
Planned roll_back_command(Host& host, const Arguments& arguments) {
    const auto history = history_of(host, argument(arguments, 0));
    if (!history) return tl::unexpected(history.error());
    if (history->paused)
        return tl::unexpected(history->name.written + " is paused; resume its rollout first");
    const Revision* revision = with_digest(*history, text_argument(arguments, 1));
    if (revision == nullptr)
        return failure(
            "the cluster keeps no revision of {} with the wanted pods any more; it "
            "has {}",
            history->name.shown, enumerate(numbers(*history), 20));
    const std::string version = text_argument(arguments, 2);
    if (workload_kind(history->name.written) != "Deployment")
        return versioned_patch(host, history->name.written, "strategic", revision->pods, version);
    const json operations =
        json::array({json{{"op", "replace"}, {"path", "/spec/template"}, {"value", revision->pods}}});
    return versioned_operations(host, history->name.written, operations, version);
}

}  // namespace

static Reading revisions_of(Host& host, const Arguments& arguments) {
    const auto history = history_of(host, argument(arguments, 0));
    if (!history) return unknown(history.error());
    List list;
    for (const Revision& one : history->revisions) list.emplace_back(one.number);
    return {Value(std::move(list))};
}

static Reading revision_of(Host& host, const Arguments& arguments) {
    const auto history = history_of(host, argument(arguments, 0));
    if (!history) return unknown(history.error());
    const Revision* revision = with_digest(*history, history->current);
    if (revision == nullptr) return unknown("the cluster has made no revision of its pods yet");
    return {Value(revision->number)};
}

static Reading template_of(Host& host, const Arguments& arguments) {
    const auto name = workload_argument(host, argument(arguments, 0));
    if (!name) return mistaken(name.error());
    const auto workload = get_object(host, name->written);
    if (!workload) return unknown(workload.error());
    if (workload->is_null()) return absent(name->written + " does not exist");
    return read_from(*workload, {Value(template_digest(pod_template(*workload))),
                                 {},
                                 false,
                                 writer_of(host, *workload, pod_template_place(*workload))});
}

static Reading template_at_revision(Host& host, const Arguments& arguments) {
    const auto history = history_of(host, argument(arguments, 0));
    if (!history) return unknown(history.error());
    const bool named = !argument(arguments, 1).is_absent();
    const std::int64_t number = int_argument(arguments, 1, 0);
    const Revision* revision = newest(*history, [&](const Revision& one) {
        return named ? one.number == number : one.digest != history->current;
    });
    if (revision != nullptr) return {Value(revision->digest)};
    return mistaken(named ? fmt::format("{} has no revision {}; it has {}", history->name.shown, number,
                                        enumerate(numbers(*history), 20))
                          : fmt::format("{} has no revision before the current one", history->name.shown));
}

const Rows revisions_rows([]() -> std::vector<Row> {
    return {
        // [workload]: list of numbers
        reads("revisions-of", revisions_of),
        // [workload]: number
        reads("revision-of", revision_of),
        // [workload]: digest, or absent
        reads("template-of", template_of),
        // [workload, number or absent]: digest
        reads("template-at-revision", template_at_revision),
        // [workload, digest, version]
        writes("roll-back", roll_back_command)
            .reaches({Reach::Of::Field, 0, "/spec/template"})
            .by_hand(roll_back_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
