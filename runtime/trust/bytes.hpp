// What every file about keys needs of libsodium, and where keys are kept.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sodium.h>

namespace migc::trust {

using Bytes = std::vector<unsigned char>;

inline void ready_sodium() {
    if (sodium_init() < 0) std::abort();  // without random numbers nothing can be signed or sealed
}

inline const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

inline std::string as_base64(const unsigned char* bytes, std::size_t size,
                             int variant = sodium_base64_VARIANT_ORIGINAL) {
    std::string text(sodium_base64_encoded_len(size, variant), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes, size, variant);
    text.resize(text.find('\0'));
    return text;
}

inline std::optional<Bytes> bytes_of_base64(std::string_view text,
                                            int variant = sodium_base64_VARIANT_ORIGINAL) {
    Bytes bytes(text.size() + 1);  // libsodium wants somewhere to write to, even for nothing
    std::size_t size = 0;
    if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr,
                          variant) != 0)
        return std::nullopt;
    bytes.resize(size);
    return bytes;
}

// A folder of the operator's own configuration of migc; empty where there is no such place.
inline std::filesystem::path folder_of_operator(const char* name) {
    const auto variable = [](const char* of) {
        const char* value = std::getenv(of);
        return std::filesystem::path(value != nullptr ? value : "");
    };
    if (const auto configuration = variable("XDG_CONFIG_HOME"); configuration.is_absolute())
        return configuration / "migc" / name;
    const auto home = variable("HOME");
    return home.is_absolute() ? home / ".config" / "migc" / name : std::filesystem::path();
}

}  // namespace migc::trust
