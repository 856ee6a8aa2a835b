#include "cli/options.hpp"

#include <cstdio>

#include <unistd.h>

#include "cli/print.hpp"
#include "compiler/project/user_config.hpp"

namespace migc::cli {
namespace {

bool is_answered_yes() {
    tell("Run these? [y/N] ");
    std::string line;
    for (int c = std::fgetc(stdin); c != EOF && c != '\n' && line.size() < 100; c = std::fgetc(stdin))
        line += static_cast<char>(c);
    return line == "y" || line == "Y" || line == "yes";
}

std::optional<bool> ask_on_terminal(const std::string& programs) {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) return std::nullopt;
    tell("This executes what the project says, on this machine and with your rights:\n");
    print_lines(stderr, programs);
    return is_answered_yes();
}

}  // namespace

void listen(SessionOptions& options) {
    options.tell = [](const std::string& line) { tell("{}\n", line); };
    options.findings = [](const Diagnostics& found, const SourceMap& sources) { print(found, sources); };
    options.ask = ask_on_terminal;
}

void add_set_option(CLI::App& command, SessionOptions& options, const std::string& help) {
    command.add_option("--set", options.set, help)->allow_extra_args(false);
}

void add_json_option(CLI::App& command, SessionOptions& options, const std::string& help) {
    command.add_flag("--json", options.json, help);
}

CLI::Option* add_run_argument(CLI::App& command, std::string& run) {
    return command.add_option("RUN", run, "A run's id, the end of one, or `last`");
}

tl::expected<session::FoundRun, std::string> find_run(const std::string& id) {
    auto found = session::find_run(id);
    if (found && !found->doubt.empty()) tell("note: {}\n", found->doubt);
    return found;
}

tl::expected<ReadRun, std::string> read_run(const std::string& id) {
    auto found = find_run(id);
    if (!found) return tl::unexpected(found.error());
    auto events = found->journal->events(found->about.id);
    if (!events) return tl::unexpected(events.error());
    return ReadRun{std::move(*found), std::move(*events)};
}

bool says_something(const std::string& because) {
    return because.find_first_not_of(" \t\n") != std::string::npos;
}

void add_session_options(CLI::App& command, SessionOptions& options) {
    listen(options);
    command.add_option(
        "--world", options.world,
        "Simulate: a world file, or `learning` for the built-in one. Without it everything is live");
    command.add_option(
        "--fault", options.faults,
        "In a simulated world: let a command go wrong, for example \"fail-before: kubectl scale\"");
    command.add_option(
        "--interfere", options.interference,
        "In a simulated world: let somebody else act as well, for example \"set-other before kubectl "
        "scale\"");
    add_set_option(command, options,
                   "NAME=VALUE of a script's parameter, in place of migc.yaml's or the default");
    command.add_option("--stage", options.stages, "Only this stage (several times: only these)")
        ->allow_extra_args(false);
    command
        .add_option("--approval", options.approvals, "A signed approval, besides those in .migc/approvals")
        ->allow_extra_args(false);
    command
        .add_option("--evidence", options.evidence,
                    "A signed evidence that a stage has passed, besides the journal and .migc/evidence")
        ->allow_extra_args(false);
    command
        .add_option_function<std::vector<std::string>>(
            "--outside",
            [](const std::vector<std::string>& paths) {
                for (const std::string& path : paths) project::allow_outside(path);
            },
            "A file or folder outside of the project that migc.yaml may name for a secret, a channel or a "
            "kubeconfig")
        ->allow_extra_args(false);
    command.add_flag(
        "--allow-tools", options.allow_tools,
        "Execute what the project says: its own tools, probes and programs, secrets' commands, terraform. "
        "See docs/reference/execution.md");
    command.add_option("--context", options.context, "The kubectl context, in place of the environment's");
    command.add_option("--namespace", options.name_space, "The namespace, in place of the environment's");
    command.add_option("--record", options.record, "Write a transcript of what the tools answered");
    command.add_option("--replay", options.replay, "Answer from a transcript in place of the tools")
        ->excludes("--world");
    command
        .add_option("--state", options.state,
                    "Write the simulated world's state at the end to a file, as JSON")
        ->needs("--world");
    add_json_option(command, options, "Print events as JSON, one a line");
}

}  // namespace migc::cli
