// A simulated git that reads: revisions, the files that they have, and what is not committed.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr Options before_command{
    "-C -c", "--no-pager --literal-pathspecs --no-replace-objects --no-optional-locks", true};
constexpr Options of_commands{
    "",
    "--verify --quiet --end-of-options -r -z --porcelain --untracked-files --ignored "
    "--ignore-submodules --name-only --list",
    false};

Answer fatal(const std::string& why) {
    return exited(128, "", "fatal: " + why + "\n");
}

std::string object_of(const std::string& content) {
    return sha256("blob " + content).substr(0, 40);
}

// By its name, its commit, or the beginning of that.
const GitRevision* revision_named(const GitRepository& repository, const std::string& name) {
    constexpr std::size_t shortest = 4;
    if (const auto found = repository.revisions.find(name); found != repository.revisions.end())
        return &found->second;
    for (const auto& [known, revision] : repository.revisions)
        if (name.size() >= shortest && revision.commit.starts_with(name)) return &revision;
    return nullptr;
}

Answer rev_parse(const GitRepository& repository, const Arguments& arguments) {
    constexpr std::string_view commit = "^{commit}";
    std::string name = arguments.words.empty() ? "" : arguments.words.back();
    if (!arguments.has("--verify") || !name.ends_with(commit))
        return unmodelled("git rev-parse of no commit");
    name.resize(name.size() - commit.size());
    const GitRevision* revision = revision_named(repository, name);
    if (revision) return done(revision->commit + "\n");
    return arguments.has("--quiet") ? exited(1, "") : fatal("Needed a single revision");
}

Answer ls_tree(const GitRepository& repository, const Arguments& arguments) {
    if (!arguments.has("-r") || !arguments.has("-z") || arguments.words.size() != 1 ||
        arguments.after_dashes.size() != 1)
        return unmodelled("git ls-tree other than -r -z COMMIT -- PATH");
    const GitRevision* revision = revision_named(repository, arguments.words[0]);
    if (!revision) return fatal("Not a valid object name " + arguments.words[0]);
    const std::string& path = arguments.after_dashes[0];
    std::string listing;
    for (const auto& [name, content] : revision->files)
        if (path == "." || name == path || name.starts_with(path + "/"))
            listing += fmt::format("100644 blob {}\t{}", object_of(content), name) + '\0';
    return done(listing);
}

Answer cat_file(const GitRepository& repository, const Arguments& arguments) {
    if (arguments.words.size() != 2 || arguments.words[0] != "blob")
        return unmodelled("git cat-file of something other than a blob");
    for (const auto& [name, revision] : repository.revisions)
        for (const auto& [path, content] : revision.files)
            if (object_of(content) == arguments.words[1]) return done(content);
    return fatal(fmt::format("git cat-file {}: bad file", arguments.words[1]));
}

// What HEAD describes is compared with the file; every other file is committed unless it is said not to be.
Answer status(const GitRepository& repository, const Arguments& arguments, const std::string& root) {
    if (!arguments.has("-z") || arguments.after_dashes.size() != 1)
        return unmodelled("git status other than -z -- PATH");
    const std::string& path = arguments.after_dashes[0];
    const auto& uncommitted = repository.uncommitted;
    bool differs = std::ranges::find(uncommitted, path) != uncommitted.end();
    const GitRevision* head = revision_named(repository, "HEAD");
    if (head && head->files.contains(path))
        differs = differs || read_file(std::filesystem::path(root) / path, any_size).value_or("") !=
                                 head->files.at(path);
    return done(differs ? " M " + path + '\0' : "");
}

}  // namespace

Answer git(const Simulation& world, const std::vector<std::string>& list) {
    const auto before = Arguments::parse(list, before_command);
    if (!before || before->words.empty())
        return unmodelled("git " + (before ? "without a command" : before.error()));
    const std::string& command = before->words[0];
    const auto arguments = Arguments::parse({before->words.begin() + 1, before->words.end()}, of_commands);
    if (!arguments) return unmodelled("git {} {}", command, arguments.error());
    if (!world.git) return fatal("not a git repository (or any of the parent directories): .git");
    if (command == "rev-parse") return rev_parse(*world.git, *arguments);
    if (command == "ls-tree") return ls_tree(*world.git, *arguments);
    if (command == "cat-file") return cat_file(*world.git, *arguments);
    if (command == "config" && arguments->has("--list")) return done("");
    if (command == "status") return status(*world.git, *arguments, before->value_or("-C", "."));
    return unmodelled("git " + command);
}

}  // namespace migc::runtime::inline world
