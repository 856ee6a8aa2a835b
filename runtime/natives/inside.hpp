// curl inside the cluster: in a short-lived pod of the stage's namespace that is always removed.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// Runs curl once, in a pod of its own, whose name is made from `question`. curl reads all that it is told
// from `config`: what is written in a pod's specification is seen by everybody who may list pods. As long as
// nobody has given the pod this input, nothing was sent: then the answer is NotStarted, with the reason.
Answer curl_inside(Host& host, const std::string& question, const std::string& config);

// A pod in which curl can be run again and again, removed with this object; it ends by itself after
// `seconds`.
class CurlPod {
  public:
    CurlPod(Host& host, const std::string& question, std::int64_t seconds);
    ~CurlPod();
    CurlPod(const CurlPod&) = delete;
    CurlPod& operator=(const CurlPod&) = delete;

    // Why it did not start; empty if it runs.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    Answer run(const std::string& config);
    // Runs curl without asking anything: what a run costs before a request is made.
    Answer start();

  private:
    Host& host_;
    std::string pod_;
    std::string failure_;
};

}  // namespace migc::runtime::inline natives
