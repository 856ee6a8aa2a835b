// The one document of a world file or of a simulated command's input.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/documents/yaml_tree.hpp"

namespace migc::runtime::inline world {

using documents::YamlKind;
using documents::YamlNode;

struct Mistake {
    Span span;
    std::string message;
};

// The one document of the text, without aliases and without keys that are there twice; an empty text is a
// Null node. `file` is only put into the spans.
tl::expected<YamlNode, Mistake> read_document(std::string_view text, FileId file);

// Plain scalars are numbers, booleans and null where every reader takes them for that.
nlohmann::json to_json(const YamlNode& node);

}  // namespace migc::runtime::inline world
