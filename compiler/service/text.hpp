// The text of an open document: edited in place, with positions as editors count them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace migc::service {

// 0-based line and, within it, 0-based UTF-16 code unit: the Language Server Protocol's default.
struct Position {
    std::uint32_t line = 0;
    std::uint32_t character = 0;
    friend bool operator==(const Position&, const Position&) = default;
};

class Text {
  public:
    explicit Text(std::string text);

    [[nodiscard]] const std::string& str() const { return text_; }
    // The byte at a position. A position behind its line's end means the end, one within a character its
    // begin.
    [[nodiscard]] std::uint32_t offset(Position position) const;
    // The position of a byte; beyond the end, of the end.
    [[nodiscard]] Position position(std::uint32_t offset) const;
    // Replaces what stands between two positions, whatever their order.
    void replace(Position from, Position to, std::string_view with);

  private:
    void find_lines();

    std::string text_;
    std::vector<std::uint32_t> lines_;  // where each begins; a line ends with \n, \r\n or \r
};

}  // namespace migc::service
