#include "compiler/diagnostics/nearest.hpp"

#include <algorithm>

#include "compiler/support/text.hpp"

namespace migc {

namespace {

constexpr std::size_t longest_word = 200;  // the distance of longer ones says nothing and takes long

// Some hundred unknown phrases, each compared to the whole standard library: a tenth of a second.
constexpr std::int64_t whole_budget = 30'000'000;
thread_local std::int64_t budget = whole_budget;

}  // namespace

SuggestionBudget::SuggestionBudget() : before_(budget) {
    budget = whole_budget;
}

SuggestionBudget::~SuggestionBudget() {
    budget = before_;
}

bool SuggestionBudget::spend(std::size_t comparisons) {
    budget -= std::min(budget, static_cast<std::int64_t>(comparisons));
    return budget > 0;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before_last.swap(last);
        last.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::vector<std::string> nearest_ones(std::string_view word, const std::vector<std::string>& candidates,
                                      std::size_t most) {
    const std::string wanted = lower_case(word.substr(0, longest_word));
    const std::size_t limit = std::max<std::size_t>(1, wanted.size() / 3);
    std::vector<std::pair<std::size_t, const std::string*>> found;
    for (const std::string& candidate : candidates) {
        const std::size_t difference =
            std::max(candidate.size(), word.size()) - std::min(candidate.size(), word.size());
        if (!SuggestionBudget::spend(1)) return {};
        if (difference > limit || candidate.size() > longest_word) continue;
        if (!SuggestionBudget::spend(wanted.size() * candidate.size())) return {};
        const std::size_t distance = edit_distance(wanted, lower_case(candidate));
        if (distance <= limit && distance < candidate.size()) found.emplace_back(distance, &candidate);
    }
    std::ranges::stable_sort(found, [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> out;
    for (std::size_t i = 0; i < std::min(most, found.size()); ++i) out.push_back(*found[i].second);
    return out;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
    auto found = nearest_ones(word, candidates, 1);
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::optional<std::string> suggest(Diagnostic& diagnostic, std::string_view word,
                                   const std::vector<std::string>& candidates) {
    auto near = nearest(word, candidates);
    if (near) diagnostic.notes.push_back("did you mean `" + *near + "`?");
    return near;
}

}  // namespace migc
