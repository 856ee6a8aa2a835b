#include "compiler/diagnostics/explanations.hpp"

#include <fmt/format.h>

namespace migc {

std::string explanations() {
    std::string result =
        "# What `migc check` finds\n\n`migc explain --markdown` generates this page from the table of codes. A "
        "finding names its place in the script, the\nconsequence and, where possible, the fix. `migc check --fix` "
        "applies the safe fixes. [Handle findings](../how-to/handle-findings.md)\nsays how to allow one.\n";
    for (const auto& code : all_codes()) {
        if (code.id.starts_with('X')) continue;
        const char* severity = code.severity == Severity::Error ? "error" : "warning";
        result += fmt::format(
            "\n## {}: {}\n\n{}, {}\n\n{}\n\nRefused:\n\n```\n{}\n```\n\nAccepted:\n\n```\n{}\n```\n", code.id,
            code.title, code.id, severity, code.explanation, code.bad, code.good);
    }
    return result;
}

// As Markdown viewers make it from the heading.
std::string anchor(const CodeInfo& code) {
    std::string result;
    for (const char c : fmt::format("{} {}", code.id, code.title)) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (c >= 'A' && c <= 'Z') result += static_cast<char>(c - 'A' + 'a');
        if (is_letter) result += c;
        if (c == ' ') result += '-';
    }
    return result;
}

}  // namespace migc
