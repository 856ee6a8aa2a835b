// Autoscalers: who has one, between which numbers it chooses, and changing these.
#include <utility>

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rollout.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"

namespace migc::runtime::inline natives {
namespace {

tl::expected<ReplicaRange, std::string> parse_range(const std::string& text) {
    if (std::string why = kubernetes::why_no_range(text); !why.empty()) return tl::unexpected(std::move(why));
    return *replica_range(text);
}

ReplicaRange range_of(const json& autoscaler) {
    return {int_field(autoscaler, "/spec/minReplicas", 1), int_field(autoscaler, "/spec/maxReplicas")};
}

// The autoscaler of a workload; null if there is none.
Fetched autoscaler_object(Host& host, const WorkloadName& name) {
    std::vector<std::string> what = {"hpa"};
    append(what, writers_option(host));
    auto autoscalers = list_objects(host, what);
    if (!autoscalers) return autoscalers;
    const std::string wanted =
        autoscaler_in(*autoscalers, workload_kind(name.written), object_name(name.written));
    for (auto& one : *autoscalers)
        if (!wanted.empty() && name_of(one) == wanted) return std::move(one);
    return json();
}

Fetched autoscaler_argument(Host& host, const Value& value) {
    const auto name = workload_argument(host, value);
    if (!name) return tl::unexpected(name.error());
    return autoscaler_object(host, *name);
}

// Of the two numbers one may be as the step had found it, and kept by whoever wrote it then: only what the
// undo would change has to be the run's alone.
std::string writer_of_range(Host& host, const nlohmann::json& autoscaler) {
    if (host.setting("writers") != "others") return writer_of(host, autoscaler, "/spec");
    const auto before = parse_range(host.setting("found-before"));
    const ReplicaRange now = range_of(autoscaler);
    for (const auto& [pointer, changed] :
         {std::pair("/spec/minReplicas", !before || before->least != now.least),
          std::pair("/spec/maxReplicas", !before || before->most != now.most)})
        if (std::string other = changed ? writer_of(host, autoscaler, pointer) : ""; !other.empty())
            return other;
    return {};
}

// [name of the autoscaler, range, version]
Planned range_command(Host& host, const Arguments& arguments) {
    const auto range = parse_range(text_argument(arguments, 1));
    if (!range) return tl::unexpected(range.error());
    if (argument(arguments, 0).is_absent() || argument(arguments, 2).is_absent())
        return failure("there is no autoscaler");
    return versioned_patch(host, "hpa/" + text_argument(arguments, 0), "merge",
                           {{"spec", {{"minReplicas", range->least}, {"maxReplicas", range->most}}}},
                           text_argument(arguments, 2));
}

// An autoscaler whose metrics cannot be read holds the range, but chooses nothing.
std::string blindness(const json& autoscaler) {
    const json& active = condition(autoscaler, "ScalingActive");
    return text_field(active, "/status") == "False" ? "; " + text_field(active, "/message") : "";
}

}  // namespace

static Reading autoscaler_of(Host& host, const Arguments& arguments) {
    const auto autoscaler = autoscaler_argument(host, argument(arguments, 0));
    if (!autoscaler) return unknown(autoscaler.error());
    if (autoscaler->is_null()) return absent();
    return {Value(name_of(*autoscaler)),
            "it sets the number of replicas; `set autoscaling of` changes its range"};
}

static Reading autoscaling_of(Host& host, const Arguments& arguments) {
    const auto autoscaler = autoscaler_argument(host, argument(arguments, 0));
    if (!autoscaler) return unknown(autoscaler.error());
    if (autoscaler->is_null()) return absent("{} has no autoscaler", text_argument(arguments, 0));
    return read_from(*autoscaler,
                     {Value(range_of(*autoscaler).text()), {}, false, writer_of_range(host, *autoscaler)});
}

static Reading autoscaling_range(Host&, const Arguments& arguments) {
    const auto range = parse_range(text_argument(arguments, 0));
    return range ? Reading{Value(range->text())} : mistaken(range.error());
}

static Reading autoscaling_settled(Host& host, const Arguments& arguments) {
    const auto name = workload_argument(host, argument(arguments, 0));
    if (!name) return mistaken(name.error());
    const auto autoscaler = autoscaler_object(host, *name);
    if (!autoscaler) return unknown(autoscaler.error());
    if (autoscaler->is_null()) return {Value(true)};
    const auto workload = get_object(host, name->written);
    if (!workload) return unknown(workload.error());
    const std::int64_t replicas = int_field(*workload, "/spec/replicas", 1);
    const ReplicaRange range = range_of(*autoscaler);
    // At zero it is switched off.
    if (replicas != 0 && (replicas < range.least || replicas > range.most))
        return not_yet("{} asks for {} replicas, and its autoscaler allows {}{}", name->shown, replicas,
                       range.text(), blindness(*autoscaler));
    return rollout_complete(host, arguments);
}

static Reading version_of_autoscaler(Host& host, const Arguments& arguments) {
    const auto autoscaler = autoscaler_argument(host, argument(arguments, 0));
    if (!autoscaler) return unknown(autoscaler.error());
    if (autoscaler->is_null()) return absent("{} has no autoscaler", text_argument(arguments, 0));
    return {Value(resource_version(*autoscaler))};
}

const Rows autoscaling_rows([]() -> std::vector<Row> {
    return {
        // [workload]: string, or absent
        reads("autoscaler-of", autoscaler_of).sees({"/metadata/name", "/spec/scaleTargetRef"}),
        // [workload]: range, or absent
        reads("autoscaling-of", autoscaling_of).sees({"/metadata/name", "/spec"}),
        // [text]: range
        reads("autoscaling-range", autoscaling_range),
        // [workload]: bool
        reads("autoscaling-settled", autoscaling_settled),
        // [workload]: version, or absent
        reads("version-of-autoscaler", version_of_autoscaler),
        // [name of the autoscaler, range, version]
        writes("autoscaling-set", range_command)
            .reaches({Reach::Of::Autoscaler, 0, "/spec/replicas"})
            .by_hand(autoscaling_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
