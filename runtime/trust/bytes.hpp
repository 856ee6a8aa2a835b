// What every file about keys needs of libsodium, and where keys are kept.
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <sodium.h>
#include <tl/expected.hpp>

namespace migc::trust {

// Wiped from memory when they end; those that were moved from, at once.
template <std::size_t count>
struct WipedBytes : std::array<unsigned char, count> {
    WipedBytes() : std::array<unsigned char, count>() {}
    WipedBytes(WipedBytes&& other) noexcept : std::array<unsigned char, count>(other) {
        sodium_memzero(other.data(), count);
    }
    WipedBytes& operator=(WipedBytes&&) = delete;
    ~WipedBytes() { sodium_memzero(this->data(), count); }
};

// Without random numbers nothing can be signed or sealed: then the process ends.
void ready_sodium();

inline const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// The bytes that an object has in base64 under a name. False if it has none, or not so many.
bool read_bytes(const nlohmann::json& object, const char* name, std::span<unsigned char> into);

// A new file of mode 0600 in a folder of mode 0700, both durable. The error: there is one already, or it
// cannot be written.
// The text is wiped from memory afterwards.
tl::expected<void, std::string> save_private(const std::filesystem::path& file, std::string text);
// The JSON of such a file, discarded where it has none; its text is wiped from memory. The error: it cannot
// be read, or others may read it.
tl::expected<nlohmann::json, std::string> read_private(const std::filesystem::path& file,
                                                       std::uintmax_t limit);

// A folder of the operator's own configuration of migc; empty where there is no such place.
std::filesystem::path folder_of_operator(const std::string& name);

}  // namespace migc::trust
