// YAML as it is written: a tree in which everything knows its place and nothing is interpreted; `yes` is the
// text "yes". It is the only reader of YAML; what a value means is said by those who look at the tree.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/documents/document.hpp"
#include "compiler/source/source.hpp"

namespace migc::documents {

enum class YamlKind { Null, Scalar, List, Map, Alias };

struct YamlEntry;

struct YamlNode {
    YamlKind kind = YamlKind::Null;
    std::string text;                // of a scalar
    bool quoted = false;             // of a scalar: written in quotes or as a block
    Span span;                       // all bytes of a scalar or alias; of a list or map: its first character
    std::vector<YamlNode> children;  // of a list
    std::vector<YamlEntry> entries;  // of a map, in the order of the text
    std::string tag;                 // empty if it has none
    std::size_t anchor = 0;          // the one it has; of an alias: what it stands for; 0 if there is none
    Span mark;                       // the first character, that of its anchor or tag included

    // Of a map: the value of the key; null if it has none, or this is no map.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
    YamlNode key;
    YamlNode value;
};

struct YamlLimits {
    std::size_t depth = deepest;  // levels of lists and maps
    std::size_t values = most_values;
};
// For what programs write.
constexpr YamlLimits large_yaml = {200, 1'000'000};

struct YamlText {
    std::vector<YamlNode> documents;
    std::optional<Problem> problem;  // why no more was read; the documents hold what came before
};

// Reads all documents of a text. `file` is only put into the spans.
YamlText read_yaml_text(std::string_view text, YamlLimits limits = {}, FileId file = 0);

// What readers of YAML understand differently, and what makes a small text a large tree.
struct YamlFault {
    enum class Of { Alias, Anchor, Tag, Key, Duplicate };
    Of of;
    Span span;
    std::string message;
    std::string key;  // of a duplicate
    Span first;       // of a duplicate: where the key is already
};

// Takes aliases (null is left in their place), keys that are no scalars and keys that are there twice out of
// a tree. The faults come in the order of the text.
std::vector<YamlFault> take_faults(YamlNode& node);

// The first fault of several documents that changes what is read: anchors and tags by themselves do not.
std::optional<YamlFault> first_fault(std::vector<YamlNode>& documents);

enum class Scalars { Texts, Values };

// As Values, plain scalars are numbers, booleans and null where all readers take them for that; else they are
// texts. An alias is what it stands for; nothing is returned where that makes more than `large_yaml`.
std::optional<nlohmann::json> to_json(const YamlNode& node, Scalars scalars);

// The first document of a text, null for an empty one; nothing if it is not YAML or larger than `large_yaml`.
std::optional<nlohmann::json> yaml_to_json(std::string_view text, Scalars scalars);

}  // namespace migc::documents
