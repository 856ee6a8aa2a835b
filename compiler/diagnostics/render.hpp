// Diagnostics as text for a terminal and as JSON for programs.
#pragma once

#include <string>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace migc {

struct TextOptions {
    bool colour = false;
    bool unicode = true;  // whether the terminal shows more than ASCII
};

// Every diagnostic, in the order given: message, source excerpt with the marked places, notes, fixes.
// A diagnostic whose span names no file of `sources` is shown without a place. Empty for no diagnostics.
std::string render_text(const Diagnostics& diagnostics, const SourceMap& sources, TextOptions options);

// A JSON array, one object per diagnostic, in the order given:
//
//   place      = "file": string, "line", "column": 1-based, the column counts characters;
//                "end_line", "end_column": just after the last character; "begin", "end": byte offsets.
//                All of them are missing if the diagnostic is about no file.
//   diagnostic = { place, "code": "R001", "severity": "error"|"warning"|"note", "title": string,
//                  "message": string, "label": string,
//                  "labels": [{ place, "message": string }], "notes": [string],
//                  "fixes": [{ "title": string, "safe": bool,
//                              "edits": [{ place, "replacement": string }] }] }
//
// "title" belongs to the code, "message" to this finding. A fix is applied by replacing the bytes
// [begin, end) of each of its edits; all of them or none.
std::string render_json(const Diagnostics& diagnostics, const SourceMap& sources);
// One such object.
std::string render_json_object(const Diagnostic& diagnostic, const SourceMap& sources);

// "2 errors, 1 warning"; "no findings" where there is nothing.
std::string summary(const Diagnostics& diagnostics);

}  // namespace migc
