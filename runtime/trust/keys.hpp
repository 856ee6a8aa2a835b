// Key pairs of people: Ed25519. The public key stands in migc.yaml, the private one in its owner's home.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/trust/bytes.hpp"

namespace migc::trust {

struct PublicKey {
    std::array<unsigned char, 32> bytes{};
    friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

// "migc-key:" and 43 characters of base64; and back. The error is a sentence without a full stop.
std::string show(const PublicKey& key);
tl::expected<PublicKey, std::string> parse_key(std::string_view text);

// Wiped from memory when it ends.
class PrivateKey {
  public:
    static PrivateKey make();

    [[nodiscard]] PublicKey public_key() const;
    // Base64 of the signature.
    [[nodiscard]] std::string sign(std::string_view message) const;

  private:
    friend tl::expected<void, std::string> save_key(const std::filesystem::path&, const PrivateKey&,
                                                    const std::optional<std::string>&);
    friend tl::expected<PrivateKey, std::string> load_key(const std::filesystem::path&,
                                                          const std::function<std::optional<std::string>()>&);
    friend std::vector<PublicKey> keys_in(const std::filesystem::path&);
    PrivateKey() = default;
    WipedBytes<64> bytes_;
};

// 128 random bits as text, which nobody guesses or meets twice.
std::string random_text();

bool is_signed(const PublicKey& key, std::string_view message, const std::string& signature);

// A new file of mode 0600, in a folder of mode 0700; encrypted where a passphrase is given (Argon2id,
// XSalsa20-Poly1305). The error: there is one already, or it cannot be written.
tl::expected<void, std::string> save_key(const std::filesystem::path& file, const PrivateKey& key,
                                         const std::optional<std::string>& passphrase);

// Refuses a file that others may read. `passphrase` is asked if the key is encrypted; nothing means: given
// up.
tl::expected<PrivateKey, std::string> load_key(const std::filesystem::path& file,
                                               const std::function<std::optional<std::string>()>& passphrase);

// $MIGC_KEYS, else $XDG_CONFIG_HOME/migc/keys, else ~/.config/migc/keys; empty if there is no home.
std::filesystem::path keys_folder();
std::filesystem::path key_file(const std::string& name);
// Whether a file of that name is that of a private key.
bool is_key_file(const std::filesystem::path& file);
// Whose private key lies in a file, as far as it tells without a passphrase: what it says itself, and what
// its private key says. Empty for what is no such file, or cannot be read.
std::vector<PublicKey> keys_in(const std::filesystem::path& file);

}  // namespace migc::trust
