// What the files of the simulated kubectl share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

// One call: where it goes and what it was told.
struct KubectlCall {
    Simulation& world;
    Cluster& cluster;
    std::string name_space;
    Arguments arguments;  // words: without the verb
    std::string verb;
    std::string input;
};

// A named resource of a command line.
struct Target {
    const Kind* kind = nullptr;
    ObjectKey key;
    std::string version = {};  // in which it is to be shown; empty: the kind's own

    [[nodiscard]] std::string shown() const { return kind->singular() + "/" + key.name; }
};

// "deployment/web", or "deployment" "web ..."; the error is kubectl's answer.
tl::expected<std::vector<Target>, Answer> targets_of(const KubectlCall& call,
                                                     const std::vector<std::string>& words);
// Exactly one, and it must exist.
tl::expected<Target, Answer> existing_target(const KubectlCall& call, const std::vector<std::string>& words);
Answer not_found(const Kind& kind, const std::string& name);
Answer unknown_type(const std::string& word);
// With its managed fields where they are asked for, as kubectl leaves them out.
Object as_shown(const KubectlCall& call, const Object& object);
// With its managed fields in any case.
Object with_managers(const KubectlCall& call, const Object& object);
// The object as `-o` wants it; `otherwise` if there is no `-o`.
Answer shown_object(const KubectlCall& call, const Object& object, const std::string& otherwise);
// The same of one that is as it is to be shown.
Answer shown_as(const KubectlCall& call, const Object& object, const std::string& otherwise);

Answer kubectl_get(KubectlCall& call);
Answer kubectl_top(KubectlCall& call);
Answer kubectl_can_i(KubectlCall& call);
Answer kubectl_scale(KubectlCall& call);
Answer kubectl_rollout(KubectlCall& call);
Answer kubectl_set(KubectlCall& call);
Answer kubectl_apply(KubectlCall& call);
Answer kubectl_create(KubectlCall& call);
Answer kubectl_replace(KubectlCall& call);
Answer kubectl_create_job(KubectlCall& call);
Answer kubectl_patch(KubectlCall& call);
Answer kubectl_delete(KubectlCall& call);
Answer kubectl_cordon(KubectlCall& call);
Answer kubectl_uncordon(KubectlCall& call);
Answer kubectl_drain(KubectlCall& call);
Answer kubectl_run(KubectlCall& call);
Answer kubectl_wait(KubectlCall& call);
Answer kubectl_exec(KubectlCall& call);
Answer kubectl_logs(KubectlCall& call);

// The one that the command line names; its type may be missing, where it is the usual one.
tl::expected<Target, Answer> target_typed(const KubectlCall& call, const char* usual_type);
// The pods behind a target: itself, or those of the workload, the ready ones first.
std::vector<ObjectKey> pods_behind(const KubectlCall& call, const Target& target);
// What the usual programs of an image do to a workload's files: cat, tar, rm, rmdir, df. None for any other
// command.
std::optional<Answer> run_in_container(KubectlCall& call, const Object& pod,
                                       const std::vector<std::string>& words);

// Checks an object as the API server would and stores it; the error is the server's answer.
// `applied` is what server-side apply was given; null for every other verb.
tl::expected<Object, Answer> store(KubectlCall& call, const Kind& kind, Object object,
                                   const Object* applied = nullptr);
// Stores the change and says so, or gives the server's refusal.
Answer stored(KubectlCall& call, const Target& target, Object object, const std::string& said);
// The object of a manifest on standard input (JSON or YAML).
tl::expected<Object, Answer> manifest_of(const KubectlCall& call);
// The field manager as which a command writes.
std::string manager_of(const KubectlCall& call);

}  // namespace migc::runtime::inline world
