#include "cli/lsp/framing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/text.hpp"

namespace migc::lsp {

namespace {

constexpr std::size_t header_limit = 4096;
constexpr std::size_t message_limit = std::size_t{64} << 20;

// The length that a header block states.
std::optional<std::size_t> content_length(std::string_view header) {
    constexpr std::string_view name = "content-length:";
    while (!header.empty()) {
        const std::size_t end = std::min(header.find("\r\n"), header.size());
        const std::string line = lower_case(header.substr(0, end));
        header.remove_prefix(std::min(header.size(), end + 2));
        if (!line.starts_with(name)) continue;
        const auto length = whole_number<std::size_t>(trimmed(std::string_view(line).substr(name.size())));
        return length && *length <= message_limit ? length : std::nullopt;
    }
    return {};
}

}  // namespace

std::optional<std::string> Framing::next() {
    if (!broken_.empty()) return {};
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos || end > header_limit) {
        if (buffer_.size() > header_limit)
            broken_ = fmt::format("no end of a header in the first {} bytes", header_limit);
        return {};
    }
    const auto length = content_length(std::string_view(buffer_).substr(0, end));
    if (!length) {
        broken_ = "a header without a Content-Length that is a number of at most 64 MiB";
        return {};
    }
    if (buffer_.size() - end - 4 < *length) return {};
    std::string message = buffer_.substr(end + 4, *length);
    buffer_.erase(0, end + 4 + *length);
    return message;
}

std::string framed(std::string_view message) {
    return fmt::format("Content-Length: {}\r\n\r\n{}", message.size(), message);
}

}  // namespace migc::lsp
