#include "compiler/driver/files.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "compiler/project/inventory.hpp"
#include "compiler/project/named_file.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/write_file.hpp"

namespace migc::driver {

namespace fs = std::filesystem;

namespace {

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

std::string read_all(std::FILE* in, std::size_t limit) {
    std::string text;
    char buffer[65536];
    for (std::size_t got; text.size() <= limit && (got = std::fread(buffer, 1, sizeof buffer, in)) > 0;)
        text.append(buffer, got);
    return text;
}

// Why the links on the way to a file may not be followed; empty if they may. A link of a repository, or of a
// folder that was searched, was made by whoever made that.
std::string led_out(const fs::path& path, const fs::path& found_in) {
    std::error_code error;
    const fs::path lexical = (fs::current_path(error) / path).lexically_normal();
    const fs::path whole = fs::canonical(path, error);
    if (error || whole == lexical) return {};
    const fs::path folder = lexical.parent_path();
    // What a folder's link leads to may call itself a project: it is asked where the link lies.
    for (fs::path link = folder; link.has_relative_path(); link = link.parent_path()) {
        if (!fs::is_symlink(link, error)) continue;
        const fs::path home = project::repository_of(link.parent_path());
        const auto within = home.empty() ? std::nullopt : std::optional(project_path(home, whole));
        if (within && !*within) return "a link leads to it: " + within->error();
    }
    if (found_in.empty() && project::repository_of(folder).empty()) return {};
    const auto below = project_path(project::home_of_scripts(folder, found_in), whole);
    return below ? "" : "a link leads to it: " + below.error();
}

std::string replaced(const std::string& path, std::uintmax_t bytes) {
    return bytes == 0 ? "" : fmt::format("note: {} was there ({} bytes), and is replaced", path, bytes);
}

tl::expected<Written, std::string> write(const std::string& path, std::string_view content,
                                         const fs::path& project) {
    return write_file(path, content, {.project = project}).map_error([&](const std::string& why) {
        return fmt::format("{} cannot be written: {}", path, why);
    });
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

tl::expected<std::string, std::string> read_named(const std::filesystem::path& path, std::size_t limit,
                                                  const std::filesystem::path& found_in) {
    std::error_code ignored;
    if (path != "-")
        if (std::string why = led_out(path, found_in); !why.empty()) return tl::unexpected(std::move(why));
    const auto status = std::filesystem::status(path, ignored);
    if (std::filesystem::is_directory(status)) return tl::unexpected(std::string("it is a folder"));
    if (path != "-" && std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        return tl::unexpected(std::string("it is no regular file"));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(
        path == "-" ? stdin : std::fopen(path.c_str(), "rb"),
        [](std::FILE* f) { return f == stdin ? 0 : std::fclose(f); });
    if (!in) return tl::unexpected(std::string(std::strerror(errno)));
    std::string text = read_all(in.get(), limit);
    if (std::ferror(in.get())) return tl::unexpected(std::string(std::strerror(errno)));
    return text;
}

fs::path project_root_here() {
    return project_root_of("-");
}

fs::path project_root_of(const std::string& script) {
    SourceMap sources;
    Diagnostics diagnostics;
    const fs::path folder = script == "-" ? fs::current_path() : fs::absolute(script).parent_path();
    return project::load_inventory(folder, sources, diagnostics).root;
}

tl::expected<void, std::string> write_script(const std::string& path, std::string_view content) {
    return write(path, content, project_root_of(path)).map([](const Written&) {});
}

tl::expected<std::string, std::string> write_output(const std::string& path, std::string_view content) {
    return write(path, content, project_root_here()).map([&](const Written& written) {
        return replaced(path, written.replaced.value_or(0));
    });
}

std::string note_of_replaced(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return {};
    const auto size = fs::file_size(path, error);
    return error ? "" : replaced(path, size);
}

}  // namespace migc::driver
