// Files that a command line names, to be read or to be written, and the scripts below a folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace migc::driver {

struct ScriptFile {
    std::string path;
    std::filesystem::path found_in;  // the folder that was named; empty: it was named itself
};

// Files as given, "-" included; for a folder every *.mig below it, sorted, without hidden folders, `build`,
// `build-*` and `node_modules`; links to folders are not followed. Each file once. A folder without a script
// is named in `empty`.
std::vector<ScriptFile> script_files(const std::vector<std::string>& paths, std::vector<std::string>& empty);

// The whole content of a file that the command line names. It may lie anywhere, but no link of a repository
// may lead out of that, nor one of a folder that was searched. The error is a sentence for people.
tl::expected<std::string, std::string> read_named(const std::filesystem::path& path, std::size_t limit,
                                                  const std::filesystem::path& found_in = {});

// The root of the project that one stands in: the folder of its migc.yaml, else the current one.
std::filesystem::path project_root_here();
// The same of a script, which need not be there.
std::filesystem::path project_root_of(const std::string& script);

// Replaces a script of its project. The error is a sentence: "deploy.mig cannot be written: ..".
tl::expected<void, std::string> write_script(const std::string& path, std::string_view content);

// Writes what a command is asked to write. Gives a note of what it replaces, as `note_of_replaced` does.
tl::expected<std::string, std::string> write_output(const std::string& path, std::string_view content);
// "note: out.json was there (12 bytes), and is replaced"; empty if that is no loss. Of a file that somebody
// else is about to write.
std::string note_of_replaced(const std::string& path);

}  // namespace migc::driver
