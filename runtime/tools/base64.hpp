// Bytes as text, as servers and transcripts keep them.
#pragma once

#include <string>
#include <string_view>

#include <sodium.h>

namespace migc::runtime {

// In base64 (RFC 4648, section 4), with what fills it up at the end.
inline std::string base64(std::string_view bytes) {
    constexpr int kind = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), kind), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                      bytes.size(), kind);
    text.pop_back();  // the zero at the end
    return text;
}

}  // namespace migc::runtime
