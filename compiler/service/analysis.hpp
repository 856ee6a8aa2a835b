// Everything that an editor may ask about one state of a script.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/script.hpp"
#include "compiler/syntax/memory.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::service {

// The text of a file that a script uses, by its path; nothing if it cannot be read. Where the file is open in
// the editor, what the editor has.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

struct Request {
    std::string path;  // absolute; or any name of a text that has no file
    std::string text;
    const sema::Embedded& library;  // the standard library
    ReadFile read_file;
    // Of the document's earlier texts; null: parsed from scratch, to the same.
    syntax::Memory* memory = nullptr;
};

// Unlike `migc check`, goes on behind what is broken: statements that are no Mig are left out, and the rest
// is bound, typed and, where that makes sense, checked.
class Analysis {
  public:
    explicit Analysis(const Request& request);
    Analysis(const Analysis&) = delete;
    Analysis& operator=(const Analysis&) = delete;

    // The script itself.
    [[nodiscard]] FileId file() const { return script_.file; }
    [[nodiscard]] const SourceMap& sources() const { return script_.sources; }
    // In the order of `Diagnostics::sort`. The checks run when somebody first asks: a hover need not wait for
    // them.
    [[nodiscard]] const Diagnostics& diagnostics();
    [[nodiscard]] const syntax::File& tree() const { return script_.tree; }
    // Of the text as it stands; made when somebody first asks.
    [[nodiscard]] const std::vector<syntax::Token>& tokens() const;
    [[nodiscard]] const project::Inventory& inventory() const { return script_.inventory; }
    [[nodiscard]] const sema::Symbols& symbols() const { return symbols_; }
    // Verbs and probes of the script and of the files that it uses.
    [[nodiscard]] const std::vector<const sema::Declaration*>& own() const { return script_.library->own(); }
    // Whether the text is Mig from its beginning to its end.
    [[nodiscard]] bool is_mig() const { return is_mig_; }

    // The definition that a name or phrase at a byte of the script belongs to; with the place of that name or
    // phrase. Null where there is none.
    struct Found {
        const sema::Definition* definition = nullptr;
        Span span;
    };
    [[nodiscard]] Found find(std::uint32_t offset) const;
    [[nodiscard]] const sema::Definition* definition(Span declared) const;
    // Where the name of a definition stands in its span: without the `(` and the type of a slot.
    [[nodiscard]] Span name_span(const sema::Definition& definition) const;

  private:
    void parse(syntax::Memory& memory);
    void lower(const Request& request);
    void check();
    void drop_consequences();
    [[nodiscard]] bool is_consequence(const Diagnostic& diagnostic, const std::vector<Span>& broken) const;
    [[nodiscard]] bool is_written(const Diagnostic& diagnostic) const;
    [[nodiscard]] std::size_t count(std::string_view keyword) const;
    void sort_symbols();

    driver::Script script_;
    mutable std::optional<std::vector<syntax::Token>> tokens_;
    sema::Symbols symbols_;
    bool is_mig_ = true;
    bool project_is_fine_ = true;  // migc.yaml has no errors
    bool is_checked_ = false;
};

}  // namespace migc::service
