// Which known word was probably meant by an unknown one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"

namespace migc {

// How many letters must be added, removed, replaced or swapped with their neighbour to get from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b);

// What may be compared for suggestions while one of these is there, on its thread; without one, in all the
// time of a thread. Of thousands of unknown words nobody reads the suggestions, and each is compared to all
// names.
class SuggestionBudget {
  public:
    SuggestionBudget();
    ~SuggestionBudget();
    SuggestionBudget(const SuggestionBudget&) = delete;
    SuggestionBudget& operator=(const SuggestionBudget&) = delete;

    // Whether there is still something left, of which so many comparisons of letters are taken.
    static bool spend(std::size_t comparisons);

  private:
    std::int64_t before_;
};

// The candidates that could be meant, the nearest first, at most `most` of them. A word may differ from a
// candidate in about one letter of three; upper and lower case count as the same.
// None any more when the budget is used up.
std::vector<std::string> nearest_ones(std::string_view word, const std::vector<std::string>& candidates,
                                      std::size_t most = 3);

// The first of them, if there is one.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// Likewise; asks in a note of the diagnostic whether that was meant.
std::optional<std::string> suggest(Diagnostic& diagnostic, std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace migc
