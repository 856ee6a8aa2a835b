#include "compiler/project/yaml.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace migc::project {

namespace {

constexpr std::size_t deepest = 32;
constexpr std::size_t most_nodes = 100'000;

// One past a scalar in quotes that begins at `begin`.
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

std::size_t end_of_scalar(std::string_view text, std::size_t begin, std::string_view value) {
    if (begin >= text.size()) return text.size();
    if (text[begin] == '"' || text[begin] == '\'') return end_of_quoted(text, begin);
    if (text.substr(begin).starts_with(value)) return begin + value.size();
    return std::min(text.find_first_of("\r\n", begin), text.size());
}

struct OpenNode {
    YamlNode node;
    std::optional<YamlNode> key;         // of a map: its value comes next
    bool keep = true;                    // whether the key is one that the map can hold
    std::map<std::string, Span> places;  // of a map: the keys so far
};

// Builds the tree from the parser's events; what makes going on pointless is thrown as the parser's own
// error.
class Builder : public YAML::EventHandler {
  public:
    Builder(FileId file, const SourceMap& sources, Diagnostics& diagnostics)
        : file_(file), text_(sources.file(file).text()), diagnostics_(diagnostics) {
        if (text_.starts_with("\xEF\xBB\xBF")) skipped_ = 3;  // the parser does not count a byte order mark
    }

    [[nodiscard]] std::optional<YamlNode> take() { return std::move(root_); }

    [[nodiscard]] Span at(const YAML::Mark& mark, std::size_t size = 1) const {
        const std::size_t begin =
            mark.is_null() ? 0 : std::min(static_cast<std::size_t>(mark.pos) + skipped_, text_.size());
        return {file_, static_cast<std::uint32_t>(begin),
                static_cast<std::uint32_t>(std::min(begin + size, text_.size()))};
    }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (std::exchange(in_document_, true))
            throw YAML::ParserException(mark, "a second document begins here; only one is read");
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        enter(mark, anchor, "");
        add({YamlKind::Null, {}, false, at(mark, 0), {}, {}});
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "aliases are not allowed: write the value out");
        add({YamlKind::Null, {}, false, at(mark), {}, {}});
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        enter(mark, anchor, tag);
        Span span = at(mark, 0);
        span.end = static_cast<std::uint32_t>(end_of_scalar(text_, span.begin, value));
        add({YamlKind::Scalar, value, tag == "!", span, {}, {}});
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, YamlKind::List);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, YamlKind::Map);
    }
    void OnMapEnd() override { close(); }

  private:
    void refuse(const YAML::Mark& mark, std::string message) {
        diagnostics_.report(Code::BadInventory, at(mark), std::move(message));
    }

    void enter(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
        if (++nodes_ > most_nodes) throw YAML::ParserException(mark, "it has too many values");
        if (anchor != YAML::NullAnchor) refuse(mark, "anchors are not allowed: nothing may refer to them");
        if (!tag.empty() && tag != "?" && tag != "!")
            refuse(mark, "tags are not allowed: write the plain value");
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlKind kind) {
        enter(mark, anchor, tag);
        if (stack_.size() >= deepest) throw YAML::ParserException(mark, "it is nested too deeply");
        stack_.push_back({{kind, {}, false, at(mark), {}, {}}, {}, true, {}});
    }

    void close() {
        YamlNode node = std::move(stack_.back().node);
        stack_.pop_back();
        add(std::move(node));
    }

    void add(YamlNode node) {
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        OpenNode& parent = stack_.back();
        if (parent.node.kind == YamlKind::List)
            parent.node.children.push_back(std::move(node));
        else if (!parent.key)
            begin_entry(parent, std::move(node));
        else
            end_entry(parent, std::move(node));
    }

    void begin_entry(OpenNode& map, YamlNode key) {
        map.keep = key.kind == YamlKind::Scalar;
        if (!map.keep) diagnostics_.report(Code::BadInventory, key.span, "a key must be a word");
        if (map.keep) {
            const auto [first, is_new] = map.places.emplace(key.text, key.span);
            if (!is_new) report_duplicate(key, first->second);
            map.keep = is_new;
        }
        map.key = std::move(key);
    }

    void end_entry(OpenNode& map, YamlNode value) {
        if (map.keep) map.node.entries.push_back({std::move(*map.key), std::move(value)});
        map.key.reset();
    }

    void report_duplicate(const YamlNode& key, Span first) {
        auto& finding = diagnostics_.report(Code::BadInventory, key.span,
                                            fmt::format("the key `{}` is there twice", key.text));
        finding.labels.push_back({first, here_already});
        finding.notes.emplace_back("YAML readers differ in which of the two they take; keep one of them");
    }

    FileId file_;
    std::string_view text_;
    Diagnostics& diagnostics_;
    std::size_t skipped_ = 0;
    std::size_t nodes_ = 0;
    bool in_document_ = false;
    std::vector<OpenNode> stack_;
    std::optional<YamlNode> root_;
};

}  // namespace

std::optional<YamlNode> read_yaml(FileId file, const SourceMap& sources, Diagnostics& diagnostics) {
    Builder builder(file, sources, diagnostics);
    try {
        std::istringstream stream{std::string(sources.file(file).text())};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        diagnostics.report(Code::BadInventory, builder.at(error.mark),
                           fmt::format("this cannot be read: {}", error.msg));
        return std::nullopt;
    }
    return builder.take();
}

}  // namespace migc::project
