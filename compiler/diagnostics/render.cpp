#include "compiler/diagnostics/render.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/diagnostics/excerpt.hpp"
#include "compiler/diagnostics/preview.hpp"
#include "compiler/source/escape.hpp"

namespace migc {

namespace {

Ink ink(Severity severity) {
    switch (severity) {
        case Severity::Error:
            return Ink::Red;
        case Severity::Warning:
            return Ink::Yellow;
        case Severity::Note:
            return Ink::Cyan;
    }
    return Ink::Red;
}

// The marks of one file, in the order in which the files are first spoken of.
struct MarksOfFile {
    FileId file = 0;
    std::vector<Mark> marks;
};

void add_mark(std::vector<MarksOfFile>& files, Mark mark) {
    const auto same_file = [&](const MarksOfFile& entry) { return entry.file == mark.span.file; };
    auto entry = std::find_if(files.begin(), files.end(), same_file);
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
        const auto count =
            std::count_if(diagnostics.all().begin(), diagnostics.all().end(),
                          [&](const Diagnostic& diagnostic) { return diagnostic.severity == severity; });
        if (count == 0) continue;
        out += (out.empty() ? "" : ", ") + counted(static_cast<std::size_t>(count), name(severity));
    }
    return out.empty() ? "no findings" : out;
}

}  // namespace migc
