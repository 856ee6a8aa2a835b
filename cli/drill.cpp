// migc drill: the real engine in a simulated world, with everything that can go wrong.
#include "runtime/trial/drill.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "cli/proof.hpp"

namespace migc::cli {
namespace {

struct DrillCommand {
    std::string script;
    trial::DrillOptions drill;
};

constexpr int survived = 0, found_hole = 1;

void print_text(const std::string& script, const trial::Tally& tally) {
    constexpr std::size_t most = 5;
    const auto& holes = tally.counterexamples;
    for (std::size_t i = 0; i < holes.size() && i < most; ++i) {
        say("{}\n  {}\n", holes[i].faults, holes[i].why);
        for (const auto& text : holes[i].left) say("  left: {}\n", text);
    }
    if (holes.size() > most) say("and {} more\n", holes.size() - most);
    std::vector<std::string> ends;
    for (const auto& [end, count] : tally.ends) ends.push_back(fmt::format("{} {}", count, end));
    say("{}: {}: {} changing commands, {} runs: {}\n", script,
        holes.empty() ? "survived" : fmt::format("{} runs end where they must not", holes.size()),
        tally.commands, tally.runs, fmt::format("{}", fmt::join(ends, ", ")));
}

int drill(const DrillCommand& options) {
    const auto script = driver::load_script(options.script);
    print_errors(*script);
    if (!can_be_tried(*script)) return refused;
    const auto tally = trial::drill(options.drill, *script);
    if (!tally) return refuse(tally.error());
    if (options.drill.session.json)
        print_document(Document::Json, trial::as_json(*tally));
    else
        print_text(options.script, *tally);
    return tally->counterexamples.empty() ? survived : found_hole;
}

}  // namespace

void add_drill(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, drill);
    listen(options.drill.session);
    command.add_option("FILE", options.script, "The script")->required();
    command
        .add_option("--world", options.drill.session.world,
                    "A world file, or `learning` for the built-in one")
        ->required();
    command.add_option("--faults", options.drill.faults, "How many commands go wrong in one run: 1 or 2")
        ->check(CLI::Range(1U, 2U));
    command.add_flag(
        "--others", options.drill.others,
        "Somebody else acts as well, in place of faults: around each command that changes something");
    add_set_option(command, options.drill.session);
    add_json_option(command, options.drill.session);
    command.footer(
        "Examples:\n  migc drill deploy.mig --world learning\n  migc drill deploy.mig --world learning --faults 2\n  migc drill deploy.mig --world learning --others\n\n"
        "Exit codes: 0 every run ends done, undone, held or in doubt as it should; 1 one does not; 2 it could not be "
        "tried.");
}

}  // namespace migc::cli
