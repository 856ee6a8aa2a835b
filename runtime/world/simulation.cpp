#include "runtime/world/simulation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/write_file.hpp"
#include "runtime/world/world.hpp"

namespace migc::runtime::inline world {

Time Simulation::next() const {
    Time soonest = never;
    for (const auto& [name, cluster] : clusters) soonest = std::min(soonest, cluster.next());
    for (const auto& [time, work] : scheduled) soonest = std::min(soonest, time);
    return soonest;
}

void Simulation::advance(Time to) {
    if (to < clock) return;
    while (!scheduled.empty()) {
        const auto first = std::ranges::min_element(
            scheduled, [](const auto& a, const auto& b) { return a.first < b.first; });
        if (first->first > to) break;
        const auto [time, work] = *first;
        scheduled.erase(first);
        for (auto& [name, cluster] : clusters) cluster.advance(time);
        clock = std::max(clock, time);
        work();
    }
    for (auto& [name, cluster] : clusters) cluster.advance(to);
    clock = to;
}

bool Simulation::pass(std::int64_t milliseconds) {
    const bool in_time = milliseconds <= deadline - clock;
    advance(in_time ? clock + milliseconds : deadline);
    return in_time;
}

bool Simulation::pass_to_next(Time latest) {
    return pass(std::max<Time>(1, std::min(next(), latest) - clock));
}

Answer Simulation::end(const ProgramEnding& ending) {
    if (!pass(ending.duration_ms)) return out_of_time();
    return exited(ending.status, ending.output, ending.errors);
}

std::int64_t Simulation::changes() const {
    std::int64_t sum = 0;
    for (const auto& [name, cluster] : clusters) sum += cluster.resource_version();
    return sum;
}

Answer done(std::string output) {
    return exited(0, std::move(output));
}

Answer done_json(const Object& object, int indent) {
    return done(printed(object, indent) + "\n");
}

Answer failed(const std::string& errors) {
    return exited(1, "", errors);
}

Answer unmodelled(const std::string& what) {
    return exited(not_modelled, "", fmt::format("the simulated world does not model: {}\n", what));
}

Answer out_of_time() {
    return cut_off("the command was ended because it took longer than it may");
}

namespace {

std::string last_line(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

// One that ends within a moment is noticed, as with a live one.
Answer leave_running(Simulation& world, const CommandLine& command, const std::string& path,
                     const Script& script) {
    constexpr std::int64_t moment_ms = 300;
    if (!world.pass(moment_ms)) return out_of_time();
    if (!script.keeps_running && script.duration_ms < moment_ms) {
        const std::string said = last_line(script.output + script.errors);
        return exited(std::max(1, script.status), "",
                      fmt::format("it ended at once with exit code {}{}{}\n", script.status,
                                  said.empty() ? "" : ": ", said));
    }
    (void)write_file(command.log, script.output, {.synced = false});
    world.left_running[command.log] = {path, script.keeps_running ? never : world.clock + script.duration_ms};
    world.acted = true;
    return done("process 4711\n");
}

}  // namespace

Answer script(Simulation& world, const CommandLine& command) {
    for (const auto& [path, script] : world.programs) {
        if (!names_path(path, command.argv[0])) continue;
        if (!command.log.empty()) return leave_running(world, command, path, script);
        return world.end(script);
    }
    return unmodelled("the program {}", command.argv[0]);
}

}  // namespace migc::runtime::inline world
