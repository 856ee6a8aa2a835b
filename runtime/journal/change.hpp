// What one mutating step did, exactly as the journal has it: an undo in this process and one in another read
// the same record.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ir/value.hpp"
#include "compiler/semantics/step_id.hpp"

namespace migc::runtime::inline journal {

using semantics::StepId;

enum class ChangeState { Begun, Done, Already, Failed, InDoubt };

// Whether what a step was to bring about, and is there, is its own work.
enum class Ownership {
    Ours,      // its command was accepted, or the thing itself says who wrote it
    NotOurs,   // its command was refused: whatever is there, somebody else made it
    Unproved,  // the command reported a failure or its answer was lost, and nothing tells who it was
};

struct Change {
    StepId step;
    std::string stage;
    std::string text;       // "scale webapi to 4"
    std::string verb;       // its signature
    bool own_undo = false;  // the caller brought the inverse
    nlohmann::json arguments = nlohmann::json::object();
    nlohmann::json captures = nlohmann::json::object();
    nlohmann::json scope = nlohmann::json::object();  // what the caller's inverse can see
    // By the phrase of the effect's probe: "replicas of webapi".
    std::map<std::string, Value> before;
    std::map<std::string, Value> declared;  // not there for `becomes different`
    std::map<std::string, Value> observed;
    // Likewise: which thing it was that the step changed or made, where its server tells.
    std::map<std::string, std::string> identities;
    // What its thing's revision was then, and when, if the command did not write under the run's own name.
    std::map<std::string, std::string> revisions;
    List workloads;  // the workloads that the effects are about
    ChangeState state = ChangeState::Begun;
    Ownership ownership = Ownership::Ours;
    bool accepted = false;       // it failed though its tool said that all went well
    bool superseded = false;     // a later step of this run changed the same thing
    bool acted = true;           // false: it failed before anything was begun
    bool resolved = false;       // a person said how it went
    bool undone = false;         // its inverse has run, or there was nothing to undo
    bool undo_in_doubt = false;  // nobody knows how its inverse went
    // Of an inverse that was cut off, by the ids of its calls: the intents without an outcome, and what is
    // done.
    std::map<StepId, nlohmann::json> open_parts;
    std::set<StepId> finished_parts;

    // From the bodies of Intent and Outcome.
    static Change from_intent(const nlohmann::json& body);
    void conclude(const nlohmann::json& outcome);
    // What a person says about a step in doubt.
    void resolve(bool done);
    // Whether nobody knows how it went.
    [[nodiscard]] bool open() const {
        return !undone && (state == ChangeState::Begun || state == ChangeState::InDoubt);
    }
    // Whether an undo has to look at it.
    [[nodiscard]] bool to_undo() const;
    [[nodiscard]] bool inverse_begun() const { return !open_parts.empty() || !finished_parts.empty(); }
    // Whether, as far as is known, what it changed is still there.
    [[nodiscard]] bool stands() const;
};

// "ours", "not-ours", "unproved", as the journal has it; what it does not know is ours.
std::string shown_ownership(Ownership ownership);
Ownership parse_ownership(const std::string& text);

// The value of that key, or null.
template <class Key>
const Value* find_value(const std::map<Key, Value>& values, const Key& key) {
    const auto found = values.find(key);
    return found == values.end() ? nullptr : &found->second;
}

// {"replicas of webapi": 2} with each value as `to_json` writes it; and back.
nlohmann::json values_to_json(const std::map<std::string, Value>& values);
std::map<std::string, Value> values_from_json(const nlohmann::json& json);

}  // namespace migc::runtime::inline journal
