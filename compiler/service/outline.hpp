// The shape of a script: its parts, what can be folded, and its standard layout.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/service/analysis.hpp"

namespace migc::service {

enum class PartKind { Param, Let, Stage, Verb, Probe, Tool, Resource };

struct Part {
    PartKind kind = PartKind::Stage;
    std::string name;
    std::string detail;  // a few words beside it; may be empty
    Span span;           // all of it
    Span name_span;      // within `span`
};

// In the order of the text.
std::vector<Part> outline(const Analysis& analysis);

// The blocks, from `<` to `>`.
std::vector<Span> blocks(const Analysis& analysis);

// The edit, at most one, that brings the text into standard layout; nothing if the text is no Mig.
std::optional<std::vector<Edit>> format(const Analysis& analysis);

}  // namespace migc::service
