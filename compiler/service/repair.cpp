#include "compiler/service/repair.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include "compiler/syntax/parse.hpp"

namespace migc::service {

using syntax::item_words;
using syntax::Token;
using syntax::TokenKind;

namespace {

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
        if (tokens_[i].kind == TokenKind::Keyword && begins_tail(i)) unwrap();
        if (tokens_[i].kind != TokenKind::Punctuation) return;
        const char c = word(i)[0];
        if (c == '/' && touches_next(i, "/")) return comment(i);
        if (c == '=' && touches_next(i, "=")) return is(i);
        if (compares(i)) return drop_statement(i);
        if (c == '<' || c == '(' || c == '[') open_.push_back(i);
        if (c == '>' || c == ';') drop_within_block();
        if (c == '>' || c == ')' || c == ']') close(i, c);
    }

    void close(std::size_t i, char c) {
        const bool fits = !open_.empty() && closer() == c && !(open_.size() == 1 && ends_too_early(i));
        if (!fits) return blank(tokens_[i].span);
        closed_ = open_.back();
        open_.pop_back();
    }

    [[nodiscard]] bool is_word(std::size_t i, std::string_view text) const {
        return i < tokens_.size() && tokens_[i].kind != TokenKind::String && word(i) == text;
    }
    [[nodiscard]] bool touches_next(std::size_t i, std::string_view text) const {
        return is_word(i + 1, text) && tokens_[i].span.end == tokens_[i + 1].span.begin;
    }

    // ------------------------------------------------------------ signs of other languages

    void comment(std::size_t i) {
        blank_to_ = end_of_line(i);
        blank(tokens_[i].span.begin, blank_to_);
    }

    void is(std::size_t i) {
        text_.replace(tokens_[i].span.begin, 2, "is");
        blank_to_ = tokens_[i + 1].span.end;
    }

    // `<= 4`, `> 4`, `> low;`: no block opens or closes there.
    [[nodiscard]] bool compares(std::size_t i) const {
        if (i == 0 || i + 1 >= tokens_.size() || (word(i) != "<" && word(i) != ">")) return false;
        if (touches_next(i, "=") || tokens_[i + 1].kind == TokenKind::Number) return true;
        const auto is_operand = [&](std::size_t k, std::string_view bracket) {
            return tokens_[k].kind == TokenKind::Word || word(k) == bracket;
        };
        return word(i) == ">" && is_operand(i - 1, ")") && is_operand(i + 1, "(") &&
               end_of_line(i - 1) == end_of_line(i + 1);
    }

    // ------------------------------------------------------------ blocks that end at the wrong place

    // Behind the last `>` of an item only these can stand; before anything else it is one too many.
    [[nodiscard]] bool ends_too_early(std::size_t i) const {
        if (word(i) != ">" || i + 1 == tokens_.size()) return false;
        const bool is_item = std::find(item_words.begin(), item_words.end(), word(i + 1)) != item_words.end();
        return !is_item && word(i + 1) != "on" && word(i + 1) != "throughout" && word(i + 1) != ";";
    }

    // What stands only behind the `>` of a stage.
    [[nodiscard]] bool begins_tail(std::size_t i) const {
        if (i == 0 || word(i - 1) != ">") return false;
        return word(i) == "throughout" || (word(i) == "on" && is_word(i + 1, "failure"));
    }

    // That `>` was the stage's, so blocks in it have not been closed: their steps become the stage's.
    void unwrap() {
        if (open_.empty()) return;
        open_.erase(open_.begin());
        open_.push_back(closed_);
        for (const std::size_t block : open_)
            blank(tokens_[statement_of(block)].span.begin, tokens_[block].span.end);
        open_.clear();
    }

    // ------------------------------------------------------------ statements

    // A list or parenthesis does not go on in the next statement.
    void drop_within_block() {
        for (; is_open('(') || is_open('['); open_.pop_back()) blank(tokens_[open_.back()].span);
    }

    // The first token behind the last `;` or bracket of a block.
    [[nodiscard]] std::size_t statement_of(std::size_t i) const {
        while (i > 0 && word(i - 1) != ";" && word(i - 1) != "<" && word(i - 1) != ">") --i;
        return i;
    }

    [[nodiscard]] std::uint32_t end_of_line(std::size_t i) const {
        return static_cast<std::uint32_t>(std::min(text_.find('\n', tokens_[i].span.end), text_.size()));
    }

    // Up to the end of the line, but for a block that opens there: its `>` comes.
    void drop_statement(std::size_t i) {
        drop_within_block();
        const std::uint32_t end = end_of_line(i);
        std::size_t last = i;
        while (last + 1 < tokens_.size() && tokens_[last + 1].span.end <= end) ++last;
        blank_to_ = last > i && is_word(last, "<") ? tokens_[last].span.begin : end;
        blank(tokens_[statement_of(i)].span.begin, blank_to_);
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
    std::size_t closed_ = 0;         // the one that was closed last
    std::uint32_t blank_to_ = 0;     // what lies before is done with
};

}  // namespace

std::string repaired(const SourceMap& sources, FileId file, std::span<const Token> tokens) {
    return Repair(sources, file, tokens).result();
}

}  // namespace migc::service
