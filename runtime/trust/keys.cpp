#include "runtime/trust/keys.hpp"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>
#include <sodium.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/read_file.hpp"
#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view prefix = "migc-key:";
constexpr const char* ending = ".key";
constexpr std::uintmax_t largest_key_file = 4096;

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64);

using PassphraseKey = WipedBytes<crypto_secretbox_KEYBYTES>;
using Salt = std::array<unsigned char, crypto_pwhash_SALTBYTES>;
using Nonce = std::array<unsigned char, crypto_secretbox_NONCEBYTES>;
using Box = std::array<unsigned char, crypto_sign_SECRETKEYBYTES + crypto_secretbox_MACBYTES>;

// The key that encrypts the private key.
std::optional<PassphraseKey> derived(const std::string& passphrase, const Salt& salt) {
    PassphraseKey key;
    const int failed = crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(),
                                     salt.data(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                     crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
    return failed == 0 ? std::optional(std::move(key)) : std::nullopt;
}

tl::expected<json, std::string> encrypted(std::span<const unsigned char> secret,
                                          const std::string& passphrase) {
    Salt salt{};
    Nonce nonce{};
    randombytes_buf(salt.data(), salt.size());
    randombytes_buf(nonce.data(), nonce.size());
    const auto key = derived(passphrase, salt);
    if (!key) return failure("there is not enough memory to encrypt the key");
    Box box{};
    crypto_secretbox_easy(box.data(), secret.data(), secret.size(), nonce.data(), key->data());
    return json{{"salt", base64(as_text(salt))},
                {"nonce", base64(as_text(nonce))},
                {"encrypted", base64(as_text(box))}};
}

tl::expected<void, std::string> decrypt(const json& file, const std::string& passphrase,
                                        std::span<unsigned char> secret) {
    Salt salt{};
    Nonce nonce{};
    Box box{};
    const auto key = read_bytes(file, "salt", salt) ? derived(passphrase, salt) : std::nullopt;
    if (!read_bytes(file, "nonce", nonce) || !read_bytes(file, "encrypted", box) || !key)
        return failure("it is damaged");
    if (crypto_secretbox_open_easy(secret.data(), box.data(), box.size(), nonce.data(), key->data()) != 0)
        return failure("the passphrase is wrong");
    return {};
}

}  // namespace

std::string show(const PublicKey& key) {
    return std::string(prefix) + base64(as_text(key.bytes), Base64::Url);
}

tl::expected<PublicKey, std::string> parse_key(std::string_view text) {
    PublicKey key;
    const auto bytes =
        text.starts_with(prefix) ? from_base64(text.substr(prefix.size()), Base64::Url) : std::nullopt;
    if (!bytes || bytes->size() != key.bytes.size())
        return failure("it is no public key: one begins with migc-key:");
    std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
    return key;
}

PrivateKey PrivateKey::make() {
    ready_sodium();
    PrivateKey key;
    PublicKey ignored;
    crypto_sign_keypair(ignored.bytes.data(), key.bytes_.data());
    return key;
}

PublicKey PrivateKey::public_key() const {
    PublicKey key;
    crypto_sign_ed25519_sk_to_pk(key.bytes.data(), bytes_.data());
    return key;
}

std::string PrivateKey::sign(std::string_view message) const {
    std::array<unsigned char, crypto_sign_BYTES> signature{};
    crypto_sign_detached(signature.data(), nullptr, raw(message), message.size(), bytes_.data());
    return base64(as_text(signature));
}

std::string random_text() {
    ready_sodium();
    std::array<unsigned char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    return base64(as_text(bytes));
}

bool is_signed(const PublicKey& key, std::string_view message, const std::string& signature) {
    const auto bytes = from_base64(signature);
    return bytes && bytes->size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(raw(*bytes), raw(message), message.size(), key.bytes.data()) == 0;
}

tl::expected<void, std::string> save_key(const fs::path& file, const PrivateKey& key,
                                         const std::optional<std::string>& passphrase) {
    json text = {{"migc-private-key", 1}, {"key", show(key.public_key())}};
    if (passphrase) {
        const auto box = encrypted(key.bytes_, *passphrase);
        if (!box) return failure(box.error());
        text.update(*box);
    } else {
        text["plain"] = base64(as_text(key.bytes_));
    }
    return save_private(file, text.dump(1) + "\n");
}

tl::expected<PrivateKey, std::string> load_key(
    const fs::path& file, const std::function<std::optional<std::string>()>& passphrase) {
    const auto failure = [&](const std::string& why) { return migc::failure("{}: {}", file.string(), why); };
    ready_sodium();
    const auto content = read_private(file, largest_key_file);
    if (!content) return failure(content.error());
    if (member(*content, "migc-private-key") != 1) return failure("it is no key file");
    PrivateKey key;
    if (content->contains("encrypted")) {
        const auto words = passphrase ? passphrase() : std::nullopt;
        if (!words) return failure("it is encrypted, and no passphrase was given");
        if (auto opened = decrypt(*content, *words, key.bytes_); !opened) return failure(opened.error());
    } else if (!read_bytes(*content, "plain", key.bytes_)) {
        return failure("it is damaged");
    }
    return key;
}

fs::path keys_folder() {
    const char* own = std::getenv("MIGC_KEYS");
    return own != nullptr && *own != '\0' ? fs::path(own) : folder_of_operator("keys");
}

fs::path key_file(const std::string& name) {
    return keys_folder() / (name + ending);
}

bool is_key_file(const fs::path& file) {
    return file.extension() == ending;
}

std::vector<PublicKey> keys_in(const fs::path& file) {
    std::vector<PublicKey> keys;
    const json content = json::parse(read_file(file, largest_key_file).value_or(""), nullptr, false);
    if (const auto key = parse_key(text_of(content, "key"))) keys.push_back(*key);
    PrivateKey own;
    if (read_bytes(content, "plain", own.bytes_)) keys.push_back(own.public_key());
    return keys;
}

}  // namespace migc::trust
