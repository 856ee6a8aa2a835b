#include "runtime/engine/change.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/engine/environment.hpp"

namespace migc::runtime {
namespace {

ChangeState state_after(Outcome outcome) {
    if (outcome == Outcome::Done) return ChangeState::Done;
    if (outcome == Outcome::Already) return ChangeState::Already;
    return outcome == Outcome::Failed ? ChangeState::Failed : ChangeState::InDoubt;
}

nlohmann::json member(const nlohmann::json& body, const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_object() ? *found : nlohmann::json::object();
}

// The numbers of an id after its stage, a loop's turn as a negative one.
std::vector<int> places(const std::string& id) {
    std::vector<int> result;
    for (std::size_t at = std::min(id.find('/'), id.size()); at < id.size(); ++at) {
        int number = 0;
        const auto [end, error] = std::from_chars(id.data() + at, id.data() + id.size(), number);
        if (error != std::errc()) continue;
        result.push_back(id[at - 1] == '[' ? -number : number);
        at = static_cast<std::size_t>(end - id.data());
    }
    return result;
}

const ir::Step* nth(const std::vector<ir::Step>& steps, int number) {
    if (number < 1 || static_cast<std::size_t>(number) > steps.size()) return nullptr;
    return &steps[static_cast<std::size_t>(number) - 1];
}

const ir::Step* child(const ir::Program& program, const ir::Step& step, int number) {
    if (step.kind == ir::StepKind::Call)
        return step.verb < program.verbs.size() ? nth(program.verbs[step.verb].steps, number) : nullptr;
    const int body = static_cast<int>(step.body.size());
    return number <= body ? nth(step.body, number) : nth(step.otherwise, number - body);
}

}  // namespace

Change Change::from_intent(const nlohmann::json& body) {
    Change change;
    change.step = body.value("step", "");
    change.stage = body.value("stage", "");
    change.text = body.value("text", "");
    change.verb = body.value("verb", "");
    change.own_undo = body.value("own_undo", false);
    change.arguments = member(body, "arguments");
    change.captures = member(body, "captures");
    change.scope = member(body, "scope");
    change.before = values_from_json(member(body, "before"));
    change.declared = values_from_json(member(body, "declared"));
    change.identities = body.value("identities", change.identities);
    for (const auto& name : body.value("workloads", nlohmann::json::array()))
        if (name.is_string()) change.workloads.emplace_back(ResourceRef{"workload", name.get<std::string>()});
    return change;
}

void Change::conclude(const nlohmann::json& outcome) {
    state = state_after(outcome_in(outcome));
    acted = outcome.value("acted", true);
    accepted = outcome.value("accepted", false);
    ownership = parse_ownership(outcome.value("ownership", ""));
    observed = values_from_json(member(outcome, "observed"));
    revisions = outcome.value("revisions", std::map<std::string, std::string>());
    identities.merge(outcome.value("identities", std::map<std::string, std::string>()));
}

void Change::resolve(bool done) {
    resolved = true;
    acted = done;
    ownership = Ownership::Ours;
    state = done ? ChangeState::Done : ChangeState::Failed;
}

bool Change::to_undo() const {
    return acted && !undone && (state == ChangeState::Done || state == ChangeState::Failed);
}

bool Change::stands() const {
    if (state == ChangeState::Failed && !before.empty()) {
        const auto differs = [this](const auto& read) {
            const auto prior = before.find(read.first);
            return prior == before.end() || !same(prior->second, read.second);
        };
        return to_undo() && std::any_of(observed.begin(), observed.end(), differs);
    }
    return to_undo() || (!undone && (state == ChangeState::Begun || state == ChangeState::InDoubt));
}

std::string shown_ownership(Ownership ownership) {
    if (ownership == Ownership::Ours) return "ours";
    return ownership == Ownership::NotOurs ? "not-ours" : "unproved";
}

Ownership parse_ownership(const std::string& text) {
    if (text == "not-ours") return Ownership::NotOurs;
    return text == "unproved" ? Ownership::Unproved : Ownership::Ours;
}

const Value* find_value(const std::map<std::string, Value>& values, const std::string& phrase) {
    const auto found = values.find(phrase);
    return found == values.end() ? nullptr : &found->second;
}

nlohmann::json values_to_json(const std::map<std::string, Value>& values) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [name, value] : values) json[name] = to_json(value);
    return json;
}

std::map<std::string, Value> values_from_json(const nlohmann::json& json) {
    std::map<std::string, Value> values;
    for (const auto& [name, value] : json.items()) values[name] = from_json(value);
    return values;
}

bool earlier(const std::string& step, const std::string& other) {
    const auto absolute_less = [](int a, int b) { return std::abs(a) < std::abs(b); };
    const auto a = places(step);
    const auto b = places(other);
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), absolute_less);
}

const ir::Step* find_step(const ir::Program& program, const std::string& id) {
    const ir::Stage* stage = program.stage(id.substr(0, id.find('/')));
    if (stage == nullptr) return nullptr;
    const ir::Step* step = nullptr;
    for (const int number : places(id)) {
        if (number < 0) continue;  // which turn of a loop it was does not change the step
        step = step == nullptr ? nth(stage_with_steps(program, *stage).steps, number)
                               : child(program, *step, number);
        if (step == nullptr) return nullptr;
    }
    return step;
}

bool inside(const std::string& step, const std::string& outer) {
    return step.size() > outer.size() && step.starts_with(outer) &&
           (step[outer.size()] == '.' || step[outer.size()] == '[');
}

}  // namespace migc::runtime
