#include "compiler/checks/field.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "compiler/ir/compare.hpp"

namespace migc::checks {
namespace {

constexpr std::string_view restarted_at = "/spec/template/metadata/annotations/restartedAt";
constexpr std::string_view count_of_pods = "/spec/replicas";
constexpr std::string_view pod_template = "/spec/template";

// What the functions of migc itself read.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> fields = {{
    {"image-of", "/spec/template/spec/containers/*/image"},
    {"replicas-of", count_of_pods},
    {"claim-size-asked", "/spec/resources/requests/storage"},
    {"template-of", pod_template},
    {"seen-configuration", restarted_at},
    {"definition-of", ""},
    {"identity-of", ""},
    {"object-live", ""},
    {"file-digest", ""},
    {"private-digest", ""},
    {"selection-like", "/spec/selector"},
    {"selector-of-service", "/spec/selector"},
    {"node-schedulable", "/spec/unschedulable"},
    {"autoscaling-of", "#autoscaling"},
}};

bool is_index(std::string_view token) {
    return token == "-" || token.find('=') != std::string_view::npos ||
           (!token.empty() && token.find_first_not_of("0123456789") == std::string_view::npos);
}

// Elements of lists are not told apart.
std::string without_indices(std::string_view pointer) {
    std::string result;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const std::string_view token = pointer.substr(0, pointer.find('/'));
        result += '/';
        result += is_index(token) ? "*" : token;
        pointer.remove_prefix(token.size());
    }
    return result;
}

const std::string* text_of_argument(const std::vector<std::optional<Value>>& arguments, std::size_t at) {
    return at < arguments.size() && arguments[at] ? arguments[at]->get_if<std::string>() : nullptr;
}

// Whether one pointer leads to what the other does, or to what holds it.
bool holds(std::string_view outer, std::string_view inner) {
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

bool touch(std::string_view a, std::string_view b) {
    return holds(a, b) || holds(b, a);
}

}  // namespace

std::optional<std::string> field_of(const ir::Probe& probe,
                                    const std::vector<std::optional<Value>>& arguments) {
    if (!probe.read) return std::nullopt;
    const auto& read = *probe.read;
    if (read.native == "live-value" || read.native == "file-value") {
        const std::string* pointer = text_of_argument(arguments, 1);
        if (pointer == nullptr || !pointer->starts_with('/')) return std::nullopt;
        return without_indices(*pointer);
    }
    for (const auto& [native, pointer] : fields)
        if (read.native == native) return std::string(pointer);
    const bool is_field = read.tool == "kubectl" && read.pointer && probe.parameters.size() == 1 &&
                          read.pointer->kind == ir::ExprKind::Literal;
    const auto* pointer = is_field ? read.pointer->value.get_if<std::string>() : nullptr;
    return pointer != nullptr ? std::optional(*pointer) : std::nullopt;
}

bool is_restart(const Effect& effect) {
    return effect.pointer && holds(restarted_at, *effect.pointer);
}

std::optional<Count> count_of(const Effect& effect) {
    if (!effect.pointer || *effect.pointer != count_of_pods || effect.thing.empty()) return std::nullopt;
    Count count{effect.thing, std::nullopt};
    const auto amount = effect.value ? amount_of(*effect.value) : std::nullopt;
    if (amount) count.number = static_cast<std::int64_t>(amount->value);
    return count;
}

bool starts_pods_anew(const Effect& effect) {
    if (!effect.pointer) return false;
    const auto count = count_of(effect);
    return (count && count->number == 0) || touch(*effect.pointer, pod_template);
}

bool same_variable(const Effect& a, const Effect& b) {
    if (a.exact && b.exact && a.name == b.name) return true;
    return !a.thing.empty() && a.thing == b.thing && a.pointer && b.pointer && *a.pointer == *b.pointer &&
           a.pointer->find('*') == std::string::npos;
}

bool may_restore(const Effect& change, const Effect& back) {
    if (change.name == back.name) return true;
    if (back.thing.empty()) return true;
    if (change.thing != back.thing) return false;
    if (!change.pointer || !back.pointer) return true;
    if (is_restart(back)) return is_restart(change);
    if (is_restart(change)) return touch(*back.pointer, pod_template);
    return touch(*change.pointer, *back.pointer);
}

}  // namespace migc::checks
