#include "compiler/support/encoding.hpp"

#include <sodium.h>

namespace migc {
namespace {

const unsigned char* raw(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

int variant(Base64 kind) {
    return kind == Base64::Url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
}

}  // namespace

std::string hexadecimal(std::string_view bytes) {
    std::string text(2 * bytes.size() + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), raw(bytes), bytes.size());
    text.pop_back();  // the zero at the end
    return text;
}

std::string base64(std::string_view bytes, Base64 kind) {
    std::string text(sodium_base64_encoded_len(bytes.size(), variant(kind)), '\0');
    sodium_bin2base64(text.data(), text.size(), raw(bytes), bytes.size(), variant(kind));
    text.pop_back();
    return text;
}

std::optional<std::string> from_base64(std::string_view text, Base64 kind, const char* ignored) {
    std::string bytes(text.size() + 1, '\0');  // libsodium wants somewhere to write to, even for nothing
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), ignored, &size, nullptr, variant(kind)) != 0)
        return std::nullopt;
    bytes.resize(size);
    return bytes;
}

}  // namespace migc
