#include "compiler/project/named_file.hpp"

#include <fmt/format.h>

#include "compiler/project/user_config.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"

namespace migc::project {

namespace fs = std::filesystem;

tl::expected<fs::path, std::string> named_file(const Inventory& inventory, const std::string& path) {
    const fs::path whole = (fs::absolute(inventory.root) / path).lexically_normal();
    if (is_outside_file(whole, inventory.root)) return whole;
    auto own = project_path(inventory.root, path);
    if (own) return own;
    const std::string problem = not_believed(inventory.root);
    return tl::unexpected(fmt::format("{}; `outside-files` in {} allows one that lies elsewhere{}",
                                      own.error(), (user_folder() / "config.yaml").string(),
                                      problem.empty() ? "" : fmt::format(" ({})", problem)));
}

tl::expected<std::string, std::string> named_file_content(const Inventory& inventory, const std::string& path,
                                                          std::uintmax_t limit) {
    const auto file = named_file(inventory, path);
    if (!file) return tl::unexpected(file.error());
    return is_outside_file(*file, inventory.root) ? file_content(*file, limit)
                                                  : project_file_content(inventory.root, path, limit);
}

fs::path repository_of(const fs::path& folder) {
    std::error_code error;
    for (fs::path at = fs::absolute(folder, error).lexically_normal();; at = at.parent_path()) {
        for (const char* name : {"migc.yaml", ".git"})
            if (fs::exists(fs::symlink_status(at / name, error))) return at;
        if (!at.has_relative_path() || at == at.parent_path()) return {};
    }
}

fs::path home_of_scripts(const fs::path& folder, const fs::path& otherwise) {
    if (fs::path repository = repository_of(folder); !repository.empty()) return repository;
    return otherwise.empty() ? folder : otherwise;
}

}  // namespace migc::project
