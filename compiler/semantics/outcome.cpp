#include "compiler/semantics/outcome.hpp"

#include <algorithm>
#include <array>

namespace migc {
namespace {

// In the order of Outcome.
constexpr std::array<std::string_view, 11> words = {
    "",     "done",        "already", "failed",    "in-doubt", "undone", "nothing-to-undo",
    "held", "undo-failed", "refused", "unfinished"};
static_assert(words.size() == static_cast<std::size_t>(Outcome::Unfinished) + 1);

// In the order of Finding.
constexpr std::array<std::string_view, 3> findings = {"unknown", "held", "failed"};

}  // namespace

std::string word(Outcome outcome) {
    return std::string(words.at(static_cast<std::size_t>(outcome)));
}

std::string in_words(Outcome outcome) {
    std::string text = word(outcome);
    std::ranges::replace(text, '-', ' ');
    return text;
}

Outcome outcome_of(std::string_view word) {
    const auto found = std::ranges::find(words, word);
    return found == words.end() ? Outcome::None : static_cast<Outcome>(found - words.begin());
}

std::vector<std::string> outcome_words() {
    return {words.begin() + 1, words.end()};
}

std::string word(Finding finding) {
    return std::string(findings.at(static_cast<std::size_t>(finding)));
}

void to_json(nlohmann::json& json, Outcome outcome) {
    json = word(outcome);
}

void to_json(nlohmann::json& json, Finding finding) {
    json = word(finding);
}

void from_json(const nlohmann::json& json, Outcome& outcome) {
    outcome = outcome_of(json.get_ref<const std::string&>());
}

void from_json(const nlohmann::json& json, Finding& finding) {
    const auto found = std::find(findings.begin(), findings.end(), json.get_ref<const std::string&>());
    finding = found == findings.end() ? Finding::Unknown : static_cast<Finding>(found - findings.begin());
}

}  // namespace migc
