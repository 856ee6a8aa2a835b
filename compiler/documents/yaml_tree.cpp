#include "compiler/documents/yaml_tree.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "compiler/documents/yaml_scalar.hpp"
#include "compiler/support/find.hpp"

namespace migc::documents {
namespace {

// The ends of scalars, which the parser does not tell.
std::size_t end_of_quoted(std::string_view text, std::size_t begin) {
    const char quote = text[begin];
    for (std::size_t at = begin + 1; at < text.size(); ++at) {
        const bool doubled = quote == '\'' && text.substr(at, 2) == "''";
        if (doubled || (quote == '"' && text[at] == '\\'))
            ++at;
        else if (text[at] == quote)
            return at + 1;
    }
    return text.size();
}

// A plain scalar may go on over lines; each gap is then one blank or line break of the value.
std::size_t end_of_plain(std::string_view text, std::size_t begin, std::string_view value) {
    const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    std::size_t at = begin;
    for (const char c : value) {
        if (at < text.size() && text[at] == c) {
            ++at;
            continue;
        }
        if (!is_space(c)) return line_end(text, begin);
        while (at < text.size() && is_space(text[at])) ++at;
    }
    return at;
}

// The lines of a block scalar: those indented as its first one, and blank ones between them.
std::size_t end_of_block(std::string_view text, std::size_t begin, std::string_view value) {
    std::size_t end = line_end(text, begin);
    if (value.find_first_not_of(" \t\r\n") == std::string_view::npos) return end;
    std::size_t indent = 0;
    for (std::size_t at = next_line(text, begin); at < text.size(); at = next_line(text, at)) {
        const std::size_t first = skip_blanks(text, at);
        if (first >= line_end(text, at)) continue;
        if (indent == 0) indent = first - at;
        if (first - at < indent) break;
        end = line_end(text, at);
    }
    return end;
}

// Nothing, where the value is left out; else one of its words.
std::size_t end_of_null(std::string_view text, std::size_t begin) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n,]}", begin), text.size());
    return begin < end && meaning_of_plain(text.substr(begin, end - begin)).is_null() ? end : begin;
}

std::size_t end_of_scalar(std::string_view text, std::size_t begin, std::string_view value) {
    const char first = begin < text.size() ? text[begin] : '\0';
    if (first == '"' || first == '\'') return end_of_quoted(text, begin);
    if (first == '|' || first == '>') return end_of_block(text, begin, value);
    return end_of_plain(text, begin, value);
}

// Builds the tree from the parser's events; what makes going on pointless is thrown as the parser's own
// error.
class TreeBuilder final : public YAML::EventHandler {
  public:
    TreeBuilder(std::string_view text, YamlLimits limits, FileId file)
        : text_(text), limits_(limits), file_(file), skipped_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}

    // With what is still open closed, but for a key.
    [[nodiscard]] std::vector<YamlNode> take() {
        while (!stack_.empty()) {
            const bool is_key = stack_.size() > 1 && stack_[stack_.size() - 2].node.kind == YamlKind::Map &&
                                !stack_[stack_.size() - 2].has_key;
            is_key ? stack_.pop_back() : close();
        }
        return std::move(documents_);
    }

    // The parser does not count a byte order mark.
    [[nodiscard]] std::size_t at(const YAML::Mark& mark) const {
        return mark.is_null() ? skipped_
                              : std::min(static_cast<std::size_t>(mark.pos) + skipped_, text_.size());
    }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        YamlNode null = node(YamlKind::Null, mark, "", anchor);
        null.span = span(null.span.begin, end_of_null(text_, null.span.begin));
        add(std::move(null));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        YamlNode alias = node(YamlKind::Alias, mark, "", anchor);
        const std::size_t end = std::min(text_.find_first_of(" \t\r\n,]}", at(mark)), text_.size());
        alias.span = span(at(mark), end);
        add(std::move(alias));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        YamlNode scalar = node(YamlKind::Scalar, mark, tag, anchor);
        scalar.text = value;
        scalar.quoted = tag == "!";
        scalar.span = span(scalar.span.begin, end_of_scalar(text_, scalar.span.begin, value));
        add(std::move(scalar));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(node(YamlKind::List, mark, tag, anchor), mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(node(YamlKind::Map, mark, tag, anchor), mark);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Open {
        YamlNode node;
        bool has_key = false;  // of a map: the value of its last entry comes next
    };

    [[nodiscard]] Span span(std::size_t begin, std::size_t end) const {
        return {file_, static_cast<std::uint32_t>(begin),
                static_cast<std::uint32_t>(std::min(end, text_.size()))};
    }

    YamlNode node(YamlKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        if (++values_ > limits_.values) throw YAML::ParserException(mark, "it has too many values");
        YamlNode node;
        node.kind = kind;
        if (tag != "?" && tag != "!") node.tag = tag;
        node.anchor = anchor;
        node.mark = span(at(mark), at(mark) + 1);
        // Over an anchor and a tag, to what they belong to.
        std::size_t begin = at(mark);
        while (begin < text_.size() && (text_[begin] == '&' || text_[begin] == '!'))
            begin = skip_space(text_, std::min(text_.find_first_of(" \t\r\n", begin), text_.size()));
        node.span = span(begin, begin + 1);
        return node;
    }

    void open(YamlNode node, const YAML::Mark& mark) {
        if (stack_.size() >= limits_.depth) throw YAML::ParserException(mark, "it is nested too deeply");
        stack_.push_back({std::move(node)});
    }

    void close() {
        YamlNode node = std::move(stack_.back().node);
        stack_.pop_back();
        add(std::move(node));
    }

    void add(YamlNode node) {
        if (stack_.empty()) {
            documents_.push_back(std::move(node));
            return;
        }
        Open& parent = stack_.back();
        if (parent.node.kind == YamlKind::List)
            parent.node.children.push_back(std::move(node));
        else if (parent.has_key)
            parent.node.entries.back().value = std::move(node);
        else
            parent.node.entries.push_back({std::move(node), {}});
        parent.has_key = parent.node.kind == YamlKind::Map && !parent.has_key;
    }

    std::string_view text_;
    YamlLimits limits_;
    FileId file_;
    std::size_t skipped_;
    std::size_t values_ = 0;
    std::vector<Open> stack_;
    std::vector<YamlNode> documents_;
};

void take_faults_of_map(YamlNode& map, std::vector<YamlFault>& faults);

void take_faults_below(YamlNode& node, std::vector<YamlFault>& faults) {
    if (node.kind == YamlKind::Alias) {
        faults.push_back(
            {YamlFault::Of::Alias, node.mark, "aliases are not allowed: write the value out", {}, {}});
        node.kind = YamlKind::Null;
    } else if (node.anchor != 0) {
        faults.push_back(
            {YamlFault::Of::Anchor, node.mark, "anchors are not allowed: nothing may refer to them", {}, {}});
    }
    if (!node.tag.empty())
        faults.push_back(
            {YamlFault::Of::Tag, node.mark, "tags are not allowed: write the plain value", {}, {}});
    for (YamlNode& child : node.children) take_faults_below(child, faults);
    take_faults_of_map(node, faults);
}

void take_faults_of_map(YamlNode& map, std::vector<YamlFault>& faults) {
    std::map<std::string, Span> places;
    std::vector<YamlEntry> kept;
    for (YamlEntry& entry : map.entries) {
        take_faults_below(entry.key, faults);
        bool keep = entry.key.kind == YamlKind::Scalar;
        if (!keep) {
            faults.push_back({YamlFault::Of::Key, entry.key.span, "a key must be a word", {}, {}});
        } else {
            const auto [first, is_new] = places.emplace(entry.key.text, entry.key.span);
            if (!is_new)
                faults.push_back({YamlFault::Of::Duplicate, entry.key.span,
                                  fmt::format("the key `{}` is there twice", entry.key.text), entry.key.text,
                                  first->second});
            keep = is_new;
        }
        take_faults_below(entry.value, faults);
        if (keep) kept.push_back(std::move(entry));
    }
    map.entries = std::move(kept);
}

class JsonView {
  public:
    JsonView(const YamlNode& root, Scalars scalars) : scalars_(scalars) { remember_anchors(root); }

    // Nothing once the limits are exceeded.
    std::optional<nlohmann::json> json(const YamlNode& node, std::size_t depth = 0) {
        if (depth > large_yaml.depth || ++values_ > large_yaml.values) return std::nullopt;
        switch (node.kind) {
            case YamlKind::Null:
                return nlohmann::json();
            case YamlKind::Scalar:
                return node.quoted || scalars_ == Scalars::Texts ? nlohmann::json(node.text)
                                                                 : value_of_plain(node.text);
            case YamlKind::Alias: {
                const auto found = anchors_.find(node.anchor);
                if (found == anchors_.end()) return std::nullopt;
                return json(*found->second, depth + 1);
            }
            case YamlKind::List:
            case YamlKind::Map:
                break;
        }
        auto result = node.kind == YamlKind::List ? nlohmann::json::array() : nlohmann::json::object();
        for (const YamlNode& child : node.children) {
            auto value = json(child, depth + 1);
            if (!value) return std::nullopt;
            result.push_back(std::move(*value));
        }
        for (const auto& [key, child] : node.entries) {
            auto value = json(child, depth + 1);
            if (!value) return std::nullopt;
            result[key.text] = std::move(*value);
        }
        return result;
    }

  private:
    void remember_anchors(const YamlNode& node) {
        if (node.anchor != 0 && node.kind != YamlKind::Alias) anchors_.emplace(node.anchor, &node);
        for (const YamlNode& child : node.children) remember_anchors(child);
        for (const auto& [key, value] : node.entries) remember_anchors(key), remember_anchors(value);
    }

    Scalars scalars_;
    std::size_t values_ = 0;
    std::map<std::size_t, const YamlNode*> anchors_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
    const auto* found = first_of(entries, [&](const YamlEntry& entry) { return entry.key.text == key; });
    return found == nullptr ? nullptr : &found->value;
}

YamlText read_yaml_text(std::string_view text, YamlLimits limits, FileId file) {
    TreeBuilder builder(text, limits, file);
    YamlText result;
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        result.problem = Problem{error.msg, error.mark.is_null() ? 0 : builder.at(error.mark)};
    }
    result.documents = builder.take();
    return result;
}

std::vector<YamlFault> take_faults(YamlNode& node) {
    std::vector<YamlFault> faults;
    take_faults_below(node, faults);
    return faults;
}

std::optional<YamlFault> first_fault(std::vector<YamlNode>& documents) {
    for (YamlNode& document : documents)
        for (YamlFault& fault : take_faults(document))
            if (fault.of != YamlFault::Of::Anchor && fault.of != YamlFault::Of::Tag) return std::move(fault);
    return std::nullopt;
}

std::optional<nlohmann::json> to_json(const YamlNode& node, Scalars scalars) {
    return JsonView(node, scalars).json(node);
}

std::optional<nlohmann::json> yaml_to_json(std::string_view text, Scalars scalars) {
    const YamlText read = read_yaml_text(text, large_yaml);
    if (read.problem) return std::nullopt;
    return read.documents.empty() ? nlohmann::json() : to_json(read.documents.front(), scalars);
}

}  // namespace migc::documents
