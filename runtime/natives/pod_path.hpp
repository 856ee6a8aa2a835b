// Paths in containers.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace migc::runtime::inline natives {

// The path without "." and "//", or why it cannot be used: it must be absolute and have no "..", so that it
// means the same to every program, and none takes it for an option.
tl::expected<std::string, std::string> pod_path(const std::string& path);

// As tar takes it from "/" on: "./qdrant/storage".
std::string from_root(const std::string& path);
// As an entry of such an archive: "qdrant/storage".
std::string entry_of(const std::string& path);

}  // namespace migc::runtime::inline natives
