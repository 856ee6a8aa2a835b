#include "compiler/diagnostics/apply.hpp"

#include <algorithm>
#include <tuple>

namespace migc {

namespace {

bool comes_before(const Edit& a, const Edit& b) {
    return std::tie(a.span.begin, a.span.end) < std::tie(b.span.begin, b.span.end);
}

// For two edits in order: two insertions at one place conflict too, for neither is to come first.
bool conflict(const Edit& first, const Edit& second) {
    const bool same_insertion = first.span == second.span && first.span.empty();
    return same_insertion || second.span.begin < first.span.end;
}

bool can_be_made(std::string_view text, const std::vector<Edit>& sorted) {
    const auto outside = [&](const Edit& edit) {
        return edit.span.begin > edit.span.end || edit.span.end > text.size();
    };
    return std::ranges::none_of(sorted, outside) &&
           std::ranges::adjacent_find(sorted, conflict) == sorted.end();
}

bool edits_only(const Fix& fix, FileId file) {
    return !fix.edits.empty() &&
           std::ranges::all_of(fix.edits, [&](const Edit& edit) { return edit.span.file == file; });
}

}  // namespace

std::optional<std::string> apply_edits(std::string_view text, std::vector<Edit> edits) {
    std::ranges::stable_sort(edits, comes_before);
    if (!can_be_made(text, edits)) return std::nullopt;
    std::string out;
    std::size_t copied = 0;
    for (const Edit& edit : edits) {
        out += text.substr(copied, edit.span.begin - copied);
        out += edit.replacement;
        copied = edit.span.end;
    }
    out += text.substr(copied);
    return out;
}

AppliedFixes apply_fixes(std::string_view text, FileId file, const Diagnostics& diagnostics) {
    std::vector<Edit> accepted;
    std::size_t count = 0;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        const auto fix = std::ranges::find_if(
            diagnostic.fixes, [&](const Fix& one) { return one.safe && edits_only(one, file); });
        if (fix == diagnostic.fixes.end()) continue;
        std::vector<Edit> with_fix = accepted;
        with_fix.insert(with_fix.end(), fix->edits.begin(), fix->edits.end());
        std::ranges::stable_sort(with_fix, comes_before);
        if (!can_be_made(text, with_fix)) continue;
        accepted = std::move(with_fix);
        ++count;
    }
    return {apply_edits(text, std::move(accepted)).value_or(std::string(text)), count};
}

}  // namespace migc
