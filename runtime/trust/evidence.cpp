#include "runtime/trust/evidence.hpp"

#include "compiler/support/escape.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "runtime/trust/runner.hpp"
#include "runtime/trust/statement.hpp"
#include "runtime/trust/times.hpp"

namespace migc::trust {
namespace {

using nlohmann::json;

constexpr const char* evidence_kind = "migc-evidence";

tl::expected<void, std::string> counts(const Statement& statement, const Signers& signers) {
    const std::string signer = text_of(statement.content, "name"), name = escaped(signer);
    const auto listed = signers.approvers.find(signer);
    if (listed == signers.approvers.end()) return failure("migc.yaml has no key of {}", name);
    if (listed->second != show(statement.key))
        return failure("it is signed with another key than that of {} in migc.yaml", name);
    if (!signers.runner.unknown.empty()) return failure(signers.runner.unknown);
    if (is_run_by(signers.runner, signer, signers.approvers, signers.users))
        return failure(
            "{} signed it and runs this, and nobody vouches for oneself: somebody else signs it, or "
            "the run's own journal is used",
            name);
    return {};
}

}  // namespace

std::string evidence_file(const Evidence& evidence, const PrivateKey& key) {
    json content = {{"stage", evidence.stage},
                    {"place", to_json(evidence.place)},
                    {"changes", evidence.changes},
                    {"mode", evidence.mode},
                    {"run", evidence.run},
                    {"name", evidence.name},
                    {"passed", written_time(evidence.passed)}};
    if (evidence.expires != 0) content["expires"] = written_time(evidence.expires);
    return sign(evidence_kind, content, key).dump(1) + "\n";
}

tl::expected<Evidence, std::string> read_evidence(const std::string& text, const Signers& signers) {
    const auto statement = read_statement(evidence_kind, text);
    if (!statement) return failure(statement.error());
    if (auto counted = counts(*statement, signers); !counted) return failure(counted.error());
    const json& content = statement->content;
    auto place = read_place(content.value("place", json()));
    if (!place)
        return failure(
            "it does not say where the stage passed, as an older migc made it; run the stage again");
    Evidence evidence{text_of(content, "stage"), std::move(*place),        {}, text_of(content, "mode"),
                      text_of(content, "run"),   text_of(content, "name"), 0,  0};
    const auto passed = read_time(text_of(content, "passed"));
    const json changes = content.value("changes", json());
    if (evidence.stage.empty() || !passed || !changes.is_array())
        return failure("something is missing in it: stage, changes or passed");
    evidence.passed = *passed;
    if (content.contains("expires")) {
        const auto expires = read_time(text_of(content, "expires"));
        if (!expires) return failure("until when it holds cannot be read");
        evidence.expires = *expires;
    }
    for (const json& change : changes)
        if (change.is_string()) evidence.changes.push_back(change.get<std::string>());
    return evidence;
}

}  // namespace migc::trust
