// Files that only their owner may read: secrets, and what must survive a loss of power.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace migc::runtime::inline natives {

// Whole or not at all, on the disk when it returns, mode 0600. The error is a sentence without a full stop.
// `project`: see WriteOptions.
tl::expected<void, std::string> write_private(const std::filesystem::path& path, std::string_view bytes,
                                              const std::filesystem::path& project = {});

// The error names the file: it cannot be read, or is larger than the limit.
tl::expected<std::string, std::string> read_bytes(const std::filesystem::path& path,
                                                  std::uintmax_t limit = std::uintmax_t{64} << 20);

}  // namespace migc::runtime::inline natives
