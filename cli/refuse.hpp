// How a command says that it does not do what it was asked for.
#pragma once

#include <string>

namespace migc::cli {

constexpr int refused = 2;  // the exit code: the script or the command line is at fault
constexpr int locked = 5;   // somebody else is at work, or the script is not the one that was agreed on

// Prints "migc: message" to standard error, with what would disturb a terminal escaped; gives the exit code.
int refuse(const std::string& message, int exit_code = refused);
// The same of a message of several lines, in which each text from elsewhere is on one of them.
int refuse_in_lines(const std::string& message, int exit_code = refused);

}  // namespace migc::cli
