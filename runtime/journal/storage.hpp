// Where the journal lies and whether what lies there is one. Private to the journal.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "runtime/journal/sqlite.hpp"

namespace migc::runtime::inline journal {

// Opens the database below the root for writing; makes the folder, the file and the tables where they are
// missing. The error is a sentence for people.
tl::expected<Database, std::string> open_for_writing(const std::filesystem::path& root);

// Opens it for reading and makes nothing; nullopt if there is none.
tl::expected<std::optional<Database>, std::string> open_for_reading(const std::filesystem::path& root);

}  // namespace migc::runtime::inline journal
