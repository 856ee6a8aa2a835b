// The subcommands: each adds itself, with its options and help, to the command line.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace migc::cli {

// `exit_code` is set by the subcommand that runs.
using AddCommand = void (*)(CLI::App& app, int& exit_code);

void add_check(CLI::App& app, int& exit_code);
void add_prove(CLI::App& app, int& exit_code);
void add_drill(CLI::App& app, int& exit_code);
void add_rehearse(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_plan(CLI::App& app, int& exit_code);
void add_resume(CLI::App& app, int& exit_code);
void add_resolve(CLI::App& app, int& exit_code);
void add_sheet(CLI::App& app, int& exit_code);
void add_undo(CLI::App& app, int& exit_code);
void add_runs(CLI::App& app, int& exit_code);
void add_show(CLI::App& app, int& exit_code);
void add_journal(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_status(CLI::App& app, int& exit_code);
void add_follow(CLI::App& app, int& exit_code);
void add_stop(CLI::App& app, int& exit_code);
void add_unlock(CLI::App& app, int& exit_code);
void add_approver(CLI::App& app, int& exit_code);
void add_approve(CLI::App& app, int& exit_code);
void add_evidence(CLI::App& app, int& exit_code);
void add_ir(CLI::App& app, int& exit_code);
void add_fmt(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_verbs(CLI::App& app, int& exit_code);
void add_diff(CLI::App& app, int& exit_code);
void add_graph(CLI::App& app, int& exit_code);
void add_lsp(CLI::App& app, int& exit_code);

}  // namespace migc::cli
