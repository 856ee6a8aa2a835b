// The usual programs of an image, as far as they read and write a workload's files.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/archive/archive.hpp"
#include "runtime/world/kubectl.hpp"

namespace migc::runtime::inline world {
namespace {

using Files = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

// Where a path leads from a folder: "/" and "./data" to "/data".
std::string path_from(const std::string& folder, std::string path) {
    if (path.starts_with("./")) path.erase(0, 2);
    if (path.starts_with('/')) return path;
    return (folder == "/" ? "/" : folder + "/") + (path == "." ? "" : path);
}

bool is_below(const std::string& path, const std::string& folder) {
    return folder == "/" || (path.starts_with(folder) && path[folder.size()] == '/');
}

// A folder is one if a file lies below it, or if a volume is mounted there.
bool is_folder(const Files& files, const Object& pod, const std::string& path) {
    for (const Object& container : list_at(pod, "/spec/containers"))
        for (const Object& mount : list_at(container, "/volumeMounts"))
            if (text_at(mount, "/mountPath") == path) return true;
    return path == "/" ||
           std::ranges::any_of(files, [&](const auto& file) { return is_below(file.first, path); });
}

Answer cat(const Files& files, const Object& pod, const Words& words) {
    std::string text;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto file = files.find(words[i]);
        if (file != files.end()) {
            text += file->second;
        } else if (is_folder(files, pod, words[i])) {
            return exited(1, text, "cat: read error: Is a directory\n");
        } else {
            return exited(1, text,
                          fmt::format("cat: can't open '{}': No such file or directory\n", words[i]));
        }
    }
    return done(text);
}

// `tar cf - -C FOLDER PATH`
Answer make_archive(const Files& files, const Object& pod, const std::string& folder, const std::string& name,
                    bool compressed) {
    const std::string path = path_from(folder, name);
    std::vector<ArchiveEntry> entries;
    if (const auto file = files.find(path); file != files.end())
        entries.push_back({name, false, 0644, file->second});
    else if (is_folder(files, pod, path))
        entries.push_back({name, true, 0755, {}});
    for (const auto& [other, content] : files)
        if (is_below(other, path)) entries.push_back({other.substr(folder.size()), false, 0644, content});
    for (ArchiveEntry& entry : entries) entry.path.erase(0, entry.path.find_first_not_of("./"));
    auto archive = write_archive(entries, compressed);
    if (!archive) return failed("tar: " + archive.error() + "\n");
    if (!entries.empty()) return done(*archive);
    return exited(
        1, *archive,
        fmt::format("tar: {}: No such file or directory\ntar: error exit delayed from previous errors\n",
                    name));
}

// `tar xf - -C FOLDER`
Answer extract(KubectlCall& call, Files& files, const Object& pod, const std::string& folder) {
    if (!is_folder(files, pod, folder))
        return failed("tar: can't change directory to '{}': No such file or directory\n", folder);
    const auto entries = read_archive(call.input);
    if (!entries) return failed("tar: invalid tar magic\n");
    for (const ArchiveEntry& entry : *entries)
        if (!entry.is_folder) files[path_from(folder, entry.path)] = entry.content;
    call.world.acted = true;
    return done("");
}

std::optional<Answer> tar(KubectlCall& call, Files& files, const Object& pod, const Words& words) {
    std::string folder = "/";
    Words names;
    for (std::size_t i = 3; i < words.size(); ++i) {
        if (words[i] == "-C" && i + 1 < words.size())
            folder = words[++i];
        else if (words[i] != "-o")
            names.push_back(words[i]);
    }
    const std::string what = words.size() > 2 && words[2] == "-" ? words[1] : "";
    if ((what == "cf" || what == "czf") && names.size() == 1)
        return make_archive(files, pod, folder, names[0], what == "czf");
    if ((what == "xf" || what == "xzf") && names.empty()) return extract(call, files, pod, folder);
    return std::nullopt;
}

Answer remove(KubectlCall& call, Files& files, const Words& words) {
    for (std::size_t i = 1; i < words.size(); ++i)
        if (files.erase(words[i]) > 0) call.world.acted = true;
    return done("");
}

// Folders are there as long as something is in them.
Answer remove_folders(const Files& files, const Object& pod, const Words& words) {
    for (std::size_t i = 1; i < words.size(); ++i)
        if (words[i] != "--" && is_folder(files, pod, words[i]))
            return failed("rmdir: '{}': Directory not empty\n", words[i]);
    return done("");
}

double kibibytes(const std::string& quantity) {
    return amount_of(quantity) / 1024;
}

// The claim that is mounted at a path or above it; its name and where.
std::pair<std::string, std::string> claim_at(const Object& pod, const std::string& path) {
    std::pair<std::string, std::string> found;
    for (const Object& container : list_at(pod, "/spec/containers"))
        for (const Object& mount : list_at(container, "/volumeMounts"))
            for (const Object& volume : list_at(pod, "/spec/volumes")) {
                const std::string where = text_at(mount, "/mountPath");
                const bool here = text_at(volume, "/name") == text_at(mount, "/name");
                if (here && (where == path || is_below(path, where)))
                    found = {text_at(volume, "/persistentVolumeClaim/claimName"), where};
            }
    return found;
}

Answer disk_free(const KubectlCall& call, const Files& files, const Object& pod, const std::string& path) {
    if (!is_folder(files, pod, path) && !files.contains(path))
        return failed("df: {}: can't find mount point\n", path);
    const auto [claim, where] = claim_at(pod, path);
    const Object* object = call.cluster.find({"persistentvolumeclaims", call.name_space, claim});
    const double size = kibibytes(object ? text_at(*object, "/status/capacity/storage", "1Gi") : "20Gi");
    const auto& declared = call.cluster.behaviour_of(pod).used;
    double used = 0;
    for (const auto& [file, content] : files)
        if (where.empty() || is_below(file, where)) used += static_cast<double>(content.size()) / 1024;
    if (const auto given = declared.find(where); given != declared.end()) used = kibibytes(given->second);
    return done(
        "Filesystem           1024-blocks    Used Available Capacity Mounted on\n"
        "{:<20} {:>11.0f} {:>7.0f} {:>9.0f} {:>7.0f}% {}\n",
        claim.empty() ? "overlay" : "/dev/" + claim, size, used, size - used, 100 * used / size,
        where.empty() ? "/" : where);
}

}  // namespace

std::optional<Answer> run_in_container(KubectlCall& call, const Object& pod, const Words& words) {
    if (words.size() < 2) return std::nullopt;
    Files& files = call.cluster.files[call.cluster.top_owner(pod)];
    if (words[0] == "cat") return cat(files, pod, words);
    if (words[0] == "tar") return tar(call, files, pod, words);
    if (words[0] == "rm") return remove(call, files, words);
    if (words[0] == "rmdir") return remove_folders(files, pod, words);
    if (words[0] == "df" && words[1] == "-kP" && words.size() == 3)
        return disk_free(call, files, pod, words[2]);
    return std::nullopt;
}

}  // namespace migc::runtime::inline world
