// Source text: files, byte spans, and where a byte stands (line and column).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace migc {

using FileId = std::uint32_t;

// A half-open range of bytes [begin, end) of one file. Every node of the tree and of the IR carries one.
struct Span {
    FileId file = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    [[nodiscard]] bool empty() const { return begin == end; }
    [[nodiscard]] std::uint32_t size() const { return end - begin; }
    friend bool operator==(const Span&, const Span&) = default;
};

// The smallest span that covers both; both must lie in the same file.
Span cover(Span a, Span b);

// 1-based line and 1-based column; the column counts characters (code points), not bytes.
struct Position {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
};

class SourceFile {
  public:
    SourceFile(std::string name, std::string text);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::uint32_t line_count() const {
        return static_cast<std::uint32_t>(line_starts().size());
    }
    [[nodiscard]] Position position(std::uint32_t offset) const;
    // The text of a 1-based line without its line break; empty beyond the end.
    [[nodiscard]] std::string_view line(std::uint32_t number) const;
    // The byte offset at which a 1-based line begins; the text's size beyond the end.
    [[nodiscard]] std::uint32_t line_begin(std::uint32_t number) const;

  private:
    [[nodiscard]] const std::vector<std::uint32_t>& line_starts() const;

    std::string name_;
    std::string text_;
    // How many characters begin before this byte.
    [[nodiscard]] std::uint32_t characters_before(std::uint32_t offset) const;

    // Both are computed on first use: most runs never ask.
    mutable std::vector<std::uint32_t> line_starts_;
    mutable std::vector<std::uint32_t> characters_;  // before each block of bytes
};

// Owns every file that a command reads. Ids stay valid for the life of the map.
class SourceMap {
  public:
    FileId add(std::string name, std::string text);
    [[nodiscard]] const SourceFile& file(FileId id) const { return files_[id]; }
    [[nodiscard]] std::string_view text(Span span) const;
    [[nodiscard]] Position begin(Span span) const { return file(span.file).position(span.begin); }
    // "file:line:col", the form that editors and terminals make clickable.
    [[nodiscard]] std::string location(Span span) const;
    [[nodiscard]] std::size_t size() const { return files_.size(); }

  private:
    std::deque<SourceFile> files_;
};

}  // namespace migc
