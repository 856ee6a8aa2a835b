// Services lead to pods: their selectors match some, and somebody listens on their ports.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/ir/labels.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;
using Labels = std::map<std::string, std::string>;

// Where the pods of a kind of workload are described; nothing for a kind without pods.
const char* pod_template(const ResourceKey& thing) {
    for (const char* kind : {"deployment/", "statefulset/", "daemonset/", "replicaset/", "job/"})
        if (thing.starts_with(kind)) return "/spec/template";
    if (thing.starts_with("cronjob/")) return "/spec/jobTemplate/spec/template";
    return thing.starts_with("pod/") ? "" : nullptr;
}

// Kinds that make no pods. What any other kind makes, an operator of the cluster knows.
bool makes_no_pods(const ResourceKey& thing) {
    static const std::set<std::string, std::less<>> kinds = {"configmap",
                                                             "secret",
                                                             "service",
                                                             "ingress",
                                                             "networkpolicy",
                                                             "persistentvolumeclaim",
                                                             "namespace",
                                                             "serviceaccount",
                                                             "horizontalpodautoscaler",
                                                             "resourcequota",
                                                             "limitrange",
                                                             "poddisruptionbudget",
                                                             "role",
                                                             "rolebinding",
                                                             "clusterrole",
                                                             "storageclass",
                                                             "priorityclass",
                                                             "clusterrolebinding",
                                                             "ingressclass",
                                                             "endpoints",
                                                             "persistentvolume",
                                                             "customresourcedefinition"};
    return kinds.contains(thing.substr(0, thing.find('/')));
}

Labels labels_at(const json& object, const std::string& pointer) {
    const json::json_pointer place(pointer);
    Labels labels;
    if (!object.contains(place) || !object[place].is_object()) return labels;
    for (const auto& [key, value] : object[place].items())
        labels[key] = value.is_string() ? value.get<std::string>() : value.dump();
    return labels;
}

bool matches(const Labels& selector, const Labels& labels) {
    return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
        const auto given = labels.find(wanted.first);
        return given != labels.end() && given->second == wanted.second;
    });
}

std::string in_words(const Labels& labels) {
    std::string text;
    for (const auto& [key, value] : labels) text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
}

// The pods that the manifests declare, as the script leaves them.
struct Pods {
    const Object* object = nullptr;
    Labels labels;
    const json* spec = nullptr;
};

constexpr std::string_view selector_of_service = "/spec/selector";

class Services {
  public:
    Services(const CheckContext& picture, Diagnostics& diagnostics)
        : picture_(picture), diagnostics_(diagnostics) {}

    void check() {
        for (const StageEvents& course : picture_.timeline.courses()) {
            if (course.stage->repeats) continue;
            for (const Event& event : course.forward) {
                if (event.act != EventKind::Change || event.verb == nullptr) continue;
                if (plays(event, ir::Role::Applies)) applied(event);
                for (const Effect& effect : event.effects)
                    if (is_selection(event, effect)) switched(event, effect);
            }
        }
    }

  private:
    // Read when first asked for: most scripts have nothing to do with services.
    const std::vector<Pods>& pods() { return pods_of(picture_.manifests.all()); }

    // At least those that are selected.
    const std::vector<Pods>& pods(const Labels& selector) {
        std::set<std::string> words;
        for (const auto& [key, value] : selector) words.insert(value);
        return pods_of(picture_.manifests.mentioning(words));
    }

    // The objects are those of the last time, and perhaps more.
    const std::vector<Pods>& pods_of(const Manifests::Objects& objects) {
        for (; seen_ < objects.size(); ++seen_) {
            const Object* object = objects[seen_];
            const char* place = pod_template(object->thing);
            const json* now = picture_.files.object(*object);
            complete_ = complete_ && now != nullptr && (place != nullptr || makes_no_pods(object->thing));
            if (place == nullptr || now == nullptr) continue;
            const json::json_pointer spec(fmt::format("{}/spec", place));
            pods_.push_back({object, labels_at(*now, fmt::format("{}/metadata/labels", place)),
                             now->contains(spec) ? &(*now)[spec] : nullptr});
        }
        return pods_;
    }

    // Whether every pod is one that the manifests declare, as far as they tell.
    bool are_all_known() { return !pods().empty() && complete_; }

    const Object* declared(const ResourceKey& thing) const {
        const auto& all = picture_.manifests.declaring(thing);
        return all.empty() ? nullptr : all.front();
    }

    void applied(const Event& event) {
        for (const ResourceKey& thing : event.things) {
            const Object* object = declared(thing);
            const json* now = object != nullptr ? picture_.files.object(*object) : nullptr;
            if (now == nullptr || !told_.insert(thing).second) continue;
            if (thing.starts_with("service/")) service(event, *object, *now);
            if (thing.starts_with("ingress/")) ingress(event, *object, *now);
            const char* place = pod_template(thing);
            if (place != nullptr) workload(event, *object, *now, place);
        }
    }

    void service(const Event& event, const Object& object, const json& now) {
        const Labels selector = labels_at(now, "/spec/selector");
        if (selector.empty()) return;  // somebody else says where it leads
        std::vector<const Pods*> behind;
        for (const Pods& one : pods(selector))
            if (matches(selector, one.labels)) behind.push_back(&one);
        if (!behind.empty()) return ports(event, object, now, behind);
        if (!are_all_known()) return;
        auto& d = diagnostics_.report(Code::SelectsNothing, event.step->span,
                                      fmt::format("{} selects no pod: {}", object.thing, in_words(selector)));
        d.labels.push_back(
            {picture_.manifests.span(object, "/spec/selector"), "no manifest has pods with these labels"});
        point_to_nearest(d, selector);
        d.notes.emplace_back(
            "every request to it would be refused, while all pods are ready and all steps succeed");
    }

    // A workload with nearly these labels is what was meant.
    void point_to_nearest(Diagnostic& d, const Labels& selector) {
        for (const Pods& one : pods())
            for (const auto& [key, value] : selector)
                if (const auto given = one.labels.find(key);
                    given != one.labels.end() && given->second != value && nearest(value, {given->second})) {
                    d.labels.push_back(
                        {picture_.manifests.span(
                             *one.object, fmt::format("{}/metadata/labels", pod_template(one.object->thing))),
                         fmt::format("the pods of {} have {}={}", one.object->thing, key, given->second)});
                    return;
                }
    }

    // A workload's own selector must match its pods, or the cluster refuses it.
    void workload(const Event& event, const Object& object, const json& now, const char* place) {
        const Labels selector = labels_at(now, "/spec/selector/matchLabels");
        const Labels labels = labels_at(now, fmt::format("{}/metadata/labels", place));
        if (selector.empty() || matches(selector, labels)) return;
        auto& d = diagnostics_.report(
            Code::SelectsNothing, event.step->span,
            fmt::format("{} does not select its own pods: {}", object.thing, in_words(selector)));
        d.labels.push_back({picture_.manifests.span(object, "/spec/selector/matchLabels"), "selects these"});
        if (!labels.empty())
            d.labels.push_back({picture_.manifests.span(object, fmt::format("{}/metadata/labels", place)),
                                "its pods are these"});
        d.notes.emplace_back("the cluster would refuse it in the middle of the window");
    }

    void ports(const Event& event, const Object& object, const json& now,
               const std::vector<const Pods*>& behind) {
        const json::json_pointer place("/spec/ports");
        if (!now.contains(place) || !now[place].is_array()) return;
        for (std::size_t i = 0; i < now[place].size(); ++i) {
            const json& port = now[place][i];
            if (!port.is_object() || (!port.contains("port") && !port.contains("targetPort"))) continue;
            const bool has_target = port.contains("targetPort");
            const json& wanted = has_target ? port["targetPort"] : port["port"];
            const auto deaf = std::find_if(behind.begin(), behind.end(),
                                           [&](const Pods* one) { return !listens(*one, wanted); });
            if (deaf == behind.end()) continue;
            report_port(event, object,
                        fmt::format("/spec/ports/{}/{}", i, has_target ? "targetPort" : "port"), wanted,
                        **deaf);
        }
    }

    void report_port(const Event& event, const Object& object, const std::string& place, const json& wanted,
                     const Pods& pods) {
        const std::string port = wanted.is_string() ? wanted.get<std::string>() : wanted.dump();
        auto& d = diagnostics_.report(
            Code::NobodyListens, event.step->span,
            fmt::format("{} leads to port {}, and nobody listens there", object.thing, port));
        d.labels.push_back({picture_.manifests.span(object, place), "leads there"});
        d.labels.push_back(
            {picture_.manifests.span(
                 *pods.object, fmt::format("{}/spec/containers/0/ports", pod_template(pods.object->thing))),
             fmt::format("the pods of {} have other ports", pods.object->thing)});
        d.notes.emplace_back("requests would be refused although the pods are ready");
    }

    // A name must be that of a port. A number is in doubt where a container does not say all that it listens
    // on.
    static bool listens(const Pods& pods, const json& wanted) {
        const bool has_containers = pods.spec != nullptr && pods.spec->contains("containers") &&
                                    (*pods.spec)["containers"].is_array();
        if (!has_containers) return true;
        bool all_tell = true;
        for (const json& container : (*pods.spec)["containers"]) {
            const bool tells = container.is_object() && container.contains("ports") &&
                               container["ports"].is_array() && !container["ports"].empty();
            all_tell = all_tell && tells;
            if (!tells) continue;
            for (const json& port : container["ports"])
                if (port.is_object() &&
                    (port.value("name", json()) == wanted || port.value("containerPort", json()) == wanted))
                    return true;
        }
        return wanted.is_number() && !all_tell;
    }

    // An ingress names a service and one of its ports.
    void ingress(const Event& event, const Object& object, const json& now) {
        const json::json_pointer rules("/spec/rules");
        if (!now.contains(rules) || !now[rules].is_array()) return;
        for (std::size_t rule = 0; rule < now[rules].size(); ++rule) {
            const json::json_pointer paths("/http/paths");
            const json& one = now[rules][rule];
            if (!one.contains(paths) || !one[paths].is_array()) continue;
            for (std::size_t path = 0; path < one[paths].size(); ++path)
                backend(event, object, one[paths][path],
                        fmt::format("/spec/rules/{}/http/paths/{}/backend/service", rule, path));
        }
    }

    void backend(const Event& event, const Object& object, const json& path, const std::string& place) {
        const std::string name = text_field(path, "/backend/service/name");
        const Object* target = name.empty() ? nullptr : declared("service/" + name);
        const json* service = target != nullptr ? picture_.files.object(*target) : nullptr;
        const json::json_pointer number("/backend/service/port/number"), ports("/spec/ports");
        if (service == nullptr || !path.contains(number) || !service->contains(ports)) return;
        for (const json& port : (*service)[ports])
            if (port.is_object() && port.value("port", json()) == path[number]) return;
        auto& d = diagnostics_.report(Code::NobodyListens, event.step->span,
                                      fmt::format("{} leads to port {} of service/{}, which it does not have",
                                                  object.thing, path[number].dump(), name));
        d.labels.push_back({picture_.manifests.span(object, place + "/port/number"), "leads there"});
        d.labels.push_back({picture_.manifests.span(*target, "/spec/ports"), "the service has these"});
        d.notes.emplace_back(
            "requests from outside would be answered with an error, while everything inside works");
    }

    // `switch service door to "version=gren"`.
    // What a service selects, and may not select again as before: that way back has labels without values.
    static bool is_selection(const Event& event, const Effect& effect) {
        return effect.pointer == selector_of_service && effect.value &&
               way_back(event).kind != ir::UndoKind::None;
    }

    void switched(const Event& event, const Effect& effect) {
        const auto* written = effect.value->get_if<std::string>();
        if (written == nullptr) return;
        if (const auto mistake = mistake_in_labels(*written)) {
            auto& d = diagnostics_.report(Code::TypeMismatch, event.step->span, *mistake);
            d.notes.emplace_back("a label without a value would be taken out of the service's selector");
            return;
        }
        if (effect.thing.empty()) return;
        const Labels labels = parsed(*written);
        const Object* object = declared(effect.thing);
        const json* now = object != nullptr ? picture_.files.object(*object) : nullptr;
        Labels selector = now != nullptr ? labels_at(*now, "/spec/selector") : Labels();
        const Labels before = selector;
        for (const auto& [key, value] : labels) selector[key] = value;
        if (labels.empty() || selector == before || !are_all_known()) return;
        if (std::any_of(pods().begin(), pods().end(),
                        [&](const Pods& one) { return matches(selector, one.labels); }))
            return;
        // Without the service's manifest, only a label that is nearly one of the pods' is surely a mistake.
        const auto close = nearest_label(labels);
        if (now == nullptr && !close) return;
        auto& d = diagnostics_.report(Code::SelectsNothing, event.step->span,
                                      fmt::format("no manifest has pods with {}", in_words(selector)));
        if (object != nullptr)
            d.labels.push_back(
                {picture_.manifests.span(*object, "/spec/selector"), "the service selects by this"});
        if (close)
            d.labels.push_back(
                {picture_.manifests.span(
                     *close->object, fmt::format("{}/metadata/labels", pod_template(close->object->thing))),
                 "did you mean these?"});
        d.notes.emplace_back("the run would refuse it: there must be a ready pod behind the new selector");
    }

    static Labels parsed(const std::string& written) {
        Labels labels;
        for (std::size_t at = 0; at < written.size();) {
            const std::size_t end = std::min(written.find(',', at), written.size());
            const std::string pair = written.substr(at, end - at);
            if (const auto sign = pair.find('='); sign != std::string::npos)
                labels[pair.substr(0, sign)] = pair.substr(sign + 1);
            at = end + 1;
        }
        return labels;
    }

    const Pods* nearest_label(const Labels& labels) {
        for (const Pods& one : pods())
            for (const auto& [key, value] : labels)
                if (const auto given = one.labels.find(key);
                    given != one.labels.end() && given->second != value && nearest(value, {given->second}))
                    return &one;
        return nullptr;
    }

    const CheckContext& picture_;
    Diagnostics& diagnostics_;
    std::vector<Pods> pods_;
    std::size_t seen_ = 0;  // objects that pods_ was made of
    bool complete_ = true;
    std::set<ResourceKey> told_;
};

}  // namespace

void services(const CheckContext& picture, Diagnostics& diagnostics) {
    Services(picture, diagnostics).check();
}

}  // namespace migc::checks
