// How a command says that it does not do what it was asked for.
#pragma once

#include <string>

#include "runtime/session/ready.hpp"

namespace migc::cli {

constexpr int refused = 2;  // the exit code: the script or the command line is at fault
using session::locked;

// Prints "migc: message" to standard error, with what would disturb a terminal escaped; gives the exit code.
int refuse(const std::string& message, int exit_code = refused);
// The same of one of several lines, in which each text from elsewhere is on one of them, if it has those.
int refuse(const session::Refusal& refusal);

// Of what a command was asked to write: 0, and what it has replaced is told; or why it was not written, and
// the exit code.
int written(const tl::expected<std::string, std::string>& note);

}  // namespace migc::cli
