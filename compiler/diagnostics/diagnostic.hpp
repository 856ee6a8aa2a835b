// A diagnostic is data until it is rendered: what is wrong, where, what else is involved, how to mend it.
#pragma once

#include <optional>
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
    std::string_view explanation;  // why it matters, for `migc explain` and docs/reference/checks.md
    std::string_view bad;          // a script that has the finding
    std::string_view good;         // the same, mended
};

const CodeInfo& info(Code code);
const std::vector<CodeInfo>& all_codes();
// The code with this id; nothing for an unknown one.
std::optional<Code> code_of(std::string_view id);
// Whether a comment or migc.yaml may silence it. Not so for what makes a script impossible to run: errors of
// the language, of types and of migc.yaml itself.
bool can_be_silenced(Code code);

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

// "write `within`", in place of what is there; somebody has to look at it.
Fix write_instead(Span span, std::string with);

struct Diagnostic {
    Code code;
    Severity severity;
    std::string message;  // one sentence, lower case, no full stop
    Span span;
    std::string primary_label;       // shown under the span; may be empty
    std::vector<Label> labels;       // other places
    std::vector<std::string> notes;  // what would happen, what to know
    std::vector<Fix> fixes;
    bool at_secret = false;  // what stands at the span is a secret: no excerpt shows it

    // Each adds one of them, and gives the diagnostic itself for more.
    Diagnostic& label(Span place, std::string says) {
        labels.push_back({place, std::move(says)});
        return *this;
    }
    Diagnostic& note(std::string says) {
        notes.push_back(std::move(says));
        return *this;
    }
};

// A finding that somebody has allowed: it is not reported, and not forgotten.
struct Silenced {
    Diagnostic diagnostic;
    std::string reason;
    Span by;  // the comment, or the entry of migc.yaml
    bool in_source = true;
};

// Collects what a command finds. Passes append; nobody prints before the end.
class Diagnostics {
  public:
    // Appends and returns the new one, so that the caller can add labels, fixes and more notes. An empty note
    // is none.
    Diagnostic& report(Code code, Span span, std::string message, std::string note = {});

    [[nodiscard]] const std::vector<Diagnostic>& all() const { return all_; }
    [[nodiscard]] std::vector<Diagnostic>& all() { return all_; }
    [[nodiscard]] bool has_errors() const;
    [[nodiscard]] bool empty() const { return all_.empty(); }
    // Those that were allowed; never part of the ones above.
    [[nodiscard]] const std::vector<Silenced>& silenced() const { return silenced_; }
    // Asks about each diagnostic, and moves those for which there is an answer to the silenced ones. `ask`
    // takes a Diagnostic& and may change its severity; it returns std::optional<Silenced>, without the
    // diagnostic.
    template <typename Ask>
    void silence(Ask ask) {
        std::vector<Diagnostic> kept;
        for (auto& one : all_) {
            if (auto silent = ask(one)) {
                silent->diagnostic = std::move(one);
                silenced_.push_back(std::move(*silent));
            } else {
                kept.push_back(std::move(one));
            }
        }
        all_ = std::move(kept);
    }
    // By file, place and code, so that the order never depends on the order of the passes.
    void sort();

  private:
    std::vector<Diagnostic> all_;
    std::vector<Silenced> silenced_;
};

}  // namespace migc
