// What `curl --include` prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace migc::runtime::inline natives {

struct HttpAnswer {
    std::int64_t status = 0;  // 0: the text is no HTTP answer
    std::string headers;      // of the last answer on the way
    std::string body;

    // "" if there is none of that name; names are compared without regard to case.
    [[nodiscard]] std::string header(std::string_view name) const;
};

// There is one block of headers for every answer on the way: a proxy's, 100 Continue, then the one that
// counts.
HttpAnswer parse_http(std::string_view text);

}  // namespace migc::runtime::inline natives
