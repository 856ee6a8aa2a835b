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

// At most 64 MiB.
tl::expected<std::string, std::string> read_bytes(const std::filesystem::path& path);

}  // namespace migc::runtime::inline natives
