// A document as a tree in which everything knows its bytes: what the three formats have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/documents/document.hpp"

namespace migc::documents {

// Keeps the order in which keys were given: what is written is written in that order.
using Ordered = nlohmann::ordered_json;

enum class Kind { Scalar, List, Map };

enum class Style {
    Plain,      // a scalar without quotes
    Single,     // in single quotes
    Double,     // in double quotes
    Text,       // a YAML block scalar, a heredoc: lines of text
    Brackets,   // a list or map in [ ] or { }
    Block,      // a YAML list or map by indentation
    Body,       // the top level of a .tfvars file
    Documents,  // of a YAML file
};

struct Member;

struct Node {
    Kind kind = Kind::Scalar;
    Style style = Style::Plain;
    nlohmann::json value;         // of a scalar
    Range range;                  // all its bytes; empty for a YAML value that is left out
    std::vector<Member> members;  // of a list or map
    // Why its bytes cannot be replaced safely ("it has an anchor"), or its value not be read; empty if they
    // can.
    std::string fixed;
    std::string unreadable;
    bool alias = false;  // a YAML alias: what it stands for is written elsewhere

    [[nodiscard]] bool is_null() const { return kind == Kind::Scalar && value.is_null(); }
};

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

struct Member {
    std::string key;              // of a map
    Range key_range;              // of a map's key; of a YAML block list's item: its `-`
    std::size_t sign = nowhere;   // the `:` or `=`
    std::size_t comma = nowhere;  // the comma behind it
    Node value;

    [[nodiscard]] std::size_t begin() const {
        return key_range.end > key_range.begin ? key_range.begin : value.range.begin;
    }
};

struct Tree {
    Node root;
    std::vector<Range> comments;
};

// The three readers. Duplicate keys are a problem in each.
tl::expected<Tree, Problem> parse_json(std::string_view text);
tl::expected<Tree, Problem> parse_yaml(std::string_view text);
tl::expected<Tree, Problem> parse_tfvars(std::string_view text);

// The reader for the format; what is unfit, or has a key twice, is a problem, too.
tl::expected<Tree, Problem> parse(std::string_view text, Format format);

// The first alias in a tree; null if it has none.
const Node* alias_in(const Node& node);

// What the tree says. Where a value cannot be read, a text that stands for it.
nlohmann::json to_json(const Node& node);

// The first key that a map of the tree has twice.
std::optional<Problem> duplicate_key(const Node& node, std::string_view text);

// What is wrong with a text before it is read: too large, not UTF-8, control characters.
std::optional<Problem> unfit(std::string_view text);

}  // namespace migc::documents
