#include "runtime/tools/natives.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/withheld_values.hpp"

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

// Likewise, of files that were reviewed.
NativeEntry of_input(NativeEntry entry) {
    entry.reads_inputs = true;
    return entry;
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

// Likewise, and it changes things by one command only.
NativeEntry writes(std::string_view name, Answer (*action)(Host&, const Arguments&),
                   std::string (*preview)(Host&, const Arguments&)) {
    NativeEntry entry = does(name, action, preview);
    entry.one_write = true;
    return entry;
}

// Likewise, and it writes into files of the project.
NativeEntry edits(std::string_view name, Answer (*action)(Host&, const Arguments&),
                  std::string (*preview)(Host&, const Arguments&) = preview_write_file) {
    NativeEntry entry = does(name, action, preview);
    entry.edits_files = true;
    return entry;
}

NativeEntry excludes(NativeEntry entry) {
    entry.exclusive = true;
    return entry;
}

}  // namespace

const std::vector<NativeEntry>& all_natives() {
    static const std::vector<NativeEntry> table = {
        reads("pods-ready", pods_ready),
        reads("rollout-complete", rollout_complete),
        reads("ready-of", ready_of),
        reads("restarts", restarts),
        reads("oom-kills", oom_kills),
        reads("configuration-of", configuration_of),
        reads("seen-configuration", seen_configuration),
        reads("image-of", image_of),
        reads("container-of", container_of),
        reads("container-place", container_place),
        reads("replicas-of", replicas_of),
        reads("version-of", version_of),
        writes("image-set", image_set, preview_image_set),
        reads("restart-time", restart_time),
        writes("pods-restart", pods_restart, preview_pods_restart),
        reads("every-workload", workloads_of_namespace),
        reads("autoscaler-of", autoscaler_of),
        reads("autoscaling-of", autoscaling_of),
        reads("autoscaling-range", autoscaling_range),
        reads("autoscaling-settled", autoscaling_settled),
        reads("version-of-autoscaler", version_of_autoscaler),
        writes("autoscaling-set", autoscaling_set, preview_autoscaling_set),
        reads("revisions-of", revisions_of),
        reads("revision-of", revision_of),
        reads("template-of", template_of),
        reads("template-at-revision", template_at_revision),
        writes("roll-back", roll_back, preview_roll_back),
        reads("selector-of-service", selector_of_service),
        reads("selection-like", selection_like),
        reads("labels-complete", labels_complete),
        reads("ready-pods-behind", ready_pods_behind),
        reads("endpoints-of", endpoints_of),
        reads("service-settled", service_settled),
        writes("service-switch", service_switch, preview_service_switch),
        reads("labels-of-nodes", labels_of_nodes),
        reads("taints-of-nodes", taints_of_nodes),
        reads("requests-of-nodes", requests_of_nodes),
        reads("pods-per-node", pods_per_node),
        reads("nodes-used", nodes_used),
        reads("node-schedulable", node_schedulable),
        writes("node-set-schedulable", node_set_schedulable, preview_node_set_schedulable),
        reads("node-drained", node_drained),
        does("node-evict", node_evict, preview_node_evict),
        reads("claim-size-asked", claim_size_asked),
        writes("claim-grow", claim_grow, preview_claim_grow),
        reads("claim-can-grow", claim_can_grow),
        reads("claim-has-grown", claim_has_grown),
        reads("claim-unused", claim_unused),
        reads("identity-of", identity_of),
        reads("live-value", live_value),
        reads("definition-of", definition_of),
        reads("can-be-made-again", can_be_made_again),
        of_input(reads("object-may-become", object_may_become)),
        of_input(reads("object-restored", object_restored)),
        reads("accepted-value", accepted_value),
        reads("secret-values", secret_values),
        does("object-patch", object_patch, preview_object_patch),
        does("object-delete", object_delete, preview_object_delete),
        reads("node-count-ready", node_count_ready),
        reads("capacity-for", capacity_for),
        of_input(reads("objects-of-manifest", objects_of_manifest)),
        of_input(reads("files-left-aside", files_left_aside)),
        of_input(reads("objects-to-delete", objects_to_delete)),
        of_input(reads("objects-left-standing", objects_left_standing)),
        of_input(reads("apply-accepted", apply_accepted)),
        reads("allowed-to", allowed_to),
        of_input(reads("object-live", object_live)),
        of_input(reads("object-version", object_version)),
        of_input(reads("object-wanted", object_wanted)),
        of_input(reads("object-settled", object_settled)),
        of_input(does("object-apply", object_apply, preview_object_apply)),
        of_input(does("object-restore", object_restore, preview_object_restore)),
        does("object-make-again", object_make_again, preview_object_make_again),
        reads("http-status", http_status),
        reads("http-head", http_head),
        reads("http-post-status", http_post_status),
        reads("http-json", http_json),
        reads("http-body", http_body),
        reads("http-latency", http_latency),
        does("http-post", http_post, preview_http_post),
        reads("http-answer", http_answer),
        reads("http-terms", http_terms),
        of_input(reads("http-content", http_content)),
        reads("http-resource", http_resource),
        reads("http-form", http_form),
        does("http-put", http_put, preview_http_put),
        does("http-delete", http_delete, preview_http_delete),
        does("http-restore", http_restore, preview_http_restore),
        does("load-test", load_test, preview_load_test),
        reads("load-latency", load_latency),
        reads("load-error-rate", load_error_rate),
        reads("load-count", load_count),
        does("notify", notify, preview_notify),
        reads("terraform-valid", terraform_valid),
        reads("plan-count", plan_count),
        reads("expect-plan", expect_plan),
        reads("plan-touches-only", plan_touches_only),
        reads("plan-mirrors", plan_mirrors),
        reads("plan-takes-back-only", plan_takes_back_only),
        reads("plan-fits", plan_fits),
        reads("planned-facts", planned_facts),
        reads("present-facts", present_facts),
        excludes(edits("terraform-run", terraform_run, preview_terraform_run)),
        excludes(edits("terraform-plan", terraform_plan, preview_terraform_plan)),
        excludes(edits("terraform-apply", terraform_apply, preview_terraform_apply)),
        reads("terraform-state", terraform_state),
        reads("terraform-output", terraform_output),
        reads("terraform-output-digest", terraform_output_digest),
        reads("fresh-state-backup", fresh_state_backup),
        edits("write-state-backup", write_state_backup, preview_state_backup),
        reads("private-digest", private_digest),
        reads("same-cluster", same_cluster),
        edits("write-kubeconfig", write_kubeconfig, preview_write_kubeconfig),
        edits("write-kept-back", write_kept_back, preview_write_kept_back),
        reads("image-digest", image_digest),
        reads("image-content", image_content),
        reads("pinned-image", pinned_image),
        reads("tag-can-name", tag_can_name),
        reads("pushed-digest", pushed_digest),
        does("registry-retag", registry_retag, preview_registry_retag),
        does("image-push", image_push, preview_image_push),
        does("image-name", image_name, preview_image_name),
        reads("script-succeeds", script_succeeds),
        reads("window", window),
        reads("freeze", freeze),
        reads("approval", approval),
        reads("folder-digest", folder_digest),
        reads("fresh-file", fresh_file),
        does("start-program", start_program, preview_start_program),
        reads("program-running", program_running),
        does("stop-program", stop_program, preview_stop_program),
        does("execute", execute, preview_execute),
        reads("output-of", output_of),
        reads("output-of-pod", output_of_pod),
        reads("logs-of", logs_of),
        reads("log-line-count", log_line_count),
        reads("pods-serving", pods_serving),
        reads("requests-per-pod", requests_per_pod),
        reads("events-matching", events_matching),
        reads("event-count", event_count),
        reads("job-name", job_name),
        does("run-job", run_job, preview_run_job),
        reads("cpu-of", cpu_of),
        reads("memory-of", memory_of),
        reads("node-cpu", node_cpu),
        reads("node-memory", node_memory),
        reads("used-space", used_space),
        reads("path-size", path_size),
        edits("write-backup", write_backup, preview_write_backup),
        reads("backup-digest", backup_digest),
        does("extract-backup", extract_backup, preview_extract_backup),
        does("revert-backup", revert_backup, preview_extract_backup),
        reads("pod-file-digest", pod_file_digest),
        reads("local-file-digest", local_file_digest),
        edits("write-kept-file", write_kept_file, preview_write_pod_file),
        does("put-pod-file", put_pod_file, preview_put_pod_file),
        does("restore-pod-file", restore_pod_file, preview_put_pod_file),
        edits("write-pod-file", write_pod_file, preview_write_pod_file),
        reads("variables-file", variables_file),
        reads("file-value", file_value),
        reads("file-value-with", file_value_with),
        reads("file-digest", file_digest),
        reads("file-digest-with", file_digest_with),
        reads("file-digest-without", file_digest_without),
        reads("file-copy", file_copy),
        reads("file-copy-digest", file_copy_digest),
        reads("pointer-through", pointer_through),
        edits("set-value", set_value),
        edits("remove-value", remove_value),
        edits("put-back", put_back),
        reads("git-commit", git_commit),
        reads("git-files", git_files),
        reads("git-digest", git_digest),
        reads("git-committed", git_committed),
        edits("restore-file", restore_file),
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
