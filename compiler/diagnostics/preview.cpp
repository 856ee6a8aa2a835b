#include "compiler/diagnostics/preview.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compiler/diagnostics/apply.hpp"

namespace migc {

namespace {

constexpr std::size_t most_lines = 6;
constexpr std::size_t longest_shown = 160;

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

// The lines that all edits lie in, as an offset and the lines before and after.
struct Region {
    std::uint32_t first_line = 1;
    std::string before;
    std::string after;
};

std::optional<Region> region(const Fix& fix, const SourceFile& file) {
    std::uint32_t begin = fix.edits.front().span.begin;
    std::uint32_t end = fix.edits.front().span.end;
    for (const Edit& edit : fix.edits) {
        begin = std::min(begin, edit.span.begin);
        end = std::max(end, edit.span.end);
    }
    const std::uint32_t first = file.position(begin).line;
    const std::uint32_t last = file.position(end).line;
    if (last - first >= most_lines) return std::nullopt;
    const std::uint32_t from = file.line_begin(first);
    const std::uint32_t to = file.line_begin(last) + static_cast<std::uint32_t>(file.line(last).size());
    std::vector<Edit> edits = fix.edits;
    for (Edit& edit : edits) edit.span = {edit.span.file, edit.span.begin - from, edit.span.end - from};
    std::string before(file.text().substr(from, std::max(to, end) - from));
    auto after = apply_edits(before, std::move(edits));
    if (!after) return std::nullopt;
    return Region{first, std::move(before), std::move(*after)};
}

bool is_small(const std::vector<std::string_view>& lines) {
    const auto is_long = [](std::string_view line) { return line.size() > longest_shown; };
    return lines.size() <= most_lines && std::none_of(lines.begin(), lines.end(), is_long);
}

bool is_in_one_file(const Fix& fix, const SourceMap& sources) {
    if (fix.edits.empty()) return false;
    const FileId file = fix.edits.front().span.file;
    if (file >= sources.size()) return false;
    const std::size_t size = sources.file(file).text().size();
    return std::all_of(fix.edits.begin(), fix.edits.end(), [&](const Edit& edit) {
        return edit.span.file == file && edit.span.begin <= edit.span.end && edit.span.end <= size;
    });
}

// Drops what both have in common at the start and at the end; returns how much it was at the start.
std::size_t trim_common(std::vector<std::string_view>& before, std::vector<std::string_view>& after) {
    while (!before.empty() && !after.empty() && before.back() == after.back()) {
        before.pop_back();
        after.pop_back();
    }
    const auto limit = std::min(before.size(), after.size());
    std::size_t same = 0;
    while (same < limit && before[same] == after[same]) ++same;
    before.erase(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(same));
    after.erase(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(same));
    return same;
}

}  // namespace

std::string preview(const Fix& fix, const SourceMap& sources, const ExcerptOptions& options) {
    if (!is_in_one_file(fix, sources)) return {};
    const auto edited = region(fix, sources.file(fix.edits.front().span.file));
    if (!edited) return {};
    auto before = lines_of(edited->before);
    auto after = lines_of(edited->after);
    if (!is_small(before) || !is_small(after)) return {};
    std::size_t number = edited->first_line + trim_common(before, after);
    const bool removes = after.empty();
    std::string out;
    for (const std::string_view line : removes ? before : after) {
        const std::string text = fmt::format("{} {}", removes ? "-" : "+", shown(line));
        out += options.style.paint(Ink::Blue, fmt::format("{:>{}}", number++, options.gutter)) + " ";
        out += options.style.paint(removes ? Ink::Red : Ink::Green, text) + "\n";
    }
    return out;
}

}  // namespace migc
