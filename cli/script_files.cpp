#include "cli/script_files.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace migc::cli {
namespace {

namespace fs = std::filesystem;

bool is_skipped(const fs::path& folder) {
    const std::string name = folder.filename().string();
    return name.starts_with('.') || name == "build" || name.starts_with("build-") || name == "node_modules";
}

std::vector<std::string> below(const fs::path& folder) {
    std::vector<std::string> result;
    std::error_code error;
    auto at = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, error);
    for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
        std::error_code ignored;
        const bool is_folder = at->is_directory(ignored);
        if (is_folder && is_skipped(at->path())) at.disable_recursion_pending();
        const bool is_script = !is_folder && at->path().extension() == ".mig" &&
                               !at->path().filename().string().starts_with('.');
        if (is_script) result.push_back(at->path().lexically_normal().generic_string());
    }
    std::sort(result.begin(), result.end());
    return result;
}

}  // namespace

std::vector<ScriptFile> script_files(const std::vector<std::string>& paths, std::vector<std::string>& empty) {
    std::vector<ScriptFile> result;
    std::set<fs::path> seen;
    const auto add = [&](ScriptFile file) {
        std::error_code error;
        const fs::path same = fs::weakly_canonical(file.path, error);
        if (seen.insert(error ? fs::path(file.path) : same).second) result.push_back(std::move(file));
    };
    for (const auto& path : paths) {
        std::error_code error;
        if (path == "-" || !fs::is_directory(path, error)) {
            add({path, {}});
            continue;
        }
        const auto scripts = below(path);
        if (scripts.empty()) empty.push_back(path);
        for (const auto& script : scripts) add({script, path});
    }
    return result;
}

}  // namespace migc::cli
