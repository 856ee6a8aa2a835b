#include "runtime/trust/bytes.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "compiler/project/user_config.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/write_file.hpp"

namespace migc::trust {

namespace fs = std::filesystem;

void ready_sodium() {
    if (sodium_init() < 0) std::abort();
}

bool read_bytes(const nlohmann::json& object, const char* name, std::span<unsigned char> into) {
    auto bytes = from_base64(text_of(object, name));
    if (!bytes || bytes->size() != into.size()) return false;
    std::copy(bytes->begin(), bytes->end(), into.begin());
    sodium_memzero(bytes->data(), bytes->size());
    return true;
}

tl::expected<void, std::string> save_private(const fs::path& file, std::string_view text) {
    const fs::path folder = file.parent_path();
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return tl::unexpected(fmt::format("{}: {}", folder.string(), error.message()));
    const auto written = write_file(file, text, {.mode = 0600, .only_new = true});
    if (!written) return tl::unexpected(fmt::format("{}: {}", file.string(), written.error()));
    return {};
}

fs::path folder_of_operator(const std::string& name) {
    const fs::path folder = project::user_folder();
    return folder.empty() ? folder : folder / name;
}

}  // namespace migc::trust
