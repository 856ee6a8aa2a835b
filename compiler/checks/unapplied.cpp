// What a script writes into a manifest reaches the cluster only when somebody applies it.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

class Edited : StageCheck {
  public:
    using StageCheck::StageCheck;

    void check() {
        for (const Event& event : course_.forward)
            if (event.is_change()) note(event);
        // A stage that is about files only has somebody else who applies.
        if (anything_ || !is_about_the_cluster()) return;
        for (const auto& [file, event] : edits_)
            if (!reaches_the_cluster(file)) report(file, *event);
    }

  private:
    void note(const Event& event) {
        const auto edits = edits_of(event);
        for (const Edit& edit : edits) edits_[edit.file] = &event;
        if (!edits.empty()) return;
        // A program of one's own may apply, or hand on to what applies.
        anything_ = anything_ || event.effects.empty();
        const bool starts_anew = effect_on(event, ir::Role::Generation) != nullptr;
        auto& things = starts_anew ? restarted_ : changed_;
        things.insert(event.things.begin(), event.things.end());
    }

    [[nodiscard]] bool is_about_the_cluster() const {
        return !restarted_.empty() || std::ranges::any_of(changed_, is_live);
    }

    // By being applied, or because a step does to the object itself what the file says.
    [[nodiscard]] bool reaches_the_cluster(const std::string& file) const {
        const auto& objects = picture_.manifests.of(file);
        return objects.empty() || std::ranges::any_of(objects, [&](const Object* object) {
                   return changed_.contains(object->thing);
               });
    }

    void report(const std::string& file, const Event& event) {
        auto& d = diagnostics_.report(Code::NeverApplied, event.step->span,
                                      fmt::format("`{}` is edited, and the stage never applies it", file));
        d.note(fmt::format(
            "the cluster would stay as it is, and every check of this stage would look at the old state: "
            "add `apply \"{}\";`",
            file));
    }

    std::map<std::string, const Event*> edits_;  // by file: the last one
    std::set<ResourceKey> changed_, restarted_;
    bool anything_ = false;
};

}  // namespace

void unapplied(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses())
        if (!course.stage->repeats) Edited(picture, course, diagnostics).check();
}

}  // namespace migc::checks
