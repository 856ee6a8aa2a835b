#include "runtime/trial/trial.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "runtime/engine/history.hpp"
#include "runtime/tools/transcript.hpp"

namespace migc::trial {
namespace {

using runtime::Event;
using runtime::EventKind;

// Nothing of a trial is kept. A kill is a journal that takes nothing more: then an engine does nothing more.
class Memory : public runtime::Journal {
  public:
    explicit Memory(std::optional<Kill> kill) : kill_(std::move(kill)) {}
    [[nodiscard]] const std::vector<Event>& all() const { return events_; }
    // Whether there was a kill; from now on everything is taken again.
    bool revive() {
        kill_.reset();
        return std::exchange(killed_, false);
    }

    tl::expected<std::string, std::string> begin_run(const runtime::RunSummary& about,
                                                     const std::string& copy) override {
        about_ = about;
        about_.id = "trial-1";
        copy_ = copy;
        return about_.id;
    }
    tl::expected<void, std::string> append(const std::string&, const Event& event) override {
        if (killed_) return tl::unexpected(std::string("killed"));
        killed_ = kill_ && kill_->event == events_.size();
        if (!killed_ || kill_->written) events_.push_back(event);
        if (killed_) return tl::unexpected(std::string("killed"));
        return {};
    }
    tl::expected<void, std::string> end_run(const std::string& run, const Event& event) override {
        return append(run, event);
    }
    tl::expected<std::vector<runtime::RunSummary>, std::string> runs() override {
        return std::vector{about_};
    }
    tl::expected<runtime::RunSummary, std::string> find(const std::string&) override { return about_; }
    tl::expected<std::vector<Event>, std::string> events(const std::string&) override { return events_; }
    tl::expected<std::string, std::string> script_copy(const std::string&) override { return copy_; }
    // Nobody else has written in this process's memory.
    tl::expected<void, std::string> vouched(const std::string&) override { return {}; }
    tl::expected<std::vector<runtime::AdoptedRun>, std::string> adopt(const runtime::events::Adopted&,
                                                                      std::int64_t) override {
        return {};
    }

  private:
    std::optional<Kill> kill_;
    bool killed_ = false;
    runtime::RunSummary about_;
    std::string copy_;
    std::vector<Event> events_;
};

// The project's root is the scratch copy's while a trial runs.
class RootGuard {
  public:
    explicit RootGuard(Script& script) : script_(script), root_(script.inventory.root) {}
    ~RootGuard() { script_.inventory.root = root_; }
    RootGuard(const RootGuard&) = delete;
    RootGuard& operator=(const RootGuard&) = delete;

  private:
    Script& script_;
    std::filesystem::path root_;
};

nlohmann::json state_of(const runtime::World& world, const ScratchCopy* copy) {
    auto state = nlohmann::json::parse(world.state());
    state["files"] = copy != nullptr ? copy->changed_files() : nlohmann::json::object();
    return state;
}

// Which one of the commands with this text the one at a place is.
std::size_t number_of(const std::vector<std::string>& all, std::size_t at) {
    const auto same = [&](const std::string& one) { return one.find(all[at]) != std::string::npos; };
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at) + 1, same));
}

// Each copy of the project has a path of its own: it is the root's in all that trials have in common.
runtime::Normalisation root_of(const ScratchCopy* copy) {
    return {copy != nullptr ? copy->folder().string() : "", "${root}"};
}

std::string in_copy(const std::string& text, const ScratchCopy* copy) {
    const runtime::Normalisation root = root_of(copy);
    return root.text.empty() ? text : runtime::replaced(text, {root.name, root.text});
}

std::vector<Event> as_in_all(std::vector<Event> events, const ScratchCopy* copy) {
    if (copy == nullptr) return events;
    constexpr auto replace = nlohmann::json::error_handler_t::replace;
    for (Event& event : events)
        event.body =
            *runtime::decode(name(event.kind()),
                             nlohmann::json::parse(runtime::replaced(
                                 runtime::encode(event.body).dump(-1, ' ', false, replace), root_of(copy))));
    return events;
}

std::vector<std::string> as_in_all(std::vector<std::string> commands, const ScratchCopy* copy) {
    for (std::string& command : commands) command = runtime::replaced(std::move(command), root_of(copy));
    return commands;
}

std::vector<Changing> named(const std::vector<std::string>& all, const std::vector<std::string>& acted,
                            const std::vector<std::size_t>& commands) {
    constexpr std::size_t reads = 4;  // the step's own look, what it waits for, a verification
    std::vector<Changing> result;
    std::size_t at = 0;
    for (const std::string& text : acted) {
        while (at < all.size() && all[at] != text) ++at;
        if (at == all.size()) break;
        const auto told = std::upper_bound(commands.begin(), commands.end(), at);
        Changing one{text,
                     number_of(all, at),
                     static_cast<std::size_t>(told - commands.begin()),
                     runtime::without_made_up_names(text),
                     {}};
        for (std::size_t next = at + 1; next < std::min(at + 1 + reads, all.size()); ++next)
            one.read_after.emplace_back(all[next], number_of(all, next));
        result.push_back(std::move(one));
        ++at;
    }
    return result;
}

// Of what others wrote, what has been overwritten by now. A step may, if it has looked after they wrote, or
// if they wrote once more what it had found, since the script says what is to be; an undo may not.
void note_lost(Trial& trial, runtime::World& world, std::set<std::size_t>& judged) {
    const auto& ledger = world.ledger();
    for (std::size_t i = 0; i < ledger.size(); ++i) {
        const runtime::OthersWrite& write = ledger[i];
        if (write.superseded || write.stands() || !judged.insert(i).second) continue;
        const bool again = write.deed == runtime::Deed::SetAgain || write.deed == runtime::Deed::ComeAndGo;
        if (!trial.undoing && (again || write.commands <= trial.step_began)) continue;
        trial.lost.push_back(
            fmt::format("{}, and overwritten by `{}`", runtime::shown(write), write.overwritten_by));
    }
}

void note(Trial& trial, const Event& event, const runtime::World& world, const ScratchCopy* copy) {
    trial.events.push_back(event);
    if (event.kind() != EventKind::Waiting && event.kind() != EventKind::Noted)
        trial.commands.push_back(world.commands().size());
    if (event.kind() == EventKind::Intent) ++trial.intents;
    if (event.kind() == EventKind::StepBegun) trial.step_began = world.commands().size();
    if (event.kind() == EventKind::RunEnded) trial.ended.push_back(state_of(world, copy));
    if (const auto* begun = event.as<runtime::events::StageBegun>()) {
        trial.stage = begun->stage;
        // A run that is resumed tells it again.
        if (!trial.begins.contains(trial.stage)) trial.begins[trial.stage] = state_of(world, copy);
    }
    if (const auto* undo = event.as<runtime::events::UndoBegun>()) {
        trial.undoing = true;
        trial.undid_all = trial.undid_all || undo->reason == runtime::undo_by_later_stage;
    }
}

bool leaves_files(const ir::Program& program) {
    return std::any_of(program.verbs.begin(), program.verbs.end(), [](const ir::Verb& verb) {
        return verb.undo.kind == ir::UndoKind::None &&
               std::any_of(verb.parameters.begin(), verb.parameters.end(),
                           [](const ir::Parameter& parameter) { return parameter.type.written; });
    });
}

// Files that a step leaves by its own declaration (a backup) are no part of what has to be as it was.
nlohmann::json comparable(nlohmann::json state, const nlohmann::json& other, const ir::Program& program) {
    if (!leaves_files(program)) return state;
    auto files = nlohmann::json::object();
    for (const auto& [path, digest] : state["files"].items())
        if (other["files"].contains(path) || digest.is_null()) files[path] = digest;
    state["files"] = std::move(files);
    return state;
}

// Whether it was held for a reason with which nobody is at fault.
bool says_why(const Trial& trial) {
    // At its end a stage looks again, and is held where nobody can see what stands.
    if (trial.result.why == Reason::AskedFor || trial.last().why == Reason::NotSeen) return true;
    return std::any_of(trial.events.begin(), trial.events.end(), [](const Event& event) {
        if (const auto* checked = event.as<runtime::events::Checked>())
            return checked->result == migc::Finding::Unknown;
        const auto* undo = event.as<runtime::events::UndoOutcome>();
        return undo != nullptr && undo->result == Outcome::Held &&
               (event.why == Reason::NoWayBack || event.why == Reason::Stays ||
                event.why == Reason::NotProved);
    });
}

void walk(const nlohmann::json& before, const nlohmann::json& after, const std::string& path,
          std::vector<std::string>& found) {
    if (before == after) return;
    if (!before.is_object() || !after.is_object()) {
        found.push_back(fmt::format("{}: {} -> {}", path, before.dump(), after.dump()));
        return;
    }
    for (const auto& [key, value] : before.items())
        walk(value, after.contains(key) ? after[key] : nlohmann::json(), path + "/" + key, found);
    for (const auto& [key, value] : after.items())
        if (!before.contains(key)) walk(nlohmann::json(), value, path + "/" + key, found);
}

}  // namespace

tl::expected<Trial, std::string> try_run(const SessionOptions& options, Script& script, const TrialPlan& plan,
                                         ScratchCopy* copy) {
    const RootGuard guard(script);
    auto run = session::run_options(options, script);
    if (!run) return tl::unexpected(run.error());
    if (copy != nullptr) script.inventory.root = copy->folder();
    auto opened = session::open_session(options, script);
    if (!opened) return tl::unexpected(opened.error());
    runtime::World* world = (*opened)->simulated;
    if (world == nullptr) return tl::unexpected(std::string("a trial needs a simulated world: give --world"));
    for (runtime::Fault fault : plan.faults) {
        fault.text = in_copy(fault.text, copy);
        world->inject(std::move(fault));
    }
    world->stand_in(script.inventory.root);
    if (plan.other) {
        auto other = *plan.other;
        other.command = in_copy(other.command, copy);
        world->interfere(std::move(other));
    }
    Trial trial;
    std::set<std::size_t> judged;
    trial.before = state_of(*world, copy);
    run->world = (*opened)->world;
    run->without_evidence = "a trial asks no gates";
    bool undoing = false;
    run->stop_requested = [&] { return plan.stop_after && !undoing && trial.intents >= *plan.stop_after; };
    const auto listen = [&](const Event& event) {
        note(trial, event, *world, copy);
        if (!plan.other) return;
        (*opened)->on(event);
        if (event.kind() == EventKind::Outcome || event.kind() == EventKind::UndoOutcome ||
            event.kind() == EventKind::RunEnded)
            note_lost(trial, *world, judged);
    };
    Memory journal(plan.kill);
    const auto engine = [&] {
        return runtime::Engine(script.program, script.inventory, *world, journal, listen, *run);
    };
    trial.result = engine().run();
    trial.journaled = as_in_all(journal.all(), copy);
    if ((plan.stop_after && trial.result.result == Outcome::Held) ||
        (plan.undo && trial.result.result != Outcome::Undone && trial.result.result != Outcome::Refused)) {
        undoing = true;
        trial.undone = engine().undo(trial.result.run);
    }
    if (journal.revive()) trial.resumed = engine().resume(trial.result.run);
    trial.interfered = plan.other && world->idle_interference().empty();
    trial.idle_faults = world->idle_faults();
    // What is still rolling out by itself when the run ends is not left changed.
    constexpr std::int64_t converging_ms = 10 * 60'000;
    world->sleep_until(world->now() + converging_ms);
    trial.after = state_of(*world, copy);
    trial.changing =
        named(as_in_all(world->commands(), copy), as_in_all(world->acted(), copy), trial.commands);
    if (copy != nullptr)
        if (auto restored = copy->restore(); !restored) return tl::unexpected(restored.error());
    return trial;
}

namespace {

// What people wrote: not what controllers made of it.
nlohmann::json written(nlohmann::json state) {
    for (auto& cluster : state["clusters"]) cluster.erase("running");
    return state;
}

void leaves(const nlohmann::json& state, const std::string& path,
            std::map<std::string, nlohmann::json>& found) {
    if (!state.is_object()) {
        found[path] = state;
        return;
    }
    for (const auto& [key, value] : state.items()) leaves(value, path + "/" + key, found);
}

using Leaves = std::map<std::string, nlohmann::json>;

Leaves leaves_of(const nlohmann::json& state) {
    Leaves found;
    leaves(written(state), "", found);
    return found;
}

nlohmann::json at(const Leaves& all, const std::string& path) {
    const auto found = all.find(path);
    return found == all.end() ? nlohmann::json() : found->second;
}

}  // namespace

std::vector<std::string> idle_faults(SessionOptions options, Script& script) {
    if (options.faults.empty() || options.world.empty()) return {};
    options.record.clear();
    options.state.clear();
    options.tell = [](const std::string&) {};
    options.findings = [](const auto&, const auto&) {};
    const RootGuard guard(script);
    const auto copy = ScratchCopy::make(options, script);
    if (!copy) return {};
    const auto trial = try_run(options, script, {}, copy->get());
    if (!trial || trial->result.result == Outcome::Refused) return {};
    return trial->idle_faults;
}

std::optional<std::string> hole_with_others(const Trial& trial, const Trial& plain) {
    if (!trial.lost.empty()) return "what somebody else wrote is lost: " + trial.lost.front();
    const Leaves before = leaves_of(plain.before), after = leaves_of(plain.ended.front());
    std::set<std::string> changed;
    for (const Leaves* one : {&before, &after})
        for (const auto& [path, value] : *one)
            if (at(before, path) != at(after, path)) changed.insert(path);
    const auto wrong = [&](std::size_t end, const Leaves& should) -> std::optional<std::string> {
        if (end >= trial.ended.size()) return std::nullopt;
        const Leaves is = leaves_of(trial.ended[end]);
        for (const std::string& path : changed)
            if (at(is, path) != at(should, path))
                return fmt::format("{} is {}, not {}", path, at(is, path).dump(), at(should, path).dump());
        return std::nullopt;
    };
    const Outcome ran = trial.result.result;
    if (ran == Outcome::Done)
        if (const auto why = wrong(0, after)) return "it is called done, and " + *why;
    if (trial.last().result == Outcome::Undone)
        if (const auto why = wrong(trial.ended.size() - 1, before)) return "it is called undone, and " + *why;
    if (trial.last().exit_code != 0 && trial.last().message.empty() && trial.last().standing.empty() &&
        trial.last().result != Outcome::Undone)
        return "it does not say what stands";
    return std::nullopt;
}

std::vector<std::string> differences(const nlohmann::json& before, const nlohmann::json& after) {
    std::vector<std::string> found;
    walk(before, after, "", found);
    return found;
}

std::optional<std::string> hole(const Trial& trial, const ir::Program& program, std::size_t faults) {
    const nlohmann::json& origin = trial.origin();
    const bool as_it_was = comparable(trial.after, origin, program) == comparable(origin, origin, program);
    const runtime::RunResult& result = trial.last();
    const bool called_undone = result.result == Outcome::Undone;
    if (called_undone && !as_it_was) return "it is called undone, and something is not as it was";
    if (called_undone || result.result == Outcome::Done || as_it_was) return std::nullopt;
    if (result.standing.empty() && result.message.empty())
        return "something is left changed, and is not told";
    if (result.result == Outcome::Refused || result.result == Outcome::InDoubt) return std::nullopt;
    // With more faults one of them may have been in the undo.
    if (faults > 1 || says_why(trial)) return std::nullopt;
    return fmt::format("it ends {}: {}", word(result.result), result.message);
}

}  // namespace migc::trial
