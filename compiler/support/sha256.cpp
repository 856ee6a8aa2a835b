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

}  // namespace migc
