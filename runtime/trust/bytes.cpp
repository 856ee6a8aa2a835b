#include "runtime/trust/bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/stat.h>

#include "compiler/project/user_config.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/write_file.hpp"

namespace migc::trust {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

}  // namespace

void ready_sodium() {
    if (sodium_init() < 0) std::abort();
}

bool read_bytes(const json& object, const char* name, std::span<unsigned char> into) {
    auto bytes = from_base64(text_of(object, name));
    if (!bytes || bytes->size() != into.size()) return false;
    std::copy(bytes->begin(), bytes->end(), into.begin());
    sodium_memzero(bytes->data(), bytes->size());
    return true;
}

tl::expected<void, std::string> save_private(const fs::path& file, std::string text) {
    const fs::path folder = file.parent_path();
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return failure("{}: {}", folder.string(), error.message());
    const auto written = write_file(file, text, {.mode = 0600, .only_new = true});
    sodium_memzero(text.data(), text.size());
    if (!written) return failure("{}: {}", file.string(), written.error());
    return {};
}

tl::expected<json, std::string> read_private(const fs::path& file, std::uintmax_t limit) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) return failure(std::strerror(errno));
    if ((status.st_mode & 077) != 0)
        return failure("others may read it; it is not used until `chmod 600 {}`", file.string());
    auto text = file_content(file, limit);
    if (!text) return tl::unexpected(text.error());
    json content = json::parse(*text, nullptr, false);
    sodium_memzero(text->data(), text->size());
    return content;
}

fs::path folder_of_operator(const std::string& name) {
    const fs::path folder = project::user_folder();
    return folder.empty() ? folder : folder / name;
}

}  // namespace migc::trust
