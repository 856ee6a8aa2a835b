#include "compiler/documents/scanner.hpp"

#include <cctype>

namespace migc::documents {

bool Scanner::fail(std::string message, std::size_t at) {
    if (problem_.message.empty()) problem_ = {std::move(message), at};
    return false;
}

bool Scanner::take(char c) {
    if (next() != c || at_end()) return false;
    ++at_;
    return true;
}

bool Scanner::comment() {
    const std::size_t begin = at_;
    if (sees("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fail("the comment that begins here does not end");
        at_ = end + 2;
    } else {
        at_ = line_end(text_, at_);
    }
    comments_.push_back({begin, at_});
    return true;
}

bool Scanner::skip(bool over_lines) {
    while (!at_end()) {
        const bool is_comment = sees("//") || sees("/*") || (hash_comments_ && next() == '#');
        if (is_comment) {
            if (!comment()) return false;
        } else if (next() == ' ' || next() == '\t' || (over_lines && (next() == '\n' || next() == '\r'))) {
            ++at_;
        } else {
            break;
        }
    }
    return true;
}

std::string_view Scanner::word(std::string_view more) {
    const std::size_t begin = at_;
    while (!at_end() && (std::isalnum(static_cast<unsigned char>(next())) != 0 ||
                         more.find(next()) != std::string_view::npos))
        ++at_;
    return text_.substr(begin, at_ - begin);
}

bool Scanner::enter(int depth) {
    if (depth > deepest) return fail("it is nested too deeply");
    if (++values_ > most_values) return fail("it has too many values");
    return true;
}

}  // namespace migc::documents
