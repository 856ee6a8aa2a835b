#include "compiler/project/user_config.hpp"

#include <algorithm>
#include <cstdlib>
#include <list>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/project/reader.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"

namespace migc::project {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_config = std::uintmax_t{1} << 20;

fs::path variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::vector<fs::path> paths(const Reader& read, const YamlNode& node, const char* called) {
    std::vector<fs::path> result;
    if (!read.is_list(node, called)) return result;
    for (const YamlNode& one : node.children) {
        const auto text = read.text(one, called);
        if (text && fs::path(*text).is_absolute())
            result.push_back(fs::path(*text).lexically_normal());
        else if (text)
            read.wrong(one, fmt::format("{} has whole paths, which begin with /", called));
    }
    return result;
}

std::optional<fs::path> whole_path(const Reader& read, const YamlNode& node, const char* called) {
    const auto text = read.text(node, called);
    if (!text) return std::nullopt;
    if (fs::path(*text).is_absolute()) return fs::path(*text).lexically_normal();
    read.wrong(node, fmt::format("{} is a whole path, which begins with /", called));
    return std::nullopt;
}

AllowedTool allowed_tool(const Reader& read, const YamlNode& node) {
    AllowedTool tool;
    read.each_key(
        node, "an allowed tool",
        {read.text_key("name", tool.name),
         {"path", [&](const YamlNode& one) { tool.path = whole_path(read, one, "`path`").value_or(""); }},
         read.text_key("sha256", tool.sha256),
         {"project",
          [&](const YamlNode& one) { tool.project = whole_path(read, one, "`project`").value_or(""); }}});
    if (tool.name.empty() == tool.path.empty())
        read.wrong(node, "an allowed tool has a `name` or a `path`");
    else if (!is_digest(tool.sha256))
        read.wrong(node,
                   "an allowed tool has the `sha256` of its file, 64 hexadecimal digits: `sha256sum FILE`");
    return tool;
}

std::vector<AllowedTool> allowed_tools(const Reader& read, const YamlNode& node) {
    std::vector<AllowedTool> tools;
    if (!read.is_list(node, "`allowed-tools`")) return tools;
    for (const YamlNode& one : node.children)
        if (read.is_map(one, "an allowed tool")) tools.push_back(allowed_tool(read, one));
    return tools;
}

// Whoever may write it could say everything that the user says.
std::string not_the_users(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return {};
    if (status.st_uid != ::geteuid() && status.st_uid != 0) return "it belongs to somebody else";
    return (status.st_mode & 022) != 0 ? "others may write it; `chmod go-w` it" : "";
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

// Every place that one passes on the way to a file, those of links among them; the last is the file's own.
std::vector<fs::path> places_on_the_way(const fs::path& path) {
    constexpr int most_links = 40;
    std::error_code error;
    const fs::path whole = fs::absolute(path, error);
    std::list<fs::path> left(whole.begin(), whole.end());
    std::vector<fs::path> places;
    fs::path at = "/";
    for (int links = 0; !left.empty() && links <= most_links;) {
        const fs::path part = left.front();
        left.pop_front();
        if (part.empty() || part == ".") continue;
        if (part.is_absolute() || part == "..") {
            at = part.is_absolute() ? part : at.parent_path();
            continue;
        }
        places.push_back(at / part);
        const fs::path target = fs::read_symlink(places.back(), error);
        if (error) {
            at = places.back();
            continue;
        }
        ++links;
        left.insert(left.begin(), target.begin(), target.end());
    }
    places.push_back(at);
    return places;
}

// The work tree of git to which a folder belongs. That of a submodule, and one that was added to another,
// whose .git is a file, belong to those above them.
fs::path work_tree_of(const fs::path& folder) {
    fs::path found;
    for (fs::path at = folder;; at = at.parent_path()) {
        std::error_code ignored;
        if (is_there(at / ".git")) found = at;
        if (fs::is_directory(fs::symlink_status(at / ".git", ignored)) || !at.has_relative_path())
            return found;
    }
}

bool passes_through(const std::vector<fs::path>& places, const fs::path& folder) {
    if (folder.empty() || !folder.has_relative_path()) return false;
    if (places.back() == folder) return true;
    return std::ranges::any_of(places,
                               [&](const fs::path& one) { return one != folder && is_within(one, folder); });
}

// The folder of the project in which a path lies; empty if it lies in none.
fs::path project_of(const fs::path& path, const fs::path& root) {
    std::error_code error;
    const fs::path home = fs::weakly_canonical(root, error);
    if (error) return {};
    const auto places = places_on_the_way(path);
    for (const fs::path& folder : {home, work_tree_of(home)})
        if (passes_through(places, folder)) return folder;
    return {};
}

std::string of_the_project(const fs::path& file, const fs::path& folder) {
    return fmt::format("the configuration folder {} lies in the project {}, so nothing in it counts",
                       file.parent_path().string(), folder.string());
}

// The working folder's project, and any that has the file below its migc.yaml: which one is asked for is not
// known here.
std::string lies_in_a_project(const fs::path& file) {
    std::error_code error;
    const fs::path here = fs::current_path(error);
    const auto upwards = [](const fs::path& from, const std::vector<fs::path>& places) -> fs::path {
        for (fs::path at = from;; at = at.parent_path()) {
            if (is_there(at / "migc.yaml") && passes_through(places, at)) return at;
            if (!at.has_relative_path()) return {};
        }
    };
    const auto places = places_on_the_way(file);
    for (const fs::path& place : places)
        if (const fs::path at = upwards(place.parent_path(), places); !at.empty())
            return of_the_project(file, at);
    const fs::path tree = error ? fs::path() : work_tree_of(here);
    return passes_through(places, tree) ? of_the_project(file, tree) : std::string();
}

UserConfig nothing(std::string problem) {
    UserConfig config;
    config.problem = std::move(problem);
    return config;
}

UserConfig parse(const fs::path& file, std::string text) {
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId id = sources.add(file.string(), std::move(text));
    UserConfig config;
    const Reader read(diagnostics);
    if (const auto tree = read_yaml(id, sources, diagnostics); tree && read.is_map(*tree, "config.yaml"))
        read.each_key(
            *tree, "config.yaml",
            {{"trusted-projects",
              [&](const YamlNode& node) {
                  config.trusted_projects = paths(read, node, "`trusted-projects`");
              }},
             {"outside-files",
              [&](const YamlNode& node) { config.outside_files = paths(read, node, "`outside-files`"); }},
             {"allowed-tools",
              [&](const YamlNode& node) { config.allowed_tools = allowed_tools(read, node); }}});
    if (!diagnostics.empty()) {
        const Diagnostic& first = diagnostics.all().front();
        return nothing(fmt::format("{}: {}", sources.location(first.span), first.message));
    }
    return config;
}

UserConfig read() {
    const fs::path folder = user_folder(), file = folder / "config.yaml";
    if (folder.empty() || ::access(file.c_str(), F_OK) != 0) return {};
    if (std::string why = lies_in_a_project(file); !why.empty()) return nothing(std::move(why));
    if (const std::string why = not_the_users(file); !why.empty())
        return nothing(fmt::format("{} is not used: {}", file.string(), why));
    auto text = file_content(file, largest_config);
    if (!text) return nothing(fmt::format("{} cannot be read: {}", file.string(), text.error()));
    return parse(file, std::move(*text));
}

const UserConfig& config() {
    static const UserConfig once = read();
    return once;
}

// What flags have named.
std::vector<fs::path>& given_outside() {
    static std::vector<fs::path> given;
    return given;
}

}  // namespace

fs::path user_folder() {
    if (const fs::path folder = variable("XDG_CONFIG_HOME"); folder.is_absolute()) return folder / "migc";
    const fs::path home = variable("HOME");
    return home.is_absolute() ? home / ".config" / "migc" : fs::path();
}

const UserConfig& user_config() {
    return config();
}

std::string not_believed(const fs::path& root) {
    const fs::path file = user_folder() / "config.yaml";
    if (user_folder().empty() || !is_there(file)) return {};
    if (!config().problem.empty()) return config().problem;
    const fs::path folder = project_of(file, root);
    return folder.empty() ? std::string() : of_the_project(file, folder);
}

bool lies_in_project(const fs::path& path, const fs::path& root) {
    return !project_of(path, root).empty();
}

bool is_outside_file(const fs::path& whole, const fs::path& root) {
    const auto names = [&](const std::vector<fs::path>& allowed) {
        return std::ranges::any_of(allowed, [&](const fs::path& one) { return is_within(whole, one); });
    };
    return names(given_outside()) || (names(config().outside_files) && not_believed(root).empty());
}

bool is_trusted_project(const fs::path& folder) {
    const auto& trusted = config().trusted_projects;
    return std::ranges::find(trusted, folder) != trusted.end() && not_believed(folder).empty();
}

void allow_outside(const fs::path& path) {
    given_outside().push_back(fs::absolute(path).lexically_normal());
}

}  // namespace migc::project
