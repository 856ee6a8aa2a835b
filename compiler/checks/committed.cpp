// What a committed script reads is committed, too: others run the script with the files that they have.
#include <filesystem>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/project/git_index.hpp"

namespace migc::checks {
namespace {

using project::Tracking;

// The files that a change of the cluster or of the infrastructure is made from, and the step that reads each
// first.
std::map<std::string, const ir::Step*> inputs(const CheckContext& picture) {
    std::map<std::string, const ir::Step*> found;
    for (const StageEvents& course : picture.timeline.courses()) {
        if (course.stage->repeats) continue;
        for (const Event& event : course.forward) {
            if (event.verb == nullptr) continue;
            const bool applies = plays(event, ir::Role::Applies), runs = plays(event, ir::Role::Runs);
            const auto* path = applies || runs ? text_in(event.role, applies ? 1 : 0) : nullptr;
            if (event.object != nullptr)
                found.emplace(event.object->file, event.step);
            else if (path != nullptr && applies)
                for (const Object* object : picture.manifests.of(*path)) {
                    if (event.things.contains(object->thing)) found.emplace(object->file, event.step);
                }
            if (path != nullptr && runs) found.emplace(*path, event.step);
            if (plays(event, ir::Role::MakesPlan) && !course.variables().empty())
                found.emplace(course.variables(), event.step);
        }
    }
    return found;
}

}  // namespace

void committed(const CheckContext& picture, Diagnostics& diagnostics) {
    if (picture.program.stages.empty()) return;
    const auto needed = inputs(picture);
    if (needed.empty()) return;
    const auto index = project::GitIndex::of(picture.inventory.root);
    if (!index) return;
    // Whoever still writes the script has not committed its files either.
    const std::string& script = picture.sources.file(picture.program.stages.front().span.file).name();
    if (index->tracking(script) != Tracking::Same) return;
    for (const auto& [path, step] : needed) {
        const auto state = index->tracking(picture.inventory.root / path);
        if (!state || *state == Tracking::Same) continue;
        auto& d = diagnostics.report(Code::NotCommitted, step->span,
                                     *state == Tracking::Untracked
                                         ? fmt::format("`{}` is not committed", path)
                                         : fmt::format("`{}` is not committed as it stands", path));
        d.primary_label = "reads it";
        d.note(
            "the script is committed, and whoever else runs it has another file, or none: commit both together");
    }
}

}  // namespace migc::checks
