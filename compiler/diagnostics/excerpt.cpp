#include "compiler/diagnostics/excerpt.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"

namespace migc {

namespace {

constexpr std::size_t longest_line = 120;  // bytes of a source line that are shown
constexpr std::size_t lead = 40;           // bytes before a mark in a line that is cut

// The part of a mark that lies in one line; begin and end are byte offsets within the line.
struct Piece {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
    bool primary = false;
};

// A piece in columns of what is shown.
struct Underline {
    std::size_t begin = 0;
    std::size_t end = 0;
    const Piece* piece = nullptr;
};

using PiecesByLine = std::map<std::uint32_t, std::vector<Piece>>;

std::size_t indentation(std::string_view line) {
    return std::min(line.find_first_not_of(" \t"), line.size());
}

void add_pieces(const SourceFile& file, const Mark& mark, PiecesByLine& pieces) {
    const auto size = static_cast<std::uint32_t>(file.text().size());
    const std::uint32_t begin = std::min(mark.span.begin, size);
    const std::uint32_t end = std::clamp(mark.span.end, begin, size);
    const std::uint32_t first = file.position(begin).line;
    const std::uint32_t last = file.position(end > begin ? end - 1 : end).line;
    const auto offset = [&](std::uint32_t line, std::uint32_t at) {
        return std::min<std::size_t>(at - file.line_begin(line), file.line(line).size());
    };
    if (first == last) {
        pieces[first].push_back({offset(first, begin), offset(first, end), mark.text, mark.primary});
        return;
    }
    // Of a span over several lines the two ends are marked; the text stands at the second.
    pieces[first].push_back({offset(first, begin), file.line(first).size(), {}, mark.primary});
    const std::size_t stop = offset(last, end);
    pieces[last].push_back({std::min(indentation(file.line(last)), stop), stop, mark.text, mark.primary});
}

// The nearest start of a character at or before the offset.
std::size_t snap(std::string_view line, std::size_t offset) {
    offset = std::min(offset, line.size());
    while (offset > 0 && offset < line.size() && (static_cast<unsigned char>(line[offset]) & 0xC0) == 0x80)
        --offset;
    return offset;
}

class Drawing {
  public:
    Drawing(const SourceFile& file, const ExcerptOptions& options) : file_(file), options_(options) {}

    void line(std::uint32_t number, std::vector<Piece> pieces) {
        std::ranges::stable_sort(pieces, [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
        const std::string text = without_hidden(number);
        auto next = pieces.cbegin();
        do {
            const std::size_t from =
                text.size() <= longest_line || next == pieces.cend() || next->begin < lead
                    ? 0
                    : snap(text, next->begin - lead);
            const std::size_t to = snap(text, from + longest_line);
            const auto first = next;
            while (next != pieces.cend() && (next == first || next->begin <= to)) ++next;
            source(number, text, from, to);
            marks({first, next}, text, from, to);
        } while (next != pieces.cend());
    }

    void gap() { out_ += options_.style.paint(Ink::Blue, "...") + "\n"; }
    void bar() { row(""); }

    std::string take() { return std::move(out_); }

  private:
    // As long as the line is, so that the marks stay where they are.
    [[nodiscard]] std::string without_hidden(std::uint32_t number) const {
        std::string text(file_.line(number));
        const std::size_t offset = file_.line_begin(number);
        for (const Span& span : options_.hidden)
            for (std::size_t i = 0; i < text.size(); ++i)
                if (offset + i >= span.begin && offset + i < span.end) text[i] = '*';
        return text;
    }

    void source(std::uint32_t number, std::string_view text, std::size_t from, std::size_t to) {
        const auto& style = options_.style;
        std::string content = from > 0 ? std::string(style.ellipsis()) : std::string();
        content += shown(text.substr(from, to - from));
        if (to < text.size()) content += style.ellipsis();
        content.erase(content.find_last_not_of(' ') + 1);
        row(content, std::to_string(number));
    }

    void row(const std::string& content, std::string_view number = "") {
        out_ += options_.style.paint(Ink::Blue, fmt::format("{:>{}} |", number, options_.gutter));
        out_ += (content.empty() ? "" : " ") + content + "\n";
    }

    void marks(const std::vector<Piece>& pieces, std::string_view text, std::size_t from, std::size_t to) {
        if (pieces.empty()) return;
        std::vector<Underline> underlines;
        underlines.reserve(pieces.size());
        for (const Piece& piece : pieces) underlines.push_back(placed(piece, text, from, to));
        // The longest first, so that a mark within another one stays visible.
        std::ranges::stable_sort(underlines, [](const Underline& a, const Underline& b) {
            return std::make_pair(b.end - b.begin, a.piece->primary) <
                   std::make_pair(a.end - a.begin, b.piece->primary);
        });
        const auto beside = std::ranges::max_element(underlines, [](const auto& a, const auto& b) {
            return std::make_pair(a.end, a.begin) < std::make_pair(b.end, b.begin);
        });
        row(underlined(underlines) + beside_text(*beside));
        const Piece* done = beside->piece;
        std::erase_if(underlines,
                      [&](const Underline& u) { return u.piece == done || u.piece->text.empty(); });
        hanging_texts(std::move(underlines));
    }

    [[nodiscard]] Underline placed(const Piece& piece, std::string_view text, std::size_t from,
                                   std::size_t to) const {
        const std::size_t before = from > 0 ? character_count(options_.style.ellipsis()) : 0;
        const auto column = [&](std::size_t offset) {
            return before + character_count(shown(text.substr(from, std::clamp(offset, from, to) - from)));
        };
        const std::size_t begin = column(piece.begin);
        return {begin, std::max(column(piece.end), begin + 1), &piece};
    }

    [[nodiscard]] Ink ink(const Piece& piece) const { return piece.primary ? options_.primary : Ink::Blue; }

    [[nodiscard]] std::string beside_text(const Underline& underline) const {
        if (underline.piece->text.empty()) return {};
        return " " + options_.style.paint(ink(*underline.piece), escaped(underline.piece->text));
    }

    [[nodiscard]] std::string underlined(const std::vector<Underline>& underlines) const {
        std::vector<const Piece*> owner;
        for (const Underline& underline : underlines) {
            if (owner.size() < underline.end) owner.resize(underline.end, nullptr);
            std::fill(owner.begin() + static_cast<std::ptrdiff_t>(underline.begin),
                      owner.begin() + static_cast<std::ptrdiff_t>(underline.end), underline.piece);
        }
        std::string out;
        for (std::size_t i = 0; i < owner.size();) {
            const auto same_owner = [&](const Piece* piece) { return piece == owner[i]; };
            const auto stop =
                std::find_if_not(owner.begin() + static_cast<std::ptrdiff_t>(i), owner.end(), same_owner);
            const auto count = static_cast<std::size_t>(stop - owner.begin()) - i;
            const char sign = owner[i] == nullptr ? ' ' : owner[i]->primary ? '^' : '-';
            out += options_.style.paint(owner[i] == nullptr ? Ink::Plain : ink(*owner[i]),
                                        std::string(count, sign));
            i += count;
        }
        return out;
    }

    // Texts for which there is no room beside their underline hang below it, the rightmost first.
    void hanging_texts(std::vector<Underline> underlines) {
        std::ranges::stable_sort(underlines,
                                 [](const Underline& a, const Underline& b) { return a.begin < b.begin; });
        if (!underlines.empty()) row(connectors(underlines, SIZE_MAX));
        for (; !underlines.empty(); underlines.pop_back()) {
            const Underline& last = underlines.back();
            std::string content = connectors(underlines, last.begin);
            content += options_.style.paint(ink(*last.piece), escaped(last.piece->text));
            row(content);
        }
    }

    // A `|` under the start of each underline that begins before `limit`, padded up to the limit.
    [[nodiscard]] std::string connectors(const std::vector<Underline>& underlines, std::size_t limit) const {
        std::string out;
        std::size_t column = 0;
        for (const Underline& underline : underlines) {
            if (underline.begin >= limit || underline.begin < column) continue;
            out +=
                std::string(underline.begin - column, ' ') + options_.style.paint(ink(*underline.piece), "|");
            column = underline.begin + 1;
        }
        if (limit != SIZE_MAX) out += std::string(limit - column, ' ');
        return out;
    }

    const SourceFile& file_;
    const ExcerptOptions& options_;
    std::string out_;
};

}  // namespace

std::string shown(std::string_view line) {
    std::string out;
    for (std::size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
        out += escaped(line.substr(0, tab)) + "    ";
        line.remove_prefix(tab + 1);
    }
    return out + escaped(line);
}

std::string excerpt(const SourceFile& file, const std::vector<Mark>& marks, const ExcerptOptions& options) {
    PiecesByLine pieces;
    for (const Mark& mark : marks) add_pieces(file, mark, pieces);
    Drawing drawing(file, options);
    drawing.bar();
    std::uint32_t previous = 0;
    for (auto& [number, in_line] : pieces) {
        if (previous != 0 && number == previous + 2) drawing.line(previous + 1, {});
        if (previous != 0 && number > previous + 2) drawing.gap();
        drawing.line(number, std::move(in_line));
        previous = number;
    }
    return drawing.take();
}

}  // namespace migc
