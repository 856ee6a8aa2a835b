#include "compiler/diagnostics/render.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "compiler/diagnostics/apply.hpp"
#include "compiler/diagnostics/excerpt.hpp"
#include "compiler/support/escape.hpp"

namespace migc {

namespace {

Ink ink(Severity severity) {
    return severity == Severity::Error ? Ink::Red : severity == Severity::Warning ? Ink::Yellow : Ink::Cyan;
}

// The marks of one file, in the order in which the files are first spoken of.
struct MarksOfFile {
    FileId file = 0;
    std::vector<Mark> marks;
};

void add_mark(std::vector<MarksOfFile>& files, Mark mark) {
    const auto same_file = [&](const MarksOfFile& entry) { return entry.file == mark.span.file; };
    auto entry = std::ranges::find_if(files, same_file);
    if (entry == files.end()) entry = files.insert(files.end(), {mark.span.file, {}});
    entry->marks.push_back(std::move(mark));
}

std::vector<MarksOfFile> marks_by_file(const Diagnostic& diagnostic, const SourceMap& sources) {
    std::vector<MarksOfFile> files;
    if (diagnostic.span.file < sources.size())
        add_mark(files, {diagnostic.span, diagnostic.primary_label, true});
    for (const Label& label : diagnostic.labels)
        if (label.span.file < sources.size()) add_mark(files, {label.span, label.text, false});
    return files;
}

std::size_t gutter_width(const std::vector<MarksOfFile>& files, const SourceMap& sources) {
    std::uint32_t highest = 1;
    for (const MarksOfFile& entry : files)
        for (const Mark& mark : entry.marks)
            highest = std::max(highest, sources.file(entry.file).position(mark.span.end).line);
    return std::to_string(highest).size();
}

// A message names things as they are written, and a number may have a million digits: both ends tell enough.
std::string both_ends(std::string_view text) {
    constexpr std::size_t longest = 2000, end = 400;
    if (text.size() <= longest) return std::string(text);
    const auto within = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    std::size_t left = end, right = text.size() - end;
    while (left > 0 && within(left)) --left;
    while (right + 1 < text.size() && within(right)) ++right;
    return fmt::format("{} .. {}", text.substr(0, left), text.substr(right));
}

// "= note: ...", a text of several lines indented below its first.
std::string remark(std::string_view kind, std::string_view text, const ExcerptOptions& options) {
    const std::string margin(options.gutter, ' ');
    std::string out = fmt::format("{} {} ", margin, options.style.paint(Ink::Blue, "="));
    out += options.style.paint(Ink::Bold, fmt::format("{}:", kind)) + " ";
    const std::string continued = margin + std::string(kind.size() + 5, ' ');
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        out += escaped(text.substr(0, end)) + "\n" + continued;
        text.remove_prefix(end + 1);
    }
    return out + escaped(text) + "\n";
}

std::string header(const Diagnostic& diagnostic, const Style& style) {
    const std::string kind = fmt::format("{}[{}]", name(diagnostic.severity), info(diagnostic.code).id);
    return style.paint(ink(diagnostic.severity), kind) +
           style.paint(Ink::Bold, fmt::format(": {}", escaped(both_ends(diagnostic.message)))) + "\n";
}

std::string excerpts(const std::vector<MarksOfFile>& files, const SourceMap& sources,
                     const ExcerptOptions& options) {
    std::string out;
    for (const MarksOfFile& entry : files) {
        const std::string_view arrow = &entry == &files.front() ? "-->" : ":::";
        out += std::string(options.gutter, ' ') + options.style.paint(Ink::Blue, arrow) + " ";
        out += escaped(sources.location(entry.marks.front().span)) + "\n";
        ExcerptOptions of_file = options;
        std::erase_if(of_file.hidden, [&](const Span& span) { return span.file != entry.file; });
        out += excerpt(sources.file(entry.file), entry.marks, of_file);
    }
    return out;
}

std::vector<Span> secrets(const Diagnostics& diagnostics) {
    std::vector<Span> spans;
    for (const Diagnostic& diagnostic : diagnostics.all())
        if (diagnostic.at_secret) spans.push_back(diagnostic.span);
    return spans;
}

// ------------------------------------------------------------------ what a fix makes of the lines

constexpr std::size_t most_lines = 6;
constexpr std::size_t longest_shown = 160;

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

// The lines that all edits lie in, as an offset and the lines before and after.
struct Region {
    std::uint32_t first_line = 1;
    std::string before;
    std::string after;
};

std::optional<Region> region(const Fix& fix, const SourceFile& file) {
    std::uint32_t begin = fix.edits.front().span.begin;
    std::uint32_t end = fix.edits.front().span.end;
    for (const Edit& edit : fix.edits) {
        begin = std::min(begin, edit.span.begin);
        end = std::max(end, edit.span.end);
    }
    const std::uint32_t first = file.position(begin).line;
    const std::uint32_t last = file.position(end).line;
    if (last - first >= most_lines) return std::nullopt;
    const std::uint32_t from = file.line_begin(first);
    const std::uint32_t to = file.line_begin(last) + static_cast<std::uint32_t>(file.line(last).size());
    std::vector<Edit> edits = fix.edits;
    for (Edit& edit : edits) edit.span = {edit.span.file, edit.span.begin - from, edit.span.end - from};
    std::string before(file.text().substr(from, std::max(to, end) - from));
    auto after = apply_edits(before, std::move(edits));
    if (!after) return std::nullopt;
    return Region{first, std::move(before), std::move(*after)};
}

bool is_small(const std::vector<std::string_view>& lines) {
    const auto is_long = [](std::string_view line) { return line.size() > longest_shown; };
    return lines.size() <= most_lines && std::ranges::none_of(lines, is_long);
}

bool is_in_one_file(const Fix& fix, const SourceMap& sources) {
    if (fix.edits.empty()) return false;
    const FileId file = fix.edits.front().span.file;
    if (file >= sources.size()) return false;
    const std::size_t size = sources.file(file).text().size();
    return std::ranges::all_of(fix.edits, [&](const Edit& edit) {
        return edit.span.file == file && edit.span.begin <= edit.span.end && edit.span.end <= size;
    });
}

// Drops what both have in common at the start and at the end; returns how much it was at the start.
std::size_t trim_common(std::vector<std::string_view>& before, std::vector<std::string_view>& after) {
    while (!before.empty() && !after.empty() && before.back() == after.back()) {
        before.pop_back();
        after.pop_back();
    }
    const auto limit = std::min(before.size(), after.size());
    std::size_t same = 0;
    while (same < limit && before[same] == after[same]) ++same;
    before.erase(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(same));
    after.erase(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(same));
    return same;
}

// The lines that a fix changes, as "12 + text", or as "12 - text" where only lines go away. Empty for a fix
// without edits, for one that edits several files or many lines, and for edits that no text has room for.
std::string preview(const Fix& fix, const SourceMap& sources, const ExcerptOptions& options) {
    if (!is_in_one_file(fix, sources)) return {};
    const auto edited = region(fix, sources.file(fix.edits.front().span.file));
    if (!edited) return {};
    auto before = lines_of(edited->before);
    auto after = lines_of(edited->after);
    if (!is_small(before) || !is_small(after)) return {};
    std::size_t number = edited->first_line + trim_common(before, after);
    const bool removes = after.empty();
    std::string out;
    for (const std::string_view line : removes ? before : after) {
        const std::string text = fmt::format("{} {}", removes ? "-" : "+", shown(line));
        out += options.style.paint(Ink::Blue, fmt::format("{:>{}}", number++, options.gutter)) + " ";
        out += options.style.paint(removes ? Ink::Red : Ink::Green, text) + "\n";
    }
    return out;
}

// ------------------------------------------------------------------ all of it

std::string render(const Diagnostic& diagnostic, const SourceMap& sources, const Style& style,
                   const std::vector<Span>& hidden) {
    const auto files = marks_by_file(diagnostic, sources);
    const ExcerptOptions options{style, ink(diagnostic.severity), gutter_width(files, sources), hidden};
    std::string out = header(diagnostic, style) + excerpts(files, sources, options);
    for (const std::string& note : diagnostic.notes) out += remark("note", note, options);
    for (const Fix& fix : diagnostic.fixes)
        out += remark("fix", fix.title, options) + preview(fix, sources, options);
    return out;
}

std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::string render_text(const Diagnostics& diagnostics, const SourceMap& sources, TextOptions options) {
    const Style style{options.colour, options.unicode};
    const std::vector<Span> hidden = secrets(diagnostics);
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        if (!out.empty()) out += "\n";
        out += render(diagnostic, sources, style, hidden);
    }
    return out;
}

std::string summary(const Diagnostics& diagnostics) {
    std::string out;
    for (const Severity severity : {Severity::Error, Severity::Warning, Severity::Note}) {
        const auto count = std::ranges::count_if(
            diagnostics.all(), [&](const Diagnostic& diagnostic) { return diagnostic.severity == severity; });
        if (count == 0) continue;
        out += (out.empty() ? "" : ", ") + counted(static_cast<std::size_t>(count), name(severity));
    }
    return out.empty() ? "no findings" : out;
}

}  // namespace migc
