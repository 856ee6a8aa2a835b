#include "runtime/trust/keys.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/source/json_text.hpp"
#include "compiler/source/read_file.hpp"
#include "compiler/source/write_file.hpp"
#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Failure = tl::unexpected<std::string>;

constexpr std::string_view prefix = "migc-key:";
constexpr const char* ending = ".key";
constexpr std::uintmax_t largest_key_file = 4096;

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64);

// The key that encrypts the private key.
std::optional<Bytes> derived(const std::string& passphrase, const Bytes& salt) {
    Bytes key(crypto_secretbox_KEYBYTES);
    const int failed = crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(),
                                     salt.data(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                     crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
    return failed == 0 ? std::optional(std::move(key)) : std::nullopt;
}

tl::expected<json, std::string> encrypted(const unsigned char* secret, std::size_t size,
                                          const std::string& passphrase) {
    Bytes salt(crypto_pwhash_SALTBYTES), nonce(crypto_secretbox_NONCEBYTES);
    randombytes_buf(salt.data(), salt.size());
    randombytes_buf(nonce.data(), nonce.size());
    const auto key = derived(passphrase, salt);
    if (!key) return Failure(std::string("there is not enough memory to encrypt the key"));
    Bytes box(size + crypto_secretbox_MACBYTES);
    crypto_secretbox_easy(box.data(), secret, size, nonce.data(), key->data());
    const auto text = [](const Bytes& bytes) {
        return as_base64(bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
    };
    return json{{"salt", text(salt)}, {"nonce", text(nonce)}, {"encrypted", text(box)}};
}

std::optional<Bytes> bytes_at(const json& object, const char* key, std::size_t size) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    auto bytes = bytes_of_base64(found->get_ref<const std::string&>(), sodium_base64_VARIANT_ORIGINAL);
    return bytes && bytes->size() == size ? bytes : std::nullopt;
}

tl::expected<Bytes, std::string> decrypted(const json& file, const std::string& passphrase) {
    const auto salt = bytes_at(file, "salt", crypto_pwhash_SALTBYTES);
    const auto nonce = bytes_at(file, "nonce", crypto_secretbox_NONCEBYTES);
    const auto box = bytes_at(file, "encrypted", crypto_sign_SECRETKEYBYTES + crypto_secretbox_MACBYTES);
    const auto key = salt ? derived(passphrase, *salt) : std::nullopt;
    if (!nonce || !box || !key) return Failure(std::string("it is damaged"));
    Bytes secret(crypto_sign_SECRETKEYBYTES);
    if (crypto_secretbox_open_easy(secret.data(), box->data(), box->size(), nonce->data(), key->data()) != 0)
        return Failure(std::string("the passphrase is wrong"));
    return secret;
}

tl::expected<std::string, std::string> private_text(const fs::path& file) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) return Failure(std::string(std::strerror(errno)));
    if ((status.st_mode & 077) != 0)
        return Failure(fmt::format("others may read it; it is not used until `chmod 600 {}`", file.string()));
    return file_content(file, largest_key_file);
}

}  // namespace

std::string show(const PublicKey& key) {
    return std::string(prefix) +
           as_base64(key.bytes.data(), key.bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

tl::expected<PublicKey, std::string> parse_key(std::string_view text) {
    PublicKey key;
    const auto bytes = text.starts_with(prefix) ? bytes_of_base64(text.substr(prefix.size()),
                                                                  sodium_base64_VARIANT_URLSAFE_NO_PADDING)
                                                : std::nullopt;
    if (!bytes || bytes->size() != key.bytes.size())
        return Failure(std::string("it is no public key: one begins with migc-key:"));
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

PrivateKey::~PrivateKey() {
    sodium_memzero(bytes_.data(), bytes_.size());
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept : bytes_(other.bytes_) {
    sodium_memzero(other.bytes_.data(), other.bytes_.size());
}

PublicKey PrivateKey::public_key() const {
    PublicKey key;
    crypto_sign_ed25519_sk_to_pk(key.bytes.data(), bytes_.data());
    return key;
}

std::string PrivateKey::sign(std::string_view message) const {
    std::array<unsigned char, crypto_sign_BYTES> signature{};
    crypto_sign_detached(signature.data(), nullptr, raw(message), message.size(), bytes_.data());
    return as_base64(signature.data(), signature.size(), sodium_base64_VARIANT_ORIGINAL);
}

std::string random_text() {
    ready_sodium();
    std::array<unsigned char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    return as_base64(bytes.data(), bytes.size());
}

bool is_signed(const PublicKey& key, std::string_view message, const std::string& signature) {
    const auto bytes = bytes_of_base64(signature, sodium_base64_VARIANT_ORIGINAL);
    return bytes && bytes->size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(bytes->data(), raw(message), message.size(), key.bytes.data()) == 0;
}

tl::expected<void, std::string> save_key(const fs::path& file, const PrivateKey& key,
                                         const std::optional<std::string>& passphrase) {
    json text = {{"migc-private-key", 1}, {"key", show(key.public_key())}};
    if (passphrase) {
        const auto box = encrypted(key.bytes_.data(), key.bytes_.size(), *passphrase);
        if (!box) return Failure(box.error());
        text.update(*box);
    } else {
        text["plain"] = as_base64(key.bytes_.data(), key.bytes_.size(), sodium_base64_VARIANT_ORIGINAL);
    }
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (!error) fs::permissions(file.parent_path(), fs::perms::owner_all, error);
    if (error) return Failure(fmt::format("{}: {}", file.parent_path().string(), error.message()));
    const auto written = write_file(file, text.dump(1) + "\n", {.mode = 0600, .only_new = true});
    if (!written) return Failure(fmt::format("{}: {}", file.string(), written.error()));
    return {};
}

tl::expected<PrivateKey, std::string> load_key(
    const fs::path& file, const std::function<std::optional<std::string>()>& passphrase) {
    const auto failure = [&](const std::string& why) {
        return Failure(fmt::format("{}: {}", file.string(), why));
    };
    ready_sodium();
    const auto text = private_text(file);
    if (!text) return failure(text.error());
    const json content = json::parse(*text, nullptr, false);
    if (!content.is_object() || content.value("migc-private-key", json()) != 1)
        return failure("it is no key file");
    std::optional<Bytes> secret;
    if (content.contains("encrypted")) {
        const auto words = passphrase ? passphrase() : std::nullopt;
        if (!words) return failure("it is encrypted, and no passphrase was given");
        auto opened = decrypted(content, *words);
        if (!opened) return failure(opened.error());
        secret = std::move(*opened);
    } else {
        secret = bytes_at(content, "plain", crypto_sign_SECRETKEYBYTES);
    }
    if (!secret) return failure("it is damaged");
    PrivateKey key;
    std::copy(secret->begin(), secret->end(), key.bytes_.begin());
    sodium_memzero(secret->data(), secret->size());
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
    if (const auto secret =
            content.is_object() ? bytes_at(content, "plain", crypto_sign_SECRETKEYBYTES) : std::nullopt)
        crypto_sign_ed25519_sk_to_pk(keys.emplace_back().bytes.data(), secret->data());
    return keys;
}

}  // namespace migc::trust
