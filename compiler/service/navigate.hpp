// What stands at a place of a script: said in words, where it is declared, where it is used, under another
// name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/service/analysis.hpp"

namespace migc::service {

struct Hover {
    std::string markdown;
    Span span;
};

std::optional<Hover> hover(const Analysis& analysis, std::uint32_t offset);

// The place of the declaration; it may lie in another file of the analysis' sources.
std::optional<Span> definition(const Analysis& analysis, std::uint32_t offset);

// Every place where what stands at the offset is used, and with `declaration` where it is declared, in the
// order of the text. Empty if nothing stands there.
std::vector<Span> references(const Analysis& analysis, std::uint32_t offset, bool declaration);

// The name that a rename at this place would change; the error says why none can.
tl::expected<Span, std::string> renamable(const Analysis& analysis, std::uint32_t offset);

// The edits of the script that give it another name.
tl::expected<std::vector<Edit>, std::string> rename(const Analysis& analysis, std::uint32_t offset,
                                                    const std::string& new_name);

}  // namespace migc::service
