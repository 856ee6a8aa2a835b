// What an editor's last texts were parsed to, so that behind an edit only what it touched is parsed again.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/source/source.hpp"
#include "compiler/syntax/explain.hpp"
#include "compiler/syntax/parse.hpp"
#include "compiler/syntax/tree.hpp"

namespace migc::syntax {

// A piece is a run of whole statements of a stage, or of whole items, that ends with its `;` or `>`: what it
// means depends on its text alone, so a piece with the same text has the same tree, at another place. The
// heads of stages are parsed each time.
class Memory {
  public:
    // The ranges of tokens whose trees are known; they need not be parsed. The tokens must be free of what
    // `check_structure` reports.
    std::vector<Range> recall(const SourceMap& sources, std::span<const Token> tokens);
    // Makes the tree of the text without those ranges the tree of the whole text, but for what was left out
    // of it since it is no Mig; remembers what is new.
    void complete(File& file, std::span<const Range> left_out);

  private:
    struct Entry {
        File items;
        std::vector<Statement> statements;  // all with spans that count from the piece's begin
        unsigned used = 0;                  // in which text last
        bool is_learnt = false;
    };
    struct Piece {
        bool is_item = false;
        Range tokens;
        Span span;
        bool follows = false;   // directly behind the piece before it, in the same block
        bool is_first = false;  // of its block, or of the file
        bool is_last = false;
        Entry* entry = nullptr;
        bool is_known = false;    // from an earlier text, and not to be parsed again
        bool is_teacher = false;  // the first of its text that is not known
    };
    class Cutter;
    using Entries = std::unordered_map<std::string, Entry>;

    void parse_borders_again();
    Piece* piece_at(Span span, bool is_item);
    void learn(const File& file);
    void restore_items(File& file) const;
    void restore_statements(File& file) const;
    void forget();

    Entries items_;  // by the text of the piece
    Entries statements_;
    std::vector<Piece> pieces_;  // of the text at hand, in order
    unsigned text_ = 0;          // its number
};

}  // namespace migc::syntax
