// The branches of a `parallel` run at the same time, so they must have nothing in common that they change.
// `migc prove` relies on it.
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

class Meeting {
  public:
    explicit Meeting(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    void note(const Event& event) {
        if (!event.is_change()) return;
        for (const Branch* branch = event.branch; branch != nullptr; branch = branch->outer)
            if (branch->parallel())
                for (const ResourceKey& thing : event.things) compare(event, *branch, thing);
    }

  private:
    struct First {
        const Event* event = nullptr;
        std::size_t arm = 0;
    };

    void compare(const Event& event, const Branch& branch, const ResourceKey& thing) {
        const auto [found, is_new] = first_.try_emplace({branch.visit, thing}, First{&event, branch.arm});
        const First& first = found->second;
        if (is_new || first.arm == branch.arm || !told_.insert({branch.step, thing}).second) return;
        auto& d = diagnostics_.report(Code::BranchesMeet, event.step->span,
                                      fmt::format("two branches of a `parallel` change {}", thing));
        d.primary_label = "at the same time as the other";
        d.label(first.event->step->span, "changes it, too");
        d.note(
            "which of them comes last is chance, and so is what an undo finds; write them one after the other, "
            "outside of the `parallel`");
    }

    Diagnostics& diagnostics_;
    std::map<std::pair<std::size_t, ResourceKey>, First> first_;  // by the `parallel`, as it is come to
    std::set<std::pair<const ir::Step*, ResourceKey>> told_;
};

}  // namespace

void branches(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses()) {
        if (course.stage->repeats) continue;
        Meeting meeting(diagnostics);
        for (const auto* events : {&course.forward, &course.failure})
            for (const Event& event : *events) meeting.note(event);
    }
}

}  // namespace migc::checks
