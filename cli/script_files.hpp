// Which scripts a command line names: files, and folders with what is below them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace migc::cli {

struct ScriptFile {
    std::string path;
    std::filesystem::path found_in;  // the folder that was named; empty: it was named itself
};

// Files as given, "-" included; for a folder every *.mig below it, sorted, without hidden folders, `build`,
// `build-*` and `node_modules`; links to folders are not followed. Each file once. A folder without a script
// is named in `empty`.
std::vector<ScriptFile> script_files(const std::vector<std::string>& paths, std::vector<std::string>& empty);

}  // namespace migc::cli
