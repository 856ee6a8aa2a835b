#include "runtime/world/document.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace migc::runtime::inline world {
namespace {

constexpr std::size_t size_limit = std::size_t{4} << 20;
constexpr std::size_t depth_limit = 64;

// Builds the tree from yaml-cpp's events. A mistake ends the parse by an exception that read_document()
// catches.
class Builder : public YAML::EventHandler {
  public:
    Builder(std::string_view text, FileId file) : text_(text), file_(file) {}

    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { leaf(Node::Kind::Null, mark, "", false); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Mistake{place(mark, 1), "aliases are not allowed: write the value out"};
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        leaf(Node::Kind::Scalar, mark, value, tag == "!");
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(Node::Kind::Sequence, mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        open(Node::Kind::Map, mark);
    }
    void OnMapEnd() override { close(); }

  private:
    [[nodiscard]] Span place(const YAML::Mark& mark, std::size_t length) const {
        const std::size_t skipped =
            text_.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;  // the mark does not count it
        const std::size_t begin =
            std::min(text_.size(), static_cast<std::size_t>(std::max(mark.pos, 0)) + skipped);
        const std::size_t end = std::min(text_.size(), begin + length);
        return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    }

    void leaf(Node::Kind kind, const YAML::Mark& mark, const std::string& value, bool quoted) {
        Node node;
        node.kind = kind;
        node.text = value;
        node.quoted = quoted;
        node.span = place(mark, value.size() + (quoted ? 2 : 0));
        add(std::move(node));
    }

    void open(Node::Kind kind, const YAML::Mark& mark) {
        if (stack_.size() >= depth_limit)
            throw Mistake{place(mark, 1), fmt::format("nested more than {} levels deep", depth_limit)};
        Node node;
        node.kind = kind;
        node.span = place(mark, 1);
        stack_.push_back({std::move(node), std::nullopt});
    }

    void close() {
        Node node = std::move(stack_.back().node);
        stack_.pop_back();
        add(std::move(node));
    }

    void add(Node node) {
        if (stack_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = stack_.back();
        if (parent.node.kind == Node::Kind::Map && !parent.key) {
            check_key(parent.node, node);
            parent.key = std::move(node);
            return;
        }
        if (parent.key) parent.node.keys.push_back(std::move(*parent.key));
        parent.key.reset();
        parent.node.items.push_back(std::move(node));
    }

    static void check_key(const Node& map, const Node& key) {
        if (key.kind != Node::Kind::Scalar) throw Mistake{key.span, "a key must be a plain word or a text"};
        if (map.find(key.text))
            throw Mistake{key.span, fmt::format("the key `{}` stands here twice", key.text)};
    }

    struct Open {
        Node node;
        std::optional<Node> key;
    };

    std::string_view text_;
    FileId file_;
    Node root_;
    std::vector<Open> stack_;
};

template <typename Number>
std::optional<Number> number(const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool looks_like_number(const std::string& text) {
    const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
    if (text.size() <= first || text[first] < '0' || text[first] > '9') return false;
    return text[first] != '0' || text.size() == first + 1 || text[first + 1] == '.';  // 012 is a text
}

nlohmann::json scalar(const Node& node) {
    if (node.quoted) return node.text;
    if (node.text == "true") return true;
    if (node.text == "false") return false;
    if (looks_like_number(node.text)) {
        if (const auto whole = number<std::int64_t>(node.text)) return *whole;
        if (const auto real = number<double>(node.text)) return *real;
    }
    return node.text;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const Node& k) { return k.text == key; });
    return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

tl::expected<Node, Mistake> read_document(std::string_view text, FileId file) {
    if (text.size() > size_limit)
        return tl::unexpected(Mistake{{file, 0, 0}, fmt::format("larger than {} MiB", size_limit >> 20)});
    if (text.find('\0') != std::string_view::npos)
        return tl::unexpected(Mistake{{file, 0, 0}, "holds a NUL character"});
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        Builder builder(text, file);
        parser.HandleNextDocument(builder);
        Builder rest(text, file);
        if (parser.HandleNextDocument(rest))
            return tl::unexpected(Mistake{{file, 0, 0}, "holds more than one document"});
        return builder.take();
    } catch (const Mistake& mistake) {
        return tl::unexpected(mistake);
    } catch (const YAML::Exception& problem) {
        const auto begin =
            std::min<std::size_t>(text.size(), static_cast<std::size_t>(std::max(problem.mark.pos, 0)));
        const auto at = static_cast<std::uint32_t>(begin);
        return tl::unexpected(Mistake{{file, at, at}, "not YAML: " + problem.msg});
    } catch (const std::exception& problem) {
        return tl::unexpected(
            Mistake{{file, 0, 0}, fmt::format("cannot be read as YAML: {}", problem.what())});
    }
}

nlohmann::json to_json(const Node& node) {
    if (node.kind == Node::Kind::Null) return nullptr;
    if (node.kind == Node::Kind::Scalar) return scalar(node);
    if (node.kind == Node::Kind::Sequence) {
        nlohmann::json list = nlohmann::json::array();
        for (const Node& item : node.items) list.push_back(to_json(item));
        return list;
    }
    nlohmann::json map = nlohmann::json::object();
    for (std::size_t i = 0; i < node.items.size(); ++i) map[node.keys[i].text] = to_json(node.items[i]);
    return map;
}

}  // namespace migc::runtime::inline world
