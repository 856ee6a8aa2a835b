// What one mutating step did, exactly as the journal has it: an undo in this process and one in another read
// the same record.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "runtime/journal/event.hpp"

namespace migc::runtime::inline journal {

enum class ChangeState { Begun, Done, Already, Failed, InDoubt };

struct Change : events::Call {
    Values observed;
    // What its thing's revision was then, and when, if the command did not write under the run's own name.
    Texts revisions;
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
    std::map<StepId, events::Call> open_parts;
    std::set<StepId> finished_parts;

    Change() = default;
    explicit Change(events::Call intent) : Call(std::move(intent)) {}
    void conclude(const events::StepOutcome& outcome);
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

// The value of that key, or null.
template <class Key>
const Value* find_value(const std::map<Key, Value>& values, const Key& key) {
    const auto found = values.find(key);
    return found == values.end() ? nullptr : &found->second;
}

}  // namespace migc::runtime::inline journal
