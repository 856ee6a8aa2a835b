// What a plan saw in the world, compared with what the world holds now.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/plan/words.hpp"

namespace migc::runtime::inline plans {
namespace {

using nlohmann::json;

std::string briefly(const std::string& text) {
    return escaped(printable(text, 80));
}

std::string briefly(const json& value) {
    if (value.is_null()) return "nothing";
    return briefly(value.is_string() ? value.get<std::string>()
                                     : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

template <typename T>
std::string drifted(const std::string& what, const T& was, const T& is) {
    return fmt::format("{} is {}, the plan was made when it was {}", what, briefly(is), briefly(was));
}

// The first of a name; null if there is none.
template <typename T>
const T* with(const std::vector<T>& list, std::string T::*name, const std::string& wanted) {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const T& one) { return one.*name == wanted; });
    return found == list.end() ? nullptr : &*found;
}

// By field: "/spec/replicas is 3, the plan was made when it was 2".
void compare_objects(const std::string& where, const json& before, const json& now,
                     std::vector<std::string>& out) {
    constexpr std::size_t most = 8;
    FieldChanges changes = differences(before, now);
    std::erase_if(changes, [](const auto& change) { return change.second.first == change.second.second; });
    std::size_t count = 0;
    for (const auto& [field, values] : changes)
        if (++count <= most) out.push_back(drifted(where + field, values.first, values.second));
    if (count > most) out.push_back(fmt::format("{}and {} more fields", where, count - most));
}

// What the plan left to the run cannot have drifted.
bool is_left_open(const PlanValue& value) {
    return value.kind == PlanValue::Kind::LeftOpen;
}

void compare_values(const std::string& what, const PlanValue& was, const PlanValue& is,
                    std::vector<std::string>& out) {
    if (was.text != is.text && !is_left_open(was) && !is_left_open(is))
        out.push_back(drifted(what, was.text, is.text));
}

void compare_effects(const std::string& where, const PlanAction& before, const PlanAction& now,
                     std::vector<std::string>& out) {
    for (const PlanEffect& effect : now.effects) {
        const PlanEffect* old = with(before.effects, &PlanEffect::probe, effect.probe);
        if (old == nullptr) continue;
        const std::string what = where + escaped(effect.probe);
        if (!old->was || !effect.was)
            compare_values(what, old->before, effect.before, out);
        else
            compare_objects(what + ": ", *old->was, *effect.was, out);
    }
}

void compare_steps(const std::string& where, const PlanStep& before, const PlanStep& now,
                   std::vector<std::string>& out) {
    const std::size_t known = out.size();
    if (before.action && now.action) compare_effects(where, *before.action, *now.action, out);
    for (const auto& [object, uid] : now.objects)
        if (const auto was = before.objects.find(object); was != before.objects.end() && was->second != uid)
            out.push_back(
                fmt::format("{}{} was made anew: it has the UID {}, the plan was made when it had {}", where,
                            escaped(object), briefly(uid), briefly(was->second)));
    // What is captured is mostly what the effects show, too.
    if (out.size() != known) return;
    for (const auto& [name, is] : now.seen) {
        const auto was = before.seen.find(name);
        const bool both = was != before.seen.end() && !was->second.is_absent() && !is.is_absent();
        if (both && to_json(was->second) != to_json(is))
            out.push_back(drifted(fmt::format("{}`{}` of {}", where, escaped(name), briefly(now.text)),
                                  show(was->second), show(is)));
    }
}

}  // namespace

std::vector<std::string> live_drift(const Plan& before, const Plan& now) {
    std::vector<std::string> out;
    for (const PlanLet& let : now.lets)
        if (const PlanLet* old = with(before.lets, &PlanLet::name, let.name))
            compare_values(escaped(let.name), old->value, let.value, out);
    for (const PlanStage& stage : now.stages) {
        const PlanStage* old_stage = with(before.stages, &PlanStage::name, stage.name);
        if (old_stage == nullptr) continue;
        for (const PlanStep& step : stage.steps)
            if (const PlanStep* old = with(old_stage->steps, &PlanStep::number, step.number))
                compare_steps(briefly(stage.name) + ": ", *old, step, out);
    }
    return out;
}

}  // namespace migc::runtime::inline plans
