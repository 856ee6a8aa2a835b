#include "compiler/checks/affected.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> layers_in_order = {"infrastructure", "cluster", "images", "files",
                                                             "elsewhere"};

std::string layer_of(const ResourceKey& thing) {
    using Of = ResourceKey::Of;
    if (thing.of == Of::Terraform || thing.is("node")) return "infrastructure";
    if (thing.of == Of::Image) return "images";
    if (thing.of == Of::File) return "files";
    return thing.of == Of::Object ? "cluster" : "elsewhere";
}

bool names_within(const json& part, const std::string& name) {
    if (part.is_string()) return has_word(part.get_ref<const std::string&>(), name, "-");
    return part.is_structured() &&
           std::ranges::any_of(part, [&](const json& inner) { return names_within(inner, name); });
}

class Readers {
  public:
    explicit Readers(const CheckContext& picture) : picture_(picture) {}

    std::set<std::string> of(const ResourceKey& thing) const {
        const Manifests& manifests = picture_.manifests;
        if (thing.is_configuration()) return named(manifests.readers(thing));
        if (thing.is("service")) return users_of(thing);
        if (thing.is("persistentvolumeclaim")) return named(manifests.mounting(thing));
        if (thing.of == ResourceKey::Of::File) return named(manifests.of(thing.name()));
        // The services that send requests to a workload's pods.
        std::set<std::string> found;
        for (const Object* workload : manifests.declaring(thing))
            found.merge(named(manifests.services(*workload)));
        return found;
    }

  private:
    static std::set<std::string> named(const Manifests::Objects& objects) {
        std::set<std::string> found;
        for (const Object* object : objects) found.insert(object->thing.text);
        return found;
    }

    // Whose configuration has the service's name, and the pods that read that configuration.
    std::set<std::string> users_of(const ResourceKey& service) const {
        std::set<std::string> found;
        for (const Object* object : picture_.manifests.mentioning({service.name()})) {
            const json& content = field(object->json, object->thing.is("configmap") ? "/data" : "/spec");
            if (object->thing == service || !names_within(content, service.name())) continue;
            found.insert(object->thing.text);
            found.merge(named(picture_.manifests.readers(object->thing)));
        }
        return found;
    }

    const CheckContext& picture_;
};

// As people call it: the infrastructure by its folder, a file and an image by its name.
std::string shown(const ResourceKey& thing, const StageEvents& course) {
    using Of = ResourceKey::Of;
    if (thing.of == Of::Terraform && course.environment != nullptr && course.environment->terraform)
        return course.environment->terraform->directory;
    return thing.of == Of::File || thing.of == Of::Image ? thing.name() : thing.text;
}

}  // namespace

std::vector<Affected> affected(const Input& input) {
    const CheckContext picture(input);
    const Readers readers(picture);
    std::vector<Affected> all;
    std::map<std::string, std::size_t> known;
    for (const StageEvents& course : picture.timeline.courses())
        for (const Event& event : course.forward) {
            if (!event.is_change()) continue;
            for (const ResourceKey& thing : event.things) {
                if (thing == ResourceKey::some_file()) continue;
                const std::string name = shown(thing, course);
                const auto [entry, is_new] = known.try_emplace(name, all.size());
                if (is_new) all.push_back({layer_of(thing), name, {}, readers.of(thing)});
                auto& environments = all[entry->second].environments;
                if (environments.empty() || environments.back() != course.stage->environment)
                    environments.push_back(course.stage->environment);
            }
        }
    const auto rank = [](const Affected& one) {
        return std::ranges::find(layers_in_order, one.layer) - layers_in_order.begin();
    };
    std::ranges::stable_sort(all, [&](const Affected& a, const Affected& b) { return rank(a) < rank(b); });
    return all;
}

}  // namespace migc::checks
