// Commands in the pods of a workload: which pod, which container, and what a failure says.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

struct PodPlace {
    std::string pod;
    std::string container;
    [[nodiscard]] std::string shown() const { return container + " of pod " + pod; }
};

struct NoPlace {
    std::string why;
    bool permanent = false;  // waiting cannot mend it
};

enum class Choice {
    Any,   // the first pod that is ready: what is asked does not depend on the pod
    Only,  // the workload must have just one pod: each has files of its own
};

// A running pod of a workload, which may also be a pod itself ("pod/store-0"). Without a name the container
// is the one that kubectl would take.
tl::expected<PodPlace, NoPlace> find_place(Host& host, const Value& workload, const std::string& container,
                                           Choice choice);

// kubectl's arguments for a command in a container.
std::vector<std::string> exec_arguments(const PodPlace& place, const std::vector<std::string>& command,
                                        bool with_input = false);

// What went wrong with a command in a container, on one line, with its exit code.
std::string exec_problem(const PodPlace& place, const std::vector<std::string>& command,
                         const Answer& answer);
// Whether the container has no such program: waiting cannot mend that.
bool lacks_program(const Answer& answer);

// As the outcome of an action: well, refused with the problem, or cut off.
Answer exec_outcome(const PodPlace& place, const std::vector<std::string>& command, const Answer& answer);

// The pods of a workload, or the pod itself. An empty optional: there is no such workload.
tl::expected<std::optional<nlohmann::json>, std::string> pods_named(Host& host, const Value& workload);

}  // namespace migc::runtime::inline natives
