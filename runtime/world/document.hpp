// A YAML document as a tree in which every node knows its place. Stricter than YAML: no aliases, no duplicate
// keys, bounded size and depth, and a plain scalar is a number only if it looks like one to a reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/source/source.hpp"

namespace migc::runtime::inline world {

struct Node {
    enum class Kind { Null, Scalar, Sequence, Map };

    Kind kind = Kind::Null;
    std::string text;  // Scalar
    bool quoted = false;
    Span span;
    std::vector<Node> keys;   // Map: scalars, one per item
    std::vector<Node> items;  // Sequence and Map

    [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Mistake {
    Span span;
    std::string message;
};

// The one document of the text; an empty text is a Null node. `file` is only put into the spans.
tl::expected<Node, Mistake> read_document(std::string_view text, FileId file);

// Plain scalars become numbers, booleans and null where they are written as such.
nlohmann::json to_json(const Node& node);

}  // namespace migc::runtime::inline world
