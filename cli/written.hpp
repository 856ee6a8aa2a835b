// Files that a command line names, and a command writes.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "cli/frontend.hpp"

namespace migc::cli {

// Replaces a script of its project. The error is a sentence: "deploy.mig cannot be written: ..".
tl::expected<void, std::string> write_script(const std::string& path, std::string_view content);

// Writes what a command is asked to write, and says on the standard error what it replaces.
tl::expected<void, std::string> write_output(const std::string& path, std::string_view content);

// The same of a file that somebody else is about to write.
void tell_replaced(const std::string& path);

}  // namespace migc::cli
