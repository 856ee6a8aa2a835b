// Revisions of the project's files. Only reading commands of git are run; the files are written by migc, so
// that neither the index nor HEAD changes, and no hook runs.
#include <algorithm>

#include "compiler/support/text.hpp"
#include "runtime/natives/project_files.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::size_t most_files = 1'000;
constexpr mode_t plain_mode = 0644, executable_mode = 0755;

tl::expected<std::string, std::string> git(Host& host, const std::vector<std::string>& arguments) {
    Answer answer = host.run("git", arguments);
    if (!answer.succeeded()) return failure(complaint("git", answer));
    if (answer.truncated) return failure("git answered with more than can be read");
    return std::move(answer.output);
}

bool may_be_revision(const std::string& text) {
    return !text.empty() && text.front() != '-' &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

struct Entry {
    std::string mode;
    std::string object;
    std::string path;  // relative to the project's root
};

// "100644 blob 3f2a..\tk8s/web.yaml", each ended by a NUL.
std::vector<Entry> entries_of(const std::string& listing) {
    std::vector<Entry> entries;
    for (const std::string& line : split(listing, '\0')) {
        const std::size_t tab = line.find('\t'), type = line.find(' '), object = line.find(' ', type + 1);
        if (tab != std::string::npos && object < tab)
            entries.push_back(
                {line.substr(0, type), line.substr(object + 1, tab - object - 1), line.substr(tab + 1)});
    }
    return entries;
}

tl::expected<void, std::string> check(const Entry& entry) {
    if (entry.mode == "120000")
        return failure("{} is a symbolic link in that revision; links are not restored", entry.path);
    if (entry.mode == "160000")
        return failure("{} is a submodule in that revision; submodules are not restored", entry.path);
    return {};
}

// The files that a commit has at or below a path.
tl::expected<std::vector<Entry>, std::string> entries(Host& host, const std::string& path,
                                                      const std::string& commit) {
    if (const auto whole = project_path(host, path); !whole) return failure(whole.error());
    const auto listing = git(host, {"ls-tree", "-r", "-z", commit, "--", shown_path(host, path)});
    if (!listing) return failure(listing.error());
    std::vector<Entry> found = entries_of(*listing);
    for (const Entry& entry : found)
        if (const auto fine = check(entry); !fine) return failure(fine.error());
    if (found.empty()) return failure("commit {} has no {}", commit.substr(0, 12), shown_path(host, path));
    return found;
}

// One file as a commit has it: the bytes that were committed, without filters.
tl::expected<ProjectFile, std::string> committed_file(Host& host, const std::string& path,
                                                      const std::string& commit) {
    const auto found = entries(host, path, commit);
    if (!found) return failure(found.error());
    if (found->size() != 1 || found->front().path != shown_path(host, path))
        return failure("{} is a folder in commit {}", shown_path(host, path), commit.substr(0, 12));
    auto content = git(host, {"cat-file", "blob", found->front().object});
    if (!content) return failure(content.error());
    if (content->size() > project_file_limit)
        return failure("{} is larger than {} MiB", path, project_file_limit >> 20);
    if (content->starts_with("version https://git-lfs.github.com/"))
        return failure("{} is kept by Git LFS: the commit holds a reference in its place",
                       shown_path(host, path));
    return ProjectFile{std::move(*content), found->front().mode == "100755" ? executable_mode : plain_mode};
}

}  // namespace

static Reading git_commit(Host& host, const Arguments& arguments) {
    const std::string revision = text_argument(arguments, 0);
    if (!may_be_revision(revision)) return mistaken("`{}` cannot be a revision", revision);
    const Answer answer =
        host.run("git", {"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
    const bool has_none = answer.ending == Ending::Exited && answer.status == 1 && answer.errors.empty();
    if (has_none) return mistaken("the repository has no revision `{}`", revision);
    if (!answer.succeeded()) return mistaken(complaint("git", answer));
    const std::string commit = answer.output.substr(0, answer.output.find('\n'));
    const bool is_id =
        commit.size() >= 40 && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_id ? Reading{Value(commit)} : unknown("git answered with something that is no commit");
}

static Reading git_files(Host& host, const Arguments& arguments) {
    const auto found = entries(host, text_argument(arguments, 0), text_argument(arguments, 1));
    if (!found) return mistaken(found.error());
    if (found->size() > most_files)
        return mistaken("{} has {} files in that revision, more than {}: restore a part of it",
                        text_argument(arguments, 0), found->size(), most_files);
    List paths;
    for (const Entry& entry : *found) paths.emplace_back(entry.path);
    return {Value(std::move(paths))};
}

static Reading git_digest(Host& host, const Arguments& arguments) {
    const auto file = committed_file(host, text_argument(arguments, 0), text_argument(arguments, 1));
    return file ? Reading{Value(digest_of(*file))} : mistaken(file.error());
}

namespace {

// Of the permissions git knows one bit; the others stay as they are.
mode_t mode_like(const ProjectFile& committed, const std::optional<ProjectFile>& present) {
    if (!present) return committed.mode;
    return with_execution(present->mode, committed.mode == executable_mode);
}

}  // namespace

static Answer restore_file(Host& host, const Arguments& arguments) {
    const std::string path = text_argument(arguments, 0);
    const auto file = committed_file(host, path, text_argument(arguments, 1));
    if (!file) return refused(file.error());
    const auto present = read_project_file(host, path);
    if (!present) return refused(present.error());
    const std::string expected = text_argument(arguments, 2);
    if (auto changed = changed_since(host, path, expected)) return refused(*changed);
    const auto written = write_project_file(host, path, file->content, expected, mode_like(*file, *present));
    return written ? well("") : not_written(host, path, written.error());
}

namespace {

// `git status` would run what the repository's own configuration names as filters: each of them is turned
// off.
tl::expected<std::vector<std::string>, std::string> without_filters(Host& host) {
    const auto listing = git(host, {"config", "-z", "--name-only", "--list"});
    if (!listing) return failure(listing.error());
    std::vector<std::string> options;
    for (const std::string& key : split(*listing, '\0')) {
        if (!key.starts_with("filter.")) continue;
        if (key.find('=') != std::string::npos)
            return failure("git: the repository's configuration names a filter that cannot be turned off");
        append(options, {"-c", key + (key.ends_with(".required") ? "=false" : "=")});
    }
    return options;
}

}  // namespace

static Reading git_committed(Host& host, const Arguments& arguments) {
    const std::string path = text_argument(arguments, 0), shown = shown_path(host, path);
    const auto whole = project_path(host, path);
    if (!whole) return mistaken(whole.error());
    std::error_code error;
    if (!std::filesystem::exists(*whole, error)) return mistaken("there is no file {}", shown);
    auto command = without_filters(host);
    if (!command) return mistaken(command.error());
    // A submodule has a configuration of its own.
    for (const char* word : {"status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignored",
                             "--ignore-submodules=all", "--"})
        command->emplace_back(word);
    command->push_back(shown);
    const auto status = git(host, *command);
    if (!status) return mistaken(status.error());
    if (status->empty()) return {Value(true)};
    const bool is_known = !status->starts_with("??") && !status->starts_with("!!");
    const char* how = is_known ? "differs from the last commit" : "is not in any commit";
    return not_yet("{} {}", shown, how);
}

const Rows git_rows([]() -> std::vector<Row> {
    return {
        // [revision]: the commit's whole id
        reads("git-commit", git_commit),
        // [path, commit]: list of paths
        reads("git-files", git_files),
        // [file, commit]: string
        reads("git-digest", git_digest),
        // [file]: bool
        reads("git-committed", git_committed).of_work_tree(),
        // [file, commit, digest now]
        edits("restore-file", restore_file).reaches({Reach::Of::EditedFile}),
    };
});

}  // namespace migc::runtime::inline natives
