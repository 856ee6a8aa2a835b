// Options and arguments that several commands have.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "runtime/session/ready.hpp"

namespace migc::cli {

using session::SessionOptions;

// All that choose what a run acts through. What is told meanwhile is printed.
void add_session_options(CLI::App& command, SessionOptions& options);
// Some of them, for what needs no more; `listen` is for the telling.
void add_set_option(CLI::App& command, SessionOptions& options,
                    const std::string& help = "NAME=VALUE of a script's parameter");
void add_json_option(CLI::App& command, SessionOptions& options,
                     const std::string& help = "Print the answer as JSON");
void listen(SessionOptions& options);

// The RUN of a command.
CLI::Option* add_run_argument(CLI::App& command, std::string& run);
// That run of the project that one stands in; tells why it may be in doubt what the journal says of it.
tl::expected<session::FoundRun, std::string> find_run(const std::string& id);
// The same, with its events.
struct ReadRun : session::FoundRun {
    std::vector<runtime::Event> events;
};
tl::expected<ReadRun, std::string> read_run(const std::string& id);
// Whether there is more than blanks in what a person is to say why.
bool says_something(const std::string& because);

}  // namespace migc::cli
