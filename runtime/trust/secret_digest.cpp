#include "runtime/trust/secret_digest.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;

static_assert(crypto_auth_hmacsha256_KEYBYTES == 32 && crypto_auth_hmacsha256_BYTES == 32);

// A file's name of whatever a project is called.
std::string file_name(const std::string& project) {
    const bool plain = !project.empty() && project.front() != '.' && project.size() <= 100 &&
                       std::all_of(project.begin(), project.end(), [](unsigned char c) {
                           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                       });
    return (plain ? project : "project-" + sha256(project).substr(0, 32)) + ".key";
}

// Of two that begin at once both use the first one's.
bool make_key(const fs::path& file) {
    std::string bytes(32, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    const bool written = write_file(file, bytes, {.mode = 0600, .only_new = true}).has_value();
    sodium_memzero(bytes.data(), bytes.size());
    std::error_code error;
    return written || fs::exists(fs::symlink_status(file, error));
}

tl::expected<DigestKey, std::string> read_key(const fs::path& file) {
    const auto failure = [&](const char* why) { return migc::failure("{}: {}", file.string(), why); };
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened) return failure(std::strerror(errno));
    struct stat status = {};
    DigestKey key;
    const auto size = static_cast<ssize_t>(key.bytes.size());
    const bool known = ::fstat(opened.get(), &status) == 0;
    const bool read = ::read(opened.get(), key.bytes.data(), key.bytes.size()) == size;
    if (known && status.st_uid != ::geteuid()) return failure("it belongs to somebody else");
    if (!known || (status.st_mode & 077) != 0)
        return failure(
            "others may read it, so the values of secrets could be guessed from what migc "
            "writes down; `chmod 600` it");
    if (!read || status.st_size != size)
        return failure("it is no key; take it away, and the next run makes a new one");
    // Which key it is, and nothing about it.
    key.name = secret_digest({key.bytes, ""}, "migc: the name of a key", "").substr(1, 16);
    return key;
}

}  // namespace

tl::expected<DigestKey, std::string> digest_key(const std::string& project) {
    return digest_key(folder_of_operator("digests"), project);
}

tl::expected<DigestKey, std::string> digest_key(const fs::path& folder, const std::string& project) {
    ready_sodium();
    if (folder.empty()) return open_key();
    const fs::path file = folder / file_name(project);
    std::error_code error;
    if (fs::exists(fs::symlink_status(file, error))) return read_key(file);
    fs::create_directories(folder, error);
    if (error) return open_key();
    fs::permissions(folder, fs::perms::owner_all, error);
    // A folder in which nothing can be written, as of an account in a container.
    if (!make_key(file)) return open_key();
    return read_key(file);
}

DigestKey open_key() {
    return {};
}

std::string secret_digest(const DigestKey& key, std::string_view place, std::string_view value) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.bytes.data(), key.bytes.size());
    // The length before the place keeps ("a", "bc") and ("ab", "c") apart.
    const std::string length = fmt::format("{}:", place.size());
    for (const std::string_view part : {std::string_view(length), place, value})
        crypto_auth_hmacsha256_update(&state, raw(part), part.size());
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> digest{};
    crypto_auth_hmacsha256_final(&state, digest.data());
    return key.name + ":" + hexadecimal(as_text(digest));
}

}  // namespace migc::trust
