#include "runtime/natives/private_file.hpp"

#include <fmt/format.h>

#include "compiler/support/failure.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/write_file.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

}  // namespace

tl::expected<void, std::string> write_private(const fs::path& path, std::string_view bytes,
                                              const fs::path& project) {
    const auto written = write_file(path, bytes, {.project = project, .mode = 0600});
    if (!written) return failure("{}: {}", path.string(), written.error());
    return {};
}

tl::expected<std::string, std::string> read_bytes(const fs::path& path, std::uintmax_t limit) {
    return file_content(path, limit).map_error([&](const std::string& why) {
        return fmt::format("{} cannot be read: {}", path.string(), why);
    });
}

}  // namespace migc::runtime::inline natives
