// The manifest names the image that the script leaves: otherwise the next apply takes the change back.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

const Effect* set_image(const Event& event) {
    return event.is_change() ? image_of(event) : nullptr;
}

// A restart, or another number of replicas, leaves the image as it is.
bool leaves_another_image(const Event& event) {
    return event.effects.empty() || std::ranges::any_of(event.effects, may_change_image);
}

// A digest can be the manifest's tag, or not: nothing is known of it.
bool can_be_compared(const std::string& image) {
    return image.find('@') == std::string::npos && image.find('$') == std::string::npos && !image.empty();
}

// The container that is meant: the one that the probe is asked for behind the workload, or the only one.
std::optional<std::size_t> container_of(const Effect& image, const json& object) {
    const json& all = containers_of(object);
    const auto named = image.arguments.size() > 1 ? image.arguments[1] : std::optional<Value>(Value());
    if (!named || named->is_absent())
        return named && all.size() == 1 ? std::optional<std::size_t>(0) : std::nullopt;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (text_field(all[i], "/name") == show(*named)) return i;
    return std::nullopt;
}

bool is_one_of_several(const CheckContext& picture, const Object& object) {
    const json* file = picture.files.file(object.file);
    return file != nullptr && file->is_array();
}

// With what the files say in the end, whatever the order of the steps.
void compare(const CheckContext& picture, const Event& event, Diagnostics& diagnostics) {
    const Effect& effect = *set_image(event);
    if (!effect.value || effect.thing.empty()) return;
    const std::string image = show(*effect.value);
    for (const Object* object : picture.manifests.declaring(effect.thing)) {
        const json* now = picture.files.object(*object);
        const auto number = now != nullptr ? container_of(effect, *now) : std::nullopt;
        if (!number) continue;
        const std::string declared = text_field(containers_of(*now)[*number], "/image");
        if (declared == image || !can_be_compared(declared) || !can_be_compared(image)) continue;
        const std::string place = fmt::format("/spec/template/spec/containers/{}/image", *number);
        auto& d = diagnostics.report(Code::ManifestDisagrees, event.step->span,
                                     fmt::format("the manifest of {} names another image", object->thing));
        d.primary_label = "leaves it at " + image;
        const bool is_written = text_field(object->json, place) == declared;
        d.label(picture.manifests.span(*object, place),
                fmt::format("{} {}", is_written ? "says" : "is to say", declared));
        d.note(fmt::format(
            "the next apply of the manifest would take this change back without a word: change the manifest and "
            "`apply` it, or `set value of \"{}\" at \"{}{}\"` too",
            object->file, is_one_of_several(picture, *object) ? fmt::format("/{}", object->document) : "",
            place));
        return;
    }
}

}  // namespace

void images(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses()) {
        if (course.stage->repeats) continue;
        std::map<ResourceKey, const Event*> last;  // of several images the last one stays
        for (const Event& event : course.forward) {
            if (!event.is_change() || !leaves_another_image(event)) continue;
            const bool counts =
                set_image(event) != nullptr && !event.conditional && event.inner == event.step;
            for (const ResourceKey& thing : event.things) last[thing] = counts ? &event : nullptr;
        }
        for (const auto& [thing, event] : last)
            if (event != nullptr) compare(picture, *event, diagnostics);
    }
}

}  // namespace migc::checks
