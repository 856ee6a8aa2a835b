// The subcommands: each adds its options, and what it does, to its part of the command line.
#pragma once

#include <memory>
#include <tuple>
#include <type_traits>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace migc::cli {

// `exit_code` is set by the subcommand that runs.
using AddCommand = void (*)(CLI::App& command, int& exit_code);

#define MIGC_COMMAND(name, help) void add_##name(CLI::App& command, int& exit_code);
#include "cli/commands.def"
#undef MIGC_COMMAND

// What `work` is called with when the command is given, for the options to be read into; its result is the
// exit code.
template <typename... Values>
std::tuple<std::decay_t<Values>...>& on_call(CLI::App& command, int& exit_code, int (*work)(Values...)) {
    const auto values = std::make_shared<std::tuple<std::decay_t<Values>...>>();
    command.callback([=, &exit_code] { exit_code = std::apply(work, *values); });
    return *values;
}

}  // namespace migc::cli
