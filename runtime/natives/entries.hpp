// The natives, one declaration each; the file that holds them is named above its group.
#pragma once

#include <vector>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

using Arguments = std::vector<Value>;

// pods.cpp
Reading workloads_of_namespace(Host& host, const Arguments& arguments);  // []: list of workloads
Reading pods_ready(Host& host, const Arguments& arguments);              // [targets]: bool
Reading rollout_complete(Host& host, const Arguments& arguments);        // [target]: bool
Reading ready_of(Host& host, const Arguments& arguments);                // [workload]: int, or absent
Reading restarts(Host& host, const Arguments& arguments);                // [workload]: int, or absent
Reading oom_kills(Host& host, const Arguments& arguments);               // [workload]: int, or absent

// workloads.cpp
Reading configuration_of(Host& host, const Arguments& arguments);    // [workload]: digest, or absent
Reading seen_configuration(Host& host, const Arguments& arguments);  // [workload]: string, or absent
Reading image_of(Host& host,
                 const Arguments& arguments);  // [workload, container or absent]: string, or absent
Reading container_of(Host& host,
                     const Arguments& arguments);  // [workload, container or absent]: string, or absent
// [workload, container or absent]: the pointer of the list in which it stands, or absent
Reading container_place(Host& host, const Arguments& arguments);
Reading replicas_of(Host& host, const Arguments& arguments);  // [workload]: int, or absent

// workload_changes.cpp
Answer image_set(Host& host, const Arguments& arguments);  // [workload, place, container, image, version]
std::string preview_image_set(Host& host, const Arguments& arguments);
Reading restart_time(Host& host,
                     const Arguments& arguments);  // [workload]: a time that it was not restarted at
Answer pods_restart(Host& host, const Arguments& arguments);  // [workload, time, version]
std::string preview_pods_restart(Host& host, const Arguments& arguments);

// autoscaling.cpp; a range is "2..6"
Reading autoscaler_of(Host& host, const Arguments& arguments);          // [workload]: string, or absent
Reading autoscaling_of(Host& host, const Arguments& arguments);         // [workload]: range, or absent
Reading autoscaling_range(Host& host, const Arguments& arguments);      // [text]: range
Reading autoscaling_settled(Host& host, const Arguments& arguments);    // [workload]: bool
Reading version_of_autoscaler(Host& host, const Arguments& arguments);  // [workload]: version, or absent
Answer autoscaling_set(Host& host, const Arguments& arguments);  // [name of the autoscaler, range, version]
std::string preview_autoscaling_set(Host& host, const Arguments& arguments);

// revisions.cpp; a digest is that of a pod template
Reading revisions_of(Host& host, const Arguments& arguments);          // [workload]: list of numbers
Reading revision_of(Host& host, const Arguments& arguments);           // [workload]: number
Reading template_of(Host& host, const Arguments& arguments);           // [workload]: digest, or absent
Reading template_at_revision(Host& host, const Arguments& arguments);  // [workload, number or absent]: digest
Answer roll_back(Host& host, const Arguments& arguments);              // [workload, digest, version]
std::string preview_roll_back(Host& host, const Arguments& arguments);

// services.cpp; labels are "version=green,track=stable"
Reading selector_of_service(Host& host, const Arguments& arguments);  // [service, key]: string, or absent
Reading selection_like(Host& host, const Arguments& arguments);       // [service, labels]: labels
Reading labels_complete(Host& host,
                        const Arguments& arguments);  // [labels]: true, or what is wrong with them
Reading ready_pods_behind(Host& host, const Arguments& arguments);  // [service, labels]: number
Reading endpoints_of(Host& host, const Arguments& arguments);       // [service]: number
Reading service_settled(Host& host, const Arguments& arguments);    // [service]: bool
Answer service_switch(Host& host, const Arguments& arguments);      // [service, labels, version]
std::string preview_service_switch(Host& host, const Arguments& arguments);

// nodes.cpp
Reading node_count_ready(Host& host, const Arguments& arguments);  // []: int
Reading capacity_for(Host& host, const Arguments& arguments);      // [n, workload]: bool

// node_facts.cpp
Reading labels_of_nodes(Host& host, const Arguments& arguments);    // [pointer or absent]: json, or absent
Reading taints_of_nodes(Host& host, const Arguments& arguments);    // [pointer or absent]: json, or absent
Reading requests_of_nodes(Host& host, const Arguments& arguments);  // [pointer or absent]: json, or absent
Reading pods_per_node(Host& host, const Arguments& arguments);      // [workload]: json
Reading nodes_used(Host& host, const Arguments& arguments);         // [workload]: number

// drain.cpp
Reading node_schedulable(Host& host, const Arguments& arguments);     // [node]: bool
Answer node_set_schedulable(Host& host, const Arguments& arguments);  // [node, whether, version]
std::string preview_node_set_schedulable(Host& host, const Arguments& arguments);
Reading node_drained(Host& host, const Arguments& arguments);  // [node]: bool
Answer node_evict(Host& host, const Arguments& arguments);     // [node, limit, local data too]
std::string preview_node_evict(Host& host, const Arguments& arguments);

// claim_size.cpp
Reading claim_size_asked(Host& host, const Arguments& arguments);  // [claim]: quantity, or absent
Answer claim_grow(Host& host, const Arguments& arguments);         // [claim, size, version]
std::string preview_claim_grow(Host& host, const Arguments& arguments);
Reading claim_can_grow(Host& host, const Arguments& arguments);   // [claim, size]: bool
Reading claim_has_grown(Host& host, const Arguments& arguments);  // [claim]: bool
Reading claim_unused(Host& host, const Arguments& arguments);     // [claim]: bool

// live_objects.cpp
Reading version_of(Host& host, const Arguments& arguments);         // [resource]: resourceVersion, or absent
Reading identity_of(Host& host, const Arguments& arguments);        // [resource]: uid, or absent
Reading version_of(Host& host, const Arguments& arguments);         // [resource]: resource version, or absent
Reading live_value(Host& host, const Arguments& arguments);         // [object, pointer]: json, or absent
Reading definition_of(Host& host, const Arguments& arguments);      // [object]: json, or absent
Reading can_be_made_again(Host& host, const Arguments& arguments);  // [object]: bool

// patch.cpp
Reading accepted_value(Host& host, const Arguments& arguments);  // [object, pointer, value]: json, or absent
Answer object_patch(Host& host, const Arguments& arguments);  // [object, pointer, value or absent, version]
std::string preview_object_patch(Host& host, const Arguments& arguments);

// deletion.cpp
Answer object_delete(Host& host, const Arguments& arguments);  // [resource, version]
std::string preview_object_delete(Host& host, const Arguments& arguments);

// objects.cpp
Reading files_left_aside(Host& host, const Arguments& arguments);       // [path]: list of names, or absent
Reading objects_to_delete(Host& host, const Arguments& arguments);      // [path]: list of objects
Reading objects_left_standing(Host& host, const Arguments& arguments);  // [path]: list of handles, or absent
Reading apply_accepted(Host& host, const Arguments& arguments);         // [path]: bool
Reading objects_of_manifest(Host& host, const Arguments& arguments);    // [path]: list of handles
Reading object_live(Host& host, const Arguments& arguments);            // [path, handle]: json, or absent
Reading object_wanted(Host& host, const Arguments& arguments);          // [path, handle]: json
Reading object_version(Host& host, const Arguments& arguments);         // [path, handle]: version, or absent
Answer object_apply(Host& host, const Arguments& arguments);            // [path, handle, version or absent]
std::string preview_object_apply(Host& host, const Arguments& arguments);

// settled.cpp
Reading object_settled(Host& host, const Arguments& arguments);  // [handle]: bool

// restore.cpp
Reading object_may_become(Host& host, const Arguments& arguments);  // [handle, prior, path, applied]: bool
Reading object_restored(Host& host,
                        const Arguments& arguments);  // [path, handle, prior, applied]: json, or absent
Answer object_restore(Host& host, const Arguments& arguments);  // [path, handle, prior, applied, version]
std::string preview_object_restore(Host& host, const Arguments& arguments);
Answer object_make_again(Host& host, const Arguments& arguments);  // [object, prior]
std::string preview_object_make_again(Host& host, const Arguments& arguments);

// http.cpp; TERMS: from inside, headers, a header's name, the file with its value
Reading http_status(Host& host, const Arguments& arguments);       // [url, times, TERMS]: int
Reading http_head(Host& host, const Arguments& arguments);         // [url, TERMS]: int
Reading http_post_status(Host& host, const Arguments& arguments);  // [url, file, json, TERMS]: int
Reading http_json(Host& host, const Arguments& arguments);         // [url, pointer, TERMS]: json, or absent
Reading http_body(Host& host, const Arguments& arguments);         // [url, TERMS]: string
Reading http_latency(Host& host, const Arguments& arguments);  // [url, percentile, times, TERMS]: duration

// http_change.cpp; `terms`, `content` and what is found at an address are JSON, see http_content.hpp
Answer http_post(Host& host, const Arguments& arguments);  // [url, TERMS, file, json, status, record]
std::string preview_http_post(Host& host, const Arguments& arguments);
Reading http_answer(Host& host, const Arguments& arguments);    // [record]: json, or absent
Reading http_terms(Host& host, const Arguments& arguments);     // [TERMS]: json, or absent
Reading http_content(Host& host, const Arguments& arguments);   // [file, json]: json
Reading http_resource(Host& host, const Arguments& arguments);  // [url, terms]: json, or absent
Reading http_form(Host& host, const Arguments& arguments);      // [content, like]: json, or absent
Answer http_put(Host& host, const Arguments& arguments);        // [url, content, terms, found]
std::string preview_http_put(Host& host, const Arguments& arguments);
Answer http_delete(Host& host, const Arguments& arguments);  // [url, terms, found]
std::string preview_http_delete(Host& host, const Arguments& arguments);
// [address, prior or absent, terms, what this run wrote or absent, in whose terms]
Answer http_restore(Host& host, const Arguments& arguments);
std::string preview_http_restore(Host& host, const Arguments& arguments);

// http_load.cpp
Answer load_test(Host& host, const Arguments& arguments);  // [url, rate, duration, TERMS, record]
std::string preview_load_test(Host& host, const Arguments& arguments);
Reading load_latency(Host& host, const Arguments& arguments);     // [report, percentile]: duration
Reading load_error_rate(Host& host, const Arguments& arguments);  // [report]: percent
Reading load_count(Host& host, const Arguments& arguments);       // [report, field]: int

// notify.cpp
Answer notify(Host& host, const Arguments& arguments);  // [channel, text]
std::string preview_notify(Host& host, const Arguments& arguments);

// terraform.cpp
Reading terraform_valid(Host& host, const Arguments& arguments);    // []: bool
Reading plan_count(Host& host, const Arguments& arguments);         // [plan, "adds" | "changes" | "destroys"]
Reading expect_plan(Host& host, const Arguments& arguments);        // [plan, adds, changes, destroys]: bool
Reading plan_touches_only(Host& host, const Arguments& arguments);  // [plan, addresses]: bool
Reading plan_mirrors(Host& host, const Arguments& arguments);       // [plan, other plan]: bool
Reading plan_takes_back_only(Host& host, const Arguments& arguments);  // [plan, other plan]: bool
Reading terraform_state(Host& host, const Arguments& arguments);       // [pointer]: json, or absent
Reading terraform_output(Host& host, const Arguments& arguments);      // [name]: json, or absent

// terraform_apply.cpp
Answer terraform_run(Host& host, const Arguments& arguments);  // [arguments..]
std::string preview_terraform_run(Host& host, const Arguments& arguments);
Answer terraform_plan(Host& host, const Arguments& arguments);  // [file, var-file, address to destroy]
std::string preview_terraform_plan(Host& host, const Arguments& arguments);
Answer terraform_apply(Host& host, const Arguments& arguments);  // [plan]
std::string preview_terraform_apply(Host& host, const Arguments& arguments);
Reading plan_fits(Host& host, const Arguments& arguments);      // [plan]: bool
Reading planned_facts(Host& host, const Arguments& arguments);  // [plan]: list of string, or absent
Reading present_facts(Host& host, const Arguments& arguments);  // [plan]: list of string, or absent

// terraform_files.cpp
Reading fresh_state_backup(Host& host,
                           const Arguments& arguments);  // [folder]: a path that does not exist yet
Answer write_state_backup(Host& host, const Arguments& arguments);  // [file]
std::string preview_state_backup(Host& host, const Arguments& arguments);
Reading private_digest(Host& host, const Arguments& arguments);           // [file]: digest, or absent
Reading terraform_output_digest(Host& host, const Arguments& arguments);  // [name]: digest
Reading same_cluster(Host& host, const Arguments& arguments);             // [name, file]: bool
Answer write_kubeconfig(Host& host, const Arguments& arguments);          // [name, file, kept]
std::string preview_write_kubeconfig(Host& host, const Arguments& arguments);
Answer write_kept_back(Host& host, const Arguments& arguments);  // [file, kept]
std::string preview_write_kept_back(Host& host, const Arguments& arguments);

// registry.cpp
Reading image_digest(Host& host, const Arguments& arguments);   // [image]: string, or absent
Reading image_content(Host& host, const Arguments& arguments);  // [image, id]: the id, a digest, or absent
Reading pinned_image(Host& host, const Arguments& arguments);   // [image, id]: image by digest
Reading tag_can_name(Host& host, const Arguments& arguments);   // [image, digest or absent]: bool
Reading pushed_digest(Host& host, const Arguments& arguments);  // [image, id]
// [image, digest, what the tag must name until then or absent, "back"]
Answer registry_retag(Host& host, const Arguments& arguments);
std::string preview_registry_retag(Host& host, const Arguments& arguments);
Answer image_push(Host& host, const Arguments& arguments);  // [image, id, what the tag must name until then]
std::string preview_image_push(Host& host, const Arguments& arguments);
// [name, the id that it must have until then or absent, the id that it gets or absent, "back"]
Answer image_name(Host& host, const Arguments& arguments);
std::string preview_image_name(Host& host, const Arguments& arguments);

// rights.cpp
Reading allowed_to(Host& host, const Arguments& arguments);  // [verb, resource]: bool

// gates.cpp
Reading window(Host& host, const Arguments& arguments);
Reading freeze(Host& host, const Arguments& arguments);    // ["2026-12-20 to 2027-01-02 Europe/Berlin"]: bool
                                                           // // ["sat 02:00-04:00 Europe/Berlin"]: bool
Reading approval(Host& host, const Arguments& arguments);  // [count, people]: bool

// files.cpp
Reading folder_digest(Host& host, const Arguments& arguments);  // [folder]: digest of its configuration files
Reading fresh_file(Host& host, const Arguments& arguments);  // [folder, name]: a path that does not exist yet
Reading variables_file(Host& host,
                       const Arguments& arguments);  // [folder, var-file]: its path in the project

// values.cpp
Reading file_value(Host& host, const Arguments& arguments);        // [file, pointer]: json, or absent
Reading file_value_with(Host& host, const Arguments& arguments);   // [file, pointer, value]: as it then reads
Reading file_digest(Host& host, const Arguments& arguments);       // [file]: string, or absent
Reading file_digest_with(Host& host, const Arguments& arguments);  // [file, pointer, value]: string
Reading file_digest_without(Host& host, const Arguments& arguments);  // [file, pointer]: string
Reading file_copy(Host& host, const Arguments& arguments);            // [file]: json, or absent
Reading file_copy_digest(Host& host, const Arguments& arguments);     // [copy or absent]: string, or absent
Reading pointer_through(Host& host, const Arguments& arguments);      // [names]: string
Answer set_value(Host& host, const Arguments& arguments);             // [file, pointer, value, wanted digest]
Answer remove_value(Host& host, const Arguments& arguments);          // [file, pointer, wanted digest]
Answer put_back(Host& host, const Arguments& arguments);              // [file, copy or absent, digest now]
std::string preview_write_file(Host& host, const Arguments& arguments);

// git.cpp
Reading git_commit(Host& host, const Arguments& arguments);     // [revision]: the commit's whole id
Reading git_files(Host& host, const Arguments& arguments);      // [path, commit]: list of paths
Reading git_digest(Host& host, const Arguments& arguments);     // [file, commit]: string
Reading git_committed(Host& host, const Arguments& arguments);  // [file]: bool
Answer restore_file(Host& host, const Arguments& arguments);    // [file, commit, digest now]

// program.cpp
Reading script_succeeds(Host& host, const Arguments& arguments);  // [path, arguments]: bool
Answer start_program(Host& host, const Arguments& arguments);     // [program and arguments, log]
std::string preview_start_program(Host& host, const Arguments& arguments);
Reading program_running(Host& host, const Arguments& arguments);  // [log]: bool
Answer stop_program(Host& host, const Arguments& arguments);      // [log]
std::string preview_stop_program(Host& host, const Arguments& arguments);

// execute.cpp
Answer execute(Host& host, const Arguments& arguments);  // [command, workload, container or absent]
std::string preview_execute(Host& host, const Arguments& arguments);
Reading output_of(Host& host, const Arguments& arguments);      // the same: string
Reading output_of_pod(Host& host, const Arguments& arguments);  // [image, command]: string

// logs.cpp: [workload, expression or absent]
Reading logs_of(Host& host, const Arguments& arguments);           // string
Reading log_line_count(Host& host, const Arguments& arguments);    // int
Reading pods_serving(Host& host, const Arguments& arguments);      // int
Reading requests_per_pod(Host& host, const Arguments& arguments);  // json: pod -> number

// events.cpp: [expression or absent]
Reading events_matching(Host& host, const Arguments& arguments);  // list of string
Reading event_count(Host& host, const Arguments& arguments);      // int

// jobs.cpp
Reading job_name(Host& host, const Arguments& arguments);  // [cron job]: a name that no job has
Answer run_job(Host& host, const Arguments& arguments);    // [cron job, name]
std::string preview_run_job(Host& host, const Arguments& arguments);

// usage.cpp
Reading cpu_of(Host& host, const Arguments& arguments);       // [workload]: quantity
Reading memory_of(Host& host, const Arguments& arguments);    // [workload]: quantity
Reading node_cpu(Host& host, const Arguments& arguments);     // [node]: quantity
Reading node_memory(Host& host, const Arguments& arguments);  // [node]: quantity
Reading used_space(Host& host,
                   const Arguments& arguments);             // [path, workload, container or absent]: quantity
Reading path_size(Host& host, const Arguments& arguments);  // the same: of the file system

// backup.cpp
Answer write_backup(Host& host, const Arguments& arguments);  // [path, workload, container or absent, file]
std::string preview_write_backup(Host& host, const Arguments& arguments);
Reading backup_digest(Host& host, const Arguments& arguments);  // [file]: string, or absent
Answer extract_backup(
    Host& host, const Arguments& arguments);  // [file, path, workload, container or absent, backup before]
Answer revert_backup(Host& host, const Arguments& arguments);  // the same
std::string preview_extract_backup(Host& host, const Arguments& arguments);

// pod_files.cpp
Reading pod_file_digest(
    Host& host,
    const Arguments& arguments);  // [path, workload, container or absent]: string, or absent
Reading local_file_digest(Host& host, const Arguments& arguments);  // [file]: string, or absent
Answer write_kept_file(Host& host,
                       const Arguments& arguments);  // [path, workload, container or absent, archive]
Answer put_pod_file(Host& host, const Arguments& arguments);  // [file, path, workload, container or absent]
std::string preview_put_pod_file(Host& host, const Arguments& arguments);
Answer restore_pod_file(Host& host,
                        const Arguments& arguments);  // [archive, path, workload, container or absent]
Answer write_pod_file(Host& host,
                      const Arguments& arguments);  // [path, workload, container or absent, file]
std::string preview_write_pod_file(Host& host, const Arguments& arguments);

}  // namespace migc::runtime
