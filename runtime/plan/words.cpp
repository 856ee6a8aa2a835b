#include "runtime/plan/words.hpp"

#include <fmt/format.h>

#include "compiler/source/json_text.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/plan/foreseen.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

// In whole minutes: what is summed up are limits.
std::string minutes(std::int64_t ms) {
    return shown_duration((ms + 59'999) / 60'000 * 60'000);
}

}  // namespace

std::string changed(const std::string& what, const std::string& before, const std::string& after) {
    return fmt::format("{}: {} \xe2\x86\x92 {}", what, before, after);
}

std::string shown_value(const Reading& reading) {
    if (const std::string after = known_after(reading.value); !after.empty()) return "(" + after + ")";
    const auto* no = reading.value.get_if<Unknown>();
    return no == nullptr ? printable(show(reading.value), 200)
                         : "unknown (" + printable(no->reason, 200) + ")";
}

std::string shown_capture(const Reading& reading) {
    const auto* object = reading.value.get_if<Json>();
    const bool is_long = object != nullptr && (*object)->is_object();
    return is_long ? fmt::format("the object as it is ({} bytes)", (*object)->dump().size())
                   : shown_value(reading);
}

std::string gate_in_words(const json& gate) {
    if (gate.value("open", false)) return "open";
    const std::string after = text_of(gate, "known");
    return after.empty() ? "closed now, " + text_of(gate, "why") : after;
}

std::string times_in_words(const json& times) {
    const std::int64_t soaks = times.value("soaks_ms", std::int64_t{0});
    std::string text = fmt::format("at most {} if every limit is reached", minutes(times.at("steps_ms")));
    if (soaks > 0) text += fmt::format(", soaks for {}", minutes(soaks));
    return fmt::format("{}; its undo at most {}", text, minutes(times.at("undo_ms")));
}

// By the limits, which are seldom reached: a window may be long enough all the same.
std::string window_in_words(const json& window) {
    const std::string start = text_of(window, "last_safe_start");
    if (start.empty())
        return fmt::format(
            "last safe start: none; if every limit is reached, steps and undo take longer than the window \"{}\"",
            text_of(window, "window"));
    return fmt::format("last safe start: {}, for the window \"{}\"", start, text_of(window, "window"));
}

}  // namespace migc::runtime
