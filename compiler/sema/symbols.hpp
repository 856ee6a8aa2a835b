// Where names and phrases are declared and where they are used: for editors, which ask about a place in the
// text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/source/source.hpp"

namespace migc::sema {

enum class DefinitionKind : std::uint8_t { Name, Stage, Verb, Probe };

struct Definition {
    DefinitionKind kind = DefinitionKind::Name;
    std::string name;           // of a verb or probe: its signature
    Span span;                  // the name where it is declared; of a slot `(name: type)`; of a signature
    Span whole;                 // Verb, Probe: the declaration with its body
    std::string type;           // as people write it; empty if it has none
    std::string documentation;  // Verb, Probe
};

struct Use {
    Span span;      // a name; of a verb or probe: the phrase with its arguments
    Span declared;  // the `span` of a definition
};

// In the order in which the analysis comes upon them; a use that it meets twice stands here twice.
struct Symbols {
    std::vector<Definition> definitions;
    std::vector<Use> uses;
};

}  // namespace migc::sema
