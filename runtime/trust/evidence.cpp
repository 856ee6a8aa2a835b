#include "runtime/trust/evidence.hpp"

#include <fmt/format.h>

#include "compiler/source/escape.hpp"
#include "compiler/source/json_text.hpp"
#include "runtime/trust/statement.hpp"
#include "runtime/trust/times.hpp"

namespace migc::trust {
namespace {

using nlohmann::json;
using Failure = tl::unexpected<std::string>;

constexpr const char* evidence_kind = "migc-evidence";

}  // namespace

std::string evidence_file(const Evidence& evidence, const PrivateKey& key) {
    const json content = {{"stage", evidence.stage},
                          {"environment", evidence.environment},
                          {"changes", evidence.changes},
                          {"mode", evidence.mode},
                          {"run", evidence.run},
                          {"name", evidence.name},
                          {"passed", written_time(evidence.passed)}};
    return sign(evidence_kind, content, key).dump(1) + "\n";
}

tl::expected<Evidence, std::string> read_evidence(const std::string& text,
                                                  const std::map<std::string, std::string>& approvers) {
    const auto statement = read_statement(evidence_kind, text);
    if (!statement) return Failure(statement.error());
    const json& content = statement->content;
    Evidence evidence{
        text_of(content, "stage"), text_of(content, "environment"), {}, text_of(content, "mode"),
        text_of(content, "run"),   text_of(content, "name"),        0};
    const auto passed = read_time(text_of(content, "passed"));
    const json changes = content.value("changes", json());
    if (evidence.stage.empty() || !passed || !changes.is_array())
        return Failure(std::string("something is missing in it: stage, changes or passed"));
    evidence.passed = *passed;
    for (const json& change : changes)
        if (change.is_string()) evidence.changes.push_back(change.get<std::string>());
    const std::string name = escaped(evidence.name);
    const auto listed = approvers.find(evidence.name);
    if (listed == approvers.end()) return Failure(fmt::format("migc.yaml has no key of {}", name));
    if (listed->second != show(statement->key))
        return Failure(fmt::format("it is signed with another key than that of {} in migc.yaml", name));
    return evidence;
}

}  // namespace migc::trust
