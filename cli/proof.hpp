// What `prove` and `check --prove` share.
#pragma once

#include <string>

#include <CLI/App.hpp>

#include "cli/print.hpp"
#include "compiler/prove/prove.hpp"

namespace migc::cli {

// Whether it can be run at all. Findings that a reviewer may allow are no reason not to look further.
bool can_be_tried(const Script& script);

// `needs`: the flag without which they mean nothing; may be null.
void add_proof_options(CLI::App& command, prove::Options& options, CLI::Option* needs = nullptr);
// The counterexample to standard error, the answer in a line to standard output, and what was taken for
// granted.
void print(const prove::Answer& answer, const std::string& script, const SourceMap& sources);

}  // namespace migc::cli
