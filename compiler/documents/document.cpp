#include "compiler/documents/document.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "compiler/documents/writer.hpp"

namespace migc::documents {
namespace {

using nlohmann::json;

tl::unexpected<Problem> refuse(std::string message, std::size_t offset) {
    return tl::unexpected(Problem{std::move(message), offset});
}

std::unique_ptr<Writer> writer_for(Format format, const Tree& tree, std::string_view text) {
    if (format == Format::Json) return json_writer(tree, text);
    return format == Format::Yaml ? yaml_writer(tree, text) : tfvars_writer(tree, text);
}

const char* kind_name(Kind kind) {
    return kind == Kind::List ? "list" : kind == Kind::Map ? "map" : "single value";
}

std::string what_is_missing(const Place& place, const std::vector<std::string>& tokens) {
    const std::size_t known = tokens.size() - place.missing.size();
    const std::vector<std::string> way(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(known));
    const std::string where = way.empty() ? "the file" : "`" + pointer_to(way) + "`";
    if (place.node->kind == Kind::Scalar && !place.node->is_null())
        return fmt::format("{} is a single value, it holds no `{}`", where, place.missing.front());
    return fmt::format("{} has no `{}`", where, place.missing.front());
}

// What is set, its missing parents around it: {"Cache": {"Type": ..}} for /Cache/Type where there is no
// Cache.
class Nesting {
  public:
    Nesting(const std::vector<std::string>& tokens, Ordered value)
        : tokens_(tokens), value_(std::move(value)) {}

    // What stands under the token before `at`.
    tl::expected<Ordered, Problem> from(std::size_t at) const {
        if (at == tokens_.size()) return value_;
        if (tokens_[at] == "0" || picker(tokens_[at])) {
            auto element = this->element(at);
            if (!element) return element;
            return Ordered::array({std::move(*element)});
        }
        auto inner = from(at + 1);
        if (!inner) return inner;
        return Ordered{{tokens_[at], std::move(*inner)}};
    }

    // A new element of a list, for the token at `at`: its number, or `key=value`, which it then has.
    tl::expected<Ordered, Problem> element(std::size_t at) const {
        const auto wanted = picker(tokens_[at]);
        auto inner = from(at + 1);
        if (!inner || !wanted) return inner;
        if (!inner->is_object())
            return refuse(
                fmt::format("no element has {} `{}`, and a single value cannot be one: set a value in it",
                            wanted->key, wanted->value),
                0);
        Ordered element = {{wanted->key, wanted->value}};
        for (const auto& [key, value] : inner->items()) element[key] = value;
        return element;
    }

  private:
    const std::vector<std::string>& tokens_;
    Ordered value_;
};

// One change of one document: what it is, how it is written, and the proof that it did this and no more.
class Change {
  public:
    Change(std::string_view text, Format format, std::vector<std::string> tokens)
        : text_(text), format_(format), tokens_(std::move(tokens)) {}

    tl::expected<void, Problem> begin() {
        auto tree = parse(text_, format_);
        if (!tree) return tl::unexpected(tree.error());
        tree_ = std::move(*tree);
        writer_ = writer_for(format_, tree_, text_);
        auto place = find(tree_, text_, tokens_);
        if (!place) return tl::unexpected(place.error());
        place_ = std::move(*place);
        expected_ = to_json(tree_.root);
        for (const Hop& hop : place_.hops)
            if (!hop.member().value.fixed.empty()) return fixed(hop.member().value);
        return {};
    }

    tl::expected<Edited, Problem> set(const json& value) {
        const Ordered wanted = writer_->fitting(place_, Ordered(value));
        auto edits = place_.missing.empty() ? replaced(wanted) : added(wanted);
        if (!edits) return tl::unexpected(edits.error());
        auto text = proven(std::move(*edits));
        if (!text) return tl::unexpected(text.error());
        return Edited{std::move(*text), json(wanted)};
    }

    // Whether a value of some kind may stand there.
    [[nodiscard]] tl::expected<void, Problem> reachable() const {
        const Node& node = *place_.node;
        if (place_.missing.empty()) return {};
        const bool is_closed =
            node.style == Style::Documents || (node.kind == Kind::Scalar && !node.is_null());
        if (is_closed) return refuse(what_is_missing(place_, tokens_), node.range.begin);
        const std::string& token = place_.missing.front();
        const bool is_list = node.kind == Kind::List;
        if (!is_list && std::ranges::find(place_.missing, "-") != place_.missing.end())
            return refuse(fmt::format("{}, and the first element of a new list is `0`, not `-`",
                                      what_is_missing(place_, tokens_)),
                          node.range.begin);
        if (!is_list || token == std::to_string(node.members.size()) || picker(token)) return {};
        return refuse(fmt::format("{}; a new element at its end is `{}`", what_is_missing(place_, tokens_),
                                  pointer_to(way_to(node.members.size()))),
                      node.range.begin);
    }

    tl::expected<std::string, Problem> remove() {
        if (!place_.missing.empty()) return std::string(text_);
        const bool is_document =
            place_.hops.empty() || place_.hops.back().container->style == Style::Documents;
        if (is_document) return refuse("the whole document cannot be removed", 0);
        json* parent = &expected_;
        for (std::size_t i = 0; i + 1 < place_.hops.size(); ++i) parent = &child(*parent, place_.hops[i]);
        const Hop& last = place_.hops.back();
        if (last.container->kind == Kind::Map)
            parent->erase(last.member().key);
        else
            parent->erase(last.index);
        auto edits = writer_->erase(place_);
        if (!edits) return tl::unexpected(edits.error());
        return proven(std::move(*edits));
    }

  private:
    // To the element of that number in the list where the pointer ends.
    [[nodiscard]] std::vector<std::string> way_to(std::size_t element) const {
        const auto known = static_cast<std::ptrdiff_t>(tokens_.size() - place_.missing.size());
        std::vector<std::string> way(tokens_.begin(), tokens_.begin() + known);
        way.push_back(std::to_string(element));
        return way;
    }

    static json& child(json& parent, const Hop& hop) {
        return hop.container->kind == Kind::Map ? parent[hop.member().key] : parent[hop.index];
    }

    json& place_in_expected() {
        json* at = &expected_;
        for (const Hop& hop : place_.hops) at = &child(*at, hop);
        return *at;
    }

    tl::unexpected<Problem> fixed(const Node& node) const {
        return refuse(fmt::format("`{}` cannot be edited: {}", pointer_to(tokens_), node.fixed),
                      node.range.begin);
    }

    Writer::Edits replaced(const Ordered& wanted) {
        const Node& node = *place_.node;
        if (place_.hops.empty() || node.style == Style::Documents)
            return refuse("the whole document cannot be set: name a place in it", 0);
        const Kind kind = wanted.is_array() ? Kind::List : wanted.is_object() ? Kind::Map : Kind::Scalar;
        if (node.kind != Kind::Scalar && kind != node.kind)
            return refuse(
                fmt::format("`{}` is a {}, and a {} in its place would wipe it out; remove it first",
                            pointer_to(tokens_), kind_name(node.kind), kind_name(kind)),
                node.range.begin);
        place_in_expected() = json(wanted);
        if (to_json(node) == json(wanted)) return std::vector<Edit>{};
        return writer_->replace(place_, wanted);
    }

    Writer::Edits added(const Ordered& wanted) {
        const Node& node = *place_.node;
        const std::string& token = place_.missing.front();
        if (auto free = reachable(); !free) return tl::unexpected(free.error());
        const Nesting nesting(place_.missing, wanted);
        if (node.is_null()) {
            if (place_.hops.empty()) return refuse("the document is empty", 0);
            const auto value = nesting.from(0);
            if (!value) return tl::unexpected(value.error());
            place_in_expected() = json(*value);
            return writer_->replace(place_, *value);
        }
        const auto value = node.kind == Kind::List ? nesting.element(0) : nesting.from(1);
        if (!value) return tl::unexpected(value.error());
        const Ordered typed = node.kind == Kind::List ? like_siblings(*value, node) : *value;
        if (node.kind == Kind::List)
            place_in_expected().push_back(json(typed));
        else
            place_in_expected()[token] = json(typed);
        return writer_->add(place_, token, typed);
    }

    // A key by which an element was picked is a number where the other elements have one.
    Ordered like_siblings(Ordered element, const Node& list) const {
        const auto wanted = picker(place_.missing.front());
        if (!wanted || list.members.empty()) return element;
        for (const Member& member : list.members)
            for (const Member& entry : member.value.members)
                if (entry.key == wanted->key && !entry.value.value.is_number()) return element;
        const auto number = json::parse(wanted->value, nullptr, false);
        if (number.is_number()) element[wanted->key] = number;
        return element;
    }

    tl::expected<std::string, Problem> proven(std::vector<Edit> edits) const {
        std::string text = applied(text_, std::move(edits));
        const auto tree = parse(text, format_);
        if (tree && to_json(tree->root) == expected_) return text;
        return refuse(fmt::format("`{}` cannot be edited safely here: the file would then say something else",
                                  pointer_to(tokens_)),
                      place_.node->range.begin);
    }

    std::string_view text_;
    Format format_;
    std::vector<std::string> tokens_;
    Tree tree_;
    std::unique_ptr<Writer> writer_;
    Place place_;
    json expected_;
};

// The first value of a tree that readers differ in.
const Node* unreadable_in(const Node& node) {
    if (!node.unreadable.empty()) return &node;
    for (const Member& member : node.members)
        if (const Node* found = unreadable_in(member.value)) return found;
    return nullptr;
}

// What a library throws (out of memory, a surprise of a parser) ends here.
template <typename Work>
auto guarded(Work work) -> decltype(work()) {
    try {
        return work();
    } catch (const std::exception& error) {
        return refuse(fmt::format("it cannot be read: {}", error.what()), 0);
    }
}

}  // namespace

std::optional<Format> format_of(std::string_view path) {
    static constexpr std::array<std::pair<std::string_view, Format>, 4> endings = {
        {{".json", Format::Json},
         {".yaml", Format::Yaml},
         {".yml", Format::Yaml},
         {".tfvars", Format::Tfvars}}};
    for (const auto& [ending, format] : endings)
        if (path.ends_with(ending)) return format;
    return std::nullopt;
}

tl::expected<Lookup, Problem> read(std::string_view text, Format format, std::string_view pointer) {
    return guarded([&]() -> tl::expected<Lookup, Problem> {
        const auto tokens = tokens_of(pointer);
        if (!tokens) return tl::unexpected(tokens.error());
        const auto tree = parse(text, format);
        if (!tree) return tl::unexpected(tree.error());
        const auto place = find(*tree, text, *tokens);
        if (!place) return tl::unexpected(place.error());
        const Range range =
            place->hops.empty() ? place->node->range : place->hops.back().member().value.range;
        if (!place->missing.empty()) return Lookup{std::nullopt, range, what_is_missing(*place, *tokens)};
        if (const Node* node = unreadable_in(*place->node))
            return refuse(fmt::format("`{}` cannot be read: {}", pointer, node->unreadable),
                          node->range.begin);
        json value = to_json(*place->node);
        if (value.is_null()) return Lookup{std::nullopt, range, fmt::format("`{}` is empty", pointer)};
        return Lookup{std::move(value), range, {}};
    });
}

tl::expected<Edited, Problem> set(std::string_view text, Format format, std::string_view pointer,
                                  const json& value) {
    return guarded([&]() -> tl::expected<Edited, Problem> {
        if (value.is_null()) return refuse("null is no value that can be set", 0);
        auto tokens = tokens_of(pointer);
        if (!tokens) return tl::unexpected(tokens.error());
        Change change(text, format, std::move(*tokens));
        if (auto begun = change.begin(); !begun) return tl::unexpected(begun.error());
        return change.set(value);
    });
}

std::optional<Problem> why_not_set(std::string_view text, Format format, std::string_view pointer) {
    const auto free = guarded([&]() -> tl::expected<void, Problem> {
        auto tokens = tokens_of(pointer);
        if (!tokens) return tl::unexpected(tokens.error());
        Change change(text, format, std::move(*tokens));
        if (auto begun = change.begin(); !begun) return begun;
        return change.reachable();
    });
    return free ? std::nullopt : std::optional(free.error());
}

tl::expected<std::string, Problem> remove(std::string_view text, Format format, std::string_view pointer) {
    return guarded([&]() -> tl::expected<std::string, Problem> {
        auto tokens = tokens_of(pointer);
        if (!tokens) return tl::unexpected(tokens.error());
        Change change(text, format, std::move(*tokens));
        if (auto begun = change.begin(); !begun) return tl::unexpected(begun.error());
        return change.remove();
    });
}

}  // namespace migc::documents
