// Applying fixes to source text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"

namespace migc {

// The text with all edits made, whatever their order; their spans are byte offsets into `text`. Nothing if
// edits overlap, insert at the same place, or lie outside of the text.
std::optional<std::string> apply_edits(std::string_view text, std::vector<Edit> edits);

struct AppliedFixes {
    std::string text;
    std::size_t count = 0;  // fixes that were applied
};

// Applies, of each diagnostic, the first fix that is safe and edits this file only. A fix that overlaps one
// applied before is left out as a whole: checking the new text again finds what is left.
AppliedFixes apply_fixes(std::string_view text, FileId file, const Diagnostics& diagnostics);

}  // namespace migc
