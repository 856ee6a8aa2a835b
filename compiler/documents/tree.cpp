#include "compiler/documents/tree.hpp"

#include <map>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"

namespace migc::documents {

tl::expected<Tree, Problem> parse(std::string_view text, Format format) {
    if (auto problem = unfit(text)) return tl::unexpected(std::move(*problem));
    auto tree = format == Format::Json   ? parse_json(text)
                : format == Format::Yaml ? parse_yaml(text)
                                         : parse_tfvars(text);
    if (!tree) return tree;
    if (auto problem = duplicate_key(tree->root, text)) return tl::unexpected(std::move(*problem));
    return tree;
}

const Node* alias_in(const Node& node) {
    if (node.alias) return &node;
    for (const Member& member : node.members)
        if (const Node* found = alias_in(member.value)) return found;
    return nullptr;
}

nlohmann::json to_json(const Node& node) {
    if (node.kind == Kind::Scalar) return node.value;
    auto json = node.kind == Kind::List ? nlohmann::json::array() : nlohmann::json::object();
    for (const Member& member : node.members) {
        if (node.kind == Kind::List)
            json.push_back(to_json(member.value));
        else
            json[member.key] = to_json(member.value);
    }
    return json;
}

std::optional<Problem> duplicate_key(const Node& node, std::string_view text) {
    std::map<std::string_view, std::size_t> places;
    for (const Member& member : node.members) {
        if (node.kind == Kind::Map) {
            const auto [first, is_new] = places.emplace(member.key, member.key_range.begin);
            if (!is_new)
                return Problem{
                    fmt::format("the key `{}` is there twice, here and in line {}: readers differ in which "
                                "of the two they take",
                                member.key, line_number(text, first->second)),
                    member.key_range.begin};
        }
        if (auto problem = duplicate_key(member.value, text)) return problem;
    }
    return std::nullopt;
}

std::optional<Problem> unfit(std::string_view text) {
    if (text.size() > size_limit)
        return Problem{fmt::format("it is larger than {} MiB", size_limit >> 20), 0};
    if (!is_utf8(text)) return Problem{"it is not UTF-8", 0};
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool ends_line = text[i] == '\n' || (text[i] == '\r' && text.substr(i + 1).starts_with('\n'));
        if ((byte < 0x20 && text[i] != '\t' && !ends_line) || byte == 0x7F)
            return Problem{"it holds a control character", i};
    }
    return std::nullopt;
}

}  // namespace migc::documents
