#include "compiler/syntax/format.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace migc::syntax {
namespace {

constexpr std::size_t indent_width = 4;
constexpr std::size_t line_width = 100;

class Formatter {
  public:
    Formatter(const SourceMap& sources, std::span<const Token> tokens)
        : sources_(sources), tokens_(tokens), ends_(tokens_.size()) {
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (is(i, "<")) open.push_back(i);
            if (is(i, ">") && !open.empty()) {
                ends_[open.back()] = i;
                open.pop_back();
            }
        }
    }

    std::string text() {
        for (std::size_t i = 0; i < tokens_.size(); ++i) token(i);
        if (!out_.empty() && out_.back() != '\n') out_ += '\n';
        return std::move(out_);
    }

  private:
    [[nodiscard]] std::string_view word(std::size_t i) const { return sources_.text(tokens_[i].span); }
    [[nodiscard]] bool is(std::size_t i, std::string_view text) const {
        return i < tokens_.size() && tokens_[i].kind == TokenKind::Punctuation && word(i) == text;
    }
    [[nodiscard]] bool is_comment(std::size_t i) const {
        return i < tokens_.size() && tokens_[i].kind == TokenKind::Comment;
    }
    [[nodiscard]] int lines_between(std::size_t a, std::size_t b) const {
        const Span span{tokens_[a].span.file, tokens_[a].span.end, tokens_[b].span.begin};
        const std::string_view gap = sources_.text(span);
        return static_cast<int>(std::count(gap.begin(), gap.end(), '\n'));
    }

    void token(std::size_t i) {
        place(i);
        std::string_view text = word(i);
        while (is_comment(i) && (text.ends_with(' ') || text.ends_with('\t') || text.ends_with('\r')))
            text.remove_suffix(1);
        out_ += text;
        if (is(i, "<")) open(i);
        if (is(i, "(") || is(i, "[")) ++parentheses_;
        if (is(i, ")") || is(i, "]")) parentheses_ -= parentheses_ > 0 ? 1 : 0;
        statement_begins_ = ends_statement(i);
    }

    // What stands between the last token and this one.
    void place(std::size_t i) {
        if (is(i, ">")) return close(i);
        if (i == 0) return;
        const int lines = lines_between(i - 1, i);
        if (is_comment(i) && lines == 0) {
            out_ += "  ";
        } else if (is_comment(i - 1) || (is_comment(i) && lines > 0)) {
            new_line(lines, statement_begins_ ? 0 : 1);
        } else if (statement_begins_ && inline_depth_ == 0) {
            new_line(lines, 0);
        } else if (lines > 0 && inline_depth_ == 0 && !glued(i)) {
            new_line(1, 1);  // a line break inside a statement is the author's
        } else if (!glued(i)) {
            out_ += ' ';
        }
    }

    // At most one empty line is kept; none at the beginning of a block.
    void new_line(int lines, std::size_t extra) {
        const bool block_begins = !out_.empty() && out_.back() == '<';
        out_ += lines > 1 && !block_begins ? "\n\n" : "\n";
        out_.append((depth_ + extra) * indent_width, ' ');
    }

    [[nodiscard]] bool glued(std::size_t i) const {
        constexpr std::array before = {";", ",", ")", "]", ":", "."};
        const auto is_one_of = [&](const auto& list, std::size_t at) {
            return std::any_of(list.begin(), list.end(), [&](const char* t) { return is(at, t); });
        };
        constexpr std::array after = {"(", "[", "."};
        return is_one_of(before, i) || is_one_of(after, i - 1);
    }

    // A block that its author wrote on one line stays there if it fits.
    [[nodiscard]] bool stays_on_line(std::size_t i) const {
        const std::size_t end = ends_[i];
        if (inline_depth_ > 0) return true;
        if (end == 0 || lines_between(i, end) > 0) return false;
        // As it will be, not as it was: else a second formatting could decide otherwise.
        std::size_t length = 0;
        for (std::size_t k = i; k <= end; ++k) {
            if (is_comment(k)) return false;
            length += word(k).size() + (k == i || glued(k) ? 0 : 1);
        }
        const std::size_t line_begin = out_.rfind('\n') == std::string::npos ? 0 : out_.rfind('\n') + 1;
        return out_.size() - line_begin + length <= line_width;
    }

    void open(std::size_t i) {
        if (stays_on_line(i)) {
            inline_.push_back(true);
            ++inline_depth_;
        } else {
            inline_.push_back(false);
            ++depth_;
        }
    }

    void close(std::size_t i) {
        const bool on_line = !inline_.empty() && inline_.back();
        if (!inline_.empty()) inline_.pop_back();
        if (on_line) {
            --inline_depth_;
            out_ += ' ';
            return;
        }
        depth_ -= depth_ > 0 ? 1 : 0;
        if (i > 0) new_line(1, 0);
    }

    // Whether a new statement begins behind token i. Behind `>` one does unless the block's own words follow.
    [[nodiscard]] bool ends_statement(std::size_t i) const {
        if (is_comment(i)) return statement_begins_ || i == 0;
        if (is(i, ";") || is(i, "<")) return parentheses_ == 0;
        if (!is(i, ">")) return false;
        std::size_t next = i + 1;
        while (is_comment(next)) ++next;
        if (next >= tokens_.size() || is(next, ";")) return next >= tokens_.size();
        constexpr std::array goes_on = {"on", "throughout", "else", "after", "within", "retry", "as"};
        return std::find(goes_on.begin(), goes_on.end(), word(next)) == goes_on.end();
    }

    const SourceMap& sources_;
    std::span<const Token> tokens_;
    std::vector<std::size_t> ends_;  // of each `<`, the token of its `>`
    std::vector<bool> inline_;
    std::string out_;
    std::size_t depth_ = 0;
    int inline_depth_ = 0;
    int parentheses_ = 0;
    bool statement_begins_ = true;
};

}  // namespace

std::string format(const SourceMap& sources, FileId file) {
    return format(sources, tokenize(sources, file));
}

std::string format(const SourceMap& sources, std::span<const Token> tokens) {
    return Formatter(sources, tokens).text();
}

}  // namespace migc::syntax
