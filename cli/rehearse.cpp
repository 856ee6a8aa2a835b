// migc rehearse: does a stage, takes it back, looks at what was declared, and does it again.
#include "runtime/trial/rehearse.hpp"

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "cli/proof.hpp"

namespace migc::cli {
namespace {

struct RehearseOptions {
    std::string script;
    session::SessionOptions session;
};

constexpr int as_declared = 0, differs = 1, stands = 3;

int exit_code_of(const trial::Rehearsed& rehearsed) {
    using End = trial::Rehearsed::End;
    if (rehearsed.end == End::NotDone) return rehearsed.exit_code == differs ? refused : rehearsed.exit_code;
    return rehearsed.end == End::AsDeclared ? as_declared : rehearsed.end == End::Differs ? differs : stands;
}

int rehearse(const RehearseOptions& options) {
    const auto script = driver::load_script(options.script);
    print_errors(*script);
    if (!can_be_tried(*script)) return refused;
    if (options.session.stages.size() != 1) return refuse("--stage: name the one stage to rehearse");
    const auto rehearsed =
        trial::rehearse(options.session, *script, [](const std::string& line) { say("{}\n", line); });
    return rehearsed ? exit_code_of(*rehearsed) : refuse(rehearsed.error());
}

}  // namespace

void add_rehearse(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, rehearse);
    command.add_option("FILE", options.script, "The script")->required();
    add_session_options(command, options.session);
    command.footer(
        "Examples:\n  migc rehearse deploy.mig --stage staging --world learning\n  migc rehearse deploy.mig --stage "
        "staging\n\nIt is live unless --world is given, and leaves the stage done.\n\nExit codes: 0 as declared, 1 a "
        "declaration and what happened differ, 2 it could not be begun, 3 the undo left something; else that of `run`.");
}

}  // namespace migc::cli
