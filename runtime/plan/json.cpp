// Plans as JSON: the one place that knows its keys.
#include <array>

#include "runtime/plan/foreseen.hpp"
#include "runtime/plan/plan.hpp"

namespace migc::runtime::inline plans {

using nlohmann::json;

namespace {

const char* word(PlanStepKind kind) {
    constexpr std::array words = {"call", "verify", "soak", "let", "if", "for", "statement"};
    return words.at(static_cast<std::size_t>(kind));
}

// What there is nothing of has no key.
template <typename T>
void put(json& out, const char* key, const T& value) {
    if (!value.empty()) out[key] = value;
}

template <typename T>
void put(json& out, const char* key, const std::optional<T>& value) {
    if (value) out[key] = *value;
}

json times_of(const PlanStage& stage) {
    const semantics::Times& times = stage.times;
    json out = {{"steps_ms", times.steps_ms},
                {"soaks_ms", times.soaks_ms},
                {"soaks_between_ms", times.soaks_between_ms},
                {"undo_ms", times.undo_ms},
                {"no_return", times.no_return}};
    for (const PlanWindow& one : stage.windows)
        out["windows"].push_back({{"window", one.window}, {"last_safe_start", one.last_safe_start}});
    return out;
}

}  // namespace

static void to_json(json& out, const PlanValue& value) {
    out = value.text;
}

static void to_json(json& out, const Preview& preview) {
    out = preview.text;
}

static void to_json(json& out, const PlanEffect& effect) {
    out = {{"probe", effect.probe}, {"before", effect.before}, {"after", effect.after}};
    put(out, "fields", effect.fields);
    put(out, "was", effect.was);
}

static void to_json(json& out, const PlanStep& step) {
    out = {{"kind", word(step.kind)}, {"text", step.text}, {"problems", step.problems}};
    put(out, "needs", step.needs);
    put(out, "known", step.known);
    put(out, "when", step.when);
    put(out, "limit", step.limit);
    put(out, "captures", step.captures);
    put(out, "kept", step.kept);
    put(out, "objects", step.objects);
    for (const auto& [name, value] : step.seen) out["seen"][name] = migc::to_json(value);
    if (step.undo) out["undo"] = step.undo->text;
    if (!step.action) return;
    out["command"] = step.action->command;
    out["layer"] = step.action->layer;
    out["effects"] = step.action->effects;
    out["already"] = step.action->already;
    out["undo_commands"] = step.action->undo_commands;
}

static void to_json(json& out, const PlanGate& gate) {
    out = {{"text", gate.text}, {"open", gate.open}, {"why", gate.why}};
    put(out, "known", gate.known);
}

static void to_json(json& out, const PlanStage& stage) {
    out = {{"stage", stage.name},
           {"environment", stage.environment},
           {"context", stage.context},
           {"namespace", stage.name_space},
           {"gates", stage.gates},
           {"steps", stage.steps},
           {"on_failure", stage.on_failure},
           {"times", times_of(stage)}};
    for (std::size_t i = 0; i < stage.steps.size(); ++i)
        out["steps"][i]["step"] = stage.name + "/" + stage.steps[i].number;
}

static void to_json(json& out, const PlanLet& let) {
    out = {{"name", let.name}, {"value", let.value}};
}

void to_json(json& out, const Plan& plan) {
    const PlanDigests& digests = plan.digests;
    out = {{"title", plan.title},
           {"mode", plan.mode},
           {"properties", plan.properties},
           {"digests", {{"change", digests.change}, {"run", digests.run}, {"parts", digests.parts}}},
           {"lets", plan.lets},
           {"problems", plan.problems},
           {"stages", plan.stages}};
    put(out, "emergency", plan.emergency);
    put(out, "open", plan.open);
    if (!plan.affected) return;
    out["affected"] = json::array();
    for (const checks::Affected& one : *plan.affected)
        out["affected"].push_back({{"layer", one.layer},
                                   {"what", one.thing},
                                   {"environments", one.environments},
                                   {"readers", one.readers}});
}

// ------------------------------------------------------------------ and back

static void from_json(const json& saved, PlanValue& value) {
    value.text = saved.get<std::string>();
    const std::string_view text = value.text;
    if (text.starts_with('(') && is_left_open(text.substr(1))) value.kind = PlanValue::Kind::LeftOpen;
}

static void from_json(const json& saved, PlanLet& let) {
    let = {saved.at("name"), saved.at("value")};
}

static void from_json(const json& saved, PlanEffect& effect) {
    effect = {saved.at("probe"), saved.at("before"), {}};
    if (saved.contains("was")) effect.was = saved["was"];
}

static void from_json(const json& saved, PlanStep& step) {
    const std::string id = saved.at("step");
    step.number = id.substr(id.find('/') + 1);
    step.text = saved.at("text");
    if (saved.contains("effects")) step.action.emplace().effects = saved["effects"];
    step.objects = saved.value("objects", step.objects);
    const json seen = saved.value("seen", json());
    for (const auto& [name, value] : seen.items()) step.seen.emplace(name, migc::from_json(value));
}

static void from_json(const json& saved, PlanStage& stage) {
    stage.name = saved.at("stage");
    stage.steps = saved.at("steps");
}

tl::expected<Plan, std::string> saved_plan(const json& saved) {
    try {
        Plan plan;
        plan.lets = saved.value("lets", plan.lets);
        plan.stages = saved.at("stages").get<std::vector<PlanStage>>();
        return plan;
    } catch (const json::exception& problem) {
        return tl::unexpected(std::string(problem.what()));
    }
}

}  // namespace migc::runtime::inline plans
