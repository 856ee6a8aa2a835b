#include "runtime/world/world.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"
#include "runtime/tools/output_file.hpp"
#include "runtime/world/others.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {
namespace {

// The words of a command line without what only says where it goes.
std::vector<std::string> without_connection(std::vector<std::string> words, bool is_git) {
    const std::size_t first = 1;
    while (words.size() > first + 1 && listed("--kubeconfig --context --namespace -n", words[first]))
        words.erase(words.begin() + 1, words.begin() + 3);
    while (words.size() > first && (words[first].rfind("-chdir=", 0) == 0 || words[first] == "-q"))
        words.erase(words.begin() + 1);
    if (is_git)  // -C FOLDER, -c NAME=VALUE and switches, up to the command
        while (words.size() > first && words[first].starts_with('-'))
            words.erase(words.begin() + 1,
                        words.begin() + (listed("-C -c", words[first]) && words.size() > 2 ? 3 : 2));
    return words;
}

std::vector<std::string> without_connection(const CommandLine& command) {
    return without_connection(command.argv, command.tool == "git");
}

// The same of one that is shown.
std::string brief(const std::string& shown) {
    std::vector<std::string> words = split(shown, ' ');
    const bool is_git = words.front() == "git";
    return joined(without_connection(std::move(words), is_git));
}

// Each once, in order, and no more of them, or of each, than anybody reads.
std::string few(const std::vector<std::string>& commands) {
    constexpr std::size_t most = 6, longest = 60;
    std::vector<std::string> different;
    for (const std::string& command : commands) {
        std::string text = brief(command);
        if (text.size() > longest) text = text.substr(0, text.rfind(' ', longest)) + " ..";
        if (std::ranges::find(different, text) == different.end()) different.push_back(std::move(text));
    }
    const bool is_cut = different.size() > most;
    if (is_cut) different.resize(most);
    return fmt::format("`{}`{}", fmt::join(different, "`, `"), is_cut ? ", .." : "");
}

bool is_read(const CommandLine& command) {
    const std::vector<std::string> words = without_connection(command);
    const std::string verb = words.size() > 1 ? words[1] : "";
    if (command.tool == "kubectl")
        return listed("get top auth version config logs exec run", verb) ||
               std::ranges::count(words, "--dry-run=server") > 0;
    if (command.tool == "terraform")
        return listed("show output state validate plan version", verb) ||
               (verb == "workspace" && std::ranges::count(words, "show") > 0);
    if (command.tool == "docker") return std::ranges::count(words, "inspect") > 0 || verb == "pull";
    if (command.tool == "curl")
        return std::ranges::count(words, "--request") == 0 && std::ranges::count(words, "--data-binary") == 0;
    if (command.tool == "git") return true;
    return false;
}

Answer act(Simulation& world, const CommandLine& command) {
    const std::vector<std::string> arguments(command.argv.begin() + 1, command.argv.end());
    if (command.tool == "kubectl") return kubectl(world, command, arguments);
    if (command.tool == "curl") return curl(world, command, arguments);
    if (command.tool == "docker") return docker(world, command, arguments);
    if (command.tool == "terraform") return terraform(world, command, arguments);
    if (command.tool == "git") return git(world, arguments);
    return script(world, command);
}

// An object of a shape that no check foresaw must not end the run.
Answer act_safely(Simulation& world, const CommandLine& command) {
    try {
        return act(world, command);
    } catch (const std::exception& problem) {
        return unmodelled("{} with such values ({})", command.tool, problem.what());
    }
}

std::int64_t cost_of(const Simulation& world, const std::string& tool) {
    const auto found = world.costs.find(tool);
    constexpr std::int64_t usual_ms = 50;
    return found == world.costs.end() ? usual_ms : found->second;
}

// Lets the world go on until something changed since there were so many changes, or to the deadline.
WakeReason wait_for_news(Simulation& world, std::int64_t seen, Time deadline) {
    while (world.changes() == seen && world.next() <= deadline) world.advance(world.next());
    if (world.changes() != seen) return WakeReason::Changed;
    world.advance(deadline);
    return WakeReason::Deadline;
}

class SimulatedWatch : public Watch {
  public:
    SimulatedWatch(Simulation& world, bool alive, bool remembers)
        : world_(world), alive_(alive), remembers_(remembers), seen_(world.changes()) {}

    WakeReason wait(Time deadline) override {
        if (!alive_) return WakeReason::Ended;
        const WakeReason woken = wait_for_news(world_, remembers_ ? seen_ : world_.changes(), deadline);
        seen_ = world_.changes();
        return woken;
    }

  private:
    Simulation& world_;
    bool alive_;
    bool remembers_;  // what happened while the caller did something else is news, too
    std::int64_t seen_;
};

}  // namespace

std::vector<Changed> would_change(const Simulation& world, const CommandLine& command) {
    const auto tried = at_rest(world);
    // Only what the command itself does, and no controller.
    act_safely(*tried, command);
    return changed_between(world, *tried);
}

World::World(std::unique_ptr<Simulation> simulation)
    : simulation_(std::move(simulation)), others_(std::make_unique<Others>(*simulation_)) {}

World::~World() = default;

Time World::now() {
    return simulation_->clock;
}

WakeReason World::sleep_until(Time deadline) {
    simulation_->advance(deadline);
    return WakeReason::Deadline;
}

void World::inject(Fault fault) {
    faults_.push_back({std::move(fault), 0, false});
}

void World::interfere(Interference interference) {
    others_->arm(std::move(interference));
}

void World::stand_in(std::filesystem::path root) {
    others_->stand_in(std::move(root));
}

void World::step(const std::string& text, bool ended) {
    others_->step(text, ended);
}

tl::expected<void, std::string> World::act_as_other(Deed deed, const Changed& where) {
    others_->count_commands(commands_.size());
    return others_->act(deed, where);
}

std::vector<Changed> World::would_change(const CommandLine& command) const {
    return runtime::would_change(*simulation_, command);
}

void World::keep_memory() {
    others_->keep_memory();
}

const std::vector<OthersWrite>& World::ledger() {
    others_->look_at_end();
    return others_->ledger();
}

std::vector<std::string> World::idle_interference() const {
    return others_->idle();
}

// A command is looked for by its first words.
std::vector<std::string> World::idle_faults() const {
    std::vector<std::string> idle, beginnings;
    for (const std::string& command : commands_) {
        const auto words = split(brief(command), ' ');
        beginnings.push_back(words.size() < 2 ? words.front() : words[0] + " " + words[1]);
    }
    for (const auto& [fault, seen, fired] : faults_) {
        if (fired) continue;
        std::string why = seen == 0 ? fmt::format("no command of the run has `{}` in it", fault.text)
                                    : fmt::format("there is no `{}` #{}: the run has {} such command{}",
                                                  fault.text, fault.nth, seen, seen == 1 ? "" : "s");
        if (const auto meant = seen == 0 ? nearest(fault.text, beginnings) : std::nullopt)
            why += fmt::format("; did you mean `{}`?", *meant);
        else if (!acted_.empty())
            why += fmt::format("; it changes something with {}", few(acted_));
        idle.push_back(std::move(why));
    }
    return idle;
}

std::string World::state() const {
    return state_of(*simulation_);
}

const std::vector<std::string>& World::posted() const {
    return simulation_->posted;
}

Answer World::run(const CommandLine& command) {
    if (command.argv.empty()) return unmodelled("a command without a program");
    const Time begun = simulation_->clock;
    commands_.push_back(tools::shown(command.argv));
    simulation_->deadline = begun + std::clamp<std::int64_t>(command.within_ms, 1, never / 4);
    const bool others = others_->any();
    if (others) {
        others_->count_commands(commands_.size() - 1);
        others_->before(command, commands_.back(), tools::shown(without_connection(command)));
    }
    if (!is_read(command)) others_->remember();
    simulation_->acted = false;
    Answer answer = with_files(command);
    if (simulation_->acted) acted_.push_back(commands_.back());
    if (others) others_->after(command, !simulation_->acted && is_read(command));
    simulation_->deadline = never;
    answer.took_ms = simulation_->clock - begun;
    return answer;
}

// Files are those of this machine, also where all else is simulated.
Answer World::with_files(const CommandLine& given) {
    CommandLine command = given;
    if (!command.input_file.empty()) {
        auto content = file_content(command.input_file, any_size);
        if (!content) return failed("{} cannot be read: {}\n", command.input_file, content.error());
        command.input = std::move(*content);
    }
    const Fault* fault = due(command);
    Answer answer = fault ? perform(command, *fault) : perform(command);
    if (!command.output_file.empty()) move_output_to_file(answer, command.output_file);
    return answer;
}

tl::expected<bool, std::string> World::running(const std::string& log) {
    const auto found = simulation_->left_running.find(log);
    return found != simulation_->left_running.end() && found->second.ends > simulation_->clock;
}

Answer World::stop(const std::string& log, std::int64_t) {
    commands_.push_back(fmt::format("stop {}", log));
    if (simulation_->left_running.erase(log) > 0) acted_.push_back(commands_.back());
    return done("");
}

std::unique_ptr<Watch> World::watch(const CommandLine& command) {
    if (command.tool != "kubectl" || !(std::ranges::count(command.argv, "--watch-only") > 0 ||
                                       std::ranges::count(command.argv, "--watch") > 0))
        return nullptr;
    return std::make_unique<SimulatedWatch>(*simulation_, !is_down(command), true);
}

std::unique_ptr<Watch> World::watch_all() {
    // What a command of the caller's changed is no news.
    return std::make_unique<SimulatedWatch>(*simulation_, true, false);
}

// Every fault counts its commands, also when another one fires first.
const Fault* World::due(const CommandLine& command) {
    const std::string whole = tools::shown(command.argv);
    const std::string brief = tools::shown(without_connection(command));
    const Fault* found = nullptr;
    for (Armed& armed : faults_) {
        if (armed.fired || (whole.find(armed.fault.text) == std::string::npos &&
                            brief.find(armed.fault.text) == std::string::npos))
            continue;
        if (++armed.seen < armed.fault.nth || found) continue;
        armed.fired = true;
        found = &armed.fault;
    }
    return found;
}

bool World::is_down(const CommandLine& command) const {
    const auto outage = outages_.find(command.tool);
    return outage != outages_.end() && simulation_->clock < outage->second;
}

Answer World::perform(const CommandLine& command) {
    if (!simulation_->pass(cost_of(*simulation_, command.tool))) return out_of_time();
    if (is_down(command) && is_read(command))
        return command.tool == "curl"
                   ? exited(7, "000", "curl: (7) Failed to connect: injected fault: the network is down\n")
                   : failed("injected fault: " + command.tool + " cannot reach its server\n");
    // From another API server, or a cache: true once, and not any more.
    if (is_read(command))
        if (const auto earlier = others_->stale()) return act_safely(*earlier, command);
    return act_safely(*simulation_, command);
}

Answer World::perform(const CommandLine& command, const Fault& fault) {
    const std::int64_t cost = cost_of(*simulation_, command.tool);
    switch (fault.kind) {
        case FaultKind::FailBefore:
            if (!simulation_->pass(cost)) return out_of_time();
            return failed("injected fault: the command failed before it did anything\n");
        case FaultKind::FailAfter: {
            // What it had printed by then was printed.
            Answer answer = failed("injected fault: the command failed after it had acted\n");
            answer.output = perform(command).output;
            return answer;
        }
        case FaultKind::TimeoutAfter:
            perform(command);
            return timed_out(command);
        case FaultKind::Hang:
            return timed_out(command);
        case FaultKind::Garbage:
            if (Answer answer = perform(command); !answer.succeeded()) return answer;
            return done("}{ injected fault: this is no answer\n");
        case FaultKind::Down:
            outages_[command.tool] =
                std::max(outages_[command.tool], simulation_->clock + cost + fault.lasts_ms);
            break;
    }
    return perform(command);
}

Answer World::timed_out(const CommandLine& command) {
    simulation_->advance(simulation_->deadline);
    Answer answer = out_of_time();
    answer.reason = fmt::format("injected fault: no answer within {} ms", command.within_ms);
    return answer;
}

}  // namespace migc::runtime::inline world
