// kubectl create job --from=cronjob/NAME.
#include <fmt/format.h>

#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {

Answer kubectl_create_job(KubectlCall& call) {
    const auto& words = call.arguments.words;
    const std::string from = call.arguments.value_or("--from", "");
    const std::string prefix = "cronjob/";
    if (words.size() != 2 || !from.starts_with(prefix)) return unmodelled("kubectl create " + joined(words));
    const std::string name = from.substr(prefix.size());
    const Object* source = call.cluster.find({"cronjobs", call.name_space, name});
    if (source == nullptr) return not_found(*call.cluster.kinds.by_plural("cronjobs"), name);
    const ObjectKey key{"jobs", call.name_space, words[1]};
    if (call.cluster.find(key))
        return failed("error: failed to create job: jobs.batch \"{}\" already exists\n", key.name);
    Object job = head_of(call.cluster, key);
    job["metadata"]["annotations"] = {{"cronjob.kubernetes.io/instantiate", "manual"}};
    job["metadata"]["ownerReferences"] = owner_reference(*source);
    job["spec"] = object_at(*source, "/spec/jobTemplate/spec");
    const auto stored = store(call, *call.cluster.kinds.by_plural("jobs"), std::move(job));
    return stored ? shown_object(call, *stored, fmt::format("job.batch/{} created", words[1]))
                  : stored.error();
}

}  // namespace migc::runtime::inline world
