// A script from its text to its checked IR: the pipeline, put together once for the commands, the language
// server and the tests.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/sema/library.hpp"
#include "compiler/sema/symbols.hpp"
#include "compiler/source/source.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::driver {

// The text of a file that a script uses, which may not lie outside of `home`; nothing if it cannot be read.
using ReadFile =
    std::function<std::optional<std::string>(const std::string& path, const std::filesystem::path& home)>;

struct Script {
    SourceMap sources;
    Diagnostics diagnostics;
    FileId file = 0;
    bool has_file = true;            // the standard input, or what an editor has not saved yet, has none
    bool readable = false;           // whether the file could be read at all
    std::vector<FileId> used;        // files that `use` named
    std::filesystem::path found_in;  // the folder that was named, if the script was not
    syntax::File tree;
    project::Inventory inventory;
    std::unique_ptr<sema::Library> library;  // since `bind`
    ir::Program program;

    Script() = default;
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    // Where it lies: what `use` names is looked for from there. The current folder for a text without a file.
    [[nodiscard]] std::filesystem::path folder() const;
    // Of the tree and the inventory, the program: names and phrases are bound and typed.
    void bind(const sema::Embedded& standard, const ReadFile& read, sema::Symbols* symbols = nullptr);
    // Whether it can be run at all: findings that a reviewer may allow are no reason not to try it.
    [[nodiscard]] bool is_sound() const;

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

// Parses and types a text that uses no files; nothing is checked. Without an inventory, in the project of a
// folder.
std::unique_ptr<Script> load_text(std::string text, project::Inventory inventory,
                                  const sema::Embedded& standard);
std::unique_ptr<Script> load_text(std::string text, const std::filesystem::path& folder = "/");

// The project that one stands in, without a script of its own.
std::unique_ptr<Script> no_script();

}  // namespace migc::driver
