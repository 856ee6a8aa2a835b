#include "runtime/tools/natives.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

// The library's boundary: what a native throws (out of memory, a file system's surprise) ends here.
NativeEntry reads(std::string_view name, Reading (*probe)(Host&, const Arguments&)) {
    const auto guarded = [name, probe](Host& host, const Arguments& arguments) {
        try {
            return probe(host, arguments);
        } catch (const std::exception& problem) {
            return unknown(fmt::format("{} could not be read: {}", name, problem.what()));
        }
    };
    return {name, guarded, nullptr, nullptr};
}

NativeEntry does(std::string_view name, Answer (*action)(Host&, const Arguments&),
                 std::string (*preview)(Host&, const Arguments&)) {
    const auto guarded = [name, action](Host& host, const Arguments& arguments) {
        try {
            return action(host, arguments);
        } catch (const std::exception& problem) {
            // How far it came is not known, and the engine must look.
            Answer answer;
            answer.ending = Ending::TimedOut;
            answer.reason = fmt::format("{} was broken off: {}", name, problem.what());
            return answer;
        }
    };
    return {name, nullptr, guarded, preview};
}

}  // namespace

const std::vector<NativeEntry>& all_natives() {
    static const std::vector<NativeEntry> table = {
        reads("pods-ready", pods_ready),
        reads("rollout-complete", rollout_complete),
        reads("restarts", restarts),
        reads("oom-kills", oom_kills),
        reads("configuration-of", configuration_of),
        reads("seen-configuration", seen_configuration),
        reads("image-of", image_of),
        reads("container-of", container_of),
        reads("autoscaler-of", autoscaler_of),
        reads("node-count-ready", node_count_ready),
        reads("capacity-for", capacity_for),
        reads("objects-of-manifest", objects_of_manifest),
        reads("object-live", object_live),
        reads("object-wanted", object_wanted),
        reads("object-settled", object_settled),
        does("object-apply", object_apply, preview_object_apply),
        does("object-restore", object_restore, preview_object_restore),
        reads("http-status", http_status),
        reads("http-json", http_json),
        does("notify", notify, preview_notify),
        reads("terraform-counts", terraform_counts),
        reads("expect-plan", expect_plan),
        reads("plan-touches-only", plan_touches_only),
        reads("terraform-state", terraform_state),
        reads("terraform-output", terraform_output),
        reads("image-digest", image_digest),
        does("registry-retag", registry_retag, preview_registry_retag),
        reads("script-succeeds", script_succeeds),
        reads("window", window),
        reads("approval", approval),
        reads("folder-digest", folder_digest),
        reads("fresh-file", fresh_file),
        reads("tfvars", tfvars),
        reads("tfvars-with", tfvars_with),
        does("write-tfvars", write_tfvars, preview_write_tfvars),
    };
    return table;
}

const NativeEntry* find_native(std::string_view name) {
    const auto& table = all_natives();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const NativeEntry& e) { return e.name == name; });
    return found == table.end() ? nullptr : &*found;
}

}  // namespace migc::runtime
