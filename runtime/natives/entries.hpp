// The natives, one declaration each; the file that holds them is named above its group.
#pragma once

#include <vector>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

using Arguments = std::vector<Value>;

// pods.cpp
Reading pods_ready(Host& host, const Arguments& arguments);        // [targets]: bool
Reading rollout_complete(Host& host, const Arguments& arguments);  // [target]: bool
Reading restarts(Host& host, const Arguments& arguments);          // [workload]: int, or absent
Reading oom_kills(Host& host, const Arguments& arguments);         // [workload]: int, or absent

// workloads.cpp
Reading configuration_of(Host& host, const Arguments& arguments);    // [workload]: digest, or absent
Reading seen_configuration(Host& host, const Arguments& arguments);  // [workload]: string, or absent
Reading image_of(Host& host,
                 const Arguments& arguments);  // [workload, container or absent]: string, or absent
Reading container_of(Host& host,
                     const Arguments& arguments);  // [workload, container or absent]: string, or absent
Reading autoscaler_of(Host& host, const Arguments& arguments);  // [workload]: string, or absent

// nodes.cpp
Reading node_count_ready(Host& host, const Arguments& arguments);  // []: int
Reading capacity_for(Host& host, const Arguments& arguments);      // [n, workload]: bool

// objects.cpp
Reading objects_of_manifest(Host& host, const Arguments& arguments);  // [path]: list of handles
Reading object_live(Host& host, const Arguments& arguments);          // [path, handle]: json, or absent
Reading object_wanted(Host& host, const Arguments& arguments);        // [path, handle]: json
Answer object_apply(Host& host, const Arguments& arguments);          // [path, handle]
std::string preview_object_apply(Host& host, const Arguments& arguments);

// settled.cpp
Reading object_settled(Host& host, const Arguments& arguments);  // [path, handle]: bool

// restore.cpp
Answer object_restore(Host& host,
                      const Arguments& arguments);  // [handle, prior or absent, applied or absent]
std::string preview_object_restore(Host& host, const Arguments& arguments);

// http.cpp
Reading http_status(Host& host, const Arguments& arguments);  // [url, from inside, times]: int
Reading http_json(Host& host, const Arguments& arguments);    // [url, pointer]: json, or absent

// notify.cpp
Answer notify(Host& host, const Arguments& arguments);  // [channel, text]
std::string preview_notify(Host& host, const Arguments& arguments);

// terraform.cpp
Reading terraform_counts(Host& host, const Arguments& arguments);   // [plan]: json
Reading expect_plan(Host& host, const Arguments& arguments);        // [plan, adds, changes, destroys]: bool
Reading plan_touches_only(Host& host, const Arguments& arguments);  // [plan, addresses]: bool

Reading terraform_state(Host& host, const Arguments& arguments);   // [pointer]: json, or absent
Reading terraform_output(Host& host, const Arguments& arguments);  // [name]: json, or absent

// registry.cpp
Reading image_digest(Host& host, const Arguments& arguments);   // [image]: string, or absent
Answer registry_retag(Host& host, const Arguments& arguments);  // [image, digest]
std::string preview_registry_retag(Host& host, const Arguments& arguments);

// gates.cpp
Reading window(Host& host, const Arguments& arguments);    // ["sat 02:00-04:00 Europe/Berlin"]: bool
Reading approval(Host& host, const Arguments& arguments);  // [count, people]: unknown

// files.cpp
Reading folder_digest(Host& host, const Arguments& arguments);  // [folder]: digest of its configuration files
Reading fresh_file(Host& host, const Arguments& arguments);  // [folder, name]: a path that does not exist yet
Reading tfvars(Host& host, const Arguments& arguments);      // [folder, var-file]: its text
Reading tfvars_with(Host& host,
                    const Arguments& arguments);  // [folder, var-file, name, value]: its text with that
Answer write_tfvars(Host& host, const Arguments& arguments);  // [folder, var-file, text]
std::string preview_write_tfvars(Host& host, const Arguments& arguments);

// program.cpp
Reading script_succeeds(Host& host, const Arguments& arguments);  // [path, arguments]: bool

}  // namespace migc::runtime
