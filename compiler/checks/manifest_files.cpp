// The manifests that steps name can be read, as the run and the cluster would read them; so can those on
// which other findings rest.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

void refused(const CheckContext& picture, const Unusable& unusable, const ir::Step& step,
             Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::BadManifest, picture.manifests.span(unusable.file, unusable.offset),
                                 fmt::format("this manifest cannot be applied: {}", unusable.message));
    d.label(step.span, "this step would fail");
    d.note("the run would stop there, in the middle of the window");
}

// What no step applies may be wrong without harm, but then it is not seen what it declares.
void not_seen(const CheckContext& picture, const Unusable& unusable, Diagnostics& diagnostics) {
    const auto text = picture.manifests.text(unusable.file);
    const bool means_to_be_one = text && text->find("apiVersion") != std::string_view::npos;
    if (!unusable.whole || !means_to_be_one) return;
    auto& d = diagnostics.report(Code::BadManifest, picture.manifests.span(unusable.file, unusable.offset),
                                 fmt::format("this manifest cannot be read: {}", unusable.message));
    d.severity = Severity::Warning;
    if (!picture.program.stages.empty())
        d.label(picture.program.stages.front().span, "checked without what it declares");
    d.note(
        "what it declares cannot be held against this script: a reader of a ConfigMap, an autoscaler, a claim");
}

// Only one of two objects of one name can come to be.
void declared_twice(const CheckContext& picture, const std::string& path, const ir::Step& step,
                    Diagnostics& diagnostics) {
    std::set<std::string> seen;
    for (const Object* object : picture.manifests.of(path)) {
        const std::string name_space = text_field(object->json, "/metadata/namespace");
        if (seen.insert(fmt::format("{} {}", object->thing, name_space)).second) continue;
        auto& d = diagnostics.report(Code::BadManifest, picture.manifests.span(*object, "/metadata/name"),
                                     fmt::format("{} is declared twice in `{}`", object->thing, path));
        d.label(step.span, "this step would fail");
        d.note("only one of both can come to be, and the run would refuse to choose");
    }
}

// Whether a step writes files at or below a path, or some that only a run can name.
bool is_written(const CheckContext& picture, const std::string& path) {
    return std::ranges::any_of(picture.timeline.courses(), [&](const StageEvents& course) {
        return std::ranges::any_of(course.forward, [&](const Event& event) {
            return event.is_change() && std::ranges::any_of(event.things, [&](const ResourceKey& thing) {
                       return thing == ResourceKey::some_file() ||
                              (thing.of == ResourceKey::Of::File && thing.name().starts_with(path));
                   });
        });
    });
}

// `seen`: of its files something is told already.
void empty(const CheckContext& picture, const std::string& path, bool seen, const ir::Step& step,
           Diagnostics& diagnostics) {
    const auto files = picture.manifests.files_of(path);
    const bool is_read = std::ranges::all_of(
        files, [&](const std::string& file) { return picture.manifests.text(file).has_value(); });
    if (seen || !is_read || !picture.manifests.of(path).empty() || is_written(picture, path)) return;
    auto& d = diagnostics.report(Code::BadManifest, step.span, fmt::format("`{}` holds no object", path));
    d.primary_label = "this step would fail";
    d.note("the run would stop there, in the middle of the window");
}

}  // namespace

void manifest_files(const CheckContext& picture, Diagnostics& diagnostics) {
    std::map<std::string, const ir::Step*> used;
    for (const auto& [path, step] : picture.timeline.read_by()) {
        for (const std::string& file : picture.manifests.files_of(path)) used.emplace(file, step);
        declared_twice(picture, path, *step, diagnostics);
        const auto own = picture.manifests.files_of(path);
        const bool seen = std::ranges::any_of(picture.manifests.unusable(), [&](const Unusable& one) {
            return std::ranges::find(own, one.file) != own.end();
        });
        empty(picture, path, seen, *step, diagnostics);
    }
    for (const Unusable& unusable : picture.manifests.unusable()) {
        const auto step = used.find(unusable.file);
        if (step != used.end())
            refused(picture, unusable, *step->second, diagnostics);
        else
            not_seen(picture, unusable, diagnostics);
    }
}

}  // namespace migc::checks
