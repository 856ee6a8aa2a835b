#include "compiler/service/text.hpp"

#include <algorithm>

#include "compiler/support/escape.hpp"

namespace migc::service {

namespace {

// In UTF-16, characters beyond the basic plane take two units. A malformed byte counts as one.
std::uint32_t units(const Character& c) {
    return c.valid && c.code > 0xFFFF ? 2 : 1;
}

}  // namespace

Text::Text(std::string text) : text_(std::move(text)) {
    find_lines();
}

void Text::find_lines() {
    lines_ = {0};
    for (std::uint32_t i = 0; i < text_.size(); ++i) {
        const bool is_break = text_[i] == '\n' || (text_[i] == '\r' && text_.compare(i + 1, 1, "\n") != 0);
        if (is_break) lines_.push_back(i + 1);
    }
}

std::uint32_t Text::offset(Position position) const {
    const auto size = static_cast<std::uint32_t>(text_.size());
    if (position.line >= lines_.size()) return size;
    std::uint32_t at = lines_[position.line];
    std::uint32_t end = position.line + 1 < lines_.size() ? lines_[position.line + 1] : size;
    while (end > at && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
    for (std::uint32_t left = position.character; at < end && left > 0;) {
        const Character c = first_character(std::string_view(text_).substr(at, end - at));
        if (units(c) > left) break;
        left -= units(c);
        at += static_cast<std::uint32_t>(c.size);
    }
    return at;
}

Position Text::position(std::uint32_t offset) const {
    offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
    const auto next = std::upper_bound(lines_.begin(), lines_.end(), offset);
    Position result{static_cast<std::uint32_t>(next - lines_.begin()) - 1, 0};
    for (std::uint32_t at = *(next - 1); at < offset;) {
        const Character c = first_character(std::string_view(text_).substr(at));
        at += static_cast<std::uint32_t>(c.size);
        if (at <= offset) result.character += units(c);
    }
    return result;
}

void Text::replace(Position from, Position to, std::string_view with) {
    const std::uint32_t a = offset(from), b = offset(to);
    text_.replace(std::min(a, b), std::max(a, b) - std::min(a, b), with);
    find_lines();
}

}  // namespace migc::service
