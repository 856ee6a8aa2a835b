// Services lead to pods: their selectors match some, and somebody listens on their ports.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/ir/labels.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// Kinds that make no pods. What any other kind makes, an operator of the cluster knows.
bool makes_no_pods(const ResourceKey& thing) {
    constexpr std::string_view kinds =
        "configmap secret service ingress networkpolicy persistentvolumeclaim namespace serviceaccount "
        "horizontalpodautoscaler resourcequota limitrange poddisruptionbudget role rolebinding clusterrole "
        "storageclass priorityclass clusterrolebinding ingressclass endpoints persistentvolume "
        "customresourcedefinition";
    return listed(kinds, thing.type());
}

std::string in_words(const Labels& labels) {
    std::string text;
    for (const auto& [key, value] : labels)
        text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
    return text;
}

// The pods that the manifests declare, as the script leaves them.
struct Pods {
    const Object* object = nullptr;
    Labels labels;
    const json* spec = nullptr;  // null in JSON where there is none
};

constexpr std::string_view selector_of_service = "/spec/selector";

class Services : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const StageEvents& course : picture_.timeline.courses()) {
            if (course.stage->repeats) continue;
            for (const Event& event : course.forward) {
                if (!event.is_change()) continue;
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
            const char* place = template_of(object->thing);
            const json* now = picture_.files.object(*object);
            complete_ = complete_ && now != nullptr && (place != nullptr || makes_no_pods(object->thing));
            if (place == nullptr || now == nullptr) continue;
            pods_.push_back({object, labels_at(*now, fmt::format("{}/metadata/labels", place)),
                             &field(*now, fmt::format("{}/spec", place))});
            for (const auto& label : pods_.back().labels) by_label_[label].push_back(pods_.size() - 1);
        }
        return pods_;
    }

    // Those that have all labels of a selector.
    std::vector<const Pods*> selected(const Labels& selector) {
        const std::vector<Pods>& all = pods(selector);
        const std::vector<std::size_t>* fewest = nullptr;
        for (const auto& label : selector) {
            const auto& having = by_label_[label];
            if (fewest == nullptr || having.size() < fewest->size()) fewest = &having;
        }
        std::vector<const Pods*> found;
        if (fewest == nullptr) return found;
        for (const std::size_t i : *fewest)
            if (matches(selector, all[i].labels)) found.push_back(&all[i]);
        return found;
    }

    // Whether every pod is one that the manifests declare, as far as they tell.
    bool are_all_known() { return !pods().empty() && complete_; }

    const Object* declared(const ResourceKey& thing) const {
        const auto& all = picture_.manifests.declaring(thing);
        return all.empty() ? nullptr : all.front();
    }

    void applied(const Event& event) {
        for (const ResourceKey& thing : event.things) {
            const bool is_it = event.object != nullptr && event.object->thing == thing;
            const Object* object = is_it ? event.object : declared(thing);
            const json* now = object != nullptr ? picture_.files.object(*object) : nullptr;
            if (now == nullptr || !told_.emplace(thing, object->file).second) continue;
            if (thing.is("service")) service(event, *object, *now);
            if (thing.is("ingress")) ingress(event, *object, *now);
            const char* place = template_of(thing);
            if (place != nullptr) workload(event, *object, *now, place);
        }
    }

    void service(const Event& event, const Object& object, const json& now) {
        const Labels selector = labels_at(now, "/spec/selector");
        if (selector.empty()) return;  // somebody else says where it leads
        std::vector<const Pods*> behind = selected(selector);
        std::erase_if(behind, [&](const Pods* one) { return !may_be_together(object, *one->object); });
        if (!behind.empty()) return ports(event, object, now, behind);
        if (!are_all_known()) return;
        auto& d = diagnostics_.report(Code::SelectsNothing, event.step->span,
                                      fmt::format("{} selects no pod: {}", object.thing, in_words(selector)));
        d.label(picture_.manifests.span(object, "/spec/selector"), "no manifest has pods with these labels");
        point_to_nearest(d, selector);
        d.note("every request to it would be refused, while all pods are ready and all steps succeed");
    }

    // Objects that say that they are in different namespaces have nothing to do with each other.
    static bool may_be_together(const Object& a, const Object& b) {
        const std::string one = text_field(a.json, "/metadata/namespace");
        const std::string other = text_field(b.json, "/metadata/namespace");
        return one.empty() || other.empty() || one == other;
    }

    // A workload with nearly these labels is what was meant.
    void point_to_nearest(Diagnostic& d, const Labels& selector) {
        if (const auto close = nearest_label(selector))
            d.label(place_of_labels(*close->pods),
                    fmt::format("the pods of {} have {}={}", close->pods->object->thing, close->key,
                                close->pods->labels.at(close->key)));
    }

    // A workload's own selector must match its pods, or the cluster refuses it.
    void workload(const Event& event, const Object& object, const json& now, const char* place) {
        const Labels selector = labels_at(now, "/spec/selector/matchLabels");
        const Labels labels = labels_at(now, fmt::format("{}/metadata/labels", place));
        if (selector.empty() || matches(selector, labels)) return;
        auto& d = diagnostics_.report(
            Code::SelectsNothing, event.step->span,
            fmt::format("{} does not select its own pods: {}", object.thing, in_words(selector)));
        d.label(picture_.manifests.span(object, "/spec/selector/matchLabels"), "selects these");
        if (!labels.empty())
            d.label(picture_.manifests.span(object, fmt::format("{}/metadata/labels", place)),
                    "its pods are these");
        d.note("the cluster would refuse it in the middle of the window");
    }

    void ports(const Event& event, const Object& object, const json& now,
               const std::vector<const Pods*>& behind) {
        const json& ports = field(now, "/spec/ports");
        for (std::size_t i = 0; ports.is_array() && i < ports.size(); ++i) {
            const char* what = ports[i].contains("targetPort") ? "targetPort" : "port";
            if (!ports[i].contains(what)) continue;
            const json& wanted = ports[i][what];
            // Of several workloads of one name, in folders of their own, it is one that is meant.
            const auto* deaf = first_of(behind, [&](const Pods* one) {
                return std::ranges::none_of(behind, [&](const Pods* other) {
                    return other->object->thing == one->object->thing && listens(*other, wanted);
                });
            });
            if (deaf != nullptr)
                report_port(event, object, fmt::format("/spec/ports/{}/{}", i, what), wanted, **deaf);
        }
    }

    void report_port(const Event& event, const Object& object, const std::string& place, const json& wanted,
                     const Pods& pods) {
        const std::string port = plain_text(wanted);
        auto& d = diagnostics_.report(
            Code::NobodyListens, event.step->span,
            fmt::format("{} leads to port {}, and nobody listens there", object.thing, port));
        d.label(picture_.manifests.span(object, place), "leads there");
        d.label(picture_.manifests.span(
                    *pods.object, fmt::format("{}/spec/containers/0/ports", template_of(pods.object->thing))),
                fmt::format("the pods of {} have other ports", pods.object->thing));
        d.note("requests would be refused although the pods are ready");
    }

    // Those of the pod that go on running: an init container that is always restarted stands beside the
    // others.
    static json running_containers(const json& spec) {
        json containers = field(spec, "/containers");
        if (const json& first = field(spec, "/initContainers"); first.is_array())
            for (const json& container : first)
                if (field(container, "/restartPolicy") == "Always") containers.push_back(container);
        return containers;
    }

    // A name must be that of a port. A number is in doubt where a container does not say all that it listens
    // on.
    static bool listens(const Pods& pods, const json& wanted) {
        if (!field(*pods.spec, "/containers").is_array()) return true;
        bool all_tell = true;
        for (const json& container : running_containers(*pods.spec)) {
            const json& ports = field(container, "/ports");
            all_tell = all_tell && ports.is_array() && !ports.empty();
            if (!ports.is_array()) continue;
            for (const json& port : ports)
                if (field(port, "/name") == wanted || field(port, "/containerPort") == wanted) return true;
        }
        return wanted.is_number() && !all_tell;
    }

    // An ingress names a service and one of its ports.
    void ingress(const Event& event, const Object& object, const json& now) {
        const json& rules = field(now, "/spec/rules");
        for (std::size_t rule = 0; rules.is_array() && rule < rules.size(); ++rule) {
            const json& paths = field(rules[rule], "/http/paths");
            for (std::size_t path = 0; paths.is_array() && path < paths.size(); ++path)
                backend(event, object, paths[path],
                        fmt::format("/spec/rules/{}/http/paths/{}/backend/service", rule, path));
        }
    }

    void backend(const Event& event, const Object& object, const json& path, const std::string& place) {
        const std::string name = text_field(path, "/backend/service/name");
        const Object* target = name.empty() ? nullptr : declared(ResourceKey::object("service", name));
        const json* service = target != nullptr ? picture_.files.object(*target) : nullptr;
        const json& number = field(path, "/backend/service/port/number");
        if (service == nullptr || number.is_null() || !value_at(*service, "/spec/ports")) return;
        for (const json& port : field(*service, "/spec/ports"))
            if (field(port, "/port") == number) return;
        auto& d = diagnostics_.report(Code::NobodyListens, event.step->span,
                                      fmt::format("{} leads to port {} of service/{}, which it does not have",
                                                  object.thing, number.dump(), name));
        d.label(picture_.manifests.span(object, place + "/port/number"), "leads there");
        d.label(picture_.manifests.span(*target, "/spec/ports"), "the service has these");
        d.note("requests from outside would be answered with an error, while everything inside works");
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
            d.note("a label without a value would be taken out of the service's selector");
            return;
        }
        if (effect.thing.empty()) return;
        const Labels labels = written_labels(*written);
        const Object* object = declared(effect.thing);
        const json* now = object != nullptr ? picture_.files.object(*object) : nullptr;
        Labels selector = now != nullptr ? labels_at(*now, "/spec/selector") : Labels();
        const Labels before = selector;
        for (const auto& [key, value] : labels) selector[key] = value;
        if (labels.empty() || selector == before || !are_all_known()) return;
        if (std::ranges::any_of(pods(), [&](const Pods& one) { return matches(selector, one.labels); }))
            return;
        // Without the service's manifest, only a label that is nearly one of the pods' is surely a mistake.
        const auto close = nearest_label(labels);
        if (now == nullptr && !close) return;
        auto& d = diagnostics_.report(Code::SelectsNothing, event.step->span,
                                      fmt::format("no manifest has pods with {}", in_words(selector)));
        if (object != nullptr)
            d.label(picture_.manifests.span(*object, "/spec/selector"), "the service selects by this");
        if (close) d.label(place_of_labels(*close->pods), "did you mean these?");
        d.note("the run would refuse it: there must be a ready pod behind the new selector");
    }

    // Pods that nearly have one of the labels, and its key.
    struct Close {
        const Pods* pods = nullptr;
        std::string key;
    };
    std::optional<Close> nearest_label(const Labels& labels) {
        for (const Pods& one : pods())
            for (const auto& [key, value] : labels)
                if (const auto given = one.labels.find(key);
                    given != one.labels.end() && given->second != value && nearest(value, {given->second}))
                    return Close{&one, key};
        return std::nullopt;
    }

    [[nodiscard]] Span place_of_labels(const Pods& pods) const {
        return picture_.manifests.span(*pods.object,
                                       fmt::format("{}/metadata/labels", template_of(pods.object->thing)));
    }

    std::vector<Pods> pods_;
    std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> by_label_;  // places in `pods_`
    std::size_t seen_ = 0;  // objects that pods_ was made of
    bool complete_ = true;
    std::set<std::pair<ResourceKey, std::string>> told_;  // and the file
};

}  // namespace

void services(const CheckContext& picture, Diagnostics& diagnostics) {
    Services(picture, diagnostics).check();
}

}  // namespace migc::checks
