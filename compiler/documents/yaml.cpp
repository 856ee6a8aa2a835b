// The tree of a YAML text in which everything knows its bytes: around what the parser tells, the signs
// between values.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/documents/tree.hpp"
#include "compiler/documents/yaml_scalar.hpp"
#include "compiler/documents/yaml_tree.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::documents {
namespace {

constexpr std::string_view odd_place = "it is written in a way that cannot be edited safely";

class Converter {
  public:
    explicit Converter(std::string_view text) : text_(text) {}

    [[nodiscard]] Node converted(const YamlNode& raw, bool in_brackets) const {
        switch (raw.kind) {
            case YamlKind::Null:
                return null(raw);
            case YamlKind::Alias:
                return alias(raw);
            case YamlKind::Scalar:
                return scalar(raw);
            case YamlKind::List:
                return several(raw, Kind::List, '[', in_brackets);
            case YamlKind::Map:
                return several(raw, Kind::Map, '{', in_brackets);
        }
        return {};
    }

  private:
    static Node null(const YamlNode& raw) {
        Node node;
        node.range = {raw.span.begin, raw.span.end};
        if (raw.anchor != 0) node.fixed = "it has an anchor";
        return node;
    }

    static Node alias(const YamlNode& raw) {
        Node node;
        node.range = {raw.span.begin, raw.span.end};
        node.value = fmt::format("*{}", raw.anchor);
        node.alias = true;
        node.fixed = "it is an alias of another value";
        node.unreadable = "it is an alias; write the value out";
        return node;
    }

    [[nodiscard]] Node scalar(const YamlNode& raw) const {
        Node node;
        node.range = {raw.span.begin, raw.span.end};
        node.value = raw.text;
        const char first = raw.span.begin < text_.size() ? text_[raw.span.begin] : '\0';
        if (first == '"' || first == '\'') {
            node.style = first == '"' ? Style::Double : Style::Single;
        } else if (first == '|' || first == '>') {
            node.style = Style::Text;
            node.fixed = "it is a text block of several lines";
        } else {
            const bool is_exact = text_.substr(raw.span.begin, raw.span.size()) == raw.text;
            if (!is_exact) node.fixed = "it is written over several lines";
            node.unreadable = ambiguity_of_plain(raw.text);
            if (node.unreadable.empty()) node.value = meaning_of_plain(raw.text);
        }
        properties(node, raw);
        if (!node.unreadable.empty() && node.value.is_null()) node.value = raw.text;
        return node;
    }

    static void properties(Node& node, const YamlNode& raw) {
        if (raw.anchor != 0) node.fixed = "it has an anchor, so that it is used elsewhere, too";
        if (raw.tag.empty()) return;
        node.fixed = "it has a tag";
        node.unreadable = fmt::format("it has the tag `{}`", raw.tag);
    }

    [[nodiscard]] Node several(const YamlNode& raw, Kind kind, char bracket, bool in_brackets) const {
        Node node;
        const std::size_t begin = raw.span.begin;
        node.kind = kind;
        const bool has_bracket = begin < text_.size() && text_[begin] == bracket;
        node.style = has_bracket ? Style::Brackets : Style::Block;
        node.range = {begin, begin};
        properties(node, raw);
        // `[a: 1]` holds a map without brackets of its own.
        if (in_brackets && !has_bracket) node.fixed = odd_place;
        for (const YamlNode& child : raw.children) add_item(node, converted(child, has_bracket));
        for (const auto& [key, value] : raw.entries)
            add_entry(node, converted(key, has_bracket), converted(value, has_bracket));
        if (has_bracket)
            end_brackets(node);
        else if (node.members.empty())
            node.fixed = odd_place;
        else
            node.range = {node.members.front().begin(),
                          std::max(node.members.back().begin(), node.members.back().value.range.end)};
        return node;
    }

    // The commas, and the closing bracket, which the parser does not tell.
    void end_brackets(Node& node) const {
        const char bracket = node.kind == Kind::List ? ']' : '}';
        std::size_t at = node.range.begin + 1;
        for (Member& member : node.members) {
            at = skip_space(text_, std::max(at, end_of(member)));
            if (at < text_.size() && text_[at] == ',') member.comma = at++;
        }
        at = skip_space(text_, at);
        if (at < text_.size() && text_[at] == bracket)
            node.range.end = at + 1;
        else
            node.fixed = odd_place, node.range.end = std::min(at, text_.size());
    }

    // The `-` of an item stands behind the item before it; the first one is where the list begins.
    void add_item(Node& list, Node item) const {
        Member member;
        if (list.style == Style::Block) {
            const std::size_t before = list.members.empty() ? list.range.begin : end_of(list.members.back());
            const std::size_t dash = skip_space(text_, before);
            const bool is_dash = dash < text_.size() && text_[dash] == '-';
            if (!is_dash) list.fixed = odd_place;
            member.key_range = {dash, std::min(dash + 1, text_.size())};
            if (is_left_out(item)) item.range = {dash + 1, dash + 1};
        }
        member.value = std::move(item);
        list.members.push_back(std::move(member));
    }

    static bool is_left_out(const Node& node) { return node.is_null() && node.range.end == node.range.begin; }

    static std::size_t end_of(const Member& member) {
        return std::max(member.key_range.end, member.value.range.end);
    }

    void add_entry(Node& map, const Node& key, Node value) const {
        Member member;
        member.key_range = key.range;
        member.key = plain_text(key.value);
        // What was written is the key: `1: x` is the key "1", `yes: x` the key "yes".
        if (key.style == Style::Plain && key.kind == Kind::Scalar)
            member.key = text_.substr(key.range.begin, key.range.end - key.range.begin);
        member.sign = skip_space(text_, key.range.end);
        const bool is_simple = key.kind == Kind::Scalar && key.fixed.empty() && member.sign < text_.size() &&
                               text_[member.sign] == ':' && key.range.end > key.range.begin;
        if (!is_simple) map.fixed = odd_place;
        if (is_left_out(value)) {
            const std::size_t behind = std::min(member.sign + 1, text_.size());
            value.range = {behind, behind};
        }
        member.value = std::move(value);
        map.members.push_back(std::move(member));
    }

    std::string_view text_;
};

// Comments between values, for those who write into brackets over several lines.
void find_comments(std::string_view text, const Node& node, std::vector<Range>& comments) {
    if (node.style == Style::Brackets)
        for (const Member& member : node.members) {
            const std::size_t end =
                std::max(member.value.range.end, member.comma == nowhere ? 0 : member.comma + 1);
            const std::size_t at = skip_blanks(text, end);
            if (at < text.size() && text[at] == '#') comments.push_back({at, line_end(text, at)});
        }
    for (const Member& member : node.members) find_comments(text, member.value, comments);
}

}  // namespace

tl::expected<Tree, Problem> parse_yaml(std::string_view text) {
    const YamlText read = read_yaml_text(text);
    if (read.problem)
        return tl::unexpected(Problem{"it is no YAML: " + read.problem->message, read.problem->offset});
    Tree tree;
    tree.root.kind = Kind::List;
    tree.root.style = Style::Documents;
    tree.root.range = {0, text.size()};
    for (const YamlNode& document : read.documents)
        if (document.kind != YamlKind::Null)
            tree.root.members.push_back(
                {{}, {}, nowhere, nowhere, Converter(text).converted(document, false)});
    find_comments(text, tree.root, tree.comments);
    return tree;
}

}  // namespace migc::documents
