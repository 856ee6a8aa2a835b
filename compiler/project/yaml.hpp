// YAML as a tree in which every scalar knows its place and nothing has been interpreted: `yes` is the text
// "yes". Only what migc.yaml needs: no aliases, no tags, one document, bounded depth and size.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace migc::project {

// The label on the first of two that are the same.
constexpr const char* here_already = "it is here already";

enum class YamlKind { Null, Scalar, List, Map };

struct YamlEntry;

struct YamlNode {
    YamlKind kind = YamlKind::Null;
    std::string text;                // of a scalar
    bool quoted = false;             // of a scalar: written in quotes or as a block
    Span span;                       // of a list or map: its first character
    std::vector<YamlNode> children;  // of a list
    std::vector<YamlEntry> entries;  // of a map; each key once
};

struct YamlEntry {
    YamlNode key;  // a scalar
    YamlNode value;
};

// Reads the text of `file`. What the tree cannot hold is reported into `diagnostics` (P001) and left out;
// nothing is returned for text that is no YAML, and for an empty document.
std::optional<YamlNode> read_yaml(FileId file, const SourceMap& sources, Diagnostics& diagnostics);

}  // namespace migc::project
