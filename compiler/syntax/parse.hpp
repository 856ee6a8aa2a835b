// Text to tokens to syntax tree. The implementation is the one source file that sees ANTLR.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::syntax {

constexpr std::size_t source_limit = std::size_t{8} << 20;  // bytes
constexpr int nesting_limit = 256;                          // blocks, parentheses and lists within each other

// The words with which an item of a script begins.
inline constexpr std::array<std::string_view, 12> item_words = {"migration", "use",    "param",    "let",
                                                                "require",   "always", "never",    "stage",
                                                                "verb",      "probe",  "resource", "tool"};

enum class TokenKind { Word, Keyword, Number, String, Punctuation, Comment, Other };

struct Token {
    TokenKind kind = TokenKind::Other;
    Span span;
};

// Every token of a file, comments included, in order. Never fails: what is no token is `Other`.
std::vector<Token> tokenize(const SourceMap& sources, FileId file);

// Whether the file can be a script at all: not too large, UTF-8, no control characters. Reports L001 if not.
bool check_text(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

// The tree of a file. Reports what is not Mig: each broken statement once, then goes on behind it. With such
// reports the tree lacks those statements, and is good for showing, not for running. Throws nothing; time and
// memory are linear in the size.
File parse(const SourceMap& sources, FileId file, Diagnostics& diagnostics);

class Memory;

// The same tree and reports as `parse`, for a text that is edited over and over: what stood in an earlier one
// is taken from `memory`. The text must have passed `check_text`; `tokens` become all of its tokens.
File parse_again(const SourceMap& sources, FileId file, Diagnostics& diagnostics, Memory& memory,
                 std::vector<Token>& tokens);

}  // namespace migc::syntax
