// The manifest names the image that the script leaves: otherwise the next apply takes the change back.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/kubernetes/image_name.hpp"
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

// What only a run can tell, or what puts the manifest in order, is not compared.
bool can_be_compared(const std::string& image) {
    return image.find('$') == std::string::npos && !image.empty();
}

// Whether two names are of one image. A name may have a tag, a digest, or both: one of these says enough. By
// a tag and by a digest it is not the same: the tag can be of another image by the time of the next apply.
bool name_the_same(const std::string& a, const std::string& b) {
    if (a == b) return true;
    const auto one = kubernetes::parse_image(a), other = kubernetes::parse_image(b);
    if (!one || !other || one->registry != other->registry || one->repository != other->repository)
        return false;
    if (!one->digest().empty() && one->digest() == other->digest()) return true;
    return !one->tag.empty() && one->tag == other->tag && (one->digest().empty() || other->digest().empty());
}

// `patch object .. at "/spec/template/spec/containers/name=main/image"`.
std::optional<std::size_t> container_at(const Effect& image, const json& object) {
    const std::string* pointer = text_in(image.role, 0);
    const json* found =
        pointer != nullptr ? value_at(object, pointer->substr(0, pointer->rfind('/'))) : nullptr;
    const json& all = containers_of(object);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (&all[i] == found) return i;
    return std::nullopt;
}

// The container that is meant: the one that the probe is asked for behind the workload or that the pointer
// leads to, or the only one.
std::optional<std::size_t> container_of(const Effect& image, const json& object) {
    const json& all = containers_of(object);
    if (is_free_field(image)) return container_at(image, object);
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
        if (!can_be_compared(declared) || !can_be_compared(image) || name_the_same(declared, image)) continue;
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
        // Of several images of one container the last one stays.
        std::map<ResourceKey, std::map<std::string, const Event*>> last;
        for (const Event& event : course.forward) {
            if (!event.is_change() || !leaves_another_image(event)) continue;
            const Effect* image = set_image(event);
            const bool counts =
                image != nullptr && !event.conditional && picture.timeline.is_own(event.inner->span);
            for (const ResourceKey& thing : event.things) {
                auto& of_thing = last[thing];
                if (image == nullptr) of_thing.clear();
                if (image != nullptr) of_thing[image->name] = counts ? &event : nullptr;
            }
        }
        for (const auto& [thing, events] : last)
            for (const auto& [container, event] : events)
                if (event != nullptr) compare(picture, *event, diagnostics);
    }
}

}  // namespace migc::checks
