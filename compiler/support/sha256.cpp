#include "compiler/support/sha256.hpp"

#include <array>

#include <sodium.h>

#include "compiler/support/encoding.hpp"

namespace migc {

std::string sha256(std::string_view bytes) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest = {};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return hexadecimal(as_text(digest));
}

bool is_short_digest(std::string_view text) {
    return text.size() >= short_digest_size && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_digest(std::string_view text) {
    return text.size() == std::size_t{2} * crypto_hash_sha256_BYTES && is_short_digest(text);
}

std::string short_digest(const std::string& digest) {
    return digest.substr(0, short_digest_size);
}

}  // namespace migc
