#include "runtime/trial/rehearse.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "compiler/ir/compare.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/journal/change.hpp"
#include "runtime/session/consent.hpp"
#include "runtime/session/ready.hpp"
#include "runtime/tools/interrupts.hpp"
#include "runtime/world/world.hpp"

namespace migc::trial {
namespace {

using runtime::Event;

using driver::Script;
using End = Rehearsed::End;

// What a step found, promised and left, by the phrase of each effect.
struct Record {
    std::string text;
    Outcome result = Outcome::None;
    std::map<std::string, Value> before, declared, observed;
};
using Records = std::map<semantics::StepId, Record>;

void note(Records& records, const Event& event) {
    if (const auto* intent = event.as<runtime::events::Intent>()) {
        Record& record = records[intent->step];
        record.text = intent->text;
        record.before = intent->before;
        record.declared = intent->declared;
    } else if (const auto* ended = event.as<runtime::events::StepOutcome>()) {
        Record& record = records[ended->step];
        record.text = ended->text;
        record.result = ended->result;
        record.observed = ended->observed;
        if (record.result == Outcome::Already) record.before = record.observed;
    }
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
    const ir::Stage& definition = semantics::stage_with_steps(program, *found);
    stage.steps = definition.steps;
    if (!stage.on_failure) stage.on_failure = definition.on_failure;
    if (!stage.throughout) stage.throughout = definition.throughout;
    stage.repeats.reset();
    stage.gates.clear();
    result.stages = {std::move(stage)};
    return result;
}

struct Mismatch {
    semantics::StepId step;
    std::string text;
};

std::string shown(const Value& value) {
    return runtime::printable(migc::show(value), 120);
}

// What the second time found is what the undo had left.
std::vector<Mismatch> compare(const Records& first, const Records& second) {
    std::vector<Mismatch> findings;
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
    Rehearsal(const Script& script, const ir::Program& program, session::Ready& ready, const Say& say)
        : script_(script), program_(program), ready_(ready), say_(say), world_(ready.session->simulated) {}

    Rehearsed run() {
        Records first, second, ignored;
        const std::string before = state();
        const auto done = engine(first)->run();
        say("do:    {}", told(done));
        if (done.result != Outcome::Done) return {End::NotDone, done.exit_code};
        const auto undone = engine(ignored)->undo(done.run);
        say("undo:  {}", told(undone));
        if (undone.exit_code != 0) return {End::Stands, undone.exit_code};
        const bool same_world = state() == before;
        const auto again = engine(second)->run();
        say("again: {}", told(again));
        return {report(first, second, same_world, again) ? End::AsDeclared : End::Differs, again.exit_code};
    }

  private:
    template <typename... Arguments>
    void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
        say_(fmt::format(format, std::forward<Arguments>(arguments)...));
    }

    [[nodiscard]] std::string state() const { return world_ != nullptr ? world_->state() : ""; }

    std::unique_ptr<runtime::Engine> engine(Records& records) {
        return std::make_unique<runtime::Engine>(
            program_, script_.inventory, *ready_.session->tools, *ready_.journal,
            [&](const Event& event) {
                ready_.session->on(event);
                note(records, event);
            },
            ready_.options);
    }

    static std::string told(const runtime::RunResult& result) {
        return word(result.result) + (result.message.empty() ? "" : ": " + result.message);
    }

    bool report(const Records& first, const Records& second, bool same_world,
                const runtime::RunResult& again) {
        const auto findings = compare(first, second);
        for (const Mismatch& finding : findings) {
            const ir::Step* step = semantics::find_step(program_, finding.step);
            say("{}: `{}`: {}", step != nullptr ? script_.sources.location(step->span) : finding.step.text(),
                first.at(finding.step).text, finding.text);
        }
        std::size_t compared = 0;
        for (const auto& [step, record] : first) {
            for (const auto& [phrase, value] : record.before)
                if (comes_back(record, phrase))
                    ++compared;
                else
                    say("not compared: `{}` only makes {} different", record.text, phrase);
            if (record.before.empty()) say("not compared: `{}` declares no effect to look at", record.text);
        }
        if (!same_world)
            say("the world is not as it was before: something was changed that no step declares");
        const bool is_done = again.result == Outcome::Done;
        const bool good = findings.empty() && same_world && is_done;
        say("{}: {}: {} of {} declared resources were as before; the stage {} is done",
            script_.sources.file(script_.file).name(), good ? "as declared" : "not as declared",
            compared - std::min(compared, findings.size()), compared,
            is_done ? program_.stages.front().name : "is " + word(again.result) + ", so nothing of it");
        return good;
    }

    const Script& script_;
    const ir::Program& program_;
    session::Ready& ready_;
    const Say& say_;
    const runtime::World* world_;
};

}  // namespace

tl::expected<Rehearsed, session::Refusal> rehearse(session::SessionOptions options, Script& script,
                                                   const Say& say) {
    const std::string& name = script.sources.file(script.file).name();
    const std::string& stage = options.stages.front();
    const auto program = only(script.program, stage);
    if (!program) return tl::unexpected(session::Refusal{fmt::format("{} has no stage {}", name, stage)});
    auto agreed = session::agreed_options(options, script, nullptr);
    if (!agreed) return tl::unexpected(agreed.error());
    auto ready = session::make_ready(options, script, *program, fmt::format("the rehearsal of {}", name),
                                     std::move(*agreed));
    if (!ready) return tl::unexpected(ready.error());
    runtime::install_interrupt_handlers();
    const Rehearsed rehearsed = Rehearsal(script, *program, *ready, say).run();
    session::close_session(options, *ready->session, ready->scratch.get());
    return rehearsed;
}

}  // namespace migc::trial
