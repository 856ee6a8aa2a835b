// Finding migc.yaml and reading it from the disk.

#include <fmt/format.h>

#include "compiler/project/defaults.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/source/read_file.hpp"

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

// As a person in the working folder would write it.
std::string shown_name(const fs::path& file) {
    std::error_code error;
    const fs::path near = fs::proximate(file, error);
    return error ? file.string() : near.string();
}

Inventory without_file(fs::path root) {
    Inventory inventory;
    inventory.root = std::move(root);
    inventory.file_name = "migc.yaml";
    inventory.order = default_order();
    inventory.environments = default_environments();
    return inventory;
}

}  // namespace

Inventory load_inventory(const fs::path& script_folder, SourceMap& sources, Diagnostics& diagnostics) {
    const fs::path folder = absolute_folder(script_folder);
    const auto file = find_upwards(folder);
    if (!file) return without_file(folder);
    const auto text = file_content(*file, largest_project_file);
    const FileId id = sources.add(shown_name(*file), text.value_or(""));
    if (text) return parse_inventory(id, file->parent_path(), sources, diagnostics);
    diagnostics.report(Code::BadInventory, {id, 0, 0},
                       fmt::format("migc.yaml cannot be read: {}", text.error()));
    Inventory inventory = without_file(file->parent_path());
    inventory.exists = true;
    inventory.file_name = sources.file(id).name();
    return inventory;
}

}  // namespace migc::project
