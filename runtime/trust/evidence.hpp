// Evidence: a signed file which says that a stage has passed, for a place that does not share the journal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/trust/approval.hpp"
#include "runtime/trust/place.hpp"

namespace migc::trust {

struct Evidence {
    std::string stage;
    Place place;
    std::vector<std::string> changes;  // the change digests with which it passed
    std::string mode;                  // live, simulated, replayed
    std::string run;                   // its id
    std::string name;                  // who signs it, as in migc.yaml
    Time passed = 0;
    Time expires = 0;  // 0: it has no end
};

std::string evidence_file(const Evidence& evidence, const PrivateKey& key);

// Whose word counts: migc.yaml's approvers and their accounts, but for who runs what the evidence opens.
struct Signers {
    std::map<std::string, std::string> approvers;
    std::map<std::string, std::vector<std::string>> users;
    runtime::Runner runner;
};

// The error says why the file does not count, as a part of a sentence: its signer has no key in migc.yaml, or
// another, or runs it; it was changed; it does not say where the stage passed.
tl::expected<Evidence, std::string> read_evidence(const std::string& text, const Signers& signers);

}  // namespace migc::trust
