// The manifests that steps name can be read, as the run and the cluster would read them; so can those on
// which other findings rest.
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

}  // namespace

void manifest_files(const CheckContext& picture, Diagnostics& diagnostics) {
    std::map<std::string, const ir::Step*> used;
    for (const auto& [path, step] : picture.timeline.read_by()) {
        for (const std::string& file : picture.manifests.files_of(path)) used.emplace(file, step);
        declared_twice(picture, path, *step, diagnostics);
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
