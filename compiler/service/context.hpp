// Where in a script a place is, told by its tokens alone: so that it can be told of half a statement, too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/service/analysis.hpp"

namespace migc::service {

enum class Block { Top, Stage, Failure, Steps, Verb, Probe, Tool, Migration };

// One word or value of a phrase.
struct Element {
    bool is_word = false;
    std::string text;  // of a word
};

struct Context {
    bool is_text = false;  // within a string or a comment: nothing is completed there
    Block block = Block::Top;
    bool behind_stage = false;              // directly behind a stage's block, on the top level
    Span prefix;                            // what has been typed of a word; may be empty
    std::vector<std::string> words;         // the statement's tokens before the prefix
    std::optional<std::string> introduced;  // the token behind which the phrase begins: "verify", "is", "("
    std::vector<Element> phrase;            // of the phrase, before the prefix
    bool ends_line = false;                 // nothing else stands behind, on this line
};

Context context_at(const Analysis& analysis, std::uint32_t offset);

}  // namespace migc::service
