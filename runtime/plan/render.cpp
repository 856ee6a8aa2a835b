#include <fmt/format.h>

#include "compiler/source/json_text.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/plan/words.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

void line(std::string& out, std::string_view label, const std::string& text) {
    if (!text.empty()) out += fmt::format("      {:<9} {}\n", label, text);
}

// Of an object only the fields that change.
void render_effect(std::string& out, const json& effect) {
    if (!effect.contains("fields"))
        return line(out, "changes",
                    changed(text_of(effect, "probe"), text_of(effect, "before"), text_of(effect, "after")));
    line(out, "changes", text_of(effect, "probe") + (effect["fields"].empty() ? ": nothing" : ":"));
    const auto shown = [](const json& value) {
        return value.is_null() ? std::string("absent") : value.dump();
    };
    for (const auto& [field, values] : effect["fields"].items())
        line(out, "", changed(field, shown(values[0]), shown(values[1])));
}

void render_step(std::string& out, const json& step) {
    const std::string id = text_of(step, "step");
    const bool already = step.value("already", false);
    out += fmt::format("  {} {}{}\n", id.substr(id.find('/') + 1), text_of(step, "text"),
                       already ? "  (holds already)" : "");
    line(out, "when", text_of(step, "when"));
    line(out, "unknown", text_of(step, "known"));
    for (const json& need : step.value("needs", json::array())) line(out, "needs", need.get<std::string>());
    for (const json& effect : step.value("effects", json::array())) render_effect(out, effect);
    line(out, "runs", text_of(step, "command"));
    const json captures = step.value("captures", json::object());
    for (const auto& [name, value] : captures.items())
        line(out, "captures", fmt::format("{} = {}", name, value.get<std::string>()));
    line(out, "undo", text_of(step, "undo"));
    for (const json& kept : step.value("kept", json::array())) line(out, "kept", kept.get<std::string>());
    line(out, "limit", text_of(step, "limit"));
    for (const json& problem : step.at("problems")) line(out, "PROBLEM", problem.get<std::string>());
}

void render_stage(std::string& out, const json& stage) {
    const std::string context = text_of(stage, "context");
    out += fmt::format("\nstage {} in {}", text_of(stage, "stage"), text_of(stage, "environment"));
    if (!context.empty())
        out += fmt::format(" (context {}, namespace {})", context, text_of(stage, "namespace"));
    out += '\n';
    for (const json& gate : stage.at("gates"))
        out += fmt::format("  {}: {}\n", text_of(gate, "text"), gate_in_words(gate));
    for (const json& step : stage.at("steps")) render_step(out, step);
    out += fmt::format("  on failure: {}\n", text_of(stage, "on_failure"));
    out += "  time: " + times_in_words(stage.at("times")) + "\n";
    for (const json& window : stage.at("times").value("windows", json::array()))
        out += fmt::format("  {}\n", window_in_words(window));
    if (const std::string step = text_of(stage.at("times"), "no_return"); !step.empty())
        out += fmt::format("  point of no return: {}\n", step);
}

}  // namespace

std::string render_plan(const json& plan) {
    const std::string title = text_of(plan, "title");
    std::string out = fmt::format("plan{} ({} world, nothing is changed)\n",
                                  title.empty() ? "" : ": " + title, text_of(plan, "mode"));
    if (const std::string why = text_of(plan, "emergency"); !why.empty())
        out += fmt::format(
            "\n  !!! EMERGENCY: {} !!!\n  Its gates and freezes are waived; its undo is not.\n\n", why);
    out += fmt::format("  change digest {}\n  run digest    {}\n", text_of(plan.at("digests"), "change"),
                       text_of(plan.at("digests"), "run"));
    for (const json& let : plan.at("lets"))
        out += fmt::format("  let {} = {}\n", text_of(let, "name"), text_of(let, "value"));
    for (const json& problem : plan.at("problems"))
        out += fmt::format("  PROBLEM {}\n", problem.get<std::string>());
    for (const json& open : plan.value("open", json::array()))
        out += fmt::format("  unknown {}\n", open.get<std::string>());
    for (const json& stage : plan.at("stages")) render_stage(out, stage);
    return out;
}

}  // namespace migc::runtime
