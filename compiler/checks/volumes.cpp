// terraform's volumes and the cluster's claims on them are of one size.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

const json::json_pointer volumes_place("/volumes"), claimed("/spec/resources/requests/storage");

// "qdrant" of the volume "qdrant-data" and of the claim "qdrant-storage".
std::string stem(std::string name) {
    for (const char* ending : {"-data", "-storage", "-volume", "-disk", "-pvc", "-claim", "-pv"})
        if (const std::string end = ending; name.size() > end.size() && name.ends_with(end))
            return name.substr(0, name.size() - end.size());
    return name;
}

struct Volume {
    std::string name;
    double gigabytes = 0;
    std::size_t number = 0;
};

std::vector<Volume> volumes_of(const json& variables) {
    std::vector<Volume> found;
    if (!variables.contains(volumes_place) || !variables[volumes_place].is_array()) return found;
    for (std::size_t i = 0; i < variables[volumes_place].size(); ++i) {
        const json& one = variables[volumes_place][i];
        const std::string name = one.is_object() ? text_field(one, "/name") : "";
        if (!name.empty() && one.contains("size") && one["size"].is_number())
            found.push_back({name, one["size"].get<double>(), i});
    }
    return found;
}

// terraform counts in gigabytes; whether of 10^9 or of 2^30 bytes is the provider's matter.
bool is_size(double bytes, double gigabytes) {
    return std::abs(bytes - gigabytes * (1 << 30)) < 1 || std::abs(bytes - gigabytes * 1e9) < 1;
}

struct Claim {
    const Object* object = nullptr;
    double bytes = 0;
    std::string shown;
    const Event* event = nullptr;  // the last that sets its size
};

constexpr std::string_view asked_storage = "/spec/resources/requests/storage";

class Sizes {
  public:
    Sizes(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics)
        : picture_(picture),
          course_(course),
          diagnostics_(diagnostics),
          path_(course.environment->terraform->directory + "/" + course.environment->terraform->var_file) {}

    void check() {
        const json* variables = picture_.files.file(path_, course_.moment);
        if (variables == nullptr) return;
        const auto volumes = volumes_of(*variables);
        for (const Event& event : course_.forward) note(event);
        for (const Claim& claim : claims()) {
            const Volume* volume = matching(volumes, claim);
            if (volume != nullptr && !is_size(claim.bytes, volume->gigabytes)) differs(*volume, claim);
        }
    }

  private:
    void note(const Event& event) {
        if (event.act != EventKind::Change || event.verb == nullptr || event.conditional) return;
        const auto edits = edits_of(event);
        for (const Edit& edit : edits) note_edit(event, edit);
        if (!edits.empty()) return;
        for (const Effect& effect : event.effects) {
            const bool grows = effect.pointer == asked_storage;
            if (!effect.thing.starts_with("persistentvolumeclaim/")) continue;
            if (!grows && !plays(event, ir::Role::Applies)) continue;
            changes_[effect.thing] = &event;
            if (grows && effect.value) grown_[effect.thing] = *effect.value;
        }
    }

    void note_edit(const Event& event, const Edit& edit) {
        if (edit.file == path_ && edit.pointer.starts_with("/volumes")) volumes_edited_ = &event;
        if (edit.pointer.ends_with("/storage"))
            for (const Object* object : picture_.manifests.of(edit.file)) changes_[object->thing] = &event;
    }

    std::vector<Claim> claims() {
        std::vector<Claim> found;
        if (grown_.empty() && changes_.empty() && volumes_edited_ == nullptr) return found;
        for (const Object* object : picture_.manifests.mentioning({"persistentvolumeclaim"})) {
            if (!object->thing.starts_with("persistentvolumeclaim/")) continue;
            const json* now = picture_.files.object(*object, course_.moment);
            std::string shown = now != nullptr ? text_field(*now, "/spec/resources/requests/storage") : "";
            if (const auto grown = grown_.find(object->thing); grown != grown_.end())
                shown = show(grown->second);
            const auto size = parse_quantity(shown);
            const auto change = changes_.find(object->thing);
            const Event* event = change != changes_.end() ? change->second : volumes_edited_;
            if (size && event != nullptr) found.push_back({object, size->amount, shown, event});
        }
        return found;
    }

    // The one volume that the claim is surely about.
    static const Volume* matching(const std::vector<Volume>& volumes, const Claim& claim) {
        const std::string name = claim.object->thing.substr(claim.object->thing.find('/') + 1);
        const Volume* found = nullptr;
        for (const Volume& volume : volumes) {
            if (volume.name == name) return &volume;
            if (stem(volume.name) != stem(name)) continue;
            if (found != nullptr) return nullptr;
            found = &volume;
        }
        return found;
    }

    void differs(const Volume& volume, const Claim& claim) {
        auto& d =
            diagnostics_.report(Code::SizesDiffer, claim.event->step->span,
                                fmt::format("terraform's volume {} has {:g} GB, and {} asks for {}",
                                            volume.name, volume.gigabytes, claim.object->thing, claim.shown));
        d.labels.push_back({picture_.files.span(path_, fmt::format("/volumes/name={}/size", volume.name)),
                            volumes_edited_ != nullptr ? "the script changes this" : "the volume"});
        d.labels.push_back(
            {picture_.manifests.span(*claim.object, "/spec/resources/requests/storage"), "the claim"});
        d.notes.push_back(claim.bytes > volume.gigabytes * (1 << 30)
                              ? "the claim would never be bound, or never be grown: there is not so much"
                              : "what is paid for would not be used; state the same size in both");
    }

    const CheckContext& picture_;
    const StageEvents& course_;
    Diagnostics& diagnostics_;
    std::string path_;
    std::map<ResourceKey, const Event*> changes_;
    std::map<ResourceKey, Value> grown_;
    const Event* volumes_edited_ = nullptr;
};

}  // namespace

void volumes(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses()) {
        const bool has_variables = course.environment != nullptr && course.environment->terraform &&
                                   !course.environment->terraform->var_file.empty();
        if (!course.stage->repeats && has_variables) Sizes(picture, course, diagnostics).check();
    }
}

}  // namespace migc::checks
