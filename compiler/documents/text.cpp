#include "compiler/documents/text.hpp"

#include <algorithm>

namespace migc::documents {

std::string applied(std::string_view text, std::vector<Edit> edits) {
    std::ranges::stable_sort(edits,
                             [](const Edit& a, const Edit& b) { return a.range.begin < b.range.begin; });
    std::string result;
    std::size_t done = 0;
    for (const Edit& edit : edits) {
        result += text.substr(done, edit.range.begin - done);
        result += edit.text;
        done = std::max(done, edit.range.end);
    }
    return result + std::string(text.substr(done));
}

std::size_t line_begin(std::string_view text, std::size_t at) {
    const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return before == std::string_view::npos ? 0 : before + 1;
}

std::size_t line_end(std::string_view text, std::size_t at) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    return end > at && end < text.size() && text[end - 1] == '\r' ? end - 1 : end;
}

std::size_t next_line(std::string_view text, std::size_t at) {
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
}

std::size_t line_number(std::string_view text, std::size_t at) {
    return 1 +
           static_cast<std::size_t>(std::count(
               text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size())), '\n'));
}

std::string_view indentation(std::string_view text, std::size_t at) {
    const std::size_t begin = line_begin(text, at);
    return text.substr(begin, skip_blanks(text, begin) - begin);
}

bool is_first_of_line(std::string_view text, std::size_t at) {
    return skip_blanks(text, line_begin(text, at)) >= at;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of(" \t", at), text.size());
}

std::size_t skip_space(std::string_view text, std::size_t at) {
    for (;;) {
        at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
        if (at == text.size() || text[at] != '#') return at;
        at = line_end(text, at);
    }
}

std::size_t before_blanks(std::string_view text, std::size_t at) {
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
    return at;
}

std::string newline_of(std::string_view text) {
    const std::size_t end = text.find('\n');
    return end != std::string_view::npos && end > 0 && text[end - 1] == '\r' ? "\r\n" : "\n";
}

std::string unit_of(std::string_view text) {
    std::string_view before;
    for (std::size_t at = 0; at < text.size(); at = next_line(text, at)) {
        if (skip_blanks(text, at) >= line_end(text, at)) continue;
        const std::string_view blanks = indentation(text, at);
        if (blanks.size() > before.size() && blanks.starts_with(before))
            return std::string(blanks.substr(before.size()));
        before = blanks;
    }
    return "  ";
}

}  // namespace migc::documents
