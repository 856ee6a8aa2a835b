// A script from its file to its checked IR, as every command needs it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/sema/library.hpp"
#include "compiler/source/source.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::cli {

struct Script {
    SourceMap sources;
    Diagnostics diagnostics;
    FileId file = 0;
    bool readable = false;           // whether the file could be read at all
    std::vector<FileId> used;        // files that `use` named
    std::filesystem::path found_in;  // the folder that was named, if the script was not
    syntax::File tree;
    project::Inventory inventory;
    ir::Program program;

    // The script, the files it uses and migc.yaml in one text: what an undo needs though the files change.
    [[nodiscard]] std::string bundle() const;
};

// Reads, parses, types and checks a script. Everything that is wrong is in `diagnostics`, sorted; the program
// may be run only if there are no errors. "-" reads the standard input.
// `found_in`: the folder in which it was found, if it was not named itself; no link may lead out of that.
std::unique_ptr<Script> load_script(const std::string& path, const std::filesystem::path& found_in = {});
// The same of a text that is not (yet) what the file holds.
std::unique_ptr<Script> load_script(const std::string& path, std::string text,
                                    const std::filesystem::path& found_in = {});

// The same from what `Script::bundle` made; no file is read. Null if the text is no bundle.
std::unique_ptr<Script> load_bundle(const std::string& bundle);

// The whole content of a file that the command line names. It may lie anywhere, but no link of a repository
// may lead out of that, nor one of a folder that was searched. The error is a sentence for people.
tl::expected<std::string, std::string> read_file(const std::filesystem::path& path, std::size_t limit,
                                                 const std::filesystem::path& found_in = {});

// The root of the project that one stands in: the folder of its migc.yaml, else the current one.
std::filesystem::path project_root_here();
// The same of a script, which need not be there.
std::filesystem::path project_root_of(const std::string& script);

// Prints the diagnostics to standard error, in colour on a terminal, and a line with their number.
void print(const Script& script);
// The same if there are errors; else only how many warnings there are.
void print_errors(const Script& script);
void print(const Diagnostics& diagnostics, const SourceMap& sources);

}  // namespace migc::cli
