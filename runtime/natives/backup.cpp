#include "runtime/natives/backup.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/pod_path.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/tools/output_file.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t names_at_a_time = 200;  // a list of arguments has its limits

// The container of [.., workload, container or absent] in which the files are; the error is an outcome.
tl::expected<PodPlace, Answer> place_of(Host& host, const Arguments& arguments, std::size_t index) {
    const auto place =
        find_place(host, argument(arguments, index), text_argument(arguments, index + 1), Choice::Only);
    if (!place) return tl::unexpected(not_started(place.error().why));
    return *place;
}

bool is_compressed(const std::string& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return false;
    std::ifstream stream(file, std::ios::binary);
    return stream.get() == 0x1f && stream.get() == 0x8b;
}

// What tar says when it can do no more with these words.
std::string explained(std::string problem) {
    if (problem.find("gzip") != std::string::npos)
        problem += "; it cannot compress: let the backup's name end in .tar";
    if (problem.find("file changed as we read it") != std::string::npos)
        problem += "; what is written while it is copied is no backup: stop the writers first";
    return problem;
}

Answer transfer(Host& host, const PodPlace& place, const std::vector<std::string>& command,
                const std::string& input_file, const std::string& output_file) {
    const ToolCommand line{"kubectl",  exec_arguments(place, command, !input_file.empty()),
                           input_file, output_file,
                           {},         host.limit_ms()};
    Answer outcome = exec_outcome(place, command, host.perform(line));
    if (outcome.ending == Ending::Exited && outcome.status != 0) outcome.errors = explained(outcome.errors);
    return outcome;
}

bool is_within(const std::string& entry, const std::string& folder) {
    return folder.empty() || entry == folder || (entry.starts_with(folder) && entry[folder.size()] == '/');
}

bool climbs(const std::string& entry) {
    const fs::path path(entry);
    return path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
}

// The entries of a whole archive that was made of this path; nothing else may come into the container.
tl::expected<std::vector<ArchiveEntry>, std::string> entries_for(const std::string& file,
                                                                 const std::string& path) {
    auto entries = list_archive(file);
    if (!entries) return failure("{} is no whole backup: {}", file, entries.error());
    if (entries->empty()) return failure("{} is a backup of nothing", file);
    for (const ArchiveEntry& entry : *entries)
        if (climbs(entry.path) || !is_within(entry.path, entry_of(path)))
            return failure("{} is no backup of {}: it holds /{}", file, path, entry.path);
    return entries;
}

// Those that are in the one and not in the other, the innermost first.
std::vector<ArchiveEntry> difference(const std::vector<ArchiveEntry>& all,
                                     const std::vector<ArchiveEntry>& without) {
    std::set<std::string> known;
    for (const ArchiveEntry& entry : without) known.insert(entry.path);
    std::vector<ArchiveEntry> added;
    for (const ArchiveEntry& entry : all)
        if (!known.contains(entry.path)) added.push_back(entry);
    std::sort(added.begin(), added.end(),
              [](const ArchiveEntry& a, const ArchiveEntry& b) { return a.path > b.path; });
    return added;
}

Answer remove_all(Host& host, const PodPlace& place, const std::vector<std::string>& command,
                  const std::vector<std::string>& paths) {
    Answer answer = well("");
    for (std::size_t i = 0; i < paths.size() && answer.succeeded(); i += names_at_a_time) {
        std::vector<std::string> words = command;
        const auto end = std::min(paths.size(), i + names_at_a_time);
        words.insert(words.end(), paths.begin() + static_cast<long>(i),
                     paths.begin() + static_cast<long>(end));
        answer = exec_outcome(place, words, host.run("kubectl", exec_arguments(place, words)));
    }
    return answer;
}

std::string sized(std::int64_t bytes) {
    return bytes < (1 << 20) ? fmt::format("{} KiB", (bytes + 1023) / 1024)
                             : fmt::format("{} MiB", (bytes + (1 << 20) - 1) >> 20);
}

}  // namespace

Answer archive_path(Host& host, const PodPlace& place, const std::string& path, const std::string& file,
                    bool compressed) {
    const std::vector<std::string> command = {"tar",          compressed ? "czf" : "cf", "-", "-C", "/",
                                              from_root(path)};
    Answer answer = transfer(host, place, command, {}, file);
    if (!answer.succeeded()) return answer;
    const auto entries = list_archive(file);
    if (entries && !entries->empty()) return answer;
    std::error_code ignored;
    fs::remove(file, ignored);
    return refused("what came from container {} is no whole archive of {}: {}", place.shown(), path,
                   entries ? "it is empty" : entries.error());
}

Answer extract_archive(Host& host, const PodPlace& place, const std::string& file) {
    return transfer(host, place, {"tar", is_compressed(file) ? "xzf" : "xf", "-", "-C", "/"}, file, {});
}

Answer remove_entries(Host& host, const PodPlace& place, const std::vector<ArchiveEntry>& entries) {
    std::vector<std::string> files, folders;
    for (const ArchiveEntry& entry : entries) (entry.is_folder ? folders : files).push_back("/" + entry.path);
    Answer answer = remove_all(host, place, {"rm", "-f", "--"}, files);
    // A folder in which the application has written meanwhile is not ours to remove.
    if (answer.succeeded()) remove_all(host, place, {"rmdir", "--"}, folders);
    return answer;
}

tl::expected<void, std::string> name_without_loss(const std::string& finished, const std::string& file) {
    std::error_code error;
    for (int i = 1; fs::exists(file, error) && !error; ++i) {
        fs::create_hard_link(file, fmt::format("{}.{}", file, i), error);
        if (!error) break;
        if (error == std::errc::file_exists) error.clear();
    }
    if (!error) fs::rename(finished, file, error);
    if (error) return failure("{} cannot be written: {}", file, error.message());
    return {};
}

// [path, workload, container or absent, file]
static Answer write_backup(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 0));
    if (!path) return not_started(path.error());
    const auto place = place_of(host, arguments, 1);
    if (!place) return place.error();
    const std::string file = text_argument(arguments, 3), part = file + ".part";
    std::error_code error;
    fs::create_directories(fs::path(file).parent_path(), error);
    Answer answer = archive_path(host, *place, *path, part, names_compressed_archive(file));
    if (!answer.succeeded()) return answer;
    if (const auto named = name_without_loss(part, file); !named) return refused(named.error());
    answer.errors = fmt::format("{}, sha256:{}", sized(answer.output_size), answer.output_digest);
    return answer;
}

static Preview preview_write_backup(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 0));
    const auto name = workload_argument(host, argument(arguments, 1));
    if (!path || !name) return {};
    const bool compressed = names_compressed_archive(text_argument(arguments, 3));
    return shown_command(host, {"exec", name->written, "--", "tar", compressed ? "czf" : "cf", "-", "-C", "/",
                                from_root(*path)});
}

static Reading backup_digest(Host&, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0);
    std::error_code error;
    if (!fs::exists(file, error) && !error) return absent(file + " does not exist");
    const auto entries = list_archive(file);
    if (!entries) return mistaken("{} is no whole backup: {}", file, entries.error());
    const auto digest = digest_of_file(file);
    if (!digest) return unknown(digest.error());
    return {Value("sha256:" + *digest), fmt::format("{} files and folders", entries->size())};
}

// [file, path, workload, container or absent, backup of what is there]
static Answer extract_backup(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 1));
    if (!path) return not_started(path.error());
    const std::string file = text_argument(arguments, 0);
    if (const auto entries = entries_for(file, *path); !entries) return not_started(entries.error());
    const auto place = place_of(host, arguments, 2);
    return place ? extract_archive(host, *place, file) : place.error();
}

// The same arguments: what was there comes back, and what only the file had brought goes.
static Answer revert_backup(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 1));
    if (!path) return not_started(path.error());
    const std::string before = text_argument(arguments, 4);
    const auto came = entries_for(text_argument(arguments, 0), *path);
    if (!came) return refused(came.error());
    const auto was = entries_for(before, *path);
    if (!was) return refused(was.error());
    const auto place = place_of(host, arguments, 2);
    if (!place) return place.error();
    Answer answer = extract_archive(host, *place, before);
    return answer.succeeded() ? remove_entries(host, *place, difference(*came, *was)) : answer;
}

static Preview preview_extract_backup(Host& host, const Arguments& arguments) {
    const auto name = workload_argument(host, argument(arguments, 2));
    return name ? shown_command(host, {"exec", name->written, "-i", "--", "tar", "xf", "-", "-C", "/"})
                : Preview();
}

const Rows backup_rows([]() -> std::vector<Row> {
    return {
        // [path, workload, container or absent, file]
        edits("write-backup", write_backup, preview_write_backup).reaches({Reach::Of::WrittenFile, 3, "", 2}),
        // [file]: string, or absent
        reads("backup-digest", backup_digest),
        does("extract-backup", extract_backup, preview_extract_backup).reaches({Reach::Of::Pods}),
        // the same
        does("revert-backup", revert_backup, preview_extract_backup)
            .reaches({Reach::Of::Pods})
            .by_hand(backup_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
