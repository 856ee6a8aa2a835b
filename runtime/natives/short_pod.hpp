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

}  // namespace migc::runtime::inline natives
