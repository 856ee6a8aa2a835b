// migc unlock: a person takes the lock away from a run that cannot give it back.

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "compiler/driver/files.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/tools/live.hpp"

namespace migc::cli {
namespace {

// In the history of the run that held it, so that whoever reads it later knows why it ended there.
void record(const std::filesystem::path& root, const runtime::LockState& state, const std::string& because) {
    if (state.holder.run.empty()) return;
    const runtime::Event broken{runtime::system_now(),
                                runtime::events::LockBroken{state.name, runtime::operator_here(), because}};
    const auto journal = runtime::Journal::open(root);
    const auto written =
        journal ? (*journal)->append(state.holder.run, broken) : tl::unexpected(journal.error());
    if (!written) tell("migc: the journal does not have it: {}\n", written.error());
}

int unlock(const std::string& name, const std::string& because) {
    if (!says_something(because)) return refuse("--because: say why, for whoever reads the journal later");
    const auto root = driver::project_root_here();
    const auto broken = runtime::break_lock(root, name, because);
    if (!broken) return refuse(broken.error());
    record(root, *broken, because);
    say("the lock of {} is taken away; it was {}\n", name, runtime::describe(*broken));
    if (!broken->holder.run.empty())
        say("`migc show {0}` tells how far run {0} came; `migc resume` or `migc undo` go on from there\n",
            broken->holder.run);
    return 0;
}

}  // namespace

void add_unlock(CLI::App& command, int& exit_code) {
    auto& [name, because] = on_call(command, exit_code, unlock);
    command.add_option("ENVIRONMENT", name, "The environment, or \"project files\"")->required();
    command.add_option("--because", because, "Why: it is recorded in the journal")->required();
    command.footer(
        "A run that is at work keeps its lock: stop it with Ctrl-C. One that has stopped answering, or whose tool "
        "outlives it, loses it,\nand begins nothing more.\n\nExample:\n  migc unlock production --because \"the "
        "laptop of the night shift is at the bottom of the lake\"");
}

}  // namespace migc::cli
