#include "runtime/session/scratch.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"

namespace migc::session {

namespace fs = std::filesystem;

namespace {

using Error = tl::unexpected<std::string>;

constexpr std::uintmax_t scratch_limit = std::uintmax_t{64} << 20;  // bytes of a project that is copied

// Copies what a change reads; the history, the journal and terraform's downloads are none of it.
bool is_left_out(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name == ".git" || name == ".migc" || name == "node_modules";
}

// What is no file of the project is in no copy of it.
bool leads_out(const std::filesystem::directory_entry& entry, const std::filesystem::path& root) {
    return entry.is_symlink() && !project_file(root, entry.path());
}

tl::expected<void, std::string> copy_project(const std::filesystem::path& from,
                                             const std::filesystem::path& to) {
    std::error_code error;
    std::uintmax_t size = 0;
    for (fs::recursive_directory_iterator i(from, error), end; !error && i != end; i.increment(error)) {
        if (is_left_out(i->path())) {
            i.disable_recursion_pending();
            continue;
        }
        const fs::path target = to / fs::relative(i->path(), from);
        if (i->is_directory()) fs::create_directories(target, error);
        if (!i->is_regular_file() || leads_out(*i, from)) continue;
        size += i->file_size();
        if (size > scratch_limit)
            return Error(fmt::format(
                "the project is larger than {} MiB, too large to be copied for a run that only pretends to edit its files",
                scratch_limit >> 20));
        fs::copy_file(i->path(), target, error);
    }
    if (error) return Error("the project cannot be copied for the simulated run: " + error.message());
    return {};
}

// The digest of every file below a folder, without what is left out of a copy.
std::map<std::string, std::string> digests(const std::filesystem::path& folder) {
    std::map<std::string, std::string> result;
    std::error_code error;
    for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
        if (is_left_out(i->path()))
            i.disable_recursion_pending();
        else if (i->is_regular_file() && !leads_out(*i, folder))
            if (const auto text = read_file(i->path(), scratch_limit))
                result[fs::relative(i->path(), folder).string()] = sha256(*text);
    }
    return result;
}

}  // namespace

tl::expected<std::unique_ptr<ScratchCopy>, std::string> ScratchCopy::make(const SessionOptions& options,
                                                                          Script& script) {
    if (is_live(options) || !edits_files(script.program)) return nullptr;
    std::string name = (std::filesystem::temp_directory_path() / "migc-XXXXXX").string();
    if (!::mkdtemp(name.data())) return Error(std::string("no temporary folder can be made"));
    std::unique_ptr<ScratchCopy> copy(new ScratchCopy(script.inventory.root, name));
    if (auto copied = copy_project(script.inventory.root, name); !copied) return Error(copied.error());
    script.inventory.root = name;
    copy->copied_ = digests(name);
    return copy;
}

nlohmann::json ScratchCopy::changed_files() const {
    auto changed = nlohmann::json::object();
    const auto now = digests(folder_);
    for (const auto& [path, digest] : copied_)
        if (!now.contains(path)) changed[path] = nullptr;
    for (const auto& [path, digest] : now)
        if (const auto before = copied_.find(path); before == copied_.end() || before->second != digest)
            changed[path] = digest;
    return changed;
}

tl::expected<void, std::string> ScratchCopy::restore() const {
    std::error_code error;
    // What is never copied, and a run leaves behind.
    for (fs::recursive_directory_iterator i(folder_, error), end; !error && i != end;) {
        const fs::path path = i->path();
        if (is_left_out(path)) i.disable_recursion_pending();
        i.increment(error);
        if (is_left_out(path)) fs::remove_all(path, error);
    }
    const auto changed = changed_files();
    for (const auto& [path, digest] : changed.items()) {
        if (!copied_.contains(path)) {
            fs::remove(folder_ / path, error);
            continue;
        }
        fs::create_directories((folder_ / path).parent_path(), error);
        fs::copy_file(of_ / path, folder_ / path, fs::copy_options::overwrite_existing, error);
        if (error) break;
    }
    if (error) return Error("the copy of the project cannot be made as it was: " + error.message());
    if (!changed.empty() && !changed_files().empty())
        return Error(std::string("the project was changed by somebody else meanwhile"));
    return {};
}

ScratchCopy::~ScratchCopy() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace migc::session
