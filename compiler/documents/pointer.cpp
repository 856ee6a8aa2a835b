#include "compiler/documents/pointer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::documents {
namespace {

using Index = tl::expected<std::size_t, Problem>;  // `nowhere`: there is no such member

std::string path_of(const std::vector<std::string>& tokens, std::size_t count) {
    const std::vector<std::string> names(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count));
    return names.empty() ? "the file" : "`" + pointer_to(names) + "`";
}

// In a map that takes over the keys of another one, what is not written may be there all the same.
Index in_map(const Node& map, const std::string& token, const std::string& path) {
    const auto has = [&](const std::string& key) {
        return std::ranges::find_if(map.members, [&](const Member& m) { return m.key == key; });
    };
    if (const auto found = has(token); found != map.members.end())
        return static_cast<std::size_t>(found - map.members.begin());
    if (map.style == Style::Block && has("<<") != map.members.end())
        return tl::unexpected(Problem{
            fmt::format("{} takes over keys by `<<`: write out what is wanted", path), map.range.begin});
    return nowhere;
}

Index picked(const Node& list, const Picker& wanted, const std::string& path, std::string_view text) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < list.members.size(); ++i)
        if (picks(wanted, list.members[i].value)) found.push_back(i);
    if (found.empty()) return nowhere;
    if (found.size() == 1) return found.front();
    const std::size_t first = list.members[found[0]].begin(), second = list.members[found[1]].begin();
    const std::size_t line = line_number(text, first), other = line_number(text, second);
    const std::string lines =
        line == other ? fmt::format("in line {}", line) : fmt::format("in lines {} and {}", line, other);
    const char* what = list.style == Style::Documents ? "documents" : "elements";
    return tl::unexpected(Problem{fmt::format("{} {} of {} have {} `{}`, {}: say which by its number",
                                              found.size(), what, path, wanted.key, wanted.value, lines),
                                  second});
}

Index in_list(const Node& list, const std::string& token, const std::string& path, std::string_view text) {
    if (const auto wanted = picker(token)) return picked(list, *wanted, path, text);
    if (token == "-") return nowhere;
    const auto index = whole_number<std::size_t>(token);
    if (index && (token.size() == 1 || token[0] != '0'))
        return *index < list.members.size() ? *index : nowhere;
    const char* what = list.style == Style::Documents ? "holds several documents" : "is a list";
    return tl::unexpected(
        Problem{fmt::format("{} {}: `{}` is neither a number nor of the form key=value", path, what, token),
                list.range.begin});
}

// The only document of a YAML file needs no token; one that picks it is taken as what it is. False: it is not
// there.
bool enter_document(const Node& documents, const std::vector<std::string>& tokens, Place& place,
                    std::size_t& at) {
    if (documents.members.size() != 1) return !documents.members.empty();
    const Node& document = documents.members.front().value;
    const auto wanted = tokens.empty() ? std::nullopt : picker(tokens.front());
    const bool is_key = std::ranges::any_of(
        document.members, [&](const Member& m) { return !tokens.empty() && m.key == tokens.front(); });
    if (wanted && document.kind == Kind::Map && !is_key) {
        if (!picks(*wanted, document)) return false;
        ++at;
    }
    place.hops.push_back({&documents, 0});
    place.node = &document;
    return true;
}

}  // namespace

std::optional<Picker> picker(std::string_view token) {
    const std::size_t sign = token.find('=');
    if (sign == std::string_view::npos || sign == 0) return std::nullopt;
    return Picker{std::string(token.substr(0, sign)), std::string(token.substr(sign + 1))};
}

bool picks(const Picker& wanted, const Node& node) {
    return std::ranges::any_of(node.members, [&](const Member& member) {
        return node.kind == Kind::Map && member.key == wanted.key && member.value.kind == Kind::Scalar &&
               plain_text(member.value.value) == wanted.value;
    });
}

tl::expected<std::vector<std::string>, Problem> tokens_of(std::string_view pointer) {
    const auto refuse = [&] {
        return tl::unexpected(Problem{
            fmt::format(
                "`{}` is no JSON pointer; one looks like /Pipeline/Cache/Type, with ~1 for a `/` in a name",
                pointer),
            0});
    };
    std::vector<std::string> tokens;
    if (pointer.empty()) return tokens;
    if (pointer.front() != '/') return refuse();
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] == '/') {
            tokens.emplace_back();
        } else if (pointer[i] == '~') {
            if (++i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return refuse();
            tokens.back() += pointer[i] == '0' ? '~' : '/';
        } else {
            tokens.back() += pointer[i];
        }
    }
    if (tokens.size() > static_cast<std::size_t>(deepest)) return refuse();
    return tokens;
}

std::string pointer_to(const std::vector<std::string>& names) {
    std::string pointer;
    for (const std::string& name : names) pointer += "/" + pointer_token(name);
    return pointer;
}

tl::expected<Place, Problem> find(const Tree& tree, std::string_view text,
                                  const std::vector<std::string>& tokens) {
    Place place;
    place.node = &tree.root;
    std::size_t at = 0;
    const auto rest = [&] {
        return std::vector<std::string>(tokens.begin() + static_cast<std::ptrdiff_t>(at), tokens.end());
    };
    if (tree.root.style == Style::Documents && !enter_document(tree.root, tokens, place, at)) {
        place.missing = rest();
        return place;
    }
    for (; at < tokens.size(); ++at) {
        const Node& node = *place.node;
        const std::string path = path_of(tokens, at);
        if (!node.unreadable.empty())
            return tl::unexpected(
                Problem{fmt::format("{} cannot be read: {}", path, node.unreadable), node.range.begin});
        Index index = nowhere;
        if (node.kind == Kind::Map) index = in_map(node, tokens[at], path);
        if (node.kind == Kind::List) index = in_list(node, tokens[at], path, text);
        if (!index) return tl::unexpected(index.error());
        if (*index == nowhere) break;
        place.hops.push_back({&node, *index});
        place.node = &node.members[*index].value;
    }
    place.missing = rest();
    return place;
}

}  // namespace migc::documents
