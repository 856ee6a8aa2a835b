// terraform's volumes and the cluster's claims on them are of one size.
#include <cmath>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

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
};

std::vector<Volume> volumes_of(const json& variables) {
    std::vector<Volume> found;
    if (const json& volumes = field(variables, "/volumes"); volumes.is_array())
        for (const json& one : volumes)
            if (const json& size = field(one, "/size"); size.is_number() && !text_of(one, "name").empty())
                found.push_back({text_of(one, "name"), size.get<double>()});
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

constexpr const char* asked_storage = "/spec/resources/requests/storage";

class Sizes : StageCheck {
  public:
    using StageCheck::StageCheck;

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
        if (!event.is_change() || event.conditional) return;
        const auto edits = edits_of(event);
        for (const Edit& edit : edits) note_edit(event, edit);
        if (!edits.empty()) return;
        for (const Effect& effect : event.effects) {
            const bool grows = effect.pointer == asked_storage;
            if (!effect.thing.is("persistentvolumeclaim")) continue;
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
            if (!object->thing.is("persistentvolumeclaim")) continue;
            const json* now = picture_.files.object(*object, course_.moment);
            std::string shown = now != nullptr ? text_field(*now, asked_storage) : "";
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
        const std::string name = claim.object->thing.name();
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
        d.label(picture_.files.span(path_, fmt::format("/volumes/name={}/size", volume.name)),
                volumes_edited_ != nullptr ? "the script changes this" : "the volume");
        d.label(picture_.manifests.span(*claim.object, asked_storage), "the claim");
        d.note(claim.bytes > volume.gigabytes * (1 << 30)
                   ? "the claim would never be bound, or never be grown: there is not so much"
                   : "what is paid for would not be used; state the same size in both");
    }

    const std::string path_ = course_.variables();
    std::map<ResourceKey, const Event*> changes_;
    std::map<ResourceKey, Value> grown_;
    const Event* volumes_edited_ = nullptr;
};

}  // namespace

void volumes(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses())
        if (!course.stage->repeats && !course.variables().empty())
            Sizes(picture, course, diagnostics).check();
}

}  // namespace migc::checks
