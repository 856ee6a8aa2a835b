#include "runtime/natives/http_answer.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "compiler/support/text.hpp"

namespace migc::runtime::inline natives {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// The length of a block of headers, its empty line included.
std::size_t block_length(std::string_view text) {
    const auto end = text.find("\r\n\r\n");
    const auto bare = text.find("\n\n");
    if (end < bare) return end + 4;
    return bare == std::string_view::npos ? text.size() : bare + 2;
}

}  // namespace

std::string HttpAnswer::header(std::string_view name) const {
    for (const std::string& line : split(headers, '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || !same_name(std::string_view(line).substr(0, colon), name)) continue;
        const std::size_t begin = std::min(line.find_first_not_of(' ', colon + 1), line.size());
        return line.substr(begin, line.size() - begin - (line.ends_with('\r') ? 1 : 0));
    }
    return {};
}

HttpAnswer parse_http(std::string_view text) {
    HttpAnswer answer;
    while (text.starts_with("HTTP/")) {
        answer.headers = text.substr(0, block_length(text));
        const auto space = answer.headers.find(' ');
        answer.status =
            space == std::string::npos ? 0 : std::atoi(answer.headers.substr(space + 1, 3).c_str());
        text.remove_prefix(answer.headers.size());
    }
    answer.body = text;
    return answer;
}

}  // namespace migc::runtime::inline natives
