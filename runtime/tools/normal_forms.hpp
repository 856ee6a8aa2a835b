// Secrets found in a text in whatever form a tool has put them: in escapes and encodings, over line ends, in
// another case. A text is decoded in every way in which it can be, and searched for each secret and for its
// hexadecimal and base64 forms with what separates characters left out. The time is linear in the text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace migc::runtime::inline tools {

// A part of a text: its bytes from `begin` up to `end`.
struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

// What it knows of a secret is digests and its last characters.
class NormalForms {
  public:
    // All forms of one secret, of at least four bytes.
    void add(std::string_view secret);

    // Where they stand, in order, none within another. What hangs together is one span.
    [[nodiscard]] std::vector<Span> find(std::string_view text) const;

    // A text with the place in the original of each of its bytes.
    struct View {
        std::string bytes;
        std::vector<Span> places;

        void put(char byte, Span place) {
            bytes += byte;
            places.push_back(place);
        }
    };

    // What of a text is left out before it is compared, and whether case counts.
    enum class Fold : std::uint8_t {
        Nothing,  // as it is
        Case,     // blanks left out, case counts
        Blanks,   // blanks, quotes and `+` left out, and case
        Letters,  // only letters and digits, and no case
    };

  private:
    struct Pattern {
        std::size_t length = 0;
        std::uint64_t digest = 0;
        bool delimited = false;  // counts only as a word of its own
        bool coded = false;      // base64: the word in which it stands goes with it
    };
    // Patterns by their last eight characters, the shorter ones by their last four.
    struct Index {
        std::unordered_map<std::uint64_t, std::vector<Pattern>> long_ones, short_ones;
        std::vector<bool> seen = {};  // of which ends there are any: most places end here
        void add(const std::string& folded, bool delimited, bool coded);
    };

    void add_text(std::string_view text);
    void add_base64(std::string_view text, int depth);
    void add_pattern(Fold fold, std::string_view text, bool delimited = false, bool coded = false);
    void look(const View& view, int depth, char last, std::vector<Span>& found) const;
    void scan(const View& view, Fold fold, std::vector<Span>& found) const;

    std::array<Index, 4> patterns_;
    std::size_t longest_ = 0;
};

}  // namespace migc::runtime::inline tools
