#include "compiler/service/repair.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "compiler/syntax/parse.hpp"

namespace migc::service {

using syntax::Token;
using syntax::TokenKind;

namespace {

constexpr std::array item_words = {"migration", "use",  "param", "let",      "require",
                                   "stage",     "verb", "probe", "resource", "tool"};

class Repair {
  public:
    Repair(const SourceMap& sources, FileId file, std::span<const Token> tokens)
        : sources_(sources), text_(sources.file(file).text()) {
        std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(tokens_),
                     [](const Token& t) { return t.kind != TokenKind::Comment; });
    }

    std::string result() {
        for (std::size_t i = 0; i < tokens_.size(); ++i)
            if (tokens_[i].span.begin >= blank_to_) token(i);
        if (!open_.empty()) text_ += '\n';  // the last line may be a comment
        for (; !open_.empty(); open_.pop_back()) text_ += closer();
        return std::move(text_);
    }

  private:
    [[nodiscard]] std::string_view word(std::size_t i) const { return sources_.text(tokens_[i].span); }
    [[nodiscard]] bool is_open(char bracket) const {
        return !open_.empty() && word(open_.back())[0] == bracket;
    }
    [[nodiscard]] char closer() const { return is_open('<') ? '>' : is_open('(') ? ')' : ']'; }

    void token(std::size_t i) {
        if (tokens_[i].kind == TokenKind::Other) return drop_statement(i);
        if (tokens_[i].kind == TokenKind::Keyword && begins_item(i)) close_before(i);
        if (tokens_[i].kind != TokenKind::Punctuation) return;
        const char c = word(i)[0];
        if (c == '<' || c == '(' || c == '[') open_.push_back(i);
        if (c == '>' || c == ';') drop_within_block();
        if (c == '>' || c == ')' || c == ']') close(i, c);
    }

    void close(std::size_t i, char c) {
        if (!open_.empty() && closer() == c)
            open_.pop_back();
        else
            blank(tokens_[i].span.begin, tokens_[i].span.end);
    }

    // A list or parenthesis does not go on in the next statement.
    void drop_within_block() {
        for (; is_open('(') || is_open('['); open_.pop_back()) blank(tokens_[open_.back()].span);
    }

    // From behind the last `;` or bracket of a block to the end of the line.
    void drop_statement(std::size_t i) {
        std::size_t first = i;
        while (first > 0 && word(first - 1) != ";" && word(first - 1) != "<" && word(first - 1) != ">")
            --first;
        drop_within_block();
        blank_to_ = static_cast<std::uint32_t>(std::min(text_.find('\n', tokens_[i].span.end), text_.size()));
        blank(tokens_[first].span.begin, blank_to_);
    }

    // An item's word at the beginning of a line is no part of the block before it, which was never closed.
    [[nodiscard]] bool begins_item(std::size_t i) const {
        const std::uint32_t at = tokens_[i].span.begin;
        return (at == 0 || text_[at - 1] == '\n') &&
               std::find(item_words.begin(), item_words.end(), word(i)) != item_words.end();
    }

    void close_before(std::size_t i) {
        if (open_.empty() || i == 0) return;
        const std::uint32_t begin = tokens_[i - 1].span.end, end = tokens_[i].span.begin;
        std::uint32_t at = std::max(begin, blank_to_);
        for (; !open_.empty() && at < end; open_.pop_back()) text_[at++] = closer();
        for (; !open_.empty(); open_.pop_back()) blank(tokens_[open_.back()].span);
        // A comment that was written into lacks its beginning.
        while (at < end && text_[at] != '\n') text_[at++] = ' ';
    }

    void blank(std::uint32_t begin, std::uint32_t end) {
        std::replace_if(
            text_.begin() + begin, text_.begin() + end, [](char c) { return c != '\n'; }, ' ');
    }
    void blank(Span span) { blank(span.begin, span.end); }

    const SourceMap& sources_;
    std::string text_;
    std::vector<Token> tokens_;
    std::vector<std::size_t> open_;  // the brackets that are open
    std::uint32_t blank_to_ = 0;     // what lies before is done with
};

}  // namespace

std::string repaired(const SourceMap& sources, FileId file, std::span<const Token> tokens) {
    return Repair(sources, file, tokens).result();
}

}  // namespace migc::service
