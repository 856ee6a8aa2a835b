// What tells the values of secrets apart without telling what they are: keyed digests, which may stand in a
// journal.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace migc::trust {

// With whose help the digests of one project are made. Who has a journal but not its key learns nothing about
// a value by guessing. Only digests that the same key made can be compared.
struct DigestKey {
    std::array<unsigned char, 32> bytes{};
    // Short, in each digest: which key made it. "open": none, since this account has no folder for one; then
    // only the length of a digest keeps a value from being guessed.
    std::string name = "open";
};

// The key of a project, made at the first use: a file of mode 0600 in $XDG_CONFIG_HOME/migc/digests, else in
// ~/.config/migc/digests, so that a copy of the project or of its journal does not bring it along. The error,
// a sentence without a full stop: the file is there and cannot be used.
tl::expected<DigestKey, std::string> digest_key(const std::string& project);

// The same of a known folder; an empty one is that of an account without a home.
tl::expected<DigestKey, std::string> digest_key(const std::filesystem::path& folder,
                                                const std::string& project);

// For what is not live (a simulation, a replay): the same in each run, and not secret.
DigestKey open_key();

// HMAC-SHA-256 of a value under what it belongs to ("namespace/name/key"), as hexadecimal behind the key's
// name: "3f9a..:5d41..". Equal only if key, place and value are equal.
std::string secret_digest(const DigestKey& key, std::string_view place, std::string_view value);

}  // namespace migc::trust
