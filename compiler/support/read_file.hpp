#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

#include <tl/expected.hpp>

namespace migc {

// The largest limit of `read_file`: none.
constexpr std::uintmax_t any_size = std::numeric_limits<std::uintmax_t>::max();

// The bytes of a regular file of at most `limit` bytes; nothing if there is no such file or it cannot be
// read.
std::optional<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit);

// The same; the error says why it is not read, without its name: "it is larger than 16 MiB".
tl::expected<std::string, std::string> file_content(const std::filesystem::path& path, std::uintmax_t limit);

// The same of a file that is open; what is no regular file is not read.
tl::expected<std::string, std::string> descriptor_content(int descriptor, std::uintmax_t limit);

}  // namespace migc
