#include "compiler/syntax/memory.hpp"

#include <algorithm>
#include <tuple>

namespace migc::syntax {
namespace {

// Texts for which a piece is remembered while it is not in them: one with an open block is parsed as it
// stands and repaired, and somebody may undo an edit.
constexpr unsigned remembered_texts = 4;

// What a file consists of but for stages, whose statements are remembered, and `migration`, of which only
// the last is in the tree.
constexpr auto item_lists =
    std::tuple(&File::uses, &File::params, &File::lets, &File::requires_, &File::invariants, &File::verbs,
               &File::probes, &File::resources, &File::tools);

template <typename Do>
void for_each_list(Do action) {
    std::apply([&](auto... list) { (action(list), ...); }, item_lists);
}

// ------------------------------------------------------------------ places

// Gives every node of a tree another place: by so many bytes from where it is, in a file.
class Mover {
  public:
    // `by` may be a negative number's unsigned form: positions wrap around.
    Mover(FileId file, std::uint32_t by) : file_(file), by_(by) {}

    // What is not there has no place.
    void move(Span& span) const {
        if (!span.empty()) span = {file_, span.begin + by_, span.end + by_};
    }
    // A name or type that is not there has no place either.
    void move(Name& name) const {
        if (!name.text.empty()) move(name.span);
    }
    void move(Type& type) const {
        if (!type.text.empty()) move(type.span);
    }
    template <WithFields Node>
    void move(Node& node) const {
        std::apply([&](auto&... field) { (move(field), ...); }, node.fields());
    }

  private:
    template <typename Leaf>
    void move(Leaf&) const {}
    template <typename T>
    void move(std::optional<T>& one) const {
        if (one) move(*one);
    }
    template <typename T>
    void move(std::vector<T>& all) const {
        for (auto& one : all) move(one);
    }
    void move(std::pair<Name, Expr>& property) const {
        move(property.first);
        move(property.second);
    }

    FileId file_;
    std::uint32_t by_;
};

template <typename Node>
Node moved(const Node& node, FileId file, std::uint32_t by) {
    Node result = node;
    Mover(file, by).move(result);
    return result;
}

bool before(const auto& a, const auto& b) {
    return a.span.begin < b.span.begin;
}

}  // namespace

// ------------------------------------------------------------------ pieces

class Memory::Cutter {
  public:
    Cutter(const SourceMap& sources, std::span<const Token> tokens) : sources_(sources), tokens_(tokens) {}

    std::vector<Piece> pieces() {
        for (std::size_t i = 0; i < tokens_.size(); ++i)
            if (tokens_[i].kind != TokenKind::Comment) token(i);
        if (head_ == tokens_.size()) is_last(true);
        return std::move(pieces_);
    }

  private:
    [[nodiscard]] std::string_view word(std::size_t i) const { return sources_.text(tokens_[i].span); }

    void token(std::size_t i) {
        if (head_ == tokens_.size()) head_ = i;
        if (tokens_[i].kind != TokenKind::Punctuation) return;
        const char c = word(i)[0];
        if (c == '<' || c == '(' || c == '[') open(i);
        if (c == '>' || c == ')' || c == ']') close(i);
        if (c == ';' && depth_ == 1 && is_in_body_) end_statement(i + 1);
        if ((c == ';' || c == '>') && depth_ == 0 && next_is_item(i)) end_item(i + 1);
    }

    // The first block of a stage is its body, unless its head is broken: then nobody knows whose block it is.
    void open(std::size_t i) {
        if (++depth_ != 1 || had_block_) return;
        had_block_ = true;
        is_in_body_ = is_stage_head(i);
        body_ = first_ = i + 1;
    }

    // `stage NAME in NAME repeats NAME`, up to the block.
    [[nodiscard]] bool is_stage_head(std::size_t end) const {
        std::string shape;
        for (std::size_t i = head_; i < end; ++i)
            if (tokens_[i].kind != TokenKind::Comment)
                shape += tokens_[i].kind == TokenKind::Word ? "NAME " : std::string(word(i)) + " ";
        return shape == "stage NAME " || shape == "stage NAME in NAME " ||
               shape == "stage NAME repeats NAME " || shape == "stage NAME in NAME repeats NAME ";
    }

    void close(std::size_t i) {
        if (--depth_ != 0 || !is_in_body_) return;
        end_statement(i);  // the last, if it has no `;`
        is_last(false);
        is_in_body_ = false;
    }

    void end_statement(std::size_t last) {
        add(false, first_, last);
        first_ = last;
    }

    // Where no item begins behind it, it goes on, or it is no Mig.
    [[nodiscard]] bool next_is_item(std::size_t i) const {
        for (++i; i < tokens_.size() && tokens_[i].kind == TokenKind::Comment;) ++i;
        if (i == tokens_.size()) return true;
        return tokens_[i].kind == TokenKind::Keyword && is_item_word(i);
    }
    [[nodiscard]] bool is_item_word(std::size_t i) const {
        return std::find(item_words.begin(), item_words.end(), word(i)) != item_words.end();
    }

    void end_item(std::size_t last) {
        const bool is_listed = word(head_) != "stage" && word(head_) != "migration";
        if (is_listed && is_item_word(head_)) add(true, item_, last);
        item_ = last;
        head_ = tokens_.size();
        had_block_ = false;
    }

    // The comments before a piece count to its text, since they may document it, but not to its tokens: a
    // broken item ends behind them.
    void add(bool is_item, std::size_t first, std::size_t last) {
        const std::size_t begin = first;
        while (first < last && tokens_[first].kind == TokenKind::Comment) ++first;
        if (first == last) return;
        const Span span = cover(tokens_[begin].span, tokens_[last - 1].span);
        const bool follows =
            !pieces_.empty() && pieces_.back().is_item == is_item && pieces_.back().tokens.last == begin;
        const bool is_first = is_item ? begin == 0 : begin == body_;
        pieces_.push_back({is_item, {first, last}, span, follows, is_first});
    }

    void is_last(bool is_item) {
        if (!pieces_.empty() && pieces_.back().is_item == is_item) pieces_.back().is_last = true;
    }

    const SourceMap& sources_;
    std::span<const Token> tokens_;
    std::vector<Piece> pieces_;
    int depth_ = 0;
    std::size_t item_ = 0;               // where the item begins, with the comments before it
    std::size_t head_ = tokens_.size();  // its first word
    bool had_block_ = false;
    bool is_in_body_ = false;
    std::size_t body_ = 0;   // where the stage's body begins
    std::size_t first_ = 0;  // where the statement begins
};

std::vector<Range> Memory::recall(const SourceMap& sources, std::span<const Token> tokens) {
    forget();
    ++text_;
    pieces_ = Cutter(sources, tokens).pieces();
    for (Piece& piece : pieces_) {
        Entries& entries = piece.is_item ? items_ : statements_;
        const auto [at, is_new] = entries.try_emplace(std::string(sources.text(piece.span)));
        piece.entry = &at->second;
        piece.entry->used = text_;
        piece.is_known = piece.entry->is_learnt;
        piece.is_teacher = is_new;
    }
    parse_borders_again();
    std::vector<Range> known;
    for (const Piece& piece : pieces_)
        if (piece.is_known) known.push_back(piece.tokens);
    return known;
}

// Where a statement is broken, what stays of it must not seem to go on behind known ones, nor they to be
// missing: `if a < > KNOWN; BROKEN; else < >`. So a known piece beside one that is not stays, too.
void Memory::parse_borders_again() {
    const auto is_known = [&](std::size_t i) { return i < pieces_.size() && pieces_[i].entry->is_learnt; };
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        Piece& piece = pieces_[i];
        const bool is_behind_known = piece.is_first || (piece.follows && is_known(i - 1));
        const bool is_before_known = piece.is_last || (is_known(i + 1) && pieces_[i + 1].follows);
        piece.is_known = piece.is_known && is_behind_known && is_before_known;
    }
}

void Memory::complete(File& file, std::span<const Range> left_out) {
    std::erase_if(pieces_, [&](const Piece& piece) {
        return std::any_of(left_out.begin(), left_out.end(), [&](const Range& range) {
            return range.first < piece.tokens.last && piece.tokens.first < range.last;
        });
    });
    learn(file);
    restore_items(file);
    restore_statements(file);
}

// ------------------------------------------------------------------ what is new

Memory::Piece* Memory::piece_at(Span span, bool is_item) {
    const auto next =
        std::upper_bound(pieces_.begin(), pieces_.end(), span.begin,
                         [](std::uint32_t offset, const Piece& p) { return offset < p.span.begin; });
    if (next == pieces_.begin()) return nullptr;
    Piece& piece = *(next - 1);
    return piece.is_item == is_item && span.end <= piece.span.end ? &piece : nullptr;
}

void Memory::learn(const File& file) {
    const auto learn_one = [&](const auto& node, bool is_item, auto list_of) {
        Piece* piece = piece_at(node.span, is_item);
        if (!piece || !piece->is_teacher) return;
        list_of(*piece->entry).push_back(moved(node, 0, 0U - piece->span.begin));
        piece->entry->is_learnt = true;
    };
    for_each_list([&](auto list) {
        for (const auto& one : file.*list)
            learn_one(
                one, true, [&](Entry & entry) -> auto& { return entry.items.*list; });
    });
    for (const Stage& stage : file.stages)
        for (const Statement& one : stage.body)
            learn_one(
                one, false, [](Entry & entry) -> auto& { return entry.statements; });
}

// What no text has had for a while, and what was in one that could not be parsed.
void Memory::forget() {
    const auto is_old = [&](const auto& entry) {
        return !entry.second.is_learnt || entry.second.used + remembered_texts < text_;
    };
    std::erase_if(items_, is_old);
    std::erase_if(statements_, is_old);
}

// ------------------------------------------------------------------ what is known

void Memory::restore_items(File& file) const {
    for_each_list([&](auto list) {
        auto& all = file.*list;
        for (const Piece& piece : pieces_) {
            if (!piece.is_item || !piece.is_known) continue;
            for (const auto& node : piece.entry->items.*list)
                all.push_back(moved(node, file.id, piece.span.begin));
        }
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return before(a, b); });
    });
}

void Memory::restore_statements(File& file) const {
    auto piece = pieces_.begin();
    for (Stage& stage : file.stages) {
        const std::size_t parsed = stage.body.size();
        for (; piece != pieces_.end() && piece->span.begin < stage.body_span.end; ++piece) {
            const bool is_here = !piece->is_item && piece->span.begin >= stage.body_span.begin;
            if (!is_here || !piece->is_known) continue;
            for (const Statement& s : piece->entry->statements)
                stage.body.push_back(moved(s, file.id, piece->span.begin));
        }
        std::inplace_merge(stage.body.begin(), stage.body.begin() + static_cast<std::ptrdiff_t>(parsed),
                           stage.body.end(), [](const auto& a, const auto& b) { return before(a, b); });
    }
}

}  // namespace migc::syntax
