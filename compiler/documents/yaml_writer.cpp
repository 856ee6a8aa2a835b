// Changing YAML.
#include <algorithm>
#include <array>

#include "compiler/documents/brackets.hpp"
#include "compiler/documents/yaml_scalar.hpp"

namespace migc::documents {
namespace {

std::string scalar_text(const Ordered& value, Style style, bool in_brackets) {
    if (!value.is_string()) return value.dump();
    const auto text = value.get<std::string>();
    const bool is_printable = std::ranges::none_of(text, [](unsigned char c) { return c < 0x20; });
    if (style == Style::Single && is_printable) {
        std::string quoted = "'";
        for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
        return quoted + "'";
    }
    // A string of JSON is one of YAML.
    return style == Style::Plain && may_be_plain(text, in_brackets) ? text : value.dump();
}

class FlowNotation final : public Notation {
  public:
    [[nodiscard]] std::string scalar(const Ordered& value) const override {
        return scalar_text(value, Style::Plain, true);
    }
    [[nodiscard]] std::string key(const std::string& name, std::size_t) const override {
        return scalar_text(name, Style::Plain, true) + ": ";
    }
    [[nodiscard]] bool commas_in_maps() const override { return true; }
};

// Whether the file writes the items of a list deeper than the key of the list.
bool indents_lists(const Node& node, std::string_view text) {
    for (const Member& member : node.members) {
        const Node& value = member.value;
        const bool is_list =
            node.kind == Kind::Map && value.kind == Kind::List && value.style == Style::Block;
        if (is_list)
            return indentation(text, value.range.begin).size() >
                   member.key_range.begin - line_begin(text, member.key_range.begin);
        if (indents_lists(value, text)) return true;
    }
    return false;
}

// The names on the way to a place, below its document; "" for an element of a list.
std::vector<std::string> way_to(const Place& place) {
    std::vector<std::string> way;
    for (const Hop& hop : place.hops)
        if (hop.container->style != Style::Documents)
            way.push_back(hop.container->kind == Kind::Map ? hop.member().key : "");
    way.insert(way.end(), place.missing.begin(), place.missing.end());
    return way;
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

// Where Kubernetes takes strings only.
bool wants_string(const Place& place) {
    const auto way = way_to(place);
    if (place.hops.empty() || way.size() < 2) return false;
    const Node& document = place.hops.front().member().value;
    const auto is_kind = [&](const char* kind) { return picks({"kind", kind}, document); };
    if (way.size() == 2 && (is_kind("ConfigMap") || is_kind("Secret")) &&
        is_one_of(way[0], {"data", "stringData"}))
        return true;
    const std::string& parent = way[way.size() - 2];
    if (is_one_of(parent, {"labels", "annotations", "matchLabels", "nodeSelector"})) return true;
    return way.size() > 2 && way.back() == "value" && way[way.size() - 3] == "env";
}

// What one reader takes for the end of a line, and another not.
bool holds_odd_breaks(const Ordered& value) {
    static constexpr std::array<std::string_view, 4> breaks = {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9",
                                                               "\xEF\xBB\xBF"};
    const std::string text = value.dump();
    return std::ranges::any_of(breaks, [&](std::string_view b) { return text.find(b) != std::string::npos; });
}

class YamlWriter final : public Writer {
  public:
    YamlWriter(const Tree& tree, std::string_view text)
        : text_(text),
          newline_(newline_of(text)),
          unit_(std::max<std::size_t>(unit_of(text).size(), 1)),
          list_unit_(indents_lists(tree.root, text) ? unit_ : 0),
          brackets_(notation_, tree, text) {}

    [[nodiscard]] Ordered fitting(const Place& place, Ordered value) const override {
        const bool was_string =
            place.missing.empty() && place.node->kind == Kind::Scalar && place.node->value.is_string();
        const bool is_other = value.is_number() || value.is_boolean();
        return is_other && (was_string || wants_string(place)) ? Ordered(value.dump()) : value;
    }

    [[nodiscard]] Edits replace(const Place& place, const Ordered& value) const override {
        if (holds_odd_breaks(value)) return odd_breaks(place);
        const Node& node = *place.node;
        const Hop& hop = place.hops.back();
        const bool in_brackets = hop.container->style == Style::Brackets;
        if (!value.is_structured())
            return one(node.range, spaced(node, scalar_text(value, style_for(hop), in_brackets)));
        if (in_brackets || (node.style == Style::Brackets && !node.members.empty()))
            return one(node.range,
                       brackets_.rendered(value, std::string(indentation(text_, node.range.begin))));
        if (hop.container->kind == Kind::Map &&
            (node.kind == Kind::Scalar || node.style == Style::Brackets || value.empty()))
            return behind_key(hop.member(), value);
        if (node.kind == Kind::Scalar)
            return one(node.range, spaced(node, block(value, column(hop.member().begin()) + 2)));
        return one(node.range, block(value, column(node.range.begin)));
    }

    [[nodiscard]] Edits add(const Place& place, const std::string& key, const Ordered& value) const override {
        if (holds_odd_breaks(value) || holds_odd_breaks(key)) return odd_breaks(place);
        const Node& node = *place.node;
        const bool is_block_value = !place.hops.empty() && place.hops.back().container->style == Style::Block;
        if (node.style == Style::Brackets && node.members.empty() && is_block_value)
            return replace(place, node.kind == Kind::Map ? Ordered{{key, value}} : Ordered::array({value}));
        if (node.style == Style::Brackets) return brackets_.add(node, key, value);
        const Member& last = node.members.back();
        const std::size_t at = column(last.begin());
        const std::size_t end = line_end(text_, std::max(last.value.range.end, last.key_range.end));
        const std::string line =
            node.kind == Kind::List ? item(value, at) : entry(key, value, at, sibling_style(node));
        return one({end, end}, newline_ + std::string(at, ' ') + line);
    }

    [[nodiscard]] Edits erase(const Place& place) const override {
        const Hop& hop = place.hops.back();
        const Node& container = *hop.container;
        if (container.style == Style::Brackets) return brackets_.erase(container, hop.index);
        if (container.members.size() == 1) return emptied(place);
        const Member& gone = hop.member();
        const std::size_t end = std::max(gone.value.range.end, gone.key_range.end);
        if (is_first_of_line(text_, gone.begin()))
            return one({line_begin(text_, gone.begin()), next_line(text_, end)}, "");
        // The first key of `- name: x`: the next one takes its place, unless a comment is between them.
        if (hop.index > 0) return cannot(place);
        const std::size_t next = container.members[1].begin();
        if (text_.substr(end, next - end).find('#') != std::string_view::npos) return cannot(place);
        return one({gone.begin(), next}, "");
    }

  private:
    static Edits one(Range range, std::string text) { return std::vector<Edit>{{range, std::move(text)}}; }

    static Edits cannot(const Place& place) {
        return tl::unexpected(
            Problem{"this cannot be removed safely from where it stands", place.node->range.begin});
    }
    static Edits odd_breaks(const Place& place) {
        return tl::unexpected(
            Problem{"the value holds a character that some YAML readers take for the end of a line",
                    place.node->range.begin});
    }

    [[nodiscard]] std::size_t column(std::size_t at) const { return at - line_begin(text_, at); }

    // A value that was left out stands right behind its `:` or `-`.
    static std::string spaced(const Node& node, std::string text) {
        return (node.range.begin == node.range.end ? " " : "") + std::move(text);
    }

    // How strings are written where there is no old one: as the last one beside it.
    static Style sibling_style(const Node& container) {
        for (auto member = container.members.rbegin(); member != container.members.rend(); ++member)
            if (member->value.kind == Kind::Scalar && member->value.value.is_string() &&
                member->value.style != Style::Text)
                return member->value.style;
        return Style::Plain;
    }
    static Style style_for(const Hop& hop) {
        const Node& old = hop.member().value;
        return old.value.is_string() ? old.style : sibling_style(*hop.container);
    }

    // `key:` and what stands behind it and below it.
    [[nodiscard]] std::string entry(const std::string& key, const Ordered& value, std::size_t at,
                                    Style style) const {
        return scalar_text(key, Style::Plain, false) + ":" + behind(value, at, style);
    }
    [[nodiscard]] std::string behind(const Ordered& value, std::size_t at, Style style) const {
        if (!value.is_structured()) return " " + scalar_text(value, style, false);
        if (value.empty()) return value.is_array() ? " []" : " {}";
        const std::size_t inner = at + (value.is_array() ? list_unit_ : unit_);
        return newline_ + std::string(inner, ' ') + block(value, inner);
    }
    [[nodiscard]] std::string item(const Ordered& value, std::size_t at) const {
        if (value.is_object() && !value.empty()) return "- " + block(value, at + 2);
        return "- " + (value.is_structured() ? brackets_.rendered(value, "")
                                             : scalar_text(value, Style::Plain, false));
    }
    // The lines of a list or map whose first one begins in this column.
    [[nodiscard]] std::string block(const Ordered& value, std::size_t at) const {
        if (value.empty()) return value.is_array() ? "[]" : "{}";
        std::string text;
        for (const auto& [key, inner] : value.items())
            text += (text.empty() ? "" : newline_ + std::string(at, ' ')) +
                    (value.is_array() ? item(inner, at) : entry(key, inner, at, Style::Plain));
        return text;
    }

    // A list or map for a key that had a single value, none, or an empty one; a comment stays behind the key.
    [[nodiscard]] Edits behind_key(const Member& member, const Ordered& value) const {
        const std::size_t begin = member.sign + 1, end = member.value.range.end;
        const std::string text = behind(value, column(member.begin()), Style::Plain);
        if (value.empty()) return one({begin, end}, text);
        const std::size_t line = line_end(text_, end);
        return std::vector<Edit>{{{begin, end}, ""}, {{line, line}, text}};
    }

    // Its only member goes: an empty list or map has to be written out.
    [[nodiscard]] Edits emptied(const Place& place) const {
        const Node& container = *place.hops.back().container;
        const std::string empty = container.kind == Kind::List ? "[]" : "{}";
        const Hop* outer = place.hops.size() < 2 ? nullptr : &place.hops[place.hops.size() - 2];
        if (outer == nullptr || outer->container->kind != Kind::Map) return one(container.range, empty);
        const std::size_t sign = outer->member().sign + 1;
        const Range lines = {line_begin(text_, container.range.begin), next_line(text_, container.range.end)};
        if (lines.begin < sign) return one(container.range, empty);
        return std::vector<Edit>{{{sign, sign}, " " + empty}, {lines, ""}};
    }

    std::string_view text_;
    std::string newline_;
    std::size_t unit_;
    std::size_t list_unit_;
    FlowNotation notation_;
    BracketWriter brackets_;
};

}  // namespace

std::unique_ptr<Writer> yaml_writer(const Tree& tree, std::string_view text) {
    return std::make_unique<YamlWriter>(tree, text);
}

}  // namespace migc::documents
