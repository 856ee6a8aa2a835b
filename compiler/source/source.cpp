#include "compiler/source/source.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace migc {

Span cover(Span a, Span b) {
    return {a.file, std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}

const std::vector<std::uint32_t>& SourceFile::line_starts() const {
    if (line_starts_.empty()) {
        line_starts_.push_back(0);
        for (std::uint32_t i = 0; i < text_.size(); ++i)
            if (text_[i] == '\n') line_starts_.push_back(i + 1);
    }
    return line_starts_;
}

// One line may be all of a file, and every finding asks.
std::uint32_t SourceFile::characters_before(std::uint32_t offset) const {
    constexpr std::uint32_t block = 1024;
    // A byte that continues a UTF-8 sequence is no column of its own.
    const auto count = [this](std::uint32_t begin, std::uint32_t end) {
        return static_cast<std::uint32_t>(
            std::count_if(text_.begin() + begin, text_.begin() + end,
                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    };
    if (characters_.empty()) {
        characters_.push_back(0);
        for (std::uint32_t at = block; at <= text_.size(); at += block)
            characters_.push_back(characters_.back() + count(at - block, at));
    }
    return characters_[offset / block] + count(offset / block * block, offset);
}

Position SourceFile::position(std::uint32_t offset) const {
    offset = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(text_.size()));
    const auto& starts = line_starts();
    const auto next = std::upper_bound(starts.begin(), starts.end(), offset);
    const std::uint32_t start = *(next - 1);
    return {static_cast<std::uint32_t>(next - starts.begin()),
            characters_before(offset) - characters_before(start) + 1};
}

std::string_view SourceFile::line(std::uint32_t number) const {
    if (number == 0 || number > line_count()) return {};
    const std::uint32_t begin = line_begin(number);
    std::uint32_t end = line_begin(number + 1);
    while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
    return std::string_view(text_).substr(begin, end - begin);
}

std::uint32_t SourceFile::line_begin(std::uint32_t number) const {
    const auto& starts = line_starts();
    return number <= starts.size() ? starts[number - 1] : static_cast<std::uint32_t>(text_.size());
}

FileId SourceMap::add(std::string name, std::string text) {
    files_.emplace_back(std::move(name), std::move(text));
    return static_cast<FileId>(files_.size() - 1);
}

std::string_view SourceMap::text(Span span) const {
    return file(span.file).text().substr(span.begin, span.size());
}

std::string SourceMap::location(Span span) const {
    const Position at = begin(span);
    return fmt::format("{}:{}:{}", file(span.file).name(), at.line, at.column);
}

}  // namespace migc
