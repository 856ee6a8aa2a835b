#include "cli/print.hpp"

#include "compiler/source/escape.hpp"
#include "compiler/source/outside_text.hpp"

namespace migc::cli {
namespace {

void put(std::FILE* to, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), to);
}

}  // namespace

std::string shown_argument(std::string_view text) {
    return outside_text(text, Sink::Line);
}

void print_lines(std::FILE* to, std::string_view text) {
    put(to, log_text(escaped(text, Newlines::Kept)));
}

void print_rendered(std::FILE* to, std::string_view text) {
    put(to, log_text(text));
}

void print_document(Document kind, std::string_view text) {
    put(stdout, kind == Document::Json ? json_for_terminal(text) : std::string(text));
}

}  // namespace migc::cli
