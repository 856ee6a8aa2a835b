#include "runtime/tools/decoders.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "compiler/support/escape.hpp"

namespace migc::runtime::inline tools {
namespace {

using View = NormalForms::View;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The number that up to `most` digits of the base say, and how many there are.
std::pair<std::uint32_t, std::size_t> number(std::string_view text, std::size_t at, int base,
                                             std::size_t most) {
    std::uint32_t value = 0;
    std::size_t count = 0;
    for (; count < most && at + count < text.size(); ++count) {
        const int digit = hex_digit(text[at + count]);
        if (digit < 0 || digit >= base) break;
        value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
    }
    return {value, count};
}

void put_character(View& view, std::uint32_t code, Span place) {
    const auto put = [&](std::uint32_t byte) { view.put(static_cast<char>(byte & 0xFFU), place); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xC0U | code >> 6U), put(0x80U | (code & 0x3FU));
    if (code < 0x10000)
        return put(0xE0U | code >> 12U), put(0x80U | (code >> 6U & 0x3FU)), put(0x80U | (code & 0x3FU));
    put(0xF0U | (code >> 18U & 7U)), put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU)), put(0x80U | (code & 0x3FU));
}

// Reads a view from left to right; what is no escape is taken over.
class Reader {
  public:
    explicit Reader(const View& view) : view_(view) {
        out_.bytes.reserve(view.bytes.size());
        out_.places.reserve(view.bytes.size());
    }
    [[nodiscard]] bool more() const { return at_ < view_.bytes.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < view_.bytes.size() ? view_.bytes[at_ + ahead] : '\0';
    }
    [[nodiscard]] std::pair<std::uint32_t, std::size_t> digits(std::size_t ahead, int base,
                                                               std::size_t most) const {
        return number(view_.bytes, at_ + ahead, base, most);
    }
    [[nodiscard]] std::string_view ahead(std::size_t most) const {
        return std::string_view(view_.bytes).substr(at_, most);
    }
    void copy() { out_.put(view_.bytes[at_], view_.places[at_]), ++at_; }
    // So many characters stand for a byte, for a character, for nothing.
    void byte(std::uint32_t value, std::size_t size) { out_.put(static_cast<char>(value), take(size)); }
    void character(std::uint32_t code, std::size_t size) { put_character(out_, code, take(size)); }
    void nothing(std::size_t size) { take(size); }
    std::optional<View> end() && { return decoded_ ? std::optional(std::move(out_)) : std::nullopt; }

  private:
    Span take(std::size_t size) {
        decoded_ = true;
        size = std::min(size, view_.bytes.size() - at_);
        const Span place{view_.places[at_].begin, view_.places[at_ + size - 1].end};
        at_ += size;
        return place;
    }
    const View& view_;
    View out_;
    std::size_t at_ = 0;
    bool decoded_ = false;
};

// Takes off what a step reads as an escape.
template <void (*step)(Reader&)>
std::optional<View> decoded(const View& view) {
    Reader reader(view);
    while (reader.more()) step(reader);
    return std::move(reader).end();
}

// Two digits behind a sign are a byte.
bool took_byte(Reader& reader, char sign) {
    if (reader.peek() != sign) return false;
    const auto [value, count] = reader.digits(1, 16, 2);
    if (count == 2) reader.byte(value, 3);
    return count == 2;
}

void url(Reader& reader) {
    if (took_byte(reader, '%')) return;
    reader.peek() == '+' ? reader.byte(' ', 1) : reader.copy();
}

void quoted_printable(Reader& reader) {
    if (!took_byte(reader, '=')) reader.copy();
}

// \uD83D\uDE00 is one character.
void wide_escape(Reader& reader) {
    const auto [high, count] = reader.digits(2, 16, 4);
    if (reader.peek(2) == '{') {
        const auto [code, length] = reader.digits(3, 16, 6);
        return reader.peek(3 + length) == '}' ? reader.character(code, length + 4) : reader.copy();
    }
    if (count != 4) return reader.copy();
    if (high >= 0xD800 && high < 0xDC00 && reader.peek(6) == '\\' && reader.peek(7) == 'u')
        if (const auto [low, size] = reader.digits(8, 16, 4); size == 4 && low >= 0xDC00 && low < 0xE000)
            return reader.character(0x10000 + ((high - 0xD800) << 10U) + (low - 0xDC00), 12);
    reader.character(high, 6);
}

void backslash(Reader& reader) {
    if (reader.peek() != '\\') return reader.copy();
    const char next = reader.peek(1);
    constexpr std::string_view controls = "nrtbfvae";
    if (next == 'u') return wide_escape(reader);
    if (next == 'U' || next == 'x') {
        const auto [code, count] = reader.digits(2, 16, next == 'U' ? 8 : 2);
        if (count == 0) return reader.copy();
        return next == 'x' ? reader.byte(code, count + 2) : reader.character(code, count + 2);
    }
    if (next >= '0' && next <= '7') {
        const auto [code, count] = reader.digits(1, 8, 3);
        return reader.byte(code, count + 1);
    }
    if (next == 'e') return reader.byte(0x1B, 2);
    if (controls.find(next) != std::string_view::npos) return reader.byte('\n', 2);
    if (next == '\n') return reader.nothing(2);
    if (next == '\0' || std::isalnum(static_cast<unsigned char>(next)) != 0) return reader.copy();
    reader.byte(static_cast<unsigned char>(next), 2);
}

void entity(Reader& reader) {
    if (reader.peek() != '&') return reader.copy();
    constexpr std::size_t longest = 10;
    struct Named {
        std::string_view name;
        char character;
    };
    static constexpr std::array<Named, 35> names = {
        {{"amp", '&'},  {"AMP", '&'},    {"lt", '<'},     {"LT", '<'},     {"gt", '>'},   {"GT", '>'},
         {"quot", '"'}, {"QUOT", '"'},   {"apos", '\''},  {"nbsp", ' '},   {"Tab", '\t'}, {"NewLine", '\n'},
         {"excl", '!'}, {"num", '#'},    {"dollar", '$'}, {"percnt", '%'}, {"lpar", '('}, {"rpar", ')'},
         {"ast", '*'},  {"plus", '+'},   {"comma", ','},  {"period", '.'}, {"sol", '/'},  {"colon", ':'},
         {"semi", ';'}, {"equals", '='}, {"quest", '?'},  {"commat", '@'}, {"lsqb", '['}, {"bsol", '\\'},
         {"rsqb", ']'}, {"lowbar", '_'}, {"grave", '`'},  {"lcub", '{'},   {"rcub", '}'}}};
    if (reader.peek(1) == '#') {
        const bool hex = reader.peek(2) == 'x' || reader.peek(2) == 'X';
        const std::size_t first = hex ? 3 : 2;
        const auto [code, count] = reader.digits(first, hex ? 16 : 10, 7);
        if (count == 0) return reader.copy();
        return reader.character(code, first + count + (reader.peek(first + count) == ';' ? 1 : 0));
    }
    const std::string_view text = reader.ahead(longest);
    for (const Named& one : names)
        if (text.substr(1).starts_with(one.name) && text.substr(1 + one.name.size()).starts_with(';'))
            return reader.byte(static_cast<unsigned char>(one.character), one.name.size() + 2);
    reader.copy();
}

// The digits stay: what they say is searched for as it is.
void prefixed_byte(Reader& reader) {
    const bool prefix = reader.peek() == '0' && (reader.peek(1) == 'x' || reader.peek(1) == 'X') &&
                        hex_digit(reader.peek(2)) >= 0;
    prefix ? reader.nothing(2) : reader.copy();
}

constexpr std::size_t longest_offset = 16;

// "00000010: 6875 6e74  hunt" and the like.
struct DumpLine {
    std::uint32_t offset = 0;
    std::vector<std::size_t> digits;  // where those of its bytes are; none: it is no such line

    [[nodiscard]] std::uint32_t next() const {
        return offset + static_cast<std::uint32_t>(digits.size() / 2);
    }
};

DumpLine dump_line(std::string_view line, std::size_t at) {
    constexpr std::size_t shortest_offset = 4;
    constexpr std::size_t usual_digits = 32;
    const auto [offset, count] = number(line, at, 16, longest_offset);
    DumpLine result{offset, {}};
    at += count;
    if (count < shortest_offset || at >= line.size()) return result;
    if (line[at] == ':') ++at;
    // Groups of whole bytes, one or two blanks between them; three, or what is no group, begin the letters.
    while (at < line.size() && line[at] == ' ') {
        for (int blanks = 0; blanks < 3 && at < line.size() && line[at] == ' '; ++blanks) ++at;
        const auto [bytes, length] = number(line, at, 16, 8);
        const bool ends = at + length == line.size() ||
                          std::string_view(" \r\"'").find(line[at + length]) != std::string_view::npos;
        if (length < 2 || length % 2 != 0 || !ends) break;
        for (std::size_t i = 0; i < length; ++i) result.digits.push_back(at + i);
        at += length;
        // The letters of a full line may look like a group.
        const bool is_full = result.digits.size() == usual_digits;
        if (line.substr(at).starts_with(is_full ? "  " : "   ")) break;
    }
    return result;
}

// The next one from there on: words may stand before the first, and several may have been put on one line.
// Then the offsets tell them from what only looks so among the letters.
std::pair<std::size_t, DumpLine> next_dump_line(std::string_view line, std::size_t from,
                                                std::uint32_t expected) {
    constexpr std::size_t usual_offset = 7;
    for (std::size_t at = from; at < line.size(); ++at) {
        const bool within_word = at > 0 && std::isalnum(static_cast<unsigned char>(line[at - 1])) != 0;
        if (within_word || hex_digit(line[at]) < 0) continue;
        const auto [offset, count] = number(line, at, 16, longest_offset);
        const bool is_likely = at == 0 || offset == expected || count >= usual_offset;
        if (!is_likely) continue;
        if (DumpLine found = dump_line(line, at); !found.digits.empty()) return {at, std::move(found)};
    }
    return {line.size(), {}};
}

// A secret over two lines of a dump takes both lines with it, the letters beside them as well.
std::optional<View> dump(const View& view) {
    View out;
    std::uint32_t expected = 0;
    for (std::size_t begin = 0; begin < view.bytes.size();) {
        const std::size_t end = std::min(view.bytes.find('\n', begin), view.bytes.size());
        const std::string_view line = std::string_view(view.bytes).substr(begin, end - begin);
        auto [first, one] = next_dump_line(line, 0, expected);
        while (!one.digits.empty()) {
            expected = one.next();
            auto [behind, next] = next_dump_line(line, one.digits.back() + 1, expected);
            const Span whole{view.places[begin + first].begin, view.places[begin + behind - 1].end};
            for (const std::size_t digit : one.digits) out.put(line[digit], whole);
            first = behind;
            one = std::move(next);
        }
        begin = end + 1;
    }
    return out.bytes.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace

const std::array<Decoder, 6>& decoders() {
    static constexpr std::array<Decoder, 6> all = {{{'%', decoded<url>},
                                                    {'\\', decoded<backslash>},
                                                    {'&', decoded<entity>},
                                                    {'=', decoded<quoted_printable>},
                                                    {'x', decoded<prefixed_byte>},
                                                    {'0', dump}}};
    return all;
}

std::size_t after_control(std::string_view text, std::size_t at) {
    constexpr std::size_t longest_string = 4096;
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    if (byte(at) == 0x1B && byte(at + 1) == '[') {
        std::size_t end = at + 2;
        while (byte(end) >= 0x20 && byte(end) < 0x40) ++end;
        return std::min(end + 1, text.size());
    }
    if (byte(at) == 0x1B && byte(at + 1) == ']') {
        for (std::size_t end = at + 2; end < std::min(text.size(), at + longest_string); ++end)
            if (byte(end) == 0x07 || byte(end) == 0x1B)
                return end + (byte(end) == 0x1B && byte(end + 1) == '\\' ? 2 : 1);
        return at + 2;
    }
    if (byte(at) == 0x1B) return std::min(at + 2, text.size());
    // Soft hyphen, zero-width and bidirectional characters, byte order mark.
    const auto [code, size, valid] = first_character(text.substr(at));
    const bool is_invisible = code == 0xAD || (code >= 0x200B && code <= 0x200F) ||
                              (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
    return at + (valid && is_invisible ? size : 0);
}

}  // namespace migc::runtime::inline tools
