#include "compiler/checks/affected.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>

#include <nlohmann/json.hpp>

namespace migc::checks {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> layers_in_order = {"infrastructure", "cluster", "images", "files",
                                                             "elsewhere"};

std::string layer_of(const ResourceKey& thing) {
    if (thing == "terraform" || thing.starts_with("node/")) return "infrastructure";
    if (thing.starts_with("image ")) return "images";
    if (thing.starts_with("file ")) return "files";
    return thing.find('/') != std::string::npos && thing.find(' ') == std::string::npos ? "cluster"
                                                                                        : "elsewhere";
}

bool is_of_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
}

// Whether a text has the name as a word of its own.
bool names(const std::string& text, const std::string& name) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        const std::size_t end = at + name.size();
        if ((at == 0 || !is_of_name(text[at - 1])) && (end == text.size() || !is_of_name(text[end])))
            return true;
    }
    return false;
}

bool names_within(const json& part, const std::string& name) {
    if (part.is_string()) return names(part.get_ref<const std::string&>(), name);
    return part.is_structured() && std::any_of(part.begin(), part.end(),
                                               [&](const json& inner) { return names_within(inner, name); });
}

class Readers {
  public:
    explicit Readers(const CheckContext& picture) : picture_(picture) {}

    std::set<std::string> of(const ResourceKey& thing) const {
        if (thing.starts_with("configmap/") || thing.starts_with("secret/")) return pods_that_read(thing);
        if (thing.starts_with("service/")) return users_of(thing.substr(8));
        if (thing.starts_with("persistentvolumeclaim/")) return mounting(thing.substr(22));
        if (thing.starts_with("file ")) return declared_in(thing.substr(5));
        return selecting(thing);
    }

  private:
    std::set<std::string> pods_that_read(const ResourceKey& thing) const {
        std::set<std::string> found;
        for (const Object* reader : picture_.manifests.readers(thing)) found.insert(reader->thing);
        return found;
    }

    // Whose configuration has the service's name, and the pods that read that configuration.
    std::set<std::string> users_of(const std::string& name) const {
        std::set<std::string> found;
        for (const Object* object : picture_.manifests.mentioning({name})) {
            const json* content =
                value_at(object->json, object->thing.starts_with("configmap/") ? "/data" : "/spec");
            if (object->thing == "service/" + name || content == nullptr || !names_within(*content, name))
                continue;
            found.insert(object->thing);
            found.merge(pods_that_read(object->thing));
        }
        return found;
    }

    std::set<std::string> mounting(const std::string& claim) const {
        std::set<std::string> found;
        for (const Object* object : picture_.manifests.mounting(claim)) found.insert(object->thing);
        return found;
    }

    std::set<std::string> declared_in(const std::string& file) const {
        std::set<std::string> found;
        for (const Object* object : picture_.manifests.of(file)) found.insert(object->thing);
        return found;
    }

    // The services that send requests to a workload's pods.
    std::set<std::string> selecting(const ResourceKey& thing) const {
        std::set<std::string> found;
        for (const Object* workload : picture_.manifests.declaring(thing))
            for (const Object* service : picture_.manifests.services(*workload)) found.insert(service->thing);
        return found;
    }

    const CheckContext& picture_;
};

// As people call it: the infrastructure by its folder, a file and an image by its name.
std::string shown(const ResourceKey& thing, const StageEvents& course) {
    if (thing == "terraform" && course.environment != nullptr && course.environment->terraform)
        return course.environment->terraform->directory;
    for (const std::string_view kind : {"file ", "image "})
        if (thing.starts_with(kind)) return thing.substr(kind.size());
    return thing;
}

}  // namespace

std::vector<Affected> affected(const Input& input) {
    const CheckContext picture(input);
    const Readers readers(picture);
    std::vector<Affected> all;
    std::map<std::string, std::size_t> known;
    for (const StageEvents& course : picture.timeline.courses())
        for (const Event& event : course.forward) {
            if (event.act != EventKind::Change) continue;
            for (const ResourceKey& thing : event.things) {
                if (thing == "file ?" || is_plan(thing)) continue;
                const std::string name = shown(thing, course);
                const auto [entry, is_new] = known.try_emplace(name, all.size());
                if (is_new) all.push_back({layer_of(thing), name, {}, readers.of(thing)});
                auto& environments = all[entry->second].environments;
                if (environments.empty() || environments.back() != course.stage->environment)
                    environments.push_back(course.stage->environment);
            }
        }
    const auto rank = [](const Affected& one) {
        return std::find(layers_in_order.begin(), layers_in_order.end(), one.layer) - layers_in_order.begin();
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const Affected& a, const Affected& b) { return rank(a) < rank(b); });
    return all;
}

}  // namespace migc::checks
