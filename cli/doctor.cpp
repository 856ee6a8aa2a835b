// migc doctor: whether a run could begin, and be taken back, from here.
#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "runtime/inspect/examine.hpp"
#include "runtime/session/consent.hpp"

namespace migc::cli {
namespace {

struct DoctorOptions {
    std::string environment;
    std::string script;
    SessionOptions session;
};

int doctor(const DoctorOptions& options) {
    if (!options.session.record.empty())
        return refuse("--record: the doctor looks at credentials, and no record is made of those");
    const auto script = options.script.empty() ? driver::no_script() : driver::load_script(options.script);
    print_errors(*script);
    if (script->diagnostics.has_errors()) return refused;
    if (session::is_live(options.session) && !options.script.empty())
        if (const auto own = session::is_the_users(*script); !own) return refuse(own.error());
    if (!options.environment.empty() && script->inventory.environment(options.environment) == nullptr)
        return refuse(fmt::format("migc.yaml has no environment {}", options.environment));
    const auto session = session::open_session(options.session, *script);
    if (!session) return refuse(session.error());
    const auto run_options = session::run_options(options.session, *script);
    if (!run_options) return refuse(run_options.error());
    const auto found = runtime::examine(script->program, script->inventory, *(*session)->tools, *run_options,
                                        options.environment);
    if (!found) return refuse(found.error());
    print_answer(options.session.json, to_json(*found), runtime::render(*found));
    print_lines(stderr, session::not_read(**session));
    return std::any_of(found->begin(), found->end(),
                       [](const auto& one) { return one.health == runtime::Health::Trouble; })
               ? 1
               : 0;
}

}  // namespace

void add_doctor(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, doctor);
    command.add_option("ENVIRONMENT", options.environment, "Only this one");
    command.add_option("--for", options.script,
                       "A script: what its steps and their undo need is looked at, rights included");
    add_session_options(command, options.session);
    command.footer(
        "Nothing is changed.\n\nExamples:\n  migc doctor\n  migc doctor production --for deploy.mig\n\nExit codes: 0 all "
        "is well, 1 there is trouble, 2 it could not be found out.");
}

}  // namespace migc::cli
