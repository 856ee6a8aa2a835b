#include <algorithm>
#include <cstdio>
#include <exception>
#include <sstream>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "runtime/tools/child.hpp"

namespace {

struct Command {
    const char* name;
    const char* help;
    migc::cli::AddCommand add;
};

constexpr Command commands[] = {
#define MIGC_COMMAND(name, help) {#name, help, migc::cli::add_##name},
#include "cli/commands.def"
#undef MIGC_COMMAND
};

// Adds the command that is asked for: the options of all of them are a tenth of what a small check costs. All
// of them where none is named, for the help and for a name that is near.
void add_commands(CLI::App& app, std::string_view asked, int& exit_code) {
    const bool is_named = std::any_of(std::begin(commands), std::end(commands),
                                      [&](const Command& command) { return command.name == asked; });
    for (const Command& command : commands)
        if (!is_named || command.name == asked)
            command.add(*app.add_subcommand(command.name, command.help), exit_code);
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
    return names;
}

int unknown_command(const std::vector<std::string>& names, const std::string& name) {
    const auto near = migc::nearest(name, names);
    return migc::cli::refuse(fmt::format("there is no command `{}`; {}", name,
                                         near ? fmt::format("did you mean `migc {}`?", *near)
                                              : fmt::format("there are {}", fmt::join(names, ", "))));
}

int run(int argc, char** argv) {
    CLI::App app{
        "migc: changes of production, written so that a reviewer can read them and a machine can undo them"};
    app.set_version_flag("--version", "migc " MIGC_VERSION);
    app.require_subcommand(1);
    app.footer(
        "For a script: migc check FILE, migc plan FILE, migc run FILE --world learning, migc run "
        "FILE.\n`migc COMMAND --help` shows examples.");
    int exit_code = 0;
    add_commands(app, argc > 1 ? argv[1] : "", exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const std::string first = argc > 1 ? argv[1] : "-";
        const auto names = command_names(app);
        if (first[0] != '-' && std::find(names.begin(), names.end(), first) == names.end())
            return unknown_command(names, first);
        // 2 is the exit code of every command for a command line that is wrong; --help and --version give 0.
        std::ostringstream output, errors;
        const int code = app.exit(error, output, errors);
        migc::cli::print_lines(stdout, output.str());
        migc::cli::print_lines(stderr, errors.str());
        return code == 0 ? 0 : 2;
    }
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    migc::runtime::end_children_with_this_process();  // until a run begins to act
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        return migc::cli::refuse(error.what());
    }
}
