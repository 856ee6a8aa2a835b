// docs/reference/checks.md: what each finding means.
#pragma once

#include <string>

#include "compiler/diagnostics/diagnostic.hpp"

namespace migc {

// Markdown with one section per code.
std::string explanations();

// The name of a code's section within it, for a link: "r001-no-way-back".
std::string anchor(const CodeInfo& code);

}  // namespace migc
