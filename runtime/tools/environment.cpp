#include "runtime/tools/environment.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/json_text.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/tools/output_file.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr std::string_view passed_names =
    "PATH HOME USER LOGNAME LANG TZ TMPDIR KUBECONFIG DOCKER_HOST DOCKER_CONFIG DOCKER_CERT_PATH "
    "DOCKER_TLS_VERIFY HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy TF_PLUGIN_CACHE_DIR "
    "SSL_CERT_FILE SSL_CERT_DIR TF_CLI_CONFIG_FILE";
constexpr std::array<std::string_view, 10> passed_prefixes = {
    "LC_", "AWS_", "GOOGLE_", "AZURE_", "ARM_", "TF_VAR_", "TF_TOKEN_", "XDG_", "IONOS_", "VAULT_"};

std::string_view name_of(std::string_view entry) {
    return entry.substr(0, entry.find('='));
}

bool forbidden(std::string_view entry) {
    return entry.starts_with("TF_CLI_ARGS");
}

bool is_program(const std::filesystem::path& file) {
    std::error_code error;
    return std::filesystem::is_regular_file(file, error);
}

std::string stamp_of(const std::string& file) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) return {};
    return fmt::format("{} {} {} {}.{} {}.{}", status.st_dev, status.st_ino, status.st_size,
                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                       status.st_ctim.tv_nsec);
}

// Programs of a hundred megabytes take a second to read; most have not changed since the last run.
std::filesystem::path digest_cache() {
    const auto folder = [](const char* name) {
        const char* value = std::getenv(name);
        return std::filesystem::path(value != nullptr ? value : "");
    };
    std::filesystem::path caches = folder("XDG_CACHE_HOME");
    if (!caches.is_absolute()) caches = folder("HOME") / ".cache";
    return caches.is_absolute() ? caches / "migc" / "programs.json" : std::filesystem::path();
}

nlohmann::json read_cache() {
    constexpr std::uintmax_t largest = std::uintmax_t{16} << 20;
    auto known = nlohmann::json::parse(read_file(digest_cache(), largest).value_or(""), nullptr, false);
    return known.is_object() ? known : nlohmann::json::object();
}

// Without it everything works, only slower.
void write_cache(const nlohmann::json& known) {
    const auto file = digest_cache();
    if (file.empty()) return;
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    (void)migc::write_file(file, known.dump(1) + "\n", {.synced = false});
}

// What is gone, or another program by now, would be read again by every run.
void forget_the_gone(nlohmann::json& known) {
    for (auto entry = known.begin(); entry != known.end();) {
        const std::string stamp = stamp_of(entry.key());
        const bool is_there = !stamp.empty() && text_of(*entry, "stamp") == stamp;
        entry = is_there ? std::next(entry) : known.erase(entry);
    }
}

std::optional<std::string> known_digest(const std::string& file, const std::string& stamp) {
    nlohmann::json known = read_cache();
    const auto entry = known.find(file);
    const bool fits = entry != known.end() && text_of(*entry, "stamp") == stamp;
    if (std::string digest = fits ? text_of(*entry, "digest") : ""; !digest.empty()) return digest;
    auto digest = digest_of_file(file);
    if (!digest) return std::nullopt;
    forget_the_gone(known);
    known[file] = {{"stamp", stamp}, {"digest", *digest}};
    write_cache(known);
    return *digest;
}

}  // namespace

bool passed_on(std::string_view name) {
    return listed(passed_names, name) || std::ranges::any_of(passed_prefixes, [&](std::string_view prefix) {
               return name.starts_with(prefix);
           });
}

std::vector<std::string> passed_on(const char* const* environment) {
    std::vector<std::string> result;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        if (passed_on(name_of(*environment))) result.emplace_back(*environment);
    }
    return result;
}

TerraformVariables terraform_variables(const char* const* environment) {
    TerraformVariables result;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view name = name_of(*environment);
        if (name.starts_with("TF_VAR_")) result.values.emplace_back(name);
        if (name.starts_with("TF_") && !passed_on(name) && name != "TF_IN_AUTOMATION" && name != "TF_INPUT")
            result.withheld.emplace_back(name);
    }
    return result;
}

std::vector<std::string> merged(std::vector<std::string> base, const std::vector<std::string>& added) {
    for (const std::string& entry : added) {
        if (forbidden(entry)) continue;
        std::erase_if(base, [&](const std::string& old) { return name_of(old) == name_of(entry); });
        base.push_back(entry);
    }
    return base;
}

std::optional<ProgramFile> Programs::pinned(const std::string& name) {
    const auto path = find(name);
    if (!path) return std::nullopt;
    const std::scoped_lock lock(mutex_);
    if (const auto known = pinned_.find(name); known != pinned_.end()) return known->second.file;
    const std::string stamp = stamp_of(*path);
    const auto digest = known_digest(*path, stamp);
    if (stamp.empty() || !digest) return std::nullopt;
    return pinned_.emplace(name, Pinned{{*path, *digest}, stamp}).first->second.file;
}

std::optional<std::string> Programs::changed() {
    const std::scoped_lock lock(mutex_);
    for (auto& [name, pinned] : pinned_)
        if (auto why = changed(pinned)) return why;
    return std::nullopt;
}

std::optional<std::string> Programs::changed(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    const auto known = pinned_.find(name);
    return known == pinned_.end() ? std::nullopt : changed(known->second);
}

// Another file with the same content is the same program.
std::optional<std::string> Programs::changed(Pinned& pinned) {
    const std::string now = stamp_of(pinned.file.path);
    if (now == pinned.stamp) return std::nullopt;
    if (now.empty() || digest_of_file(pinned.file.path) != pinned.file.digest)
        return fmt::format("{} is not the program that it was when the run began", pinned.file.path);
    pinned.stamp = now;
    return std::nullopt;
}

tl::expected<std::string, std::string> Programs::find(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const std::scoped_lock lock(mutex_);
    const auto known = found_.find(name);
    return known != found_.end() ? known->second : found_.emplace(name, search(name)).first->second;
}

tl::expected<std::string, std::string> Programs::search(const std::string& name) const {
    std::string problem = name + " is not installed, or not on PATH";
    std::istringstream directories(path_);
    for (std::string directory; std::getline(directories, directory, ':');) {
        const std::filesystem::path file = std::filesystem::path(directory) / name;
        if (!file.is_absolute() || !is_program(file)) continue;
        if (::access(file.c_str(), X_OK) == 0) return file.string();
        problem = fmt::format("{} is not executable: run chmod +x on it, or take it off PATH", file.string());
    }
    return tl::unexpected(problem);
}

}  // namespace migc::runtime::inline tools
