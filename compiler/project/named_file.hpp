// Files that are read because a project names them.
#pragma once

#include <filesystem>
#include <string>

#include <tl/expected.hpp>

#include "compiler/project/inventory.hpp"

namespace migc::project {

// A file that migc.yaml names for a secret, a channel or a kubeconfig: one of the project, or one outside
// that the user's own configuration (or a flag) names, or the folder of. Only there are links followed
// wherever they lead. The file need not be there. The error is a sentence without the file's name.
tl::expected<std::filesystem::path, std::string> named_file(const Inventory& inventory,
                                                            const std::string& path);
tl::expected<std::string, std::string> named_file_content(const Inventory& inventory, const std::string& path,
                                                          std::uintmax_t limit);

// The folder out of which no script of a folder may lead, by links or by `use`: that of migc.yaml; without
// one, that of the git work tree; without that, `otherwise`, else the folder itself.
std::filesystem::path home_of_scripts(const std::filesystem::path& folder,
                                      const std::filesystem::path& otherwise = {});
// The nearest folder upwards that has a migc.yaml or is the top of a git work tree; empty if there is none.
std::filesystem::path repository_of(const std::filesystem::path& folder);

}  // namespace migc::project
