// The migration plan as Markdown: what a reviewer of a pull request reads.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "compiler/source/json_text.hpp"
#include "compiler/source/outside_text.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/plan/words.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

std::string plain(const std::string& text) {
    return outside_text(text, Sink::Markdown);
}

std::string code(const std::string& text) {
    return outside_text(text, Sink::MarkdownCode);
}

std::string joined(const json& list, const char* separator = ", ") {
    std::string text;
    for (const json& one : list) text += (text.empty() ? "" : separator) + one.get<std::string>();
    return text;
}

void why(std::string& out, const json& plan) {
    const json properties = plan.value("properties", json::object());
    if (properties.empty()) return;
    out += "## Why\n\n";
    for (const auto& [name, value] : properties.items())
        out += fmt::format("- {}: {}\n", plain(name), plain(value.get<std::string>()));
    out += '\n';
}

void problems(std::string& out, const json& plan) {
    if (plan.at("problems").empty()) return;
    out += "## Problems\n\n";
    for (const json& problem : plan.at("problems"))
        out += fmt::format("- **{}**\n", plain(problem.get<std::string>()));
    out += '\n';
}

void affected(std::string& out, const json& plan) {
    const json all = plan.value("affected", json::array());
    if (all.empty()) return;
    out += "## What is affected\n\n| layer | what | where | who reads it |\n| --- | --- | --- | --- |\n";
    for (const json& one : all)
        out +=
            fmt::format("| {} | {} | {} | {} |\n", plain(text_of(one, "layer")), code(text_of(one, "what")),
                        plain(joined(one.at("environments"))), plain(joined(one.at("readers"))));
    out += '\n';
}

void order(std::string& out, const json& plan) {
    out += "## Order\n\n";
    std::size_t number = 0;
    for (const json& stage : plan.at("stages")) {
        out += fmt::format("{}. **{}** in {}", ++number, plain(text_of(stage, "stage")),
                           plain(text_of(stage, "environment")));
        std::string gates;
        for (const json& gate : stage.at("gates"))
            gates += fmt::format(
                "{}{} ({})", gates.empty() ? "" : "; ", code(text_of(gate, "text")),
                gate.value("open", false) ? "open" : "closed now: " + plain(text_of(gate, "why")));
        out += gates.empty() ? "\n" : fmt::format(", when {}\n", gates);
    }
    out += '\n';
}

// With who can go it, where the step keeps a secret for it.
std::string way_back(const json& step) {
    std::string text = plain(text_of(step, "undo"));
    for (const json& kept : step.value("kept", json::array()))
        text += "<br>" + plain(kept.get<std::string>());
    return text;
}

bool is_step(const json& step) {
    return text_of(step, "kind") != "verify" && text_of(step, "kind") != "soak";
}

std::string shown(const json& value) {
    return value.is_null() ? "absent" : value.dump();
}

// Of an object only the fields that change.
std::string effect_in_words(const json& effect) {
    if (!effect.contains("fields"))
        return plain(changed(text_of(effect, "probe"), text_of(effect, "before"), text_of(effect, "after")));
    std::string text;
    for (const auto& [field, values] : effect["fields"].items())
        text += (text.empty() ? "" : "<br>") + plain(changed(field, shown(values[0]), shown(values[1])));
    return text;
}

// The digest of a file says nothing to people where another effect says what is changed in it.
bool is_digest(const std::string& text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string effects(const json& step) {
    if (step.value("already", false)) return "holds already";
    std::string text;
    const json all = step.value("effects", json::array());
    for (const json& effect : all) {
        if (all.size() > 1 && is_digest(text_of(effect, "after"))) continue;
        const std::string told = effect_in_words(effect);
        if (!told.empty()) text += (text.empty() ? "" : "<br>") + told;
    }
    return text;
}

void steps(std::string& out, const json& stage) {
    out +=
        "| step | layer | what is done | what changes | how it is taken back |\n| --- | --- | --- | --- | --- |\n";
    for (const json& step : stage.at("steps")) {
        if (!is_step(step)) continue;
        const std::string id = text_of(step, "step");
        std::string done = code(text_of(step, "text"));
        for (const char* part : {"when", "known"})
            if (const std::string told = text_of(step, part); !told.empty()) done += "<br>" + plain(told);
        for (const json& need : step.value("needs", json::array()))
            done += "<br>needs " + plain(need.get<std::string>());
        for (const json& problem : step.at("problems"))
            done += "<br>**" + plain(problem.get<std::string>()) + "**";
        out += fmt::format("| {} | {} | {} | {} | {} |\n", id.substr(id.find('/') + 1),
                           plain(text_of(step, "layer")), done, effects(step), way_back(step));
    }
    out += '\n';
}

// A soak says its own.
std::string limit(const json& step) {
    return text_of(step, "kind") == "soak" ? "" : fmt::format(" (at most {})", text_of(step, "limit"));
}

void validation(std::string& out, const json& stage) {
    std::string looks;
    for (const json& step : stage.at("steps"))
        if (!is_step(step)) looks += fmt::format("- {}{}\n", code(text_of(step, "text")), limit(step));
    out += "### Validation\n\n" + (looks.empty() ? "Nothing is verified.\n" : looks) + "\n";
}

void rollback(std::string& out, const json& stage) {
    out += fmt::format("### Rollback\n\n- when a step fails: {}\n", code(text_of(stage, "on_failure")));
    for (const json& step : stage.at("steps"))
        if (const std::string undo = text_of(step, "undo"); undo.starts_with("there is no way back"))
            out += fmt::format("- {}: {}\n", code(text_of(step, "text")), plain(undo));
    const std::string no_return = text_of(stage.at("times"), "no_return");
    out += no_return.empty() ? "- everything can be taken back until the end\n\n"
                             : fmt::format("- point of no return: {}\n\n", code(no_return));
}

void times(std::string& out, const json& stage) {
    out += fmt::format("### Times\n\n- {}\n", plain(times_in_words(stage.at("times"))));
    for (const json& window : stage.at("times").value("windows", json::array()))
        out += fmt::format("- {}\n", plain(window_in_words(window)));
    out += '\n';
}

}  // namespace

std::string render_plan_markdown(const json& plan) {
    const std::string title = text_of(plan, "title");
    std::string out = fmt::format("# {}\n\n", title.empty() ? "Migration plan" : plain(title));
    why(out, plan);
    problems(out, plan);
    affected(out, plan);
    order(out, plan);
    for (const json& stage : plan.at("stages")) {
        out += fmt::format("## Stage {}\n\n", plain(text_of(stage, "stage")));
        steps(out, stage);
        validation(out, stage);
        rollback(out, stage);
        times(out, stage);
    }
    out += fmt::format("Made from the {} world by `migc plan --markdown`; nothing was changed.\n",
                       text_of(plan, "mode"));
    return out;
}

}  // namespace migc::runtime
