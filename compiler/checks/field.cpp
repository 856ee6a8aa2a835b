#include "compiler/checks/field.hpp"

#include <algorithm>

#include "compiler/ir/compare.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

constexpr std::string_view restarted_at = "/spec/template/metadata/annotations/restartedAt";
constexpr std::string_view count_of_pods = "/spec/replicas";
constexpr std::string_view container_image = "/spec/template/spec/containers/*/image";
constexpr std::string_view pod_template = "/spec/template";

constexpr std::string_view range_of_pods =
    "#autoscaling";  // of another object, and none of the workload's fields

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

}  // namespace

bool share_field(std::string_view a, std::string_view b) {
    return pointer_holds(a, b) || pointer_holds(b, a);
}

bool is_count_of_pods(std::string_view pointer) {
    return pointer == count_of_pods;
}

bool is_autoscaling(const Effect& effect) {
    return effect.pointer == range_of_pods;
}

std::optional<std::string> field_of(const ir::Probe& probe, const std::vector<std::optional<Value>>& role) {
    switch (probe.role.role) {
        case ir::Role::Field:
        case ir::Role::Value: {
            const std::string* pointer = text_in(role, 0);
            if (pointer == nullptr || (!pointer->empty() && !pointer->starts_with('/'))) return std::nullopt;
            return without_indices(*pointer);
        }
        case ir::Role::Generation:
            return std::string(restarted_at);
        case ir::Role::Range:
            return std::string(range_of_pods);
        case ir::Role::Object:
        case ir::Role::Content:
            return "";
        default:
            break;
    }
    if (!probe.read) return std::nullopt;
    const auto& read = *probe.read;
    const bool is_field = read.tool == "kubectl" && read.pointer && probe.parameters.size() == 1;
    const auto* pointer = is_field ? semantics::literal<std::string>(*read.pointer) : nullptr;
    return pointer != nullptr ? std::optional(*pointer) : std::nullopt;
}

bool is_free_field(const Effect& effect) {
    return effect.probe->role.role == ir::Role::Field && effect.probe->type.kind == ir::TypeKind::Json &&
           effect.pointer && !effect.pointer->empty();
}

bool deletes_object(const Event& event) {
    return std::ranges::any_of(event.effects, [](const Effect& effect) {
        return effect.becomes == ir::Becomes::Absent && effect.probe->role.role == ir::Role::Field &&
               effect.pointer == "";
    });
}

std::vector<const Effect*> telling_effects(const Event& change) {
    std::vector<const Effect*> effects;
    for (const Effect& effect : change.effects) {
        const bool whole =
            effect.pointer && effect.pointer->empty() && effect.thing.of == ResourceKey::Of::File;
        const bool has_part = whole && std::ranges::any_of(change.effects, [&](const auto& one) {
                                  return one.thing == effect.thing && one.pointer && !one.pointer->empty();
                              });
        if (!has_part) effects.push_back(&effect);
    }
    return effects;
}

const Effect* image_of(const Event& event) {
    return first_of(event.effects, [](const Effect& effect) { return effect.pointer == container_image; });
}

bool is_image_of_container(const Effect& effect) {
    return effect.pointer && effect.pointer->ends_with("ontainers/*/image");
}

bool may_change_image(const Effect& effect) {
    return !effect.pointer || share_field(*effect.pointer, container_image);
}

bool is_restart(const Effect& effect) {
    return effect.pointer && pointer_holds(restarted_at, *effect.pointer);
}

std::optional<Count> count_of(const Effect& effect) {
    if (!effect.pointer || !is_count_of_pods(*effect.pointer) || effect.thing.empty()) return std::nullopt;
    Count count{effect.thing, std::nullopt};
    const auto amount = effect.value ? amount_of(*effect.value) : std::nullopt;
    if (amount) count.number = static_cast<std::int64_t>(amount->value);
    return count;
}

bool starts_pods_anew(const Effect& effect) {
    if (!effect.pointer) return false;
    const auto count = count_of(effect);
    return (count && count->number == 0) || share_field(*effect.pointer, pod_template);
}

bool same_variable(const Effect& a, const Effect& b) {
    if (a.exact && b.exact && a.name == b.name) return true;
    return !a.thing.empty() && a.thing == b.thing && a.pointer && b.pointer && *a.pointer == *b.pointer &&
           a.pointer->find('*') == std::string::npos;
}

bool may_change(std::string_view changed, std::string_view asked) {
    if (changed == range_of_pods) return asked == range_of_pods || share_field(asked, count_of_pods);
    if (asked == restarted_at) return share_field(changed, pod_template);
    return share_field(changed, asked);
}

bool may_take_all_pods(std::string_view field) {
    return may_change(field, count_of_pods);
}

// `image of api container "api"`, and that of "proxy": one element of a list each, and not the same.
static bool are_two_elements(const Effect& a, const Effect& b) {
    const auto is_named = [](const Effect& effect) {
        return effect.exact && std::ranges::all_of(effect.arguments, [](const auto& argument) {
                   return argument && !argument->is_absent();
               });
    };
    return a.probe == b.probe && a.pointer == b.pointer && a.pointer->find('*') != std::string::npos &&
           is_named(a) && is_named(b) && a.name != b.name;
}

bool may_restore(const Effect& change, const Effect& back) {
    if (change.name == back.name) return true;
    if (back.thing.empty()) return true;
    if (change.thing != back.thing) return false;
    if (!change.pointer || !back.pointer) return true;
    if (are_two_elements(change, back)) return false;
    if (is_restart(back)) return is_restart(change);
    if (is_restart(change)) return share_field(*back.pointer, pod_template);
    return share_field(*change.pointer, *back.pointer);
}

}  // namespace migc::checks
