// Reading YAML: the parser's events with their marks, and around them what it does not tell, the ends.
#include <algorithm>
#include <cctype>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "compiler/documents/tree.hpp"
#include "compiler/documents/yaml_scalar.hpp"

namespace migc::documents {
namespace {

constexpr std::string_view odd_place = "it is written in a way that cannot be edited safely";

// Places around what the parser tells.
class Places {
  public:
    explicit Places(std::string_view text)
        : text_(text), skipped_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}

    [[nodiscard]] std::size_t at(const YAML::Mark& mark) const {
        return mark.is_null() ? skipped_
                              : std::min(static_cast<std::size_t>(mark.pos) + skipped_, text_.size());
    }

    // Over an anchor and a tag, to what they belong to.
    [[nodiscard]] std::size_t skip_properties(std::size_t at) const {
        while (at < text_.size() && (text_[at] == '&' || text_[at] == '!'))
            at = skip_space(std::min(text_.find_first_of(" \t\r\n", at), text_.size()));
        return at;
    }

    // Over blanks, line breaks and comments.
    [[nodiscard]] std::size_t skip_space(std::size_t at) const {
        for (;;) {
            at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
            const bool is_comment = at < text_.size() && text_[at] == '#';
            if (!is_comment) return at;
            at = line_end(text_, at);
        }
    }

    [[nodiscard]] std::size_t end_of_quoted(std::size_t begin) const {
        const char quote = text_[begin];
        for (std::size_t at = begin + 1; at < text_.size(); ++at) {
            const bool doubled = quote == '\'' && text_.substr(at, 2) == "''";
            if (doubled || (quote == '"' && text_[at] == '\\'))
                ++at;
            else if (text_[at] == quote)
                return at + 1;
        }
        return text_.size();
    }

    // A plain scalar may go on over lines; each gap is then one blank or line break of the value.
    [[nodiscard]] std::size_t end_of_plain(std::size_t begin, std::string_view value) const {
        std::size_t at = begin;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (at < text_.size() && text_[at] == value[i]) {
                ++at;
                continue;
            }
            const bool is_gap = std::isspace(static_cast<unsigned char>(value[i])) != 0;
            while (is_gap && at < text_.size() && std::isspace(static_cast<unsigned char>(text_[at])) != 0)
                ++at;
            if (!is_gap) return nowhere;
        }
        return at;
    }

    // The lines of a block scalar: those indented as its first one, and blank ones between them.
    [[nodiscard]] std::size_t end_of_text(std::size_t begin, std::string_view value) const {
        std::size_t end = line_end(text_, begin);
        if (value.find_first_not_of(" \t\r\n") == std::string_view::npos) return end;
        std::size_t indent = 0;
        for (std::size_t at = next_line(text_, begin); at < text_.size(); at = next_line(text_, at)) {
            const std::size_t first = skip_blanks(text_, at);
            if (first >= line_end(text_, at)) continue;
            if (indent == 0) indent = first - at;
            if (first - at < indent) break;
            end = line_end(text_, at);
        }
        return end;
    }

  private:
    std::string_view text_;
    std::size_t skipped_;
};

struct Open {
    Node node;
    int depth = 0;
    bool has_key = false;
    Member member;  // of a map: its key is there, its value comes next
    std::size_t begin = 0;
};

// Builds the tree; what makes going on pointless is thrown as the parser's own error.
class Builder final : public YAML::EventHandler {
  public:
    explicit Builder(std::string_view text) : places_(text), text_(text) {
        root_.kind = Kind::List;
        root_.style = Style::Documents;
        root_.range = {0, text.size()};
    }

    [[nodiscard]] Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        count(mark);
        Node node;
        node.range = {places_.at(mark), places_.at(mark)};
        if (anchor != YAML::NullAnchor) node.fixed = "it has an anchor";
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        count(mark);
        Node node;
        const std::size_t begin = places_.at(mark);
        node.range = {begin, std::min(text_.find_first_of(" \t\r\n,]}", begin), text_.size())};
        node.value = fmt::format("*{}", anchor);
        node.alias = true;
        node.fixed = "it is an alias of another value";
        node.unreadable = "it is an alias; write the value out";
        add(std::move(node));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        count(mark);
        Node node;
        node.range.begin = places_.skip_properties(places_.at(mark));
        describe_scalar(node, value);
        properties(node, tag, anchor);
        if (!node.unreadable.empty() && node.value.is_null()) node.value = value;
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Kind::List, '[');
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Kind::Map, '{');
    }
    void OnMapEnd() override { close(); }

  private:
    void count(const YAML::Mark& mark) {
        if (++values_ > most_values) throw YAML::ParserException(mark, "it has too many values");
    }

    static void properties(Node& node, const std::string& tag, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) node.fixed = "it has an anchor, so that it is used elsewhere, too";
        if (tag.empty() || tag == "?" || tag == "!") return;
        node.fixed = "it has a tag";
        node.unreadable = fmt::format("it has the tag `{}`", tag);
    }

    void describe_scalar(Node& node, const std::string& value) {
        const std::size_t begin = node.range.begin;
        const char first = begin < text_.size() ? text_[begin] : '\0';
        node.value = value;
        if (first == '"' || first == '\'') {
            node.style = first == '"' ? Style::Double : Style::Single;
            node.range.end = places_.end_of_quoted(begin);
        } else if (first == '|' || first == '>') {
            node.style = Style::Text;
            node.range.end = places_.end_of_text(begin, value);
            node.fixed = "it is a text block of several lines";
        } else {
            plain(node, value);
        }
    }

    void plain(Node& node, const std::string& value) {
        const std::size_t begin = node.range.begin, end = places_.end_of_plain(begin, value);
        node.range.end = end == nowhere ? begin : end;
        const bool is_exact = end != nowhere && text_.substr(begin, end - begin) == value;
        if (!is_exact) node.fixed = "it is written over several lines";
        node.value = meaning_of_plain(value);
        node.unreadable = ambiguity_of_plain(value);
        if (!node.unreadable.empty()) node.value = value;
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind,
              char bracket) {
        count(mark);
        if (stack_.size() >= static_cast<std::size_t>(deepest))
            throw YAML::ParserException(mark, "it is nested too deeply");
        Open open;
        open.begin = places_.skip_properties(places_.at(mark));
        open.node.kind = kind;
        const bool has_bracket = open.begin < text_.size() && text_[open.begin] == bracket;
        open.node.style = has_bracket ? Style::Brackets : Style::Block;
        open.node.range = {open.begin, open.begin};
        properties(open.node, tag, anchor);
        // `[a: 1]` holds a map without brackets of its own.
        const bool in_brackets = !stack_.empty() && stack_.back().node.style == Style::Brackets;
        if (in_brackets && !has_bracket) open.node.fixed = odd_place;
        stack_.push_back(std::move(open));
    }

    void close() {
        Node node = std::move(stack_.back().node);
        stack_.pop_back();
        if (node.style == Style::Brackets)
            end_brackets(node);
        else if (node.members.empty())
            node.fixed = odd_place;
        else
            node.range = {node.members.front().begin(),
                          std::max(node.members.back().begin(), node.members.back().value.range.end)};
        add(std::move(node));
    }

    // The commas, and the closing bracket, which the parser does not tell.
    void end_brackets(Node& node) {
        const char bracket = node.kind == Kind::List ? ']' : '}';
        std::size_t at = node.range.begin + 1;
        for (Member& member : node.members) {
            const std::size_t end = std::max(member.value.range.end, member.key_range.end);
            at = places_.skip_space(std::max(at, end));
            if (at < text_.size() && text_[at] == ',') member.comma = at++;
        }
        at = places_.skip_space(at);
        if (at < text_.size() && text_[at] == bracket)
            node.range.end = at + 1;
        else
            node.fixed = odd_place, node.range.end = std::min(at, text_.size());
    }

    void add(Node node) {
        if (stack_.empty()) {
            if (!node.is_null()) root_.members.push_back({{}, {}, nowhere, nowhere, std::move(node)});
            return;
        }
        Open& parent = stack_.back();
        if (parent.node.kind == Kind::List)
            add_item(parent, std::move(node));
        else if (!parent.has_key)
            add_key(parent, std::move(node));
        else
            add_value(parent, std::move(node));
    }

    // The `-` of an item stands behind the item before it; the first one is where the list begins.
    void add_item(Open& list, Node node) {
        Member member;
        if (list.node.style == Style::Block) {
            const std::size_t before =
                list.node.members.empty() ? list.begin : end_of(list.node.members.back());
            const std::size_t dash = places_.skip_space(before);
            const bool is_dash = dash < text_.size() && text_[dash] == '-';
            if (!is_dash) list.node.fixed = odd_place;
            member.key_range = {dash, std::min(dash + 1, text_.size())};
            if (node.is_null() && node.range.end == node.range.begin) node.range = {dash + 1, dash + 1};
        }
        member.value = std::move(node);
        list.node.members.push_back(std::move(member));
    }

    static std::size_t end_of(const Member& member) {
        return std::max(member.key_range.end, member.value.range.end);
    }

    void add_key(Open& map, const Node& key) {
        map.has_key = true;
        map.member = {};
        map.member.key_range = key.range;
        map.member.key = key.value.is_string() ? key.value.get<std::string>() : key.value.dump();
        // What was written is the key: `1: x` is the key "1", `yes: x` the key "yes".
        if (key.style == Style::Plain && key.kind == Kind::Scalar)
            map.member.key = text_.substr(key.range.begin, key.range.end - key.range.begin);
        map.member.sign = places_.skip_space(key.range.end);
        const bool is_simple = key.kind == Kind::Scalar && key.fixed.empty() &&
                               map.member.sign < text_.size() && text_[map.member.sign] == ':' &&
                               key.range.end > key.range.begin;
        if (!is_simple) map.node.fixed = odd_place;
    }

    void add_value(Open& map, Node node) {
        map.has_key = false;
        if (node.is_null() && node.range.end == node.range.begin) {
            const std::size_t behind = std::min(map.member.sign + 1, text_.size());
            node.range = {behind, behind};
        }
        map.member.value = std::move(node);
        map.node.members.push_back(std::move(map.member));
    }

    Places places_;
    std::string_view text_;
    Node root_;
    std::vector<Open> stack_;
    std::size_t values_ = 0;
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
    Builder builder(text);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        const std::size_t skipped = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
        const std::size_t at = error.mark.is_null() ? 0 : static_cast<std::size_t>(error.mark.pos) + skipped;
        return tl::unexpected(Problem{"it is no YAML: " + error.msg, std::min(at, text.size())});
    }
    Tree tree;
    tree.root = builder.take();
    find_comments(text, tree.root, tree.comments);
    return tree;
}

}  // namespace migc::documents
