#include "runtime/trust/sealed_box.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/source/read_file.hpp"
#include "compiler/source/write_file.hpp"
#include "runtime/tools/descriptor.hpp"
#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Failure = tl::unexpected<std::string>;

constexpr std::uintmax_t largest_run_key = 16'384;

static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32);

tl::expected<void, std::string> synced_folder(const fs::path& folder) {
    if (runtime::sync_folder(folder)) return {};
    return Failure(fmt::format("{}: {}", folder.string(), std::strerror(errno)));
}

tl::expected<std::string, std::string> owners_text(const fs::path& file) {
    struct stat status = {};
    if (::lstat(file.c_str(), &status) != 0) return Failure(std::string(std::strerror(errno)));
    if (!S_ISREG(status.st_mode)) return Failure(std::string("it is no regular file"));
    if (status.st_uid != ::geteuid()) return Failure(std::string("it belongs to somebody else"));
    if ((status.st_mode & 077) != 0)
        return Failure(fmt::format("others may read it; it is not used until `chmod 600 {}`", file.string()));
    return file_content(file, largest_run_key);
}

bool read_into(const json& content, const char* name, std::array<unsigned char, 32>& target) {
    const auto found = content.find(name);
    if (found == content.end() || !found->is_string()) return false;
    auto bytes = bytes_of_base64(found->get_ref<const std::string&>());
    if (!bytes || bytes->size() != target.size()) return false;
    std::copy(bytes->begin(), bytes->end(), target.begin());
    sodium_memzero(bytes->data(), bytes->size());
    return true;
}

}  // namespace

RunKey RunKey::make() {
    ready_sodium();
    RunKey key;
    crypto_box_keypair(key.public_.data(), key.private_.data());
    return key;
}

RunKey RunKey::of_a_simulation() {
    ready_sodium();
    std::array<unsigned char, crypto_box_SEEDBYTES> seed{};
    RunKey key;
    crypto_box_seed_keypair(key.public_.data(), key.private_.data(), seed.data());
    return key;
}

RunKey::~RunKey() {
    sodium_memzero(private_.data(), private_.size());
}

RunKey::RunKey(RunKey&& other) noexcept : public_(other.public_), private_(other.private_) {
    sodium_memzero(other.private_.data(), other.private_.size());
}

std::string RunKey::name() const {
    constexpr std::size_t bytes = 16;
    std::array<unsigned char, bytes> digest{};
    crypto_generichash(digest.data(), digest.size(), public_.data(), public_.size(), nullptr, 0);
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
}

std::string RunKey::seal(std::string_view text) const {
    Bytes box(text.size() + crypto_box_SEALBYTES);
    crypto_box_seal(box.data(), raw(text), text.size(), public_.data());
    return as_base64(box.data(), box.size());
}

tl::expected<std::string, std::string> RunKey::open(std::string_view sealed) const {
    const auto box = bytes_of_base64(sealed);
    if (!box || box->size() < crypto_box_SEALBYTES) return Failure(std::string("what was kept is damaged"));
    std::string text(box->size() - crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal_open(reinterpret_cast<unsigned char*>(text.data()), box->data(), box->size(),
                             public_.data(), private_.data()) != 0)
        return Failure(std::string("what was kept is damaged, or was sealed to another key"));
    return text;
}

fs::path run_keys_folder() {
    return folder_of_operator("run-keys");
}

fs::path run_key_file(const fs::path& folder, const std::string& name) {
    return folder / (name + ".key");
}

tl::expected<void, std::string> save_run_key(const fs::path& file, const RunKey& key,
                                             const std::string& about) {
    const fs::path folder = file.parent_path();
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return Failure(fmt::format("{}: {}", folder.string(), error.message()));
    std::string content = json{{"migc-run-key", 1},
                               {"run", about},
                               {"public", as_base64(key.public_.data(), key.public_.size())},
                               {"private", as_base64(key.private_.data(), key.private_.size())}}
                              .dump(1) +
                          "\n";
    const auto written = write_file(file, content, {.mode = 0600, .only_new = true});
    sodium_memzero(content.data(), content.size());
    if (!written) return Failure(fmt::format("{}: {}", file.string(), written.error()));
    return {};
}

tl::expected<RunKey, std::string> load_run_key(const fs::path& file) {
    ready_sodium();
    const auto failure = [&](const std::string& why) {
        return Failure(fmt::format("{}: {}", file.string(), why));
    };
    auto text = owners_text(file);
    if (!text) return failure(text.error());
    const json content = json::parse(*text, nullptr, false);
    sodium_memzero(text->data(), text->size());
    if (!content.is_object() || content.value("migc-run-key", json()) != 1)
        return failure("it is no key of a run");
    RunKey key;
    if (!read_into(content, "public", key.public_) || !read_into(content, "private", key.private_))
        return failure("it is damaged");
    return key;
}

tl::expected<void, std::string> erase_run_key(const fs::path& file) {
    struct stat status = {};
    if (::lstat(file.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return Failure(fmt::format("{}: {}", file.string(), std::strerror(errno)));
    }
    // A file system that writes elsewhere keeps the old bytes all the same; this is for those that do not.
    if (S_ISREG(status.st_mode)) {
        const int descriptor = ::open(file.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (descriptor >= 0) {
            const std::string nothing(static_cast<std::size_t>(std::min<off_t>(status.st_size, 16'384)),
                                      '\0');
            if (runtime::write_all(descriptor, nothing)) ::fsync(descriptor);
            ::close(descriptor);
        }
    }
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
        return Failure(fmt::format("{}: {}", file.string(), std::strerror(errno)));
    return synced_folder(file.parent_path());
}

}  // namespace migc::trust
