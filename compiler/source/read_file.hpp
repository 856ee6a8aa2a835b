#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace migc {

// The bytes of a regular file of at most `limit` bytes; nothing if there is no such file or it cannot be
// read.
std::optional<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit);

}  // namespace migc
