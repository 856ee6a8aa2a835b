// Reading a .tfvars file: the part of HCL that holds literals only.
#include <algorithm>
#include <cctype>

#include "compiler/documents/scanner.hpp"

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

    bool assignment(Member& member, int depth) {
        if (!key(member) || !skip(false)) return false;
        member.sign = at_;
        const bool signed_right = take('=') || (depth > 0 && take(':'));
        if (!signed_right) return fail("a `=` is expected here");
        return skip(false) && value(member.value, depth + 1);
    }

    bool key(Member& member) {
        member.key_range.begin = at_;
        if (next() == '"') {
            if (!string(member.key)) return false;
        } else {
            member.key = word("_-");
            const bool is_name =
                !member.key.empty() && std::isdigit(static_cast<unsigned char>(member.key[0])) == 0;
            if (!is_name) return fail("the name of a variable or attribute is expected here");
        }
        member.key_range.end = at_;
        return true;
    }

    bool value(Node& node, int depth) {
        if (!enter(depth)) return false;
        if (next() == '[') return list(node, depth);
        if (next() == '{') return object(node, depth);
        node.range.begin = at_;
        const bool read = next() == '"' ? quoted(node) : sees("<<") ? heredoc(node) : plain(node);
        node.range.end = at_;
        return read;
    }

    bool quoted(Node& node) {
        std::string text;
        if (!string(text)) return false;
        node.style = Style::Double;
        node.value = std::move(text);
        return true;
    }

    bool plain(Node& node) {
        const std::size_t begin = at_;
        take('-');
        std::string_view digits = word(".");
        if (digits.ends_with('e') || digits.ends_with('E')) {
            if (next() == '+' || next() == '-') ++at_;
            word();
        }
        node.value = nlohmann::json::parse(text_.substr(begin, at_ - begin), nullptr, false);
        if (node.value.is_discarded()) return fail(std::string(literals_only), begin);
        return true;
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

    bool string(std::string& text) {
        const std::size_t begin = at_++;
        while (next() != '"') {
            if (at_end() || next() == '\n' || next() == '\r')
                return fail("the string that begins here does not end", begin);
            if (!character(text)) return false;
        }
        ++at_;
        return true;
    }

    bool character(std::string& text) {
        if (sees("$${") || sees("%%{")) {
            text += {next(), '{'};
            at_ += 3;
            return true;
        }
        if (sees("${") || sees("%{")) return fail("a template cannot be read: only literal values can");
        if (next() == '\\') return escape(text);
        text += text_[at_++];
        return true;
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
        const std::string_view name = word("_-");
        if (name.empty() || skip_blanks(text_, at_) != line_end(text_, at_))
            return fail("this heredoc cannot be read", begin);
        std::vector<std::string_view> lines;
        for (;;) {
            at_ = next_line(text_, at_);
            if (at_end()) return fail("the heredoc that begins here does not end", begin);
            const std::string_view line = text_.substr(at_, line_end(text_, at_) - at_);
            if (line.substr(skip_blanks(line, 0)) == name) break;
            if (line.find("${") != std::string_view::npos || line.find("%{") != std::string_view::npos)
                return fail("a template cannot be read: only literal values can");
            lines.push_back(line);
        }
        at_ = line_end(text_, at_);
        node.style = Style::Text;
        node.fixed = "it is a heredoc";
        node.value = joined(lines, indented);
        return true;
    }

    static std::string joined(const std::vector<std::string_view>& lines, bool indented) {
        std::size_t cut = indented && !lines.empty() ? std::string_view::npos : 0;
        for (const std::string_view line : lines)
            if (indented && !line.empty()) cut = std::min(cut, skip_blanks(line, 0));
        std::string text;
        for (const std::string_view line : lines)
            text += std::string(line.substr(std::min(cut, line.size()))) + "\n";
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
