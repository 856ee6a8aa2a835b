#include "cli/print.hpp"

#include "compiler/source/escape.hpp"
#include "compiler/source/outside_text.hpp"
#include "runtime/tools/concealment.hpp"

namespace migc::cli {
namespace {

void put(std::FILE* to, std::string_view text) {
    const std::string shown = runtime::secrets().apply(std::string(text));
    std::fwrite(shown.data(), 1, shown.size(), to);
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
    // Whoever makes one has taken the secrets out of its values: here they could be taken for its structure.
    const std::string document = kind == Document::Json ? json_for_terminal(text) : std::string(text);
    std::fwrite(document.data(), 1, document.size(), stdout);
}

}  // namespace migc::cli
