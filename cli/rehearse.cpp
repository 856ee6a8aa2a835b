// migc rehearse: does a stage, takes it back, looks at what was declared, and does it again.
#include <cstdio>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/consent.hpp"
#include "cli/print.hpp"
#include "cli/proof.hpp"
#include "cli/refuse.hpp"
#include "cli/session.hpp"
#include "compiler/ir/compare.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/text.hpp"
#include "runtime/journal/change.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/tools/interrupts.hpp"
#include "runtime/world/world.hpp"

namespace migc::cli {
namespace {

using runtime::Event;
using runtime::EventKind;

struct RehearseOptions {
    std::string script, stage;
    SessionOptions session;
};

constexpr int as_declared = 0, differs = 1, stands = 3;

// What a step found, promised and left, by the phrase of each effect.
struct Record {
    std::string text;
    Outcome result = Outcome::None;
    std::map<std::string, Value> before, declared, observed;
};
using Records = std::map<semantics::StepId, Record>;

void note(Records& records, const Event& event) {
    if (event.kind != EventKind::Intent && event.kind != EventKind::Outcome) return;
    Record& record = records[semantics::step_in(event.body)];
    const auto read = [&](const char* key) {
        return runtime::values_from_json(event.body.value(key, nlohmann::json::object()));
    };
    record.text = event.body.value("text", record.text);
    if (event.kind == EventKind::Intent) {
        record.before = read("before");
        record.declared = read("declared");
        return;
    }
    record.result = outcome_in(event.body);
    record.observed = read("observed");
    if (record.result == Outcome::Already) record.before = record.observed;
}

// What a step only makes different comes back as something else again: a restart is undone by another one.
bool comes_back(const Record& record, const std::string& phrase) {
    return record.result == Outcome::Already || record.declared.contains(phrase);
}

// The stage alone, without the gates that decide when it may be done for good.
std::optional<ir::Program> only(const ir::Program& program, const std::string& name) {
    const ir::Stage* found = program.stage(name);
    if (found == nullptr) return std::nullopt;
    ir::Program result = program;
    ir::Stage stage = *found;
    const ir::Stage* definition = stage.repeats ? program.stage(*stage.repeats) : nullptr;
    if (definition != nullptr) {
        stage.steps = definition->steps;
        if (!stage.on_failure) stage.on_failure = definition->on_failure;
        if (!stage.throughout) stage.throughout = definition->throughout;
    }
    stage.repeats.reset();
    stage.gates.clear();
    result.stages = {std::move(stage)};
    return result;
}

struct Finding {
    semantics::StepId step;
    std::string text;
};

std::string shown(const Value& value) {
    return runtime::printable(migc::show(value), 120);
}

// What the second time found is what the undo had left.
std::vector<Finding> compare(const Records& first, const Records& second) {
    std::vector<Finding> findings;
    std::map<std::string, Value> known;
    for (const auto& [step, record] : first)
        for (const auto& [phrase, value] : record.before) {
            if (!comes_back(record, phrase)) continue;
            if (!known.emplace(phrase, value).second) continue;  // an earlier step of this run changed it
            const auto again = second.find(step);
            if (again == second.end() || !again->second.before.contains(phrase)) continue;
            const Value& now = again->second.before.at(phrase);
            if (!equal(now, value))
                findings.push_back({step, fmt::format("after the undo {} is {}, and was {}", phrase,
                                                      shown(now), shown(value))});
        }
    for (const auto& [step, record] : first)
        for (const auto& [phrase, declared] : record.declared) {
            const auto seen = record.observed.find(phrase);
            if (seen != record.observed.end() && !equal(seen->second, declared))
                findings.push_back({step, fmt::format("{} was to become {}, and became {}", phrase,
                                                      shown(declared), shown(seen->second))});
        }
    return findings;
}

class Rehearsal {
  public:
    Rehearsal(const RehearseOptions& options, Script& script, const ir::Program& program)
        : options_(options), script_(script), program_(program) {}

    int run() {
        const bool live = options_.session.world.empty();
        SessionOptions session_options = options_.session;
        session_options.work = runtime::Work::Acts;
        auto consent = consent_to_run(session_options, script_, nullptr);
        if (!consent) return refuse_in_lines(consent.error());
        const auto locks = runtime::Locks::take(script_.inventory.root,
                                                live ? lock_names(program_) : std::vector<std::string>(),
                                                fmt::format("the rehearsal of {}", options_.script));
        if (!locks) return refuse(locks.error(), locked);
        session_options.locks = locks->descriptors();
        auto run_options = cli::run_options(session_options, script_);
        if (!run_options) return refuse(run_options.error());
        auto journal = runtime::Journal::open(script_.inventory.root);
        if (!journal) return refuse(journal.error());
        auto scratch = ScratchCopy::make(session_options, script_);
        if (!scratch) return refuse(scratch.error());
        auto session = open_session(session_options, script_);
        if (!session) return refuse(session.error());
        run_options->world = (*session)->world;
        run_options->consent = std::move(*consent);
        run_options->lock_lost = [&locks] { return locks->lost(); };
        run_options->stop_requested = [] { return runtime::interrupts() > 0; };
        runtime::install_interrupt_handlers();
        session_ = session->get();
        tools_ = (*session)->tools.get();
        world_ = dynamic_cast<const runtime::World*>(tools_);
        const int code = rehearse(**journal, *run_options);
        close_session(session_options, **session, scratch->get());
        return code;
    }

  private:
    std::string state() const { return world_ != nullptr ? world_->state() : ""; }

    int rehearse(runtime::Journal& journal, const runtime::RunOptions& run_options) {
        Records first, second;
        const std::string before = state();
        const auto engine = [&](Records& records) {
            return std::make_unique<runtime::Engine>(
                program_, script_.inventory, *tools_, journal,
                [&](const Event& event) {
                    session_->on(event);
                    note(records, event);
                },
                run_options);
        };
        const auto done = engine(first)->run();
        say("do:    {}\n", told(done));
        if (done.result != Outcome::Done) return done.exit_code == differs ? refused : done.exit_code;
        Records ignored;
        const auto undone = engine(ignored)->undo(done.run);
        say("undo:  {}\n", told(undone));
        if (undone.exit_code != 0) return stands;
        const bool same_world = state() == before;
        const auto again = engine(second)->run();
        say("again: {}\n", told(again));
        return report(first, second, same_world, again);
    }

    static std::string told(const runtime::RunResult& result) {
        return word(result.result) + (result.message.empty() ? "" : ": " + result.message);
    }

    int report(const Records& first, const Records& second, bool same_world,
               const runtime::RunResult& again) {
        const auto findings = compare(first, second);
        for (const Finding& finding : findings) {
            const ir::Step* step = semantics::find_step(program_, finding.step);
            say("{}: `{}`: {}\n",
                step != nullptr ? script_.sources.location(step->span) : finding.step.text(),
                first.at(finding.step).text, finding.text);
        }
        std::size_t compared = 0;
        for (const auto& [step, record] : first) {
            for (const auto& [phrase, value] : record.before)
                if (comes_back(record, phrase))
                    ++compared;
                else
                    say("not compared: `{}` only makes {} different\n", record.text, phrase);
            if (record.before.empty()) say("not compared: `{}` declares no effect to look at\n", record.text);
        }
        if (!same_world)
            say("the world is not as it was before: something was changed that no step declares\n");
        const bool good = findings.empty() && same_world && again.result == Outcome::Done;
        say("{}: {}: {} of {} declared resources were as before; the stage {} is done\n", options_.script,
            good ? "as declared" : "not as declared", compared - std::min(compared, findings.size()),
            compared,
            again.result == Outcome::Done ? options_.session.stages.front()
                                          : "is " + word(again.result) + ", so nothing of it");
        return good ? as_declared : differs;
    }

    const RehearseOptions& options_;
    Script& script_;
    const ir::Program& program_;
    const Session* session_ = nullptr;
    runtime::Tools* tools_ = nullptr;
    const runtime::World* world_ = nullptr;
};

int rehearse(const RehearseOptions& options) {
    const auto script = load_script(options.script);
    print_errors(*script);
    if (!can_be_tried(*script)) return refused;
    if (options.session.stages.size() != 1) {
        return refuse("--stage: name the one stage to rehearse");
    }
    const auto program = only(script->program, options.session.stages.front());
    if (!program) {
        return refuse(fmt::format("{} has no stage {}", options.script, options.session.stages.front()));
    }
    return Rehearsal(options, *script, *program).run();
}

}  // namespace

void add_rehearse(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand(
        "rehearse", "Do a stage, take it back, compare with what was declared, do it again");
    auto options = std::make_shared<RehearseOptions>();
    command->add_option("FILE", options->script, "The script")->required();
    add_session_options(*command, options->session);
    command->footer(
        "Examples:\n  migc rehearse deploy.mig --stage staging --world learning\n  migc rehearse deploy.mig --stage "
        "staging\n\nIt is live unless --world is given, and leaves the stage done.\n\nExit codes: 0 as declared, 1 a "
        "declaration and what happened differ, 2 it could not be begun, 3 the undo left something; else that of `run`.");
    command->callback([options, &exit_code] { exit_code = rehearse(*options); });
}

}  // namespace migc::cli
