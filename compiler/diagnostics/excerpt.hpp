// Lines of a source file with marks under them, as `render_text` shows them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/style.hpp"
#include "compiler/source/source.hpp"

namespace migc {

struct Mark {
    Span span;         // within the file's text
    std::string text;  // may be empty
    bool primary = false;
};

struct ExcerptOptions {
    Style style;
    Ink primary = Ink::Red;         // the colour of primary marks
    std::size_t gutter = 1;         // columns that line numbers take
    std::vector<Span> hidden = {};  // within the file; stars stand for what is there
};

// The marked lines with their numbers, each followed by its marks and their texts. Lines far from each other
// are separated by "..."; a long line is cut around what is marked in it.
std::string excerpt(const SourceFile& file, const std::vector<Mark>& marks, const ExcerptOptions& options);

// A source line as it is shown: tabs as four columns, whatever a terminal would act on escaped.
std::string shown(std::string_view line);

}  // namespace migc
