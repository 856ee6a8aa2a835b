#include "cli/print.hpp"

#include <map>
#include <vector>

#include "cli/terminal.hpp"
#include "compiler/diagnostics/render.hpp"
#include "compiler/diagnostics/style.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/outside_text.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::cli {
namespace {

void put(std::FILE* to, std::string_view text) {
    const std::string shown = runtime::secrets().apply(std::string(text));
    std::fwrite(shown.data(), 1, shown.size(), to);
}

// Nobody reads more of one file; who wants all of them wants them for a program.
constexpr std::size_t most_shown = 200;

// Of each file so many, errors before the others, in the order in which they are.
Diagnostics first_of_each_file(const Diagnostics& diagnostics) {
    const auto& all = diagnostics.all();
    std::vector<bool> shown(all.size());
    std::map<FileId, std::size_t> counts;
    for (const bool errors : {true, false})
        for (std::size_t i = 0; i < all.size(); ++i)
            if ((all[i].severity == Severity::Error) == errors)
                shown[i] = counts[all[i].span.file]++ < most_shown;
    Diagnostics first;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (shown[i]) first.all().push_back(all[i]);
    return first;
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

void print_answer(bool as_json, const nlohmann::json& json, std::string_view text) {
    if (as_json) return print_document(Document::Json, json.dump(2) + "\n");
    print_lines(stdout, text);
}

void print(const Diagnostics& diagnostics, const SourceMap& sources) {
    if (diagnostics.empty()) return;
    const Diagnostics shown = first_of_each_file(diagnostics);
    print_rendered(stderr, render_text(shown, sources, {colour(stderr), locale_is_utf8()}));
    const std::size_t left_out = diagnostics.all().size() - shown.all().size();
    tell("{}{}\n", summary(diagnostics),
         left_out == 0
             ? ""
             : fmt::format(", {} of which are not shown: of each file the first {} are; `migc check "
                           "--json` has all",
                           left_out, most_shown));
}

void print(const Script& script) {
    print(script.diagnostics, script.sources);
}

void print_errors(const Script& script) {
    if (script.diagnostics.has_errors() || script.diagnostics.empty()) return print(script);
    tell("{}; `migc check` shows {}\n", summary(script.diagnostics),
         script.diagnostics.all().size() == 1 ? "it" : "them");
}

int refuse(const std::string& message, int exit_code) {
    tell("migc: {}\n", message);
    return exit_code;
}

int refuse(const session::Refusal& refusal) {
    if (!refusal.in_lines) return refuse(refusal.message, refusal.exit_code);
    print_lines(stderr, "migc: " + refusal.message + (refusal.message.ends_with('\n') ? "" : "\n"));
    return refusal.exit_code;
}

int written(const tl::expected<std::string, std::string>& note) {
    if (!note) return refuse(note.error());
    if (!note->empty()) tell("{}\n", *note);
    return 0;
}

}  // namespace migc::cli
