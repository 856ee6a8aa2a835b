// What is requested is there: within a container's own limits, the namespace's quota, and the nodes that
// terraform states.

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

std::optional<double> amount(const json& object, const std::string& pointer) {
    const auto quantity = parse_quantity(plain_text(field(object, pointer)));
    return quantity ? std::optional(quantity->amount) : std::nullopt;
}

bool has_replicas(const ResourceKey& thing) {
    return thing.is("deployment") || thing.is("statefulset");
}

// What a pod requests at least: a limit without a request is one.
double requested(const json& object, const std::string& what) {
    double sum = 0;
    for (const json& container : containers_of(object)) {
        const auto request = amount(container, "/resources/requests/" + what);
        sum += request ? *request : amount(container, "/resources/limits/" + what).value_or(0);
    }
    return sum;
}

std::string shown(const std::string& what, double amount) {
    if (what == "cpu") return fmt::format("{:g} cores", amount);
    return amount >= 1 << 30 ? fmt::format("{:.4g}Gi", amount / (1 << 30))
                             : fmt::format("{:.4g}Mi", amount / (1 << 20));
}

// What a stage leaves of a workload: its manifest, and a number of replicas that may be another one.
struct Deployed {
    const Object* object = nullptr;
    const json* now = nullptr;
    std::optional<std::int64_t> replicas;
    const Event* event = nullptr;  // the last one that sets it
};

class Capacity : StageCheck {
  public:
    using StageCheck::StageCheck;

    void check() {
        for (const Event& event : course_.forward) note(event);
        for (const auto& [thing, used] : used_) above_own_limit(used);
        for (const Object* object : picture_.manifests.mentioning({"resourcequota"}))
            if (object->thing.is("resourcequota")) quota(*object);
        nodes();
    }

  private:
    void note(const Event& event) {
        if (!event.is_change() || event.conditional) return;
        const bool applies = plays(event, ir::Role::Applies);
        const auto count = count_in(event);
        if (!applies && !count) return;
        for (const ResourceKey& thing : event.things)
            for (const Object* object : picture_.manifests.declaring(thing)) {
                const json* now =
                    has_replicas(thing) ? picture_.files.object(*object, course_.moment) : nullptr;
                if (now == nullptr) continue;
                Deployed& used = used_[thing];
                used = {object, now, {}, &event};
                used.replicas = count ? count->number : declared(*now);
            }
    }

    static std::optional<Count> count_in(const Event& event) {
        for (const Effect& effect : event.effects)
            if (auto count = count_of(effect)) return count;
        return std::nullopt;
    }

    static std::optional<std::int64_t> declared(const json& object) {
        const json* stated = value_at(object, "/spec/replicas");
        if (stated == nullptr) return 1;
        return stated->is_number_integer() ? std::optional(stated->get<std::int64_t>()) : std::nullopt;
    }

    Diagnostic& report(const Deployed& used, const std::string& message) {
        return diagnostics_.report(Code::BeyondCapacity, used.event->step->span, message);
    }

    void above_own_limit(const Deployed& used) {
        if (!plays(*used.event, ir::Role::Applies)) return;
        const json& containers = containers_of(*used.now);
        for (std::size_t i = 0; i < containers.size(); ++i)
            for (const std::string what : {"cpu", "memory"}) {
                const std::string place = fmt::format("/spec/template/spec/containers/{}/resources", i);
                const auto request = amount(containers[i], "/resources/requests/" + what);
                const auto limit = amount(containers[i], "/resources/limits/" + what);
                if (!request || !limit || *request <= *limit) continue;
                auto& d = report(
                    used, fmt::format("{} requests more {} than its own limit", used.object->thing, what));
                d.label(picture_.manifests.span(*used.object, fmt::format("{}/requests/{}", place, what)),
                        "requests this");
                d.label(picture_.manifests.span(*used.object, fmt::format("{}/limits/{}", place, what)),
                        "and may use only this");
                d.note("the cluster would refuse it in the middle of the window");
            }
    }

    // The sum of what this stage leaves, of all that is known: the rest comes on top.
    double sum(const std::string& what, const Deployed*& largest) const {
        double total = 0, most = 0;
        for (const auto& [thing, used] : used_) {
            const double needs = static_cast<double>(used.replicas.value_or(0)) * requested(*used.now, what);
            total += needs;
            if (needs > most) largest = &used, most = needs;
        }
        return total;
    }

    [[nodiscard]] bool is_here(const Object& object) const {
        const std::string given = text_field(object.json, "/metadata/namespace");
        return given.empty() || (course_.environment != nullptr && course_.environment->name_space == given);
    }

    void quota(const Object& object) {
        const json* now = picture_.files.object(object, course_.moment);
        if (now == nullptr || !is_here(object)) return;
        for (const std::string what : {"cpu", "memory"}) {
            std::string place = "/spec/hard/requests." + what;
            auto hard = amount(*now, place);
            if (!hard) hard = amount(*now, place = "/spec/hard/" + what);
            if (hard) beyond(what, *hard, picture_.manifests.span(object, place), "the namespace's quota is");
        }
        pods(object, *now);
    }

    void pods(const Object& object, const json& now) {
        const auto hard = amount(now, "/spec/hard/pods");
        std::int64_t count = 0;
        const Deployed* largest = nullptr;
        for (const auto& [thing, used] : used_) {
            count += used.replicas.value_or(0);
            if (largest == nullptr || used.replicas > largest->replicas) largest = &used;
        }
        if (!hard || largest == nullptr || static_cast<double>(count) <= *hard) return;
        auto& d = report(*largest, fmt::format("the stage leaves {} pods, and the namespace's quota is {:g}",
                                               count, *hard));
        d.label(picture_.manifests.span(object, "/spec/hard/pods"), "stated here");
        d.note("the last pods would never start");
    }

    void beyond(const std::string& what, double there, Span stated, const std::string& whose) {
        const Deployed* largest = nullptr;
        const double total = sum(what, largest);
        if (largest == nullptr || total <= there * (1 + 1e-9)) return;
        auto& d = report(*largest, fmt::format("{} of {} are requested, and {} {}", shown(what, total), what,
                                               whose, shown(what, there)));
        d.label(stated, "stated here");
        d.label(picture_.manifests.span(*largest->object, "/spec/template/spec/containers/0/resources"),
                fmt::format("{} times this is most of it", largest->replicas.value_or(0)));
        d.note("the last pods would stay pending, and the rollout would not be complete within its limit");
    }

    // As the provider's variables are called: node_count nodes of cores_count cores and ram_size megabytes.
    void nodes() {
        const std::string path = course_.variables();
        if (path.empty() || used_.empty()) return;
        const json* variables = picture_.files.file(path, course_.moment);
        const auto count = variables != nullptr ? amount(*variables, "/node_count") : std::nullopt;
        if (!count || *count <= 0) return;
        if (const auto cores = amount(*variables, "/cores_count"))
            node("cpu", *count, *cores, picture_.files.span(path, "/cores_count"));
        if (const auto ram = amount(*variables, "/ram_size"))
            node("memory", *count, *ram * (1 << 20), picture_.files.span(path, "/ram_size"));
    }

    void node(const std::string& what, double count, double each, Span stated) {
        for (const auto& [thing, used] : used_) {
            if (used.replicas.value_or(0) <= 0 || requested(*used.now, what) <= each) continue;
            auto& d =
                report(used, fmt::format("a pod of {} requests {} of {}, and a node has {}", thing,
                                         shown(what, requested(*used.now, what)), what, shown(what, each)));
            d.label(stated, "stated here");
            d.label(picture_.manifests.span(*used.object, "/spec/template/spec/containers/0/resources"),
                    "requested here");
            d.note("no node could ever run it");
            return;
        }
        beyond(what, count * each, stated, fmt::format("all {:g} nodes together have", count));
    }

    std::map<ResourceKey, Deployed> used_;
};

}  // namespace

void capacity(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const StageEvents& course : picture.timeline.courses())
        if (!course.stage->repeats) Capacity(picture, course, diagnostics).check();
}

}  // namespace migc::checks
