// The subcommands: each adds its options, and what it does, to its part of the command line.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace migc::cli {

// `exit_code` is set by the subcommand that runs.
using AddCommand = void (*)(CLI::App& command, int& exit_code);

#define MIGC_COMMAND(name, help) void add_##name(CLI::App& command, int& exit_code);
#include "cli/commands.def"
#undef MIGC_COMMAND

}  // namespace migc::cli
