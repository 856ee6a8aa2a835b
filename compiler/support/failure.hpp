#pragma once

// The error of a function that says in words what was wrong.

#include <string>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace migc {

inline tl::unexpected<std::string> failure(std::string words) {
    return tl::unexpected(std::move(words));
}

template <typename... Args>
tl::unexpected<std::string> failure(fmt::format_string<Args...> words, Args&&... args) {
    return tl::unexpected(fmt::format(words, std::forward<Args>(args)...));
}

}  // namespace migc
