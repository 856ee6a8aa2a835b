#include "runtime/trust/sealed_box.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/trust/bytes.hpp"

namespace migc::trust {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr off_t largest_run_key = 16'384;

static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32);

tl::expected<void, std::string> is_owners_file(const fs::path& file) {
    struct stat status = {};
    if (::lstat(file.c_str(), &status) != 0) return failure(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return failure("it is no regular file");
    if (status.st_uid != ::geteuid()) return failure("it belongs to somebody else");
    return {};
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

std::string RunKey::name() const {
    constexpr std::size_t bytes = 16;
    std::array<unsigned char, bytes> digest{};
    crypto_generichash(digest.data(), digest.size(), public_.data(), public_.size(), nullptr, 0);
    return hexadecimal(as_text(digest));
}

std::string RunKey::seal(std::string_view text) const {
    std::vector<unsigned char> box(text.size() + crypto_box_SEALBYTES);
    crypto_box_seal(box.data(), raw(text), text.size(), public_.data());
    return base64(as_text(box));
}

tl::expected<std::string, std::string> RunKey::open(std::string_view sealed) const {
    const auto box = from_base64(sealed);
    if (!box || box->size() < crypto_box_SEALBYTES) return failure("what was kept is damaged");
    std::string text(box->size() - crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal_open(reinterpret_cast<unsigned char*>(text.data()), raw(*box), box->size(),
                             public_.data(), private_.data()) != 0)
        return failure("what was kept is damaged, or was sealed to another key");
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
    const json content = {{"migc-run-key", 1},
                          {"run", about},
                          {"public", base64(as_text(key.public_))},
                          {"private", base64(as_text(key.private_))}};
    return save_private(file, content.dump(1) + "\n");
}

tl::expected<RunKey, std::string> load_run_key(const fs::path& file) {
    ready_sodium();
    const auto failure = [&](const std::string& why) { return migc::failure("{}: {}", file.string(), why); };
    const auto content = is_owners_file(file).and_then([&] { return read_private(file, largest_run_key); });
    if (!content) return failure(content.error());
    if (member(*content, "migc-run-key") != 1) return failure("it is no key of a run");
    RunKey key;
    if (!read_bytes(*content, "public", key.public_) || !read_bytes(*content, "private", key.private_))
        return failure("it is damaged");
    return key;
}

tl::expected<void, std::string> erase_run_key(const fs::path& file) {
    const auto failure = [](const fs::path& path) {
        return migc::failure("{}: {}", path.string(), std::strerror(errno));
    };
    struct stat status = {};
    if (::lstat(file.c_str(), &status) != 0)
        return errno == ENOENT ? tl::expected<void, std::string>() : failure(file);
    // A file system that writes elsewhere keeps the old bytes all the same; this is for those that do not.
    const Descriptor opened(S_ISREG(status.st_mode) ? ::open(file.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
                                                    : -1);
    const auto size = static_cast<std::size_t>(std::min<off_t>(status.st_size, largest_run_key));
    if (opened && write_all(opened.get(), std::string(size, '\0'))) ::fsync(opened.get());
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return failure(file);
    if (!sync_folder(file.parent_path())) return failure(file.parent_path());
    return {};
}

}  // namespace migc::trust
