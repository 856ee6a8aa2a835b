#include "cli/written.hpp"

#include <fmt/format.h>

#include "cli/print.hpp"
#include "compiler/source/write_file.hpp"

namespace migc::cli {
namespace {

namespace fs = std::filesystem;
using Done = tl::expected<void, std::string>;

// What is empty is no loss.
void tell_size(const std::string& path, std::uintmax_t bytes) {
    if (bytes > 0) tell("note: {} was there ({} bytes), and is replaced\n", path, bytes);
}

tl::expected<Written, std::string> write(const std::string& path, std::string_view content,
                                         const fs::path& project) {
    return write_file(path, content, {.project = project}).map_error([&](const std::string& why) {
        return fmt::format("{} cannot be written: {}", path, why);
    });
}

}  // namespace

Done write_script(const std::string& path, std::string_view content) {
    const auto written = write(path, content, project_root_of(path));
    return written ? Done() : tl::unexpected(written.error());
}

Done write_output(const std::string& path, std::string_view content) {
    const auto written = write(path, content, project_root_here());
    if (!written) return tl::unexpected(written.error());
    tell_size(path, written->replaced.value_or(0));
    return {};
}

void tell_replaced(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return;
    const auto size = fs::file_size(path, error);
    if (!error) tell_size(path, size);
}

}  // namespace migc::cli
