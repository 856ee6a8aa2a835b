// Files of the project: digests of folders, fresh names, the environment's var-file.
#include <algorithm>
#include <filesystem>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "compiler/support/project_path.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/project_files.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

bool is_configuration(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".tf" || extension == ".tfvars" || path.string().ends_with(".tf.json") ||
           path.string().ends_with(".tfvars.json");
}

}  // namespace

Reading folder_digest(Host& host, const Arguments& arguments) {
    if (text_argument(arguments, 0).empty())
        return mistaken(
            "the environment has no terraform folder; migc.yaml names it: `terraform: { dir: .. }`");
    const fs::path folder = path_in_project(host, text_argument(arguments, 0));
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
        if (i->path().filename() == ".terraform")
            i.disable_recursion_pending();
        else if (i->is_regular_file() && is_configuration(i->path()))
            files.push_back(i->path());
    }
    if (error) return unknown("{}: {}", folder.string(), error.message());
    std::sort(files.begin(), files.end());
    std::string all;
    for (const fs::path& file : files) {
        const auto text = read_bytes(file, project_file_limit);
        if (!text) return unknown(text.error());
        all += fmt::format("{} {}\n", fs::relative(file, folder).string(), sha256(*text));
    }
    return {Value(sha256(all))};
}

static Reading fresh_file(Host&, const Arguments& arguments) {
    const fs::path folder = text_argument(arguments, 0), name = text_argument(arguments, 1);
    std::error_code error;
    fs::create_directories(folder, error);
    // Names are given once: branches that run at the same time must not share a file.
    static std::mutex mutex;
    static std::set<fs::path> given;
    const std::lock_guard lock(mutex);
    fs::path path = folder / name;
    for (int i = 2; fs::exists(path, error) || !given.insert(path).second; ++i)
        path = folder / fmt::format("{}-{}{}", name.stem().string(), i, name.extension().string());
    if (error) return unknown("{}: {}", path.string(), error.message());
    return {Value(fs::absolute(path).string())};
}

// The var-file is relative to terraform's folder.
static Reading variables_file(Host& host, const Arguments& arguments) {
    const std::string folder = text_argument(arguments, 0), name = text_argument(arguments, 1);
    if (name.empty())
        return mistaken(
            "the environment has no var-file; migc.yaml names it: `terraform: { dir: .., var-file: .. }`");
    const std::string path = shown_path(host, (fs::path(folder) / name).string());
    if (const auto file = project_file(host.setting("root"), path); !file)
        return mistaken("{}: {}", path, file.error());
    return {Value(path)};
}

const Rows files_rows([]() -> std::vector<Row> {
    return {
        // [folder]: digest of its configuration files
        reads("folder-digest", folder_digest).of_terraform_folder(),
        // [folder, name]: a path that does not exist yet
        reads("fresh-file", fresh_file),
        // [folder, var-file]: its path in the project
        reads("variables-file", variables_file).of_terraform_folder(),
    };
});

}  // namespace migc::runtime::inline natives
