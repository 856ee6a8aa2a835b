#include "compiler/documents/brackets.hpp"

#include <algorithm>

namespace migc::documents {
namespace {

bool is_simple(const Ordered& value) {
    return !value.is_structured() || value.empty();
}

std::size_t widest_key(const Ordered& map) {
    std::size_t width = 0;
    for (const auto& [key, value] : map.items()) width = std::max(width, key.size());
    return width;
}

}  // namespace

BracketWriter::BracketWriter(const Notation& notation, const Tree& tree, std::string_view text)
    : notation_(notation),
      tree_(tree),
      text_(text),
      newline_(newline_of(text)),
      unit_(unit_of(text)),
      one_line_(text.find('\n') == std::string_view::npos || next_line(text, 0) == text.size()) {}

std::string BracketWriter::inline_form(const Ordered& value) const {
    if (!value.is_structured()) return notation_.scalar(value);
    std::string text;
    for (const auto& [key, item] : value.items())
        text +=
            (text.empty() ? "" : ", ") + (value.is_object() ? notation_.key(key, 0) : "") + inline_form(item);
    if (value.is_array()) return "[" + text + "]";
    return text.empty() ? "{}" : "{ " + text + " }";
}

std::string BracketWriter::rendered(const Ordered& value, const std::string& indent) const {
    const bool is_short =
        is_simple(value) || one_line_ || (value.is_array() && std::ranges::all_of(value, is_simple));
    if (is_short) return inline_form(value);
    const std::string inner = indent + unit_;
    const bool is_map = value.is_object();
    const std::size_t width = is_map ? widest_key(value) : 0;
    std::string text(is_map ? "{" : "[");
    std::size_t left = value.size();
    for (const auto& [key, item] : value.items()) {
        text += newline_ + inner + (is_map ? notation_.key(key, width) : "") + rendered(item, inner);
        if (--left > 0 && (!is_map || notation_.commas_in_maps())) text += ",";
    }
    return text + newline_ + indent + (is_map ? "}" : "]");
}

// Signs of lines that follow each other stand below each other.
std::size_t BracketWriter::width_in(const Node& container) const {
    if (container.members.empty()) return 0;
    const Member& last = container.members.back();
    if (breaks(last.begin(), last.value.range.end)) return 0;
    return last.sign == nowhere || last.sign <= last.key_range.begin ? 0
                                                                     : last.sign - last.key_range.begin - 1;
}

std::string BracketWriter::member(const Node& container, const std::string& key, const Ordered& value,
                                  const std::string& indent) const {
    return (container.kind == Kind::Map ? notation_.key(key, width_in(container)) : "") +
           rendered(value, indent);
}

bool BracketWriter::breaks(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin).find('\n') != std::string_view::npos;
}

bool BracketWriter::needs_comma(const Node& container) const {
    return container.style == Style::Brackets && (container.kind == Kind::List || notation_.commas_in_maps());
}

// Where the line ends; a comment that goes on over the line belongs to it.
std::size_t BracketWriter::end_of_line(std::size_t at) const {
    std::size_t end = line_end(text_, at);
    for (const Range& comment : tree_.comments)
        if (comment.begin < end && end < comment.end) end = line_end(text_, comment.end);
    return end;
}

std::vector<Edit> BracketWriter::add(const Node& container, const std::string& key,
                                     const Ordered& value) const {
    if (container.members.empty()) return add_first(container, key, value);
    const Member& last = container.members.back();
    const std::size_t end = std::max(last.value.range.end, last.comma == nowhere ? 0 : last.comma + 1);
    if (container.style == Style::Body || breaks(end, container.range.end))
        return add_line(container, key, value);
    const std::string text = member(container, key, value, std::string(indentation(text_, last.begin())));
    if (last.comma == nowhere) return {{{end, end}, ", " + text}};
    return {{{end, end}, " " + text + ","}};
}

std::vector<Edit> BracketWriter::add_line(const Node& container, const std::string& key,
                                          const Ordered& value) const {
    const Member& last = container.members.back();
    std::vector<Edit> edits;
    const std::size_t value_end = last.value.range.end;
    if (last.comma == nowhere && needs_comma(container)) edits.push_back({{value_end, value_end}, ","});
    const std::string indent(is_first_of_line(text_, last.begin())
                                 ? std::string(indentation(text_, last.begin()))
                                 : std::string(indentation(text_, container.range.begin)) + unit_);
    const std::size_t end = end_of_line(std::max(value_end, last.comma == nowhere ? 0 : last.comma));
    const std::string comma = last.comma == nowhere ? "" : ",";
    edits.push_back({{end, end}, newline_ + indent + member(container, key, value, indent) + comma});
    return edits;
}

std::vector<Edit> BracketWriter::add_first(const Node& container, const std::string& key,
                                           const Ordered& value) const {
    if (container.style == Style::Body) {
        const bool ends = text_.empty() || text_.ends_with('\n');
        return {{{text_.size(), text_.size()},
                 (ends ? "" : newline_) + member(container, key, value, "") + newline_}};
    }
    const std::size_t begin = container.range.begin + 1, end = container.range.end - 1;
    const std::string base(indentation(text_, container.range.begin));
    const bool is_blank =
        text_.substr(begin, end - begin).find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (one_line_ || !(is_blank || breaks(begin, end)))
        return {{{before_blanks(text_, end), end}, " " + member(container, key, value, base) + " "}};
    const std::string line = base + unit_ + member(container, key, value, base + unit_) + newline_;
    if (!is_blank) return {{{line_begin(text_, end), line_begin(text_, end)}, line}};
    return {{{begin, end}, newline_ + line + base}};
}

std::vector<Edit> BracketWriter::erase(const Node& container, std::size_t index) const {
    const Member& gone = container.members[index];
    const bool is_last = index + 1 == container.members.size();
    const std::size_t end = gone.comma == nowhere ? gone.value.range.end : gone.comma + 1;
    std::vector<Edit> edits;
    // The last one takes the comma before it along.
    if (is_last && gone.comma == nowhere && index > 0 && container.members[index - 1].comma != nowhere)
        edits.push_back({{container.members[index - 1].comma, container.members[index - 1].comma + 1}, ""});
    const std::size_t rest = skip_blanks(text_, end);
    const auto is_comment = [&](const Range& comment) {
        return comment.begin == rest && comment.end == line_end(text_, rest);
    };
    const bool ends_line = rest == line_end(text_, end) || std::ranges::any_of(tree_.comments, is_comment);
    if (is_first_of_line(text_, gone.begin()) && ends_line)
        edits.push_back({{line_begin(text_, gone.begin()), next_line(text_, end)}, ""});
    else if (is_last)
        edits.push_back({{before_blanks(text_, gone.begin()), end}, ""});
    else
        edits.push_back({{gone.begin(), rest}, ""});
    return edits;
}

}  // namespace migc::documents
