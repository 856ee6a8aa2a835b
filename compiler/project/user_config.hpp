// What the user says on this machine, whatever a project says: ~/.config/migc/config.yaml.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace migc::project {

// A program that the user lets projects run, or use as they say; see runtime/evaluate/consent.hpp.
struct AllowedTool {
    std::string name;               // as projects name it: "helm", "scripts/migrate.sh"; or
    std::filesystem::path path;     // its file, a whole path
    std::string sha256;             // of its content, in hexadecimal
    std::filesystem::path project;  // only in this one; empty: in all
};

struct UserConfig {
    // Folders whose migc.yaml counts though it belongs to somebody else.
    std::vector<std::filesystem::path> trusted_projects;
    // Files, and folders with all that is below them, outside of a project, that its migc.yaml may name for a
    // secret, a channel or a kubeconfig.
    std::vector<std::filesystem::path> outside_files;
    std::vector<AllowedTool> allowed_tools;
    std::string problem;  // a sentence: why nothing of the file counts; empty if it is well, or not there
};

// $XDG_CONFIG_HOME/migc, else ~/.config/migc; empty where there is no home.
std::filesystem::path user_folder();

// Read once. A file that others may write is none of the user's, nor is one that lies in a project: in that
// of the working folder, or in whatever has a migc.yaml above it. Who knows the project asks `not_believed`,
// too.
const UserConfig& user_config();

// Why nothing of it counts for a project, a sentence: whoever writes the project could have written it. Empty
// if it counts, or is not there.
std::string not_believed(const std::filesystem::path& root);

// Whether a path, or a link on the way to where it leads, lies in a project: below its root, or in the git
// work tree to which the root belongs. Nothing lies in a project whose root is /, which would be the machine.
bool lies_in_project(const std::filesystem::path& path, const std::filesystem::path& root);

// Whether a whole path is a file outside of a project that its migc.yaml may name: `outside-files` says so
// and is believed for that project, or a flag does.
bool is_outside_file(const std::filesystem::path& whole, const std::filesystem::path& root);
// Whether `trusted-projects` says that the migc.yaml of a folder counts, and is believed for it.
bool is_trusted_project(const std::filesystem::path& folder);

// Why a file that says what is done does not count: it, or its folder, belongs to somebody else, or everybody
// may write it, and `trusted-projects` does not name the folder. "it belongs to ann"; empty if it counts.
std::string why_not_trusted(const std::filesystem::path& file);

// As if `outside-files` named it: for a flag, which whoever starts it has typed.
void allow_outside(const std::filesystem::path& path);

}  // namespace migc::project
