#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace migc {

// SHA-256 of these bytes, in 64 hexadecimal digits.
std::string sha256(std::string_view bytes);
// Whether a text is one.
bool is_digest(std::string_view text);
// Digests are shown to people, and taken from them, by this many digits and more.
constexpr std::size_t short_digest_size = 12;
std::string short_digest(const std::string& digest);
bool is_short_digest(std::string_view text);

}  // namespace migc
