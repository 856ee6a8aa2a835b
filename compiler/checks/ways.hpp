// The ways through a stage on which something was done.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "compiler/checks/timeline.hpp"

namespace migc::checks {

class Ways {
  public:
    // It was done whatever way is taken.
    void take_all() { all_ = true; }

    // It was done on this way; whether it was on the other way of the `if`, too.
    bool take(const Branch& branch) {
        ways_.insert({branch.visit, branch.arm});
        if (!branch.parallel()) same_.insert({branch.step->text, branch.arm});
        return ways_.contains({branch.visit, 1 - branch.arm});
    }

    // Whether it was done whenever this way is taken. What has the same condition is done together.
    [[nodiscard]] bool cover(const Branch* branch) const {
        if (all_) return true;
        for (; branch != nullptr; branch = branch->outer)
            if (ways_.contains({branch->visit, branch->arm}) ||
                (!branch->parallel() && same_.contains({branch->step->text, branch->arm})))
                return true;
        return false;
    }

  private:
    bool all_ = false;
    std::set<std::pair<std::size_t, std::size_t>> ways_;  // by visit and arm
    std::set<std::pair<std::string, std::size_t>> same_;  // by condition and arm
};

}  // namespace migc::checks
