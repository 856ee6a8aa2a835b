// A baseline: the findings that a project has when it begins to be checked. They are not reported, new ones
// are.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/findings/report.hpp"

namespace migc::findings {

struct BaselineEntry {
    std::string fingerprint, code, file, message;
};

// The text of a baseline file; the error is a sentence for people.
tl::expected<std::vector<BaselineEntry>, std::string> read_baseline(std::string_view text);

// The file's text for these findings: those that can be silenced and are not silenced otherwise.
std::string write_baseline(const std::vector<Finding>& findings);

// Marks the findings that the baseline knows. Gives the entries that no finding has any more, as far as it
// can be told: those of files that were `checked`, or are not there.
std::vector<BaselineEntry> apply_baseline(const std::vector<BaselineEntry>& baseline,
                                          const std::set<std::string>& checked,
                                          std::vector<Finding>& findings);

}  // namespace migc::findings
