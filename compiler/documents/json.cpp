// Reading JSON with comments, and with commas before a closing bracket, as .NET does.
#include "compiler/documents/scanner.hpp"

namespace migc::documents {
namespace {

class JsonReader : public Scanner {
  public:
    explicit JsonReader(std::string_view text) : Scanner(text, false) {}

    bool document(Tree& tree) {
        if (!skip() || !value(tree.root, 0) || !skip()) return false;
        if (!at_end()) return fail("something follows the end of the document");
        tree.comments = std::move(comments_);
        return agrees(tree.root);
    }

  private:
    bool value(Node& node, int depth) {
        if (!enter(depth)) return false;
        if (next() == '{') return container(node, Kind::Map, '}', depth);
        if (next() == '[') return container(node, Kind::List, ']', depth);
        return scalar(node);
    }

    bool scalar(Node& node) {
        node.range.begin = at_;
        node.style = next() == '"' ? Style::Double : Style::Plain;
        if (next() == '"')
            string();
        else
            word("+-.");
        node.range.end = at_;
        node.value =
            nlohmann::json::parse(text_.substr(node.range.begin, at_ - node.range.begin), nullptr, false);
        if (node.value.is_discarded()) return fail("a value is expected here", node.range.begin);
        return true;
    }

    // To behind the closing quote, or to the end of the line where there is none.
    void string() {
        for (++at_; !at_end() && next() != '\n'; ++at_) {
            if (next() == '\\') {
                ++at_;
            } else if (next() == '"') {
                ++at_;
                return;
            }
        }
    }

    bool container(Node& node, Kind kind, char close, int depth) {
        const bool read = members(node, kind, close, [&](Member& member) {
            return behind_comma(node, member, [&] {
                return (kind == Kind::List || key(member)) && value(member.value, depth + 1);
            });
        });
        if (read && !node.members.empty() && node.members.back().comma != nowhere)
            odd_commas_.push_back(node.members.back().comma);
        return read;
    }

    bool key(Member& member) {
        Node key;
        if (next() != '"') return fail("a key in quotes is expected here");
        if (!scalar(key) || !skip()) return false;
        member.key = key.value.get<std::string>();
        member.key_range = key.range;
        member.sign = at_;
        return take(':') ? skip() : fail("a `:` is expected here");
    }

    // The library's own reader is asked, too: what it reads is what the tree says.
    bool agrees(const Node& root) {
        std::string plain(text_);
        for (const std::size_t comma : odd_commas_) plain[comma] = ' ';
        if (duplicate_key(root, text_) || nlohmann::json::parse(plain, nullptr, false, true) == to_json(root))
            return true;
        return fail("it cannot be read with certainty", 0);
    }

    std::vector<std::size_t> odd_commas_;
};

}  // namespace

tl::expected<Tree, Problem> parse_json(std::string_view text) {
    Tree tree;
    JsonReader reader(text);
    if (!reader.document(tree)) return tl::unexpected(reader.problem());
    return tree;
}

}  // namespace migc::documents
