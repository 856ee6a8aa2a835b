// Reading a .tfvars file: the part of HCL that holds literals only.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "compiler/documents/scanner.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::documents {
namespace {

void append_utf8(std::string& text, std::uint32_t code) {
    const auto byte = [&](std::uint32_t bits) { text += static_cast<char>(bits); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) {
        byte(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            byte(0xE0 | code >> 12);
        } else {
            byte(0xF0 | code >> 18);
            byte(0x80 | (code >> 12 & 0x3F));
        }
        byte(0x80 | (code >> 6 & 0x3F));
    }
    byte(0x80 | (code & 0x3F));
}

class TfvarsReader : public Scanner {
  public:
    explicit TfvarsReader(std::string_view text) : Scanner(text, true) {}

    bool document(Tree& tree) {
        tree.root.kind = Kind::Map;
        tree.root.style = Style::Body;
        tree.root.range = {at_, text_.size()};
        for (;;) {
            if (!skip()) return false;
            if (at_end()) break;
            Member member;
            if (!assignment(member, 0)) return false;
            tree.root.members.push_back(std::move(member));
            if (!skip(false)) return false;
            if (!at_end() && next() != '\n' && next() != '\r') return fail(std::string(literals_only));
        }
        tree.comments = std::move(comments_);
        return true;
    }

  private:
    static constexpr std::string_view literals_only =
        "only literal values can be read: numbers, true and false, strings, lists and objects of them";
    static constexpr std::string_view no_template = "a template cannot be read: only literal values can";

    bool assignment(Member& member, int depth) {
        member.key_range.begin = at_;
        if (!(depth == 0 ? name(member.key) : key(member.key, depth))) return false;
        member.key_range.end = at_;
        if (!skip(false)) return false;
        member.sign = at_;
        const bool signed_right = take('=') || (depth > 0 && take(':'));
        if (!signed_right) return fail("a `=` is expected here");
        return skip(false) && value(member.value, depth + 1);
    }

    // Letters of every script belong to names; what is no ASCII is taken for one.
    bool name(std::string& name) {
        const std::size_t begin = at_;
        const bool is_name = !is_digit(next()) && next() != '-';
        const auto is_other = [&] { return (static_cast<unsigned char>(next()) & 0x80) != 0; };
        while (is_name && (!word("_-").empty() || is_other()))
            if (is_other()) ++at_;
        name = text_.substr(begin, at_ - begin);
        return !name.empty() || fail("the name of a variable or attribute is expected here");
    }

    // The key of an attribute is a name, or the text of a literal.
    bool key(std::string& key, int depth) {
        if (next() != '"' && next() != '(' && next() != '-' && !is_digit(next())) return name(key);
        const std::size_t begin = at_;
        Node node;
        if (!literal(node, depth)) return false;
        const bool is_key = at_ > begin && node.kind == Kind::Scalar && !node.is_null();
        if (!node.unreadable.empty() || !is_key)
            return fail("this key cannot be read: " + (is_key ? node.unreadable : std::string(literals_only)),
                        begin);
        const bool is_whole =
            node.value.is_number_float() && node.value == std::floor(node.value.get<double>());
        key = is_whole ? fmt::format("{:.0f}", node.value.get<double>()) : plain_text(node.value);
        return true;
    }

    bool value(Node& node, int depth) {
        if (!enter(depth)) return false;
        const std::size_t begin = at_;
        if (!literal(node, depth)) return false;
        const std::size_t end = at_;
        if (!skip(false)) return false;
        const bool is_all = end > begin && (at_end() || ends_value());
        at_ = is_all ? end : begin;
        return is_all || calculation(node);
    }

    // Stays where it is before what is no literal.
    bool literal(Node& node, int depth) {
        if (next() == '[') return list(node, depth);
        if (next() == '{') return object(node, depth);
        if (next() == '(') return in_parentheses(node, depth);
        node.range.begin = at_;
        const bool read = next() == '"' ? quoted(node) : sees("<<") ? heredoc(node) : plain(node);
        node.range.end = at_;
        return read;
    }

    bool in_parentheses(Node& node, int depth) {
        const std::size_t begin = at_++;
        if (!skip() || !value(node, depth + 1) || !skip()) return false;
        if (!take(')')) return fail("this `(` is not closed", begin);
        node.range = {begin, at_};
        return true;
    }

    // What is no literal goes on to the end of the line, or of what it stands in: nothing but itself cannot
    // be read.
    bool calculation(Node& node) {
        const std::size_t begin = at_;
        std::size_t end = at_;
        node = Node{};
        node.unreadable = literals_only;
        for (int open = 0; skip(open > 0) && !at_end() && (open > 0 || !ends_value()); end = at_) {
            std::string ignored;
            if (next() == '"') {
                if (!string(ignored, node.unreadable)) return false;
                continue;
            }
            if (is_next_of("([{")) ++open;
            if (is_next_of(")]}")) --open;
            ++at_;
        }
        if (!problem().message.empty()) return false;
        if (end == begin) return fail(std::string(literals_only));
        at_ = end;
        node.range = {begin, end};
        node.value = text_.substr(begin, end - begin);
        return true;
    }

    [[nodiscard]] bool is_next_of(std::string_view characters) const {
        return !at_end() && characters.find(next()) != std::string_view::npos;
    }
    [[nodiscard]] bool ends_value() const { return is_next_of("\r\n,)]}"); }
    static bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

    bool quoted(Node& node) {
        std::string text;
        if (!string(text, node.unreadable)) return false;
        node.style = Style::Double;
        node.value = std::move(text);
        return true;
    }

    bool plain(Node& node) {
        const std::size_t begin = at_;
        const bool is_negative = take('-');
        if (is_negative) at_ = skip_blanks(text_, at_);
        if (is_digit(next())) {
            number(node, is_negative);
            return true;
        }
        const std::string_view word = this->word("_-");
        if (!is_negative && (word == "true" || word == "false"))
            node.value = word == "true";
        else if (is_negative || word != "null")
            at_ = begin;
        return true;
    }

    void number(Node& node, bool is_negative) {
        const std::size_t begin = at_;
        digits();
        std::size_t whole_end = at_;
        if (next() == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) ++at_, digits();
        const std::size_t mantissa_end = at_;
        if (is_next_of("eE")) {
            ++at_;
            if (is_next_of("+-")) ++at_;
            is_digit(next()) ? digits() : void(at_ = mantissa_end);
        }
        const std::size_t first = std::min(text_.find_first_not_of('0', begin), whole_end - 1);
        node.value = nlohmann::json::parse(
            (is_negative ? "-" : "") + std::string(text_.substr(first, at_ - first)), nullptr, false);
        if (is_exact(node.value, text_.substr(first, mantissa_end - first))) return;
        node.value = text_.substr(begin, at_ - begin);
        node.unreadable = "it is a number of more digits than can be told apart here";
    }
    void digits() {
        while (is_digit(next())) ++at_;
    }

    // terraform knows more digits of a number than JSON's readers do.
    static bool is_exact(const nlohmann::json& number, std::string_view mantissa) {
        if (number.is_discarded()) return false;
        if (number.is_number_integer()) return true;
        std::string digits(mantissa);
        std::erase(digits, '.');
        const std::size_t first = digits.find_first_not_of('0'), last = digits.find_last_not_of('0');
        constexpr std::size_t sure = std::numeric_limits<double>::digits10;
        return first == std::string::npos || last - first < sure;
    }

    bool list(Node& node, int depth) {
        return members(node, Kind::List, ']', [&](Member& member) {
            return behind_comma(node, member, [&] { return value(member.value, depth + 1); });
        });
    }

    // Entries end with a comma or with the line.
    bool object(Node& node, int depth) {
        return members(node, Kind::Map, '}', [&](Member& member) {
            if (!assignment(member, depth) || !skip(false)) return false;
            if (next() == ',')
                member.comma = at_++;
            else if (next() != '\n' && next() != '\r' && next() != '}')
                return fail(at_end() ? "the object does not end" : std::string(literals_only));
            return true;
        });
    }

    // Why it cannot be read is told where it holds a template.
    bool string(std::string& text, std::string& unreadable) {
        const std::size_t begin = at_++;
        while (next() != '"') {
            if (at_end() || next() == '\n' || next() == '\r')
                return fail("the string that begins here does not end", begin);
            const bool is_template = sees("${") || sees("%{");
            if (is_template) unreadable = no_template;
            if (!(is_template ? over_template() : character(text))) return false;
        }
        ++at_;
        return true;
    }

    bool over_template() {
        const std::size_t begin = at_++;
        int open = 0;
        do {
            std::string ignored, why;
            if (at_end()) return fail("the template that begins here does not end", begin);
            if (next() == '"') {
                if (!string(ignored, why)) return false;
                continue;
            }
            if (next() == '{') ++open;
            if (next() == '}') --open;
            ++at_;
        } while (open > 0);
        return true;
    }

    bool character(std::string& text) {
        if (is_escaped_template(text_.substr(at_))) {
            text += {next(), '{'};
            at_ += 3;
            return true;
        }
        if (next() == '\\') return escape(text);
        text += text_[at_++];
        return true;
    }

    static bool is_escaped_template(std::string_view text) {
        return text.starts_with("$${") || text.starts_with("%%{");
    }

    bool escape(std::string& text) {
        static constexpr std::string_view letters = "nrt\"\\", meanings = "\n\r\t\"\\";
        const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (const std::size_t known = letters.find(letter);
            known != std::string_view::npos && letter != '\0') {
            text += meanings[known];
            at_ += 2;
            return true;
        }
        if (letter != 'u' && letter != 'U') return fail("this escape is not known");
        const std::size_t digits = letter == 'u' ? 4 : 8;
        std::uint32_t code = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const char digit = at_ + 2 + i < text_.size() ? text_[at_ + 2 + i] : '\0';
            if (std::isxdigit(static_cast<unsigned char>(digit)) == 0)
                return fail("this escape is not complete");
            const bool is_number = digit >= '0' && digit <= '9';
            code =
                code * 16 + static_cast<std::uint32_t>(is_number ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
            return fail("this escape is no character");
        append_utf8(text, code);
        at_ += 2 + digits;
        return true;
    }

    // <<NAME or <<-NAME, lines, NAME. With the hyphen the indentation that all lines have is no part of it.
    bool heredoc(Node& node) {
        const std::size_t begin = at_;
        at_ += 2;
        const bool indented = take('-');
        std::string name;
        if (!this->name(name) || at_ != line_end(text_, at_))
            return fail("this heredoc cannot be read", begin);
        std::vector<std::string> lines;
        for (;;) {
            at_ = next_line(text_, at_);
            if (at_end()) return fail("the heredoc that begins here does not end", begin);
            const std::string_view line = text_.substr(at_, next_line(text_, at_) - at_);
            if (trimmed(line) == name) break;
            lines.push_back(unescaped(line, node.unreadable));
        }
        at_ = line_end(text_, at_);
        node.style = Style::Text;
        node.fixed = "it is a heredoc";
        node.value = joined(lines, indented);
        return true;
    }

    static std::string unescaped(std::string_view line, std::string& unreadable) {
        std::string text;
        while (!line.empty()) {
            const bool is_escaped = is_escaped_template(line);
            if (line.starts_with("${") || line.starts_with("%{")) unreadable = no_template;
            text += line.front();
            line.remove_prefix(is_escaped ? 2 : 1);
            if (is_escaped) text += '{', line.remove_prefix(1);
        }
        return text;
    }

    // A line of blanks neither counts nor loses any.
    static std::string joined(const std::vector<std::string>& lines, bool indented) {
        const auto is_blank = [](const std::string& line) { return trimmed(line).empty(); };
        std::size_t cut = std::string::npos;
        for (const std::string& line : lines)
            if (!is_blank(line)) cut = std::min(cut, skip_blanks(line, 0));
        std::string text;
        for (const std::string& line : lines) text += indented && !is_blank(line) ? line.substr(cut) : line;
        return text;
    }
};

}  // namespace

tl::expected<Tree, Problem> parse_tfvars(std::string_view text) {
    Tree tree;
    TfvarsReader reader(text);
    if (!reader.document(tree)) return tl::unexpected(reader.problem());
    return tree;
}

}  // namespace migc::documents
