// What the user says on this machine, whatever a project says: ~/.config/migc/config.yaml.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace migc::project {

// A program that the user lets projects run, or use as they say; see runtime/engine/consent.hpp.
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

// Read once. A file that others may write is none of the user's.
const UserConfig& user_config();

// As if `outside-files` named it: for a flag.
void allow_outside(const std::filesystem::path& path);

}  // namespace migc::project
