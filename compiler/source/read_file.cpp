#include "compiler/source/read_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace migc {

namespace {

std::string shown_size(std::uintmax_t bytes) {
    constexpr std::uintmax_t mebibyte = 1 << 20;
    return bytes < mebibyte ? fmt::format("{} KiB", bytes >> 10) : fmt::format("{} MiB", bytes >> 20);
}

}  // namespace

tl::expected<std::string, std::string> file_content(const std::filesystem::path& path, std::uintmax_t limit) {
    // Nothing else is opened: a pipe would be waited for, and a device has no end.
    std::error_code error;
    const bool is_regular = std::filesystem::is_regular_file(path, error);
    if (error) return tl::unexpected(error.message());
    if (!is_regular) return tl::unexpected(std::string("it is no regular file"));
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) return tl::unexpected(error.message());
    if (size > limit) return tl::unexpected(fmt::format("it is larger than {}", shown_size(limit)));
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return tl::unexpected(std::string(std::strerror(errno)));
    std::string bytes(size, '\0');
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(size)) && !stream.eof())
        return tl::unexpected(std::string(std::strerror(errno)));
    bytes.resize(static_cast<std::size_t>(stream.gcount()));  // it may have become shorter meanwhile
    return bytes;
}

std::optional<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit) {
    auto content = file_content(path, limit);
    return content ? std::optional(std::move(*content)) : std::nullopt;
}

}  // namespace migc
