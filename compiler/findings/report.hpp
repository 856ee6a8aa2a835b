// The findings of one `migc check`, over all its scripts, and the formats that other tools read.
// docs/reference/check-output.md describes each of them.
#pragma once

#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace migc::findings {

struct Finding {
    const Diagnostic* diagnostic = nullptr;
    const SourceMap* sources = nullptr;
    std::string fingerprint;             // the same after lines have moved
    const Silenced* silenced = nullptr;  // by a comment or by migc.yaml
    bool known = false;                  // in the baseline
    [[nodiscard]] bool is_new() const { return !silenced && !known; }
};

// The path of a finding's file relative to the working folder, with `/`; empty if it is about no file.
std::string file_of(const Diagnostic& diagnostic, const SourceMap& sources);

// What a finding is, wherever its line has moved to: SHA-256 (hex) of its code, its file and the text that it
// is about, blanks and comments aside. `fingerprint` of each is set; findings that are alike are numbered in
// their order.
void set_fingerprints(std::vector<Finding>& findings);

// JSON: an array of the new findings, each as render_json has it, with its "fingerprint".
std::string as_json(const std::vector<Finding>& findings);
// SARIF 2.1.0; what is silenced or known is a suppressed result.
std::string as_sarif(const std::vector<Finding>& findings, const std::string& version);
// Workflow commands of GitHub Actions, one a line: annotations at the lines of a pull request.
std::string as_github(const std::vector<Finding>& findings);
// A code quality report of GitLab.
std::string as_gitlab(const std::vector<Finding>& findings);

}  // namespace migc::findings
