// YAML for configuration: what two readers could take for different things is a finding.
#pragma once

#include <optional>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/documents/yaml_tree.hpp"

namespace migc::project {

using documents::YamlEntry;
using documents::YamlKind;
using documents::YamlNode;

// The label on the first of two that are the same.
constexpr const char* here_already = "it is here already";

// Reads the text of `file`, which is one document without aliases, anchors and tags. What else is there is
// reported into `diagnostics` (P001) and left out; nothing is returned for text that is no YAML, and for an
// empty document.
std::optional<YamlNode> read_yaml(FileId file, const SourceMap& sources, Diagnostics& diagnostics);

}  // namespace migc::project
