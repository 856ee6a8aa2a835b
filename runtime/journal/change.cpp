#include "runtime/journal/change.hpp"

#include <algorithm>

#include "compiler/semantics/outcome.hpp"

namespace migc::runtime::inline journal {
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

}  // namespace

Change Change::from_intent(const nlohmann::json& body) {
    Change change;
    change.step = semantics::step_in(body);
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

}  // namespace migc::runtime::inline journal
