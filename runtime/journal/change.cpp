#include "runtime/journal/change.hpp"

#include <algorithm>

namespace migc::runtime::inline journal {
namespace {

ChangeState state_after(Outcome outcome) {
    if (outcome == Outcome::Done) return ChangeState::Done;
    if (outcome == Outcome::Already) return ChangeState::Already;
    return outcome == Outcome::Failed ? ChangeState::Failed : ChangeState::InDoubt;
}

}  // namespace

void Change::conclude(const events::StepOutcome& outcome) {
    state = state_after(outcome.result);
    acted = outcome.acted;
    accepted = outcome.accepted;
    ownership = outcome.ownership;
    observed = outcome.observed;
    revisions = outcome.revisions;
    identities.insert(outcome.identities.begin(), outcome.identities.end());
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

}  // namespace migc::runtime::inline journal
