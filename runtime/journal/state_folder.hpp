// A project's `.migc`: the only place where it is opened. What lies in it is acted upon (undone, gone on
// with), so it must be this user's and no other's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "runtime/trust/private_folder.hpp"

namespace migc::runtime::inline journal {

// Nothing if there is none. Refused, with what to do about it: one that git tracks (then whoever commits to
// the repository writes in it); one that belongs to somebody else, or that others may write in; a link in
// place of it, in it, or in a folder that lies in it.
trust::PrivateFolder::Found find_state_folder(const std::filesystem::path& root);
// The same, made if there is none.
trust::PrivateFolder::Made make_state_folder(const std::filesystem::path& root);

// A folder in it: "locks". Made, with it, if there is none.
trust::PrivateFolder::Made make_state_folder(const std::filesystem::path& root, const std::string& name);
trust::PrivateFolder::Found find_state_folder(const std::filesystem::path& root, const std::string& name);

// Where a run keeps its files: `.migc/runs/RUN`, made if it is not there. No link lies anywhere in it.
trust::PrivateFolder::Made make_run_folder(const std::filesystem::path& root, const std::string& run);
trust::PrivateFolder::Found find_run_folder(const std::filesystem::path& root, const std::string& run);

}  // namespace migc::runtime::inline journal
