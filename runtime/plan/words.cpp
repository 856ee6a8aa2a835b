#include "runtime/plan/words.hpp"

#include <fmt/format.h>

#include "compiler/support/json_text.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/plan/foreseen.hpp"

namespace migc::runtime::inline plans {
namespace {

using nlohmann::json;

// In whole minutes: what is summed up are limits.
std::string minutes(std::int64_t ms) {
    return shown_duration((ms + 59'999) / 60'000 * 60'000);
}

std::string field_in_words(const json& value) {
    return value.is_null() ? "absent" : value.dump();
}

}  // namespace

std::string changed(const std::string& what, const std::string& before, const std::string& after) {
    return fmt::format("{}: {} \xe2\x86\x92 {}", what, before, after);
}

std::vector<std::string> changes_in_words(const PlanEffect& effect) {
    if (!effect.fields) return {changed(effect.probe, effect.before.text, effect.after.text)};
    std::vector<std::string> lines;
    for (const auto& [field, values] : *effect.fields)
        lines.push_back(changed(field, field_in_words(values.first), field_in_words(values.second)));
    return lines;
}

PlanValue shown_value(const Reading& reading) {
    if (const std::string after = known_after(reading.value); !after.empty())
        return {"(" + after + ")", PlanValue::Kind::LeftOpen};
    if (const auto* no = reading.value.get_if<Unknown>())
        return {"unknown (" + printable(no->reason, 200) + ")"};
    return {printable(show(reading.value), 200),
            reading.value.is_absent() ? PlanValue::Kind::Absent : PlanValue::Kind::Known};
}

PlanValue shown_capture(const Reading& reading) {
    const auto* object = reading.value.get_if<Json>();
    const bool is_long = object != nullptr && (*object)->is_object();
    return is_long ? PlanValue{fmt::format("the object as it is ({} bytes)", (*object)->dump().size())}
                   : shown_value(reading);
}

PlanValue bind_let(const ir::Step& let, const Reading& reading, KeptSecrets* kept, Scope& scope) {
    if (let.value->type.kind == ir::TypeKind::Secret) {
        scope.bind_secret(let.name, reading.value, kept_form(kept, *let.value, scope, reading.value));
        return {"(secret)"};
    }
    scope.bind(let.name, reading.value);
    return shown_value(reading);
}

std::string gate_in_words(const PlanGate& gate) {
    if (gate.open) return "open";
    return gate.known.empty() ? "closed now, " + gate.why : gate.known;
}

std::string times_in_words(const semantics::Times& times) {
    std::string text = fmt::format("at most {} if every limit is reached", minutes(times.steps_ms));
    if (times.soaks_ms > 0) text += fmt::format(", soaks for {}", minutes(times.soaks_ms));
    return fmt::format("{}; its undo at most {}", text, minutes(times.undo_ms));
}

// By the limits, which are seldom reached: a window may be long enough all the same.
std::string window_in_words(const PlanWindow& window) {
    if (window.last_safe_start.empty())
        return fmt::format(
            "last safe start: none; if every limit is reached, steps and undo take longer than the window \"{}\"",
            window.window);
    return fmt::format("last safe start: {}, for the window \"{}\"", window.last_safe_start, window.window);
}

FieldChanges differences(const json& before, const json& after) {
    FieldChanges result;
    const json old_fields = before.flatten(), new_fields = after.flatten();
    for (const auto& [field, value] : old_fields.items()) {
        const json now = new_fields.value(field, json());
        if (now != value) result[field] = {value, now};
    }
    for (const auto& [field, value] : new_fields.items())
        if (!old_fields.contains(field)) result[field] = {nullptr, value};
    return result;
}

}  // namespace migc::runtime::inline plans
