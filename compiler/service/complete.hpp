// What could be written at a place of a script.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "compiler/service/analysis.hpp"

namespace migc::service {

enum class CompletionKind { Keyword, Phrase, Name, Value };

struct Completion {
    CompletionKind kind = CompletionKind::Keyword;
    std::string label;
    std::string detail;         // a few words beside it
    std::string documentation;  // Markdown
    std::string snippet;        // what is inserted, with `${1:placeholders}`
};

struct Completions {
    Span replaced;  // what has been typed of the word
    std::vector<Completion> items;
};

// The standard library's declarations, parsed once and kept.
struct Phrases {
    explicit Phrases(const sema::Embedded& library);

    struct Module {
        std::string name;  // "std.canary"
        bool always = false;
        syntax::File file;
    };
    SourceMap sources;
    std::deque<Module> modules;
};

Completions complete(const Analysis& analysis, const Phrases& library, std::uint32_t offset);

}  // namespace migc::service
