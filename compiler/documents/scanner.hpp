// What the readers of JSON and .tfvars share: a place in the text, comments, limits, the first problem.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "compiler/documents/tree.hpp"

namespace migc::documents {

class Scanner {
  public:
    Scanner(std::string_view text, bool hash_comments) : text_(text), hash_comments_(hash_comments) {
        if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    }

    [[nodiscard]] Problem problem() const { return problem_; }

  protected:
    // Remembers what is wrong; false, so that it can be returned.
    bool fail(std::string message) { return fail(std::move(message), at_); }
    bool fail(std::string message, std::size_t at);

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char next() const { return at_end() ? '\0' : text_[at_]; }
    [[nodiscard]] bool sees(std::string_view what) const { return text_.substr(at_).starts_with(what); }
    bool take(char c);
    // Over blanks, comments and, where they mean nothing, line breaks.
    bool skip(bool over_lines = true);
    // Over all that belongs to a word or a number.
    std::string_view word(std::string_view more = "");
    // A list or map from its opening bracket to the closing one; `one` reads each member.
    template <typename One>
    bool members(Node& node, Kind kind, char close, One one) {
        node.kind = kind;
        node.style = Style::Brackets;
        node.range.begin = at_++;
        for (;;) {
            if (!skip()) return false;
            if (take(close)) break;
            Member member;
            if (!one(member)) return false;
            node.members.push_back(std::move(member));
        }
        node.range.end = at_;
        return true;
    }
    // The value of a member that a comma parts from the one before it.
    template <typename Read>
    bool behind_comma(const Node& node, Member& member, Read read) {
        if (!node.members.empty() && node.members.back().comma == nowhere)
            return fail("a comma is missing before this");
        if (!read() || !skip()) return false;
        if (next() == ',') member.comma = at_++;
        return true;
    }
    // Counts the values, and how deep they lie; false where there are too many.
    bool enter(int depth);

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Range> comments_;

  private:
    bool comment();

    bool hash_comments_;
    std::size_t values_ = 0;
    Problem problem_;
};

}  // namespace migc::documents
