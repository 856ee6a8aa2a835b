#include "runtime/review/inputs.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <re2/re2.h>
#include <sys/stat.h>

#include "compiler/support/escape.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/tools/output_file.hpp"

namespace migc::runtime::inline reviews {
namespace {

namespace fs = std::filesystem;
using Failure = tl::unexpected<std::string>;

constexpr std::size_t most_files = 20'000;
constexpr std::uintmax_t most_bytes = std::uintmax_t{16} << 30;
constexpr std::uintmax_t largest_copy = std::uintmax_t{16} << 20;  // a larger file is used where it is

// Folders that hold no part of a change: histories, downloads, what migc itself keeps.
bool is_left_out(const fs::path& folder) {
    const std::string name = folder.filename().string();
    return name == ".git" || name == ".migc" || name == ".terraform" || name == "node_modules";
}

// What terraform writes beside its configuration.
bool is_state(const fs::path& file) {
    const std::string name = file.filename().string();
    return name.find(".tfstate") != std::string::npos || name == "crash.log";
}

// In terraform's folders only this is nobody's but its authors': `init` writes the lock file, and an apply
// may write others (local_file), which a run then finds changed by its own step.
bool is_configuration(const std::string& path) {
    for (const char* ending : {".tf", ".tfvars", ".tf.json", ".tfvars.json"})
        if (path.ends_with(ending)) return true;
    return false;
}

bool leads_out(const fs::path& relative) {
    return relative.empty() || relative.is_absolute() || *relative.begin() == "..";
}

// Folders of modules that a configuration names: `source = "../modules/net"`.
std::vector<std::string> local_modules(const fs::path& file) {
    // What is not seen here would not be reviewed; a file that cannot be read is refused by its digest.
    const std::string text = read_file(file, any_size).value_or("");
    static const re2::RE2 source(R"re(source\s*=\s*"(\.\.?/[^"]*)")re");
    re2::StringPiece rest(text);
    std::vector<std::string> folders;
    for (std::string folder; RE2::FindAndConsume(&rest, source, &folder);) folders.push_back(folder);
    return folders;
}

bool is_below(const std::string& path, const std::string& folder) {
    return path == folder || folder == "." || path.starts_with(folder + "/");
}

tl::expected<void, std::string> make_private_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return Failure(fmt::format("{}: {}", folder.string(), error.message()));
    return {};
}

}  // namespace

std::optional<Inputs::Stamp> Inputs::stamp_of(const fs::path& file) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) return std::nullopt;
    const auto ns = [](const timespec& time) {
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    };
    return Stamp{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), ns(status.st_mtim),
                 ns(status.st_ctim)};
}

std::string Inputs::relative(const std::string& path) const {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(root_ / path, error);
    const fs::path below = (error ? root_ / path : whole).lexically_normal().lexically_relative(root_);
    std::string text = below.generic_string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

// Links are followed where they stay inside: what counts is the content.
tl::expected<std::vector<std::string>, std::string> Inputs::files_at(const std::string& path,
                                                                     bool terraform) const {
    std::error_code error;
    const fs::path whole = (root_ / path).lexically_normal();
    if (!fs::is_directory(whole, error)) return std::vector<std::string>{path};
    std::vector<std::string> files;
    for (fs::recursive_directory_iterator i(whole, error), end; !error && i != end; i.increment(error)) {
        const std::string name = i->path().lexically_relative(root_).generic_string();
        const bool is_folder = i->is_directory(error);
        if (is_folder && is_left_out(i->path())) i.disable_recursion_pending();
        if (is_folder && i->is_symlink())
            return Failure(
                fmt::format("{} is a link to a folder, which an input of a run cannot be", escaped(name)));
        if (is_folder || (terraform && is_state(i->path()))) continue;
        files.push_back(name);
        if (files.size() > most_files)
            return Failure(fmt::format("{} holds more than {} files, too many for the input of a run",
                                       escaped(path), most_files));
    }
    if (error) return Failure(fmt::format("{}: {}", escaped(path), error.message()));
    return files;
}

tl::expected<Inputs::Input, std::string> Inputs::read(const std::string& path) const {
    const auto below = project_path(root_, path);
    if (!below) return Failure(fmt::format("{}: {}", escaped(path), below.error()));
    const fs::path& whole = *below;
    std::error_code error;
    const fs::file_status status = fs::status(whole, error);
    if (status.type() == fs::file_type::not_found) return Input{};
    if (!fs::is_regular_file(status)) return Failure(fmt::format("{} is no regular file", escaped(path)));
    const auto stamp = stamp_of(whole);
    auto digest = digest_of_file(whole);
    if (!stamp) return Failure(fmt::format("{} cannot be read: {}", escaped(path), std::strerror(errno)));
    if (!digest) return Failure(escaped(digest.error()));
    const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
    return Input{*digest + (executable ? " executable" : ""), *stamp};
}

tl::expected<void, std::string> Inputs::add(const std::string& path, bool terraform) {
    if (leads_out(path))
        return Failure(fmt::format("{} leads out of the project's folder {}", escaped(path), root_.string()));
    const auto files = files_at(path, terraform);
    if (!files) return Failure(files.error());
    for (const std::string& file : *files) {
        if (files_.contains(file)) continue;
        auto input = read(file);
        if (!input) return Failure(input.error());
        bytes_ += input->stamp.size;
        if (files_.size() >= most_files || bytes_ > most_bytes)
            return Failure(fmt::format(
                "what the script names is too much for a run: more than {} files or {} GiB (at {})",
                most_files, most_bytes >> 30, escaped(file)));
        files_.emplace(file, std::move(*input));
        if (!terraform || !file.ends_with(".tf")) continue;
        for (const std::string& module : local_modules(root_ / file)) {
            const std::string folder = relative((fs::path(file).parent_path() / module).string());
            if (!named_.terraform.insert(folder).second) continue;
            if (auto added = add(folder, true); !added) return added;
        }
    }
    return {};
}

tl::expected<std::unique_ptr<Inputs>, std::string> Inputs::collect(const ir::Program& program,
                                                                   const project::Inventory& inventory,
                                                                   const RunOptions& options) {
    std::unique_ptr<Inputs> inputs(new Inputs);
    std::error_code error;
    inputs->root_ = fs::weakly_canonical(fs::absolute(inventory.root, error), error);
    if (error) return Failure(fmt::format("{}: {}", inventory.root.string(), error.message()));
    NamedPaths named;
    for (const ir::Stage& stage : program.stages) {
        const StageEnvironment environment = declared_environment(program, stage, inventory, options);
        named.merge(named_paths(program, {{&stage, &environment}}));
    }
    if (!named.complete)
        return Failure(std::string(
            "the script has more than 200,000 steps, counted round by round, so it cannot be told which "
            "files they name; divide it into several scripts"));
    for (const std::string& path : named.paths) {
        const std::string below = inputs->relative(path);
        // The run's own files are no input; the evaluator says what is wrong with a path that leads out.
        if (leads_out(below) || below == ".migc" || below.starts_with(".migc/")) continue;
        inputs->named_.paths.insert(below);
        if (auto added = inputs->add(below, false); !added) return Failure(added.error());
    }
    for (const std::string& path : named.terraform) {
        const std::string below = inputs->relative(path);
        inputs->named_.terraform.insert(below);
        if (auto added = inputs->add(below, true); !added) return Failure(added.error());
    }
    return inputs;
}

nlohmann::json Inputs::digests() {
    const std::lock_guard lock(mutex_);
    auto result = nlohmann::json::object();
    // What terraform itself has written beside its configuration is as it is now.
    for (const std::string& folder : named_.terraform)
        for (const std::string& file : files_at(folder, true).value_or(std::vector<std::string>()))
            if (!is_configuration(file)) accept(file);
    for (const auto& [path, input] : files_)
        result[path] = input.digest ? nlohmann::json(*input.digest) : nlohmann::json();
    return result;
}

std::vector<std::string> Inputs::unlike(const fs::path& folder) {
    std::vector<std::string> found;
    std::error_code error;
    const nlohmann::json now = digests();
    for (const auto& [path, digest] : now.items()) {
        if (!fs::is_regular_file(folder / path, error)) continue;
        const auto is_in = [&file = path](const std::string& terraform) { return is_below(file, terraform); };
        if (!is_configuration(path) && std::any_of(named_.terraform.begin(), named_.terraform.end(), is_in))
            continue;  // what terraform writes beside it
        const auto copied = digest_of_file(folder / path);
        const bool same = copied && digest.is_string() && digest.get<std::string>().starts_with(*copied);
        if (!same) found.push_back(path);
    }
    return found;
}

// A copy that cannot be kept is not used: then the file itself is read.
void Inputs::copy(const std::string& path) const {
    std::error_code error;
    const fs::path target = copies_ / path;
    const Input& input = files_.at(path);
    fs::remove(target, error);
    if (!input.digest || input.stamp.size > largest_copy) return;
    for (fs::path folder = target.parent_path(); folder != copies_.parent_path();
         folder = folder.parent_path())
        if (!make_private_folder(folder)) return;
    const bool executable = input.digest->ends_with(" executable");
    const auto content = project_file_content(root_, path, largest_copy);
    if (!content || !input.digest->starts_with(sha256(*content))) return;
    (void)write_file(target, *content, {.mode = executable ? 0700 : 0600, .synced = false});
}

tl::expected<void, std::string> Inputs::copy_into(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    if (files_.empty()) return {};
    if (auto made = make_private_folder(folder); !made) return made;
    copies_ = folder;
    for (const auto& [path, input] : files_) {
        copy(path);
        std::error_code error;
        const bool wanted = input.digest && input.stamp.size <= largest_copy;
        if (wanted && !fs::exists(folder / path, error))
            return Failure(
                fmt::format("{} was changed while it was copied, or there is no space for the copy in {}",
                            escaped(path), folder.string()));
    }
    return {};
}

// By its stamp, and if that differs by its content.
std::optional<std::string> Inputs::changed_file(const std::string& path) {
    Input& known = files_.at(path);
    const auto stamp = stamp_of(root_ / path);
    if (stamp && known.digest && *stamp == known.stamp) return std::nullopt;
    const auto now = read(path);
    if (!now) return now.error();
    if (now->digest != known.digest)
        return fmt::format("{} {}", escaped(path),
                           now->digest ? known.digest ? "was changed" : "was made" : "is gone");
    known.stamp = now->stamp;
    return std::nullopt;
}

std::optional<std::string> Inputs::changed(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const std::string below = relative(path);
    const bool terraform = named_.terraform.contains(below);
    if (!terraform && !named_.paths.contains(below)) return std::nullopt;
    const auto present = files_at(below, terraform);
    if (!present) return present.error();
    for (const std::string& file : *present)
        if (!files_.contains(file) && (!terraform || is_configuration(file)))
            return fmt::format("{} was made", escaped(file));
    for (const auto& [file, input] : files_)
        if (is_below(file, below) && (!terraform || is_configuration(file)))
            if (auto why = changed_file(file)) return why;
    return std::nullopt;
}

void Inputs::accept(const std::string& path) {
    auto now = read(path);
    if (!now) return;
    files_[path] = std::move(*now);
    if (!copies_.empty()) copy(path);
}

void Inputs::wrote(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const std::string below = relative(path);
    const auto in_named = [&](const std::set<std::string>& named) {
        return std::any_of(named.begin(), named.end(),
                           [&](const std::string& folder) { return is_below(below, folder); });
    };
    if (files_.contains(below) || in_named(named_.paths) || in_named(named_.terraform)) accept(below);
}

void Inputs::accept_all() {
    const std::lock_guard lock(mutex_);
    for (const bool terraform : {false, true})
        for (const std::string& path : terraform ? named_.terraform : named_.paths)
            for (const std::string& file : files_at(path, terraform).value_or(std::vector<std::string>()))
                if (!files_.contains(file)) accept(file);
    for (auto& [path, input] : files_)
        if (changed_file(path)) accept(path);
}

}  // namespace migc::runtime::inline reviews
