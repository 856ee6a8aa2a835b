#include "compiler/syntax/explain.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace migc::syntax {
namespace {

constexpr std::array statement_words = {"verify", "soak", "gate",  "let",     "if",       "for", "parallel",
                                        "undo",   "hold", "needs", "capture", "effect",   "do",  "steps",
                                        "result", "read", "watch", "depends", "converges"};

constexpr std::array operators = {"and", "or", "not", "+", "-", "*", "/"};
constexpr int operator_limit = 1'000;

template <typename Words>
bool any_of(const Words& words, std::string_view text) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

// A file's tokens without comments, with their text at hand.
class Reader {
  public:
    Reader(const SourceMap& sources, std::span<const Token> tokens) : sources_(sources), tokens_(tokens) {}

    [[nodiscard]] std::size_t size() const { return tokens_.size(); }
    [[nodiscard]] std::string_view text(std::size_t i) const {
        return i < size() ? sources_.text(tokens_[i].span) : std::string_view{};
    }
    [[nodiscard]] TokenKind kind(std::size_t i) const {
        return i < size() ? tokens_[i].kind : TokenKind::Other;
    }
    [[nodiscard]] bool is(std::size_t i, std::string_view word) const {
        return kind(i) != TokenKind::String && text(i) == word;
    }
    [[nodiscard]] Span span(std::size_t i) const {
        if (i < size()) return tokens_[i].span;
        const Span last = tokens_.empty() ? Span{} : tokens_.back().span;
        return {last.file, last.end, last.end};
    }
    // The next or previous token that is no comment; size() if there is none.
    [[nodiscard]] std::size_t after(std::size_t i) const {
        for (++i; i < size() && kind(i) == TokenKind::Comment;) ++i;
        return std::min(i, size());
    }
    [[nodiscard]] std::size_t before(std::size_t i) const {
        while (i > 0)
            if (kind(--i) != TokenKind::Comment) return i;
        return size();
    }
    [[nodiscard]] bool touches(std::size_t a, std::size_t b) const {
        return b < size() && span(a).end == span(b).begin;
    }
    [[nodiscard]] std::uint32_t line(std::size_t i) const { return sources_.begin(span(i)).line; }

  private:
    const SourceMap& sources_;
    std::span<const Token> tokens_;
};

// ------------------------------------------------------------------ structure

class Structure {
  public:
    Structure(const Reader& reader, Diagnostics& diagnostics) : reader_(reader), diagnostics_(diagnostics) {}

    bool check() {
        for (std::size_t i = 0; i < reader_.size() && !stopped_; ++i) check(i);
        if (!stopped_ && clean_) unclosed();
        return clean_;
    }

  private:
    Diagnostic& report(Span span, std::string message, std::string note = {}) {
        clean_ = false;
        return diagnostics_.report(Code::Syntax, span, std::move(message), std::move(note));
    }

    void check(std::size_t i) {
        if (reader_.kind(i) == TokenKind::Comment || reader_.kind(i) == TokenKind::String) return;
        if (reader_.kind(i) == TokenKind::Other) return foreign(i);
        const std::string_view text = reader_.text(i);
        if (comparison(i)) return;
        if (text == ";" || text == "<" || text == ">") operators_ = 0;
        if (any_of(operators, text) && ++operators_ > operator_limit) return too_many_operators(i);
        if (text == "/" && reader_.is(i + 1, "/") && reader_.touches(i, i + 1))
            comment(i);
        else if (text == "<" || text == "(" || text == "[")
            open(i);
        else if (text == ">" || text == ")" || text == "]")
            close(i, text == ">" ? "<" : text == ")" ? "(" : "[");
    }

    // A chain of operators is as deep as it is long.
    void too_many_operators(std::size_t i) {
        report(reader_.span(i), fmt::format("more than {} operators in one expression", operator_limit),
               "no reviewer can follow it; name parts of it by `let`");
        stopped_ = true;
    }

    void comment(std::size_t i) {
        auto& d =
            report(cover(reader_.span(i), reader_.span(i + 1)), "a comment begins with `#`, not with `//`");
        d.fixes.push_back(write_instead(d.span, "#"));
        stopped_ = true;
    }

    void foreign(std::size_t i) {
        const std::string_view text = reader_.text(i);
        if (text == "{" || text == "}") return brace(i);
        if (text == "!" && reader_.is(i + 1, "=")) return word_for(i, i + 1, "!=", "is not");
        if (text == "&" && reader_.is(i + 1, "&")) return word_for(i, i + 1, "&&", "and");
        if (text == "|" && reader_.is(i + 1, "|")) return word_for(i, i + 1, "||", "or");
        if (text == "!") return word_for(i, i, "!", "not");
        if (text.starts_with('"')) {
            report(
                reader_.span(i), "this string never ends",
                "a string ends with `\"` on the line where it begins; a line break inside is written `\\n`");
        } else if (text == "'" || text == "`") {
            report(reader_.span(i), "strings are written in double quotes",
                   "for example \"k8s/configmap.yaml\"");
        } else {
            report(reader_.span(i), fmt::format("`{}` has no meaning in Mig", text));
        }
        stopped_ = true;
    }

    void brace(std::size_t i) {
        auto& d = report(reader_.span(i), "blocks are written `< .. >`, not `{ .. }`");
        Fix fix{"write `<` and `>`", {}, false};
        for (std::size_t k = i; k < reader_.size(); ++k) {
            if (reader_.is(k, "{")) fix.edits.push_back({reader_.span(k), "<"});
            if (reader_.is(k, "}")) fix.edits.push_back({reader_.span(k), ">"});
        }
        d.fixes.push_back(std::move(fix));
        stopped_ = true;
    }

    void word_for(std::size_t first, std::size_t last, std::string_view sign, std::string_view word) {
        auto& d = report(cover(reader_.span(first), reader_.span(last)),
                         fmt::format("`{}` is written as a word: `{}`", sign, word));
        d.fixes.push_back(write_instead(d.span, std::string(word)));
        stopped_ = true;
    }

    // `==`, `<=`, `> 3`: nothing of Mig looks like these.
    bool comparison(std::size_t i) {
        const std::string_view text = reader_.text(i);
        const bool equals = reader_.is(i + 1, "=") && reader_.touches(i, i + 1);
        if (text == "=" && equals) return word_for(i, i + 1, "==", "is"), true;
        if (text != "<" && text != ">") return false;
        if (equals)
            return word_for(i, i + 1, text == "<" ? "<=" : ">=", text == "<" ? "at most" : "at least"), true;
        if (reader_.kind(i + 1) == TokenKind::Number || closes_in_the_middle(i))
            return word_for(i, i, text, text == "<" ? "below" : "above"), true;
        return false;
    }

    // `> low;` behind a word: a block that closed here would leave its last statement without `;`.
    [[nodiscard]] bool closes_in_the_middle(std::size_t i) const {
        const std::size_t before = reader_.before(i);
        if (!reader_.is(i, ">") || before >= reader_.size() || reader_.line(before) != reader_.line(i))
            return false;
        const bool behind_operand = reader_.kind(before) == TokenKind::Word || reader_.is(before, ")");
        const bool before_operand = reader_.kind(i + 1) == TokenKind::Word || reader_.is(i + 1, "(");
        return behind_operand && before_operand && reader_.line(i) == reader_.line(i + 1);
    }

    void open(std::size_t i) {
        open_.push_back(i);
        if (open_.size() <= nesting_limit) return;
        report(reader_.span(i),
               fmt::format("more than {} blocks, parentheses and lists within each other", nesting_limit),
               "no change plan that a person can review is nested this deeply; is a `>` missing further "
               "up?");
        stopped_ = true;
    }

    void close(std::size_t i, std::string_view opener) {
        if (!open_.empty() && reader_.is(open_.back(), opener)) return open_.pop_back();
        auto& d = report(reader_.span(i), fmt::format("this `{}` closes nothing", reader_.text(i)));
        if (!open_.empty()) d.labels.push_back({reader_.span(open_.back()), "this is still open"});
        stopped_ = true;
    }

    void unclosed() {
        if (open_.empty()) return;
        const std::size_t i = open_.back();
        const std::string_view text = reader_.text(i);
        const auto [what, end] = text == "<"   ? std::pair("block", ">")
                                 : text == "(" ? std::pair("parenthesis", ")")
                                               : std::pair("list", "]");
        report(reader_.span(i), fmt::format("the {} that begins here never ends", what))
            .labels.push_back(
                {reader_.span(reader_.size()), fmt::format("the file ends without its `{}`", end)});
    }

    const Reader& reader_;
    Diagnostics& diagnostics_;
    std::vector<std::size_t> open_;
    int operators_ = 0;  // in this statement
    bool clean_ = true;
    bool stopped_ = false;
};

// ------------------------------------------------------------------ where the parser stopped

std::string in_words(const std::vector<std::string>& expected) {
    std::vector<std::string> names;
    names.reserve(expected.size());
    for (const auto& e : expected)
        names.push_back(e == "WORD"          ? "a word"
                        : e == "STRING"      ? "a string"
                        : e == "NUMBER"      ? "a number"
                        : e == "BY_CALLER"   ? "`by caller`"
                        : e.starts_with('`') ? e
                                             : "a comparison");
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    if (names.size() > 4) return {};
    if (names.size() < 2) return names.empty() ? "" : names.front();
    const std::string last = names.back();
    names.pop_back();
    return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

bool may_end_here(const std::vector<std::string>& expected) {
    return any_of(expected, "`;`");
}

class Explanation {
  public:
    Explanation(const Reader& reader, const Stop& stop, Diagnostics& diagnostics)
        : reader_(reader),
          stop_(stop),
          at_(stop.token),
          previous_(reader.before(stop.token)),
          diagnostics_(diagnostics) {}

    void report() {
        if (at_ >= reader_.size())
            return previous_ < reader_.size() && may_end_here(stop_.expected)
                       ? missing_semicolon()
                       : report("the file ends in the middle of a statement");
        const std::string_view text = reader_.text(at_);
        const bool starts_anew = any_of(statement_words, text) || any_of(item_words, text) || text == ">";
        if (starts_anew && previous_ < reader_.size() && may_end_here(stop_.expected))
            return missing_semicolon();
        if (text == "<" && may_end_here(stop_.expected)) return comparison_or_block();
        if (previous_ < reader_.size() && (unit_apart() || unquoted())) return;
        const std::size_t head = head_of_item();
        if (head == at_ && !any_of(item_words, text)) return not_an_item(at_);
        if (head < at_ && any_of(stop_.expected, "`never`")) return not_an_item(head);
        const bool in_phrase = previous_ < reader_.size() && reader_.kind(previous_) == TokenKind::Word;
        if (reader_.kind(at_) == TokenKind::Keyword && (in_phrase || any_of(stop_.expected, "WORD")))
            return report(
                fmt::format("`{}` is a word of the language and cannot be a name or part of a phrase", text));
        const std::string after =
            previous_ < reader_.size() ? fmt::format(" after `{}`", reader_.text(previous_)) : "";
        report(fmt::format("`{}` cannot stand here{}", text, after));
    }

  private:
    void missing_semicolon() {
        const Span last = reader_.span(previous_), end{last.file, last.end, last.end};
        auto& d = diagnostics_.report(Code::MissingSemicolon, end, "this statement needs a `;` at its end");
        if (at_ < reader_.size())
            d.labels.push_back({reader_.span(at_), reader_.is(at_, ">") ? "the block ends here"
                                                                        : "the next statement begins here"});
        d.fixes.push_back({"add `;`", {{end, ";"}}, true});
    }

    void report(std::string message) {
        const std::string words = in_words(stop_.expected);
        diagnostics_.report(Code::Syntax, reader_.span(at_), std::move(message),
                            words.empty() ? "" : "expected here: " + words);
    }

    // `5 minutes`: a number and its unit are one word.
    bool unit_apart() {
        constexpr std::array words = {"s",     "sec",  "secs",   "second",  "seconds", "m",
                                      "min",   "mins", "minute", "minutes", "h",       "hour",
                                      "hours", "hrs",  "d",      "day",     "days"};
        const std::string_view unit = reader_.text(at_);
        if (reader_.kind(previous_) != TokenKind::Number || !any_of(words, unit)) return false;
        const std::string written = fmt::format("{}{}", reader_.text(previous_), unit.front());
        auto& d = diagnostics_.report(Code::Syntax, cover(reader_.span(previous_), reader_.span(at_)),
                                      fmt::format("a duration is one word: `{}`", written));
        d.fixes.push_back(write_instead(d.span, written));
        return true;
    }

    // `k8s/web.yaml`, `web:1.2`, `example.com`: what has such signs in it is a string.
    bool unquoted() {
        constexpr std::array signs = {"/", ".", ":", "@"};
        if (!any_of(signs, reader_.text(at_)) || !reader_.touches(previous_, at_)) return false;
        std::size_t first = previous_, last = at_;
        const auto is_part = [&](std::size_t i) {
            constexpr std::array ends = {";", ",", "<", ">", "(", ")", "[", "]"};
            return i < reader_.size() && reader_.kind(i) != TokenKind::String &&
                   reader_.kind(i) != TokenKind::Comment && !any_of(ends, reader_.text(i));
        };
        while (first > 0 && is_part(first - 1) && reader_.touches(first - 1, first)) --first;
        while (is_part(last + 1) && reader_.touches(last, last + 1)) ++last;
        std::string text;
        for (std::size_t i = first; i <= last; ++i) text += reader_.text(i);
        auto& d = diagnostics_.report(Code::Syntax, cover(reader_.span(first), reader_.span(last)),
                                      "a path, an address or an image is written in quotes");
        d.fixes.push_back(write_instead(d.span, fmt::format("\"{}\"", text)));
        return true;
    }

    void comparison_or_block() {
        diagnostics_.report(
            Code::Syntax, reader_.span(at_), "no block can begin here",
            "if this compares two values, write `below` or `above`: `<` and `>` only open and close blocks");
    }

    // The first token of the item that the parser stopped in; size() inside of a block.
    [[nodiscard]] std::size_t head_of_item() const {
        int depth = 0;
        std::size_t head = reader_.size();
        for (std::size_t i = 0; i < at_; ++i) {
            if (reader_.kind(i) == TokenKind::Comment) continue;
            if (head == reader_.size()) head = i;
            depth += reader_.is(i, "<") ? 1 : reader_.is(i, ">") ? -1 : 0;
            if (depth == 0 && (reader_.is(i, ";") || reader_.is(i, ">"))) head = reader_.size();
        }
        return depth == 0 ? std::min(head, at_) : reader_.size();
    }

    void not_an_item(std::size_t at) {
        diagnostics_.report(
            Code::Syntax, reader_.span(at),
            fmt::format("`{}` cannot stand outside of a stage", reader_.text(at)),
            "a script consists of `stage NAME < .. > on failure undo;`, and before them `migration`, `use`, "
            "`param`, `let`, `require`, `always` and `never`");
    }

    const Reader& reader_;
    const Stop& stop_;
    std::size_t at_;
    std::size_t previous_;
    Diagnostics& diagnostics_;
};

}  // namespace

bool check_structure(const SourceMap& sources, std::span<const Token> tokens, Diagnostics& diagnostics) {
    const Reader reader(sources, tokens);
    return Structure(reader, diagnostics).check();
}

void explain(const SourceMap& sources, std::span<const Token> tokens, const Stop& stop,
             Diagnostics& diagnostics) {
    const Reader reader(sources, tokens);
    Explanation(reader, stop, diagnostics).report();
}

namespace {

// Whether a statement or item goes on behind the `>` of its block.
bool goes_on(const Reader& reader, std::size_t i) {
    constexpr std::array words = {";",     "else",  "on", "throughout", "after",       "within",
                                  "retry", "every", "as", "undo",       "irreversible"};
    return reader.kind(i) != TokenKind::String && any_of(words, reader.text(i));
}

}  // namespace

Range broken_statement(const SourceMap& sources, std::span<const Token> tokens, std::size_t stop) {
    const Reader reader(sources, tokens);
    std::size_t first = std::min(stop, reader.size());
    // Where a statement lacks its `;`, the stop is the next one's first word: the broken one is before it.
    for (int depth = 0; first > 0; --first) {
        if (reader.is(first - 1, ">")) {
            if (depth == 0 && first != stop) break;
            ++depth;
        } else if (reader.is(first - 1, "<")) {
            if (depth == 0) break;
            --depth;
        } else if (depth == 0 && reader.is(first - 1, ";")) {
            break;
        }
    }
    std::size_t last = first;
    for (int depth = 0; last < reader.size(); ++last) {
        if (reader.is(last, "<")) ++depth;
        if (reader.is(last, ">") && --depth < 0) break;
        const bool ends_block = reader.is(last, ">") && last >= stop && depth == 0;
        if (ends_block && !goes_on(reader, reader.after(last))) {
            ++last;
            break;
        }
        const bool next_begins = last >= stop && last > first && depth == 0 &&
                                 any_of(item_words, reader.text(last)) &&
                                 reader.kind(last) == TokenKind::Keyword;
        if (next_begins) break;
        if (depth == 0 && reader.is(last, ";")) {
            ++last;
            break;
        }
    }
    return {first, last};
}

}  // namespace migc::syntax
