#include "compiler/service/context.hpp"

#include <algorithm>
#include <array>

namespace migc::service {

using syntax::Token;
using syntax::TokenKind;

namespace {

// Behind these an expression begins, or, behind `undo`, a phrase of a verb.
constexpr std::array openers = {"verify", "while",   "gate",     "if",        "require", "always",    "never",
                                "needs",  "=",       "and",      "or",        "not",     "is",        "below",
                                "above",  "matches", "at least", "at most",   "one of",  "contains",  ",",
                                "effect", "depends", "after",    "becomes",   "result",  "converges", "read",
                                "+",      "-",       "*",        "/",         "undo",    "within",    "retry",
                                "soak",   "as",      "because",  "throughout"};

template <typename Words>
bool any_of(const Words& words, std::string_view text) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

class Reader {
  public:
    Reader(const Analysis& analysis, std::uint32_t offset) : analysis_(analysis), offset_(offset) {
        for (const Token& token : analysis.tokens()) {
            if (token.span.begin >= offset) break;
            before_.push_back(token);
        }
    }

    Context context() {
        result_.prefix = {analysis_.file(), offset_, offset_};
        if (!before_.empty() && is_text(before_.back())) {
            result_.is_text = true;
            return std::move(result_);
        }
        std::erase_if(before_, [](const Token& t) { return t.kind == TokenKind::Comment; });
        take_prefix();
        const std::size_t first = blocks();
        for (std::size_t i = first; i < before_.size(); ++i) result_.words.push_back(word(i));
        phrase();
        ends_line();
        return std::move(result_);
    }

  private:
    [[nodiscard]] std::string word(std::size_t i) const {
        const Span span = before_[i].span;
        return std::string(analysis_.sources().text({span.file, span.begin, std::min(span.end, offset_)}));
    }
    [[nodiscard]] bool is_text(const Token& token) const {
        const bool open = token.kind == TokenKind::Comment || analysis_.sources().text(token.span)[0] == '"';
        const bool closed = token.kind == TokenKind::String && token.span.end <= offset_;
        const bool is_line = token.kind != TokenKind::String && token.span.end >= offset_;
        return open && !closed && (token.kind == TokenKind::String || is_line);
    }

    void take_prefix() {
        if (before_.empty()) return;
        const Token& last = before_.back();
        const bool is_word = last.kind == TokenKind::Word || last.kind == TokenKind::Keyword;
        if (!is_word || last.span.end < offset_) return;
        result_.prefix.begin = last.span.begin;
        before_.pop_back();
    }

    // Which block the place is in; gives where its statement begins.
    std::size_t blocks() {
        std::vector<Block> open;
        std::size_t first = 0;
        Block closed = Block::Top;
        for (std::size_t i = 0; i < before_.size(); ++i) {
            if (before_[i].kind != TokenKind::Punctuation) continue;
            const std::string text = word(i);
            if (text != "<" && text != ">" && text != ";") continue;
            closed = Block::Top;
            if (text == "<") open.push_back(opened_by(first, i, open));
            if (text == ">" && !open.empty()) {
                closed = open.back();
                open.pop_back();
            }
            first = i + 1;
        }
        result_.block = open.empty() ? Block::Top : open.back();
        result_.behind_stage = open.empty() && closed == Block::Stage;
        return first;
    }

    [[nodiscard]] Block opened_by(std::size_t first, std::size_t at, const std::vector<Block>& open) const {
        const std::string head = first < at ? word(first) : "";
        if (head == "stage") return Block::Stage;
        if (head == "on" || head == "throughout") return Block::Failure;
        if (head == "verb") return Block::Verb;
        if (head == "probe") return Block::Probe;
        if (head == "tool") return Block::Tool;
        if (head == "migration") return Block::Migration;
        // `if` and `for` hold what their own block may hold.
        const bool is_compound = head == "if" || head == "else" || head == "for" || head == "parallel";
        return is_compound && !open.empty() && open.back() == Block::Failure ? Block::Failure : Block::Steps;
    }

    // The words and values since the last word behind which a phrase begins.
    void phrase() {
        struct Level {
            std::optional<std::string> introduced;
            std::vector<Element> elements;
        };
        std::vector<Level> levels(1);
        const auto& words = result_.words;
        for (std::size_t i = 0; i < words.size(); ++i) {
            const TokenKind kind = before_[before_.size() - words.size() + i].kind;
            Level& level = levels.back();
            if (words[i] == "(" || words[i] == "[") {
                levels.push_back({words[i], {}});
            } else if (words[i] == ")" || words[i] == "]") {
                if (levels.size() > 1) levels.pop_back();
                levels.back().elements.push_back({});
            } else if (kind != TokenKind::String &&
                       (any_of(openers, words[i]) || (words[i] == "in" && words[0] == "for"))) {
                level = {words[i], {}};
            } else {
                level.elements.push_back({kind == TokenKind::Word || kind == TokenKind::Keyword, words[i]});
            }
        }
        result_.introduced = levels.back().introduced;
        result_.phrase = std::move(levels.back().elements);
    }

    void ends_line() {
        const std::string_view text = analysis_.sources().file(0).text();
        const std::size_t at = text.find_first_not_of(" \t\r", offset_);
        result_.ends_line = at == std::string_view::npos || text[at] == '\n' || text[at] == '>';
    }

    const Analysis& analysis_;
    std::uint32_t offset_;
    std::vector<Token> before_;
    Context result_;
};

}  // namespace

Context context_at(const Analysis& analysis, std::uint32_t offset) {
    return Reader(analysis, offset).context();
}

}  // namespace migc::service
