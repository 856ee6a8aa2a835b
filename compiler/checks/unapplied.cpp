// What a script writes into a manifest reaches the cluster only when somebody applies it.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

// What a stage does to the cluster, and what it only writes into files.
struct Done {
    explicit Done(const StageEvents& course) {
        for (const Event& event : course.forward) {
            if (event.is_change()) note(event);
            looks_after = looks_after || (!edits.empty() && looks_at_cluster(event));
        }
    }

    [[nodiscard]] bool is_about_the_cluster() const {
        return !restarted.empty() || std::ranges::any_of(changed, is_live);
    }

    std::map<std::string, const Event*> edits;  // by file: the last one
    std::set<ResourceKey> changed, restarted;
    bool anything = false;     // a program of one's own may apply, or hand on to what applies
    bool looks_after = false;  // it looks at the cluster when it has edited something

  private:
    void note(const Event& event) {
        const auto of_event = edits_of(event);
        for (const Edit& edit : of_event) edits[edit.file] = &event;
        if (!of_event.empty()) return;
        anything = anything || event.effects.empty();
        const bool starts_anew = effect_on(event, ir::Role::Generation) != nullptr;
        auto& things = starts_anew ? restarted : changed;
        things.insert(event.things.begin(), event.things.end());
    }

    static bool looks_at_cluster(const Event& event) {
        return event.is_look() &&
               (event.everything || std::ranges::any_of(event.things, [](const auto& thing) {
                    return thing.of == ResourceKey::Of::Object;
                }));
    }
};

class Edited : ScriptCheck {
  public:
    Edited(const CheckContext& picture, Diagnostics& diagnostics) : ScriptCheck(picture, diagnostics) {
        for (const StageEvents& course : picture.timeline.courses()) {
            if (course.stage->repeats) continue;
            const Done& done = stages_.emplace_back(course);
            all_changed_.insert(done.changed.begin(), done.changed.end());
            anything_ = anything_ || done.anything;
        }
    }

    // A stage that is about files only prepares them for another one, or for somebody else who applies: then
    // there is nothing to look at yet.
    void check() {
        for (const Done& done : stages_) {
            const bool is_for_another = !done.is_about_the_cluster();
            if (is_for_another ? anything_ || !done.looks_after : done.anything) continue;
            for (const auto& [file, event] : done.edits)
                if (!reaches_the_cluster(file, is_for_another ? all_changed_ : done.changed))
                    report(file, *event);
        }
    }

  private:
    // By being applied, or because a step does to the object itself what the file says.
    [[nodiscard]] bool reaches_the_cluster(const std::string& file,
                                           const std::set<ResourceKey>& changed) const {
        const auto& objects = picture_.manifests.of(file);
        return objects.empty() || std::ranges::any_of(objects, [&](const Object* object) {
                   return changed.contains(object->thing);
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

    std::vector<Done> stages_;
    std::set<ResourceKey> all_changed_;
    bool anything_ = false;
};

}  // namespace

void unapplied(const CheckContext& picture, Diagnostics& diagnostics) {
    Edited(picture, diagnostics).check();
}

}  // namespace migc::checks
