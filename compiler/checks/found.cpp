#include "compiler/checks/found.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

constexpr std::size_t most_changes = 1'000;  // of one thing that are gone through

bool is_scalar(const json& value) {
    return value.is_string() || value.is_number() || value.is_boolean();
}

// "100Gi" is "102400Mi", and the text "4" is what a ConfigMap says of 4.
bool says_the_same(const json& a, const json& b) {
    if (plain_text(a) == plain_text(b)) return true;
    const auto one = parse_quantity(plain_text(a)), other = parse_quantity(plain_text(b));
    return one && other && one->amount == other->amount;
}

// What an object has where an effect sets something: of a list of one element, that one's; of a selector, the
// labels that are set.
std::optional<json> value_for(const Effect& effect, const json& object) {
    const std::string* pointer = text_in(effect.role, 0);
    if (pointer == nullptr) return std::nullopt;
    const std::string* written = effect.value ? effect.value->get_if<std::string>() : nullptr;
    const std::size_t star = pointer->find("/*");
    if (star != std::string::npos) {
        const json* list = value_at(object, pointer->substr(0, star));
        if (list == nullptr || !list->is_array() || list->size() != 1) return std::nullopt;
        const json* one = value_at(list->front(), pointer->substr(star + 2));
        return one != nullptr ? std::optional(*one) : std::nullopt;
    }
    const json* there = value_at(object, *pointer);
    if (there == nullptr || !there->is_object() || written == nullptr ||
        written->find('=') == std::string::npos)
        return there != nullptr ? std::optional(*there) : std::nullopt;
    std::string labels;
    for (const auto& [key, value] : written_labels(*written)) {
        if (!there->contains(key)) return std::nullopt;
        labels += fmt::format("{}{}={}", labels.empty() ? "" : ",", key, plain_text((*there)[key]));
    }
    return labels;
}

bool is_on(const Effect& effect, const Effect& back) {
    return effect.thing == back.thing &&
           (!effect.pointer || !back.pointer || share_field(*effect.pointer, *back.pointer));
}

}  // namespace

FoundBefore::FoundBefore(const CheckContext& picture, const StageEvents& course,
                         const std::set<ResourceKey>& earlier)
    : picture_(picture), course_(course), surroundings_(picture, course), earlier_(earlier) {
    for (const Event& event : course.forward)
        if (event.is_change())
            for (const ResourceKey& thing : event.things) changes_[thing].push_back(&event);
}

std::optional<Found> FoundBefore::other_than(const Effect& back, Events::const_iterator begin,
                                             Events::const_iterator end) const {
    if (begin == end || back.thing.empty() || !back.value || !back.pointer || back.pointer->empty())
        return {};
    const json brought = in_json(*back.value);
    const Event* last = last_on(back, &*begin, &*begin + (end - begin));
    const auto left = last != nullptr ? left_by(back, *last) : std::nullopt;
    if (!is_scalar(brought) || !left) return {};
    auto found = back.thing.of == ResourceKey::Of::File ? in_file(back, *begin) : in_cluster(back, begin);
    const bool is_other = found && is_scalar(found->value) && !says_the_same(found->value, *left) &&
                          !says_the_same(found->value, brought);
    return is_other ? found : std::nullopt;
}

std::optional<Found> FoundBefore::in_file(const Effect& back, const Event& first) const {
    const std::string *pointer = text_in(back.role, 0), *file = text_in(back.role, 1);
    if (pointer == nullptr || file == nullptr) return {};
    const Moment before = first.verb != nullptr && first.moment > 0 ? first.moment - 1 : first.moment;
    const json* whole = picture_.files.file(*file, before);
    const json* value = whole != nullptr ? value_at(*whole, *pointer) : nullptr;
    return value == nullptr ? std::nullopt
                            : std::optional(Found{*value, picture_.files.span(*file, *pointer)});
}

std::optional<Found> FoundBefore::in_cluster(const Effect& back, Events::const_iterator begin) const {
    const Event* first = course_.forward.data();
    if (const Event* last = last_on(back, first, &*begin)) {
        // What is taken back by hand, too, may be meant to end at one value together.
        auto left = last->conditional || is_taken_back_by_hand(*last) ? std::nullopt : left_by(back, *last);
        return left ? std::optional(Found{std::move(*left), last->step->span}) : std::nullopt;
    }
    const bool has_another = count_of(back) && !surroundings_.autoscalers(back.thing).empty();
    auto found = earlier_.contains(back.thing) || has_another ? std::nullopt : declared(back);
    return found && is_made(back, found->value) ? std::nullopt : std::move(found);
}

std::optional<Found> FoundBefore::declared(const Effect& back) const {
    std::optional<Found> found;
    for (const Object* object : surroundings_.declaring(back.thing)) {
        auto value = value_for(back, object->json);
        if (!value || (found && found->value != *value)) return {};
        const std::string pointer = text_in(back.role, 0)->substr(0, text_in(back.role, 0)->find("/*"));
        found = Found{std::move(*value), picture_.manifests.span(*object, pointer)};
    }
    return found;
}

// Whether the stage comes to a value: a manifest that says it tells what is to be, and not what was before.
bool FoundBefore::is_made(const Effect& back, const nlohmann::json& value) const {
    const auto found = changes_.find(back.thing);
    return found != changes_.end() && std::ranges::any_of(found->second, [&](const Event* event) {
               const auto left = left_by(back, *event);
               return left && says_the_same(*left, value);
           });
}

bool FoundBefore::is_taken_back_by_hand(const Event& event) const {
    const auto at = static_cast<std::size_t>(&event - course_.forward.data());
    return std::ranges::any_of(course_.undos,
                               [&](const OwnUndo& own) { return own.begin <= at && at < own.end; });
}

// What an event leaves where an effect is on.
std::optional<json> FoundBefore::left_by(const Effect& back, const Event& event) const {
    if (event.object != nullptr && event.object->thing == back.thing)
        return value_for(back, event.object->json);
    for (const Effect& effect : event.effects)
        if (effect.thing == back.thing && effect.pointer == back.pointer && effect.value)
            return in_json(*effect.value);
    return std::nullopt;
}

// The last event from `begin` to `end` that changes what an effect is on; null if none does, or too many.
const Event* FoundBefore::last_on(const Effect& back, const Event* begin, const Event* end) const {
    const auto found = changes_.find(back.thing);
    if (found == changes_.end() || found->second.size() > most_changes) return nullptr;
    const Event* last = nullptr;
    for (const Event* event : found->second) {
        const bool is_within = !std::less<>()(event, begin) && std::less<>()(event, end);
        if (is_within &&
            std::ranges::any_of(event->effects, [&](const Effect& one) { return is_on(one, back); }))
            last = event;
    }
    return last;
}

}  // namespace migc::checks
