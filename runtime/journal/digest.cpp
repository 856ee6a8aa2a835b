#include "runtime/journal/digest.hpp"

#include <array>

#include <sodium.h>

namespace migc::runtime {

namespace {

// Each field goes in with its length before it, so that no two rows give the same bytes.
std::string digest_of(std::initializer_list<std::string_view> fields) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (const std::string_view field : fields) {
        std::array<unsigned char, 8> size{};
        for (std::size_t i = 0; i < size.size(); ++i)
            size.at(i) = static_cast<unsigned char>(field.size() >> (8 * i));
        crypto_hash_sha256_update(&state, size.data(), size.size());
        crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(field.data()), field.size());
    }
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256_final(&state, digest.data());
    return {digest.begin(), digest.end()};
}

}  // namespace

std::string first_digest(const RunSummary& about, std::string_view script_copy) {
    return digest_of({"migc journal 1", about.id, about.script, about.title, about.mode, about.digest,
                      std::to_string(about.begun_ms), script_copy});
}

std::string next_digest(std::string_view previous, const EventRow& row) {
    return digest_of({previous, row.run, row.kind, std::to_string(row.time_ms), row.body});
}

}  // namespace migc::runtime
