// migc prove: whether a script can be got back from wherever it stops.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "cli/proof.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/engine/proof_facts.hpp"

namespace migc::cli {
namespace {

struct ProveOptions {
    std::string script;
    session::SessionOptions session;  // only the parameters of it
    prove::Options proof;
    std::vector<std::string> always, never;
};

constexpr int proved = 0, counterexample = 1;

int exit_code_of(const prove::Answer& answer) {
    if (answer.verdict == prove::Answer::Verdict::Counterexample) return counterexample;
    return answer.verdict == prove::Answer::Verdict::Proved ? proved : refused;
}

// What is given here is read as if it stood at the end of the script.
std::unique_ptr<Script> load_with_invariants(const ProveOptions& options) {
    if (options.always.empty() && options.never.empty()) return driver::load_script(options.script);
    auto text = driver::read_named(options.script, syntax::source_limit);
    if (!text) return driver::load_script(options.script);
    for (const std::string& condition : options.always) *text += fmt::format("\nalways {};", condition);
    for (const std::string& condition : options.never) *text += fmt::format("\nnever {};", condition);
    return driver::load_script(options.script, std::move(*text));
}

int prove(const ProveOptions& options) {
    const auto script = load_with_invariants(options);
    print_errors(*script);
    if (!can_be_tried(*script)) return refused;
    const auto parameters = session::run_options(options.session, *script);
    if (!parameters) return refuse(parameters.error());
    const auto answer = prove::prove(script->program, script->inventory,
                                     runtime::proof_facts(parameters->parameters), options.proof);
    const bool is_void = answer.verdict == prove::Answer::Verdict::Proved && script->diagnostics.has_errors();
    if (is_void && !options.session.json)
        return refuse(fmt::format("nothing is proved of {}: no run of it begins, with the {} above",
                                  options.script,
                                  script->diagnostics.all().size() == 1 ? "error" : "errors"));
    if (options.session.json)
        print_document(Document::Json, prove::as_json(answer, script->sources).dump(1) + "\n");
    else
        print(answer, options.script, script->sources);
    return is_void ? refused : exit_code_of(answer);
}

}  // namespace

bool can_be_tried(const Script& script) {
    if (!script.is_sound()) return false;
    if (!script.program.stages.empty()) return true;
    refuse(
        fmt::format("{} has no stage, so there is nothing to try", script.sources.file(script.file).name()));
    return false;
}

void print(const prove::Answer& answer, const std::string& script, const SourceMap& sources) {
    Diagnostics found;
    prove::report(answer, found);
    print(found, sources);
    say("{}: {}\n", script, prove::headline(answer));
    print_lines(stdout, prove::remarks(answer, sources));
}

void add_proof_options(CLI::App& command, prove::Options& options, CLI::Option* needs) {
    auto* faults =
        command.add_option("--faults", options.faults, "How many things go wrong in one run: 1, 2 or 3")
            ->check(CLI::Range(1U, prove::most_faults));
    auto* jit =
        command.add_flag("--jit", options.jit, "Make machine code of the search: faster for long scripts");
    auto* others = command.add_flag("--others", options.others,
                                    "Somebody else writes once, at any moment, to what the script changes");
    auto* states = command.add_option("--states", options.states, "Give up after so many states")
                       ->check(CLI::Range(1U, 100'000'000U));
    if (needs == nullptr) return;
    for (CLI::Option* one : {faults, jit, others, states}) one->needs(needs);
}

void add_prove(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, prove);
    command.add_option("FILE", options.script, "The script")->required();
    add_proof_options(command, options.proof);
    command.add_option("--always", options.always, "A condition that must hold after every step")
        ->allow_extra_args(false);
    command.add_option("--never", options.never, "A condition that must hold after no step")
        ->allow_extra_args(false);
    add_set_option(command, options.session);
    add_json_option(command, options.session);
    command.footer(
        "Examples:\n  migc prove deploy.mig\n  migc prove deploy.mig --faults 2 --jit\n  migc prove deploy.mig --others\n  migc prove deploy.mig --always \"replicas of webapi is at least 2\"\n\n"
        "Nothing is run and nothing is read but the script: docs/explanation/proof.md says what is proved.\n\n"
        "Exit codes: 0 proved, 1 there is a counterexample, 2 it could not be decided.");
}

}  // namespace migc::cli
