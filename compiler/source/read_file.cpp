#include "compiler/source/read_file.hpp"

#include <fstream>
#include <system_error>

namespace migc {

std::optional<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error || size > limit) return std::nullopt;
    std::ifstream stream(path, std::ios::binary);
    std::string bytes(size, '\0');
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(size)) && !stream.eof()) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(stream.gcount()));  // it may have become shorter meanwhile
    return bytes;
}

}  // namespace migc
