// Finding migc.yaml and reading it from the disk.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/project/defaults.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/project/user_config.hpp"
#include "compiler/support/account.hpp"
#include "compiler/support/project_path.hpp"

namespace migc::project {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_project_file = std::uintmax_t{1024} * 1024;

fs::path absolute_folder(const fs::path& folder) {
    std::error_code error;
    const fs::path here = folder.empty() ? fs::path(".") : folder;
    fs::path absolute = fs::weakly_canonical(here, error);
    if (error) absolute = fs::absolute(here, error);
    return error ? here : absolute;
}

std::optional<fs::path> find_upwards(fs::path folder) {
    while (true) {
        std::error_code error;
        fs::path candidate = folder / "migc.yaml";
        if (fs::symlink_status(candidate, error).type() != fs::file_type::not_found) return candidate;
        if (!folder.has_relative_path() || folder == folder.parent_path()) return std::nullopt;
        folder = folder.parent_path();
    }
}

Inventory without_file(fs::path root) {
    Inventory inventory;
    inventory.root = std::move(root);
    inventory.file_name = "migc.yaml";
    inventory.order = default_order();
    inventory.environments = default_environments();
    return inventory;
}

// Root could do everything as the user anyway.
bool belongs_to_the_user(uid_t owner) {
    if (owner == ::geteuid() || owner == 0) return true;
    return ::geteuid() == 0 && owner == login_user();
}

// Nothing of it is shown.
Inventory refused(const fs::path& file, const std::string& why, const fs::path& root, SourceMap& sources,
                  Diagnostics& diagnostics) {
    const FileId id = sources.add(shown_path(file), "");
    diagnostics.report(Code::BadInventory, {id, 0, 0}, why);
    Inventory inventory = without_file(root);
    inventory.exists = true;
    inventory.file_name = sources.file(id).name();
    return inventory;
}

Inventory not_trusted(const fs::path& file, const std::string& why, const fs::path& folder,
                      SourceMap& sources, Diagnostics& diagnostics) {
    Inventory inventory = refused(file,
                                  fmt::format("{} is not used: {}, and what it says would be run as {}",
                                              file.string(), why, user_name(::geteuid())),
                                  folder, sources, diagnostics);
    auto& notes = diagnostics.all().back().notes;
    notes.push_back(fmt::format("if it is the project's: `trusted-projects: [{}]` in {}",
                                file.parent_path().string(), (user_folder() / "config.yaml").string()));
    if (std::string problem = not_believed(file.parent_path()); !problem.empty())
        notes.push_back(std::move(problem));
    return inventory;
}

}  // namespace

std::string why_not_trusted(const fs::path& file) {
    const fs::path folder = file.parent_path();
    if (is_trusted_project(folder)) return {};
    struct stat of_file {
    }, of_folder{};
    if (::stat(file.c_str(), &of_file) != 0 || ::stat(folder.c_str(), &of_folder) != 0) return {};
    for (const auto& [owner, what] :
         {std::pair(of_file.st_uid, "it"), std::pair(of_folder.st_uid, "its folder")})
        if (!belongs_to_the_user(owner)) return fmt::format("{} belongs to {}", what, user_name(owner));
    return (of_file.st_mode & S_IWOTH) != 0 ? "everybody may write it" : "";
}

Inventory load_inventory(const fs::path& script_folder, SourceMap& sources, Diagnostics& diagnostics) {
    const fs::path folder = absolute_folder(script_folder);
    const auto file = find_upwards(folder);
    if (!file) return without_file(folder);
    if (const std::string why = why_not_trusted(*file); !why.empty())
        return not_trusted(*file, why, folder, sources, diagnostics);
    auto text = project_file_content(file->parent_path(), *file, largest_project_file);
    if (!text)
        return refused(*file, fmt::format("migc.yaml cannot be read: {}", text.error()), file->parent_path(),
                       sources, diagnostics);
    const FileId id = sources.add(shown_path(*file), std::move(*text));
    return parse_inventory(id, file->parent_path(), sources, diagnostics);
}

}  // namespace migc::project
