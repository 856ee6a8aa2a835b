// Evidence: a signed file which says that a stage has passed, for a place that does not share the journal.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/trust/approval.hpp"

namespace migc::trust {

struct Evidence {
    std::string stage;
    std::string environment;
    std::vector<std::string> changes;  // the change digests with which it passed
    std::string mode;                  // live, simulated, replayed
    std::string run;                   // its id
    std::string name;                  // who signs it, as in migc.yaml
    Time passed = 0;
};

std::string evidence_file(const Evidence& evidence, const PrivateKey& key);

// The error says why the file does not count, as a part of a sentence: `approvers` has no key of its signer,
// or another; it was changed.
tl::expected<Evidence, std::string> read_evidence(const std::string& text,
                                                  const std::map<std::string, std::string>& approvers);

}  // namespace migc::trust
