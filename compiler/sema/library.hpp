// The declarations that a script can use: those of the standard library, read only when a phrase asks for
// them, and those of the script itself and of the files it uses.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::sema {

// The standard library as it stands in the binary: its text, and where in it each declaration is.
enum class DeclarationKind { Verb, Probe, Tool, Resource };

struct EmbeddedEntry {
    DeclarationKind kind;
    std::string_view key;   // a verb's or probe's first label that every use has; a tool's or resource's name
    std::uint32_t file;     // index into Embedded::files
    std::string_view tree;  // the declaration parsed: syntax/archive.hpp
};

struct EmbeddedFile {
    std::string_view module;  // "kubernetes"
    std::string_view text;
    bool always;  // used without being asked for by `use`
};

struct Embedded {
    const EmbeddedFile* files;
    std::size_t file_count;
    const EmbeddedEntry* entries;
    std::size_t entry_count;
};

// One verb or probe. `verb` or `probe` is set.
struct Declaration {
    const syntax::Verb* verb = nullptr;
    const syntax::Probe* probe = nullptr;

    [[nodiscard]] const syntax::Declared& common() const {
        return verb ? static_cast<const syntax::Declared&>(*verb) : *probe;
    }
    [[nodiscard]] const syntax::Signature& signature() const { return common().signature; }
    [[nodiscard]] Span span() const { return common().signature_span; }
    [[nodiscard]] bool is(DeclarationKind kind) const {
        return (kind == DeclarationKind::Verb) == (verb != nullptr);
    }
};

// The key under which a declaration is found: its first label outside of `[ .. ]`; empty if it has none.
std::string_view key_of(const syntax::Signature& signature);

class Library {
  public:
    // Reads a file that `use "path"` names, into the source map; nullopt if it cannot.
    using ReadFile =
        std::function<std::optional<FileId>(const std::string& path, const std::string& used_from)>;

    Library(const Embedded& embedded, SourceMap& sources, Diagnostics& diagnostics, ReadFile read_file);

    // Adds the declarations of a file and, following its `use`, of the modules that it names.
    void add(const syntax::File& file);

    // Every verb or probe whose key is one of the words, in the order of the words.
    std::vector<const Declaration*> candidates(const syntax::Expr& phrase, DeclarationKind kind);
    const syntax::Tool* tool(std::string_view name);
    const syntax::Resource* resource(std::string_view name);
    // Those of the script and of the files that it uses, of both kinds.
    [[nodiscard]] const std::vector<const Declaration*>& own() const { return own_; }
    // Those of a kind that have been read, and all that could be taken for one of the script's own.
    std::vector<const Declaration*> alike(DeclarationKind kind);
    // All of a kind; reads the whole standard library, so only for messages and documentation.
    std::vector<const Declaration*> all(DeclarationKind kind);

  private:
    std::vector<const Declaration*> read(DeclarationKind kind) const;
    void use_module(const syntax::Use& use);
    void use_path(const syntax::Use& use, const std::string& used_from);
    void add_declarations(const syntax::File& file, bool own);
    void read_entry(std::size_t index);
    void read_entries(DeclarationKind kind, std::string_view key);

    const Embedded& embedded_;
    SourceMap& sources_;
    Diagnostics& diagnostics_;
    ReadFile read_file_;

    std::vector<bool> module_in_use_;
    std::vector<std::optional<FileId>> module_files_;
    std::vector<bool> entry_read_;
    std::unordered_multimap<std::string_view, std::size_t> entries_by_key_;
    std::deque<syntax::File> files_;  // of modules and of pieces of the standard library
    std::set<std::pair<std::string, std::string>> paths_asked_for_;  // from a file, by its own words
    std::set<std::string> paths_in_use_;
    std::deque<Declaration> declarations_;
    std::vector<const Declaration*> own_;
    std::unordered_multimap<std::string, const Declaration*> by_key_;
    std::map<std::string, const syntax::Tool*, std::less<>> tools_;
    std::map<std::string, const syntax::Resource*, std::less<>> resources_;
};

}  // namespace migc::sema
