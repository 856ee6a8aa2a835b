// Bytes as text, as servers, keys and transcripts keep them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace migc {

// The bytes of an array of a library that counts in unsigned ones.
inline std::string_view as_text(std::span<const unsigned char> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Two small digits for each byte.
std::string hexadecimal(std::string_view bytes);

// RFC 4648: section 4, with what fills it up at the end; section 5, without.
enum class Base64 { Standard, Url };

std::string base64(std::string_view bytes, Base64 kind = Base64::Standard);
// Nothing for what is none. Characters of `ignored` may stand anywhere in it.
std::optional<std::string> from_base64(std::string_view text, Base64 kind = Base64::Standard,
                                       const char* ignored = nullptr);

}  // namespace migc
