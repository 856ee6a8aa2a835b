// A diagnostic is data until it is rendered: what is wrong, where, what else is involved, how to mend it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/source/source.hpp"

namespace migc {

enum class Severity { Note, Warning, Error };

// "error", "warning", "note".
std::string_view name(Severity severity);

// One enumerator per row of codes.def, the only table of codes.
enum class Code {
#define MIGC_CODE(name, id, severity, title, explanation, bad, good) name,
#include "compiler/diagnostics/codes.def"
#undef MIGC_CODE
};

struct CodeInfo {
    std::string_view id;           // "R001", stable
    Severity severity;             // unless migc.yaml says otherwise
    std::string_view title;        // a few words
    std::string_view explanation;  // why it matters, for `migc explain` and docs/checks.md
    std::string_view bad;          // a script that has the finding
    std::string_view good;         // the same, mended
};

const CodeInfo& info(Code code);
const std::vector<CodeInfo>& all_codes();

// Another place that the message speaks of.
struct Label {
    Span span;
    std::string text;
};

struct Edit {
    Span span;  // replaced; an empty span inserts
    std::string replacement;
};

struct Fix {
    std::string title;  // an imperative: "add `on failure undo`"
    std::vector<Edit> edits;
    bool safe = false;  // may be applied by `--fix` without a person reading it
};

struct Diagnostic {
    Code code;
    Severity severity;
    std::string message;  // one sentence, lower case, no full stop
    Span span;
    std::string primary_label;       // shown under the span; may be empty
    std::vector<Label> labels;       // other places
    std::vector<std::string> notes;  // what would happen, what to know
    std::vector<Fix> fixes;
};

// Collects what a command finds. Passes append; nobody prints before the end.
class Diagnostics {
  public:
    // Appends and returns the new one, so that the caller can add labels, notes and fixes.
    Diagnostic& report(Code code, Span span, std::string message);

    [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
    [[nodiscard]] std::vector<Diagnostic>& all() { return all_; }
    [[nodiscard]] bool has_errors() const;
    [[nodiscard]] bool empty() const { return all_.empty(); }
    // By file, place and code, so that the order never depends on the order of the passes.
    void sort();

  private:
    std::vector<Diagnostic> all_;
};

}  // namespace migc
