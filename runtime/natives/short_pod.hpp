// Pods that are started for one command, and always removed.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/natives/rollout.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

struct ShortPod {
    std::string purpose;  // the beginning of its name: "migc-inside"
    std::string image;
    std::vector<std::string> command;
};

// Runs the command in a pod of its own, which has a deadline and no credentials of the cluster, is labelled
// as migc's and is removed however it ends. The answer is the command's own, its exit code 0. The error: the
// pod could not be run, or the command failed; with what is known of the reason.
tl::expected<Answer, PodTrouble> run_short_pod(Host& host, const ShortPod& pod);

// The parts of it, for whoever needs a pod for longer: a name that no pod has, made from a question;
// kubectl's arguments to start a pod that ends after `seconds`, up to its command; the same with the command,
// to which kubectl stays attached; why a pod did not run; its removal.
std::string pod_name(Host& host, const std::string& purpose, const std::string& question);
std::vector<std::string> run_arguments(const std::string& pod, const std::string& image,
                                       std::int64_t seconds);
std::vector<std::string> attached_run(const std::string& pod, const std::string& image, std::int64_t seconds,
                                      const std::vector<std::string>& command);
PodTrouble why_not_run(Host& host, const std::string& pod, const Answer& answer);
void remove_pod(Host& host, const std::string& pod);

}  // namespace migc::runtime::inline natives
