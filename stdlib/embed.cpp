// Build-time tool: writes the standard library as C++ data, each declaration parsed and under its key, so
// that a command reads only the declarations that a script uses and parses none.  embed OUTPUT WORLD.yaml
// MODULE.mig...
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/format.h>

#include "compiler/sema/library.hpp"
#include "compiler/syntax/archive.hpp"
#include "compiler/syntax/parse.hpp"

namespace {

using namespace migc;

struct Row {
    std::string_view kind;
    std::string key;
    std::uint32_t begin;
    syntax::File declaration;  // alone in a file
};

std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string quoted(const std::string& text) {
    return fmt::format("R\"__mig({})__mig\"", text);
}

std::string escaped(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    return fmt::format("std::string_view(\"{}\", {})", text, bytes.size());
}

template <typename Declaration>
syntax::File alone(const Declaration& declaration, std::vector<Declaration> syntax::File::*among) {
    syntax::File file;
    (file.*among).push_back(declaration);
    return file;
}

std::vector<Row> rows(const syntax::File& file) {
    std::vector<Row> result;
    for (const auto& d : file.verbs)
        result.push_back(
            {"Verb", std::string(sema::key_of(d.signature)), d.span.begin, alone(d, &syntax::File::verbs)});
    for (const auto& d : file.probes)
        result.push_back(
            {"Probe", std::string(sema::key_of(d.signature)), d.span.begin, alone(d, &syntax::File::probes)});
    for (const auto& d : file.tools)
        result.push_back({"Tool", d.name.text, d.span.begin, alone(d, &syntax::File::tools)});
    for (const auto& d : file.resources)
        result.push_back({"Resource", d.name.text, d.span.begin, alone(d, &syntax::File::resources)});
    std::sort(result.begin(), result.end(), [](const Row& a, const Row& b) { return a.begin < b.begin; });
    return result;
}

// A pattern is used only by those who say `use std.NAME;`.
bool is_pattern(const std::filesystem::path& path) {
    return path.parent_path().filename() == "patterns";
}

}  // namespace

int main(int argc, char** argv) {
    std::string files, entries;
    SourceMap sources;
    Diagnostics diagnostics;
    for (int i = 3; i < argc; ++i) {
        const std::filesystem::path path = argv[i];
        const FileId id = sources.add(path.string(), read(path));
        const syntax::File file = syntax::parse(sources, id, diagnostics);
        files += fmt::format("    {{\"{}\", {}, {}}},\n", path.stem().string(), quoted(read(path)),
                             !is_pattern(path));
        for (const auto& row : rows(file))
            entries += fmt::format("    {{DeclarationKind::{}, \"{}\", {}, {}}},\n", row.kind, row.key, i - 3,
                                   escaped(syntax::to_bytes(row.declaration)));
    }
    for (const auto& d : diagnostics.all())
        std::cerr << sources.location(d.span) << ": " << d.message << "\n";
    std::ofstream(argv[1]) << fmt::format(
        "constexpr EmbeddedFile embedded_files[] = {{\n{}}};\nconstexpr EmbeddedEntry embedded_entries[] = "
        "{{\n{}}};\nconstexpr std::string_view learning_world_text = {};\n",
        files, entries, quoted(read(argv[2])));
    return diagnostics.empty() ? 0 : 1;
}
