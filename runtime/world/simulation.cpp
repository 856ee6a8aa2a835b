#include "runtime/world/simulation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/world/world.hpp"

namespace migc::runtime {

Time Simulation::next() const {
    Time soonest = never;
    for (const auto& [name, cluster] : clusters) soonest = std::min(soonest, cluster.next());
    return soonest;
}

void Simulation::advance(Time to) {
    if (to < clock) return;
    for (auto& [name, cluster] : clusters) cluster.advance(to);
    clock = to;
}

bool Simulation::pass(std::int64_t milliseconds) {
    const bool in_time = milliseconds <= deadline - clock;
    advance(in_time ? clock + milliseconds : deadline);
    return in_time;
}

std::int64_t Simulation::changes() const {
    std::int64_t sum = 0;
    for (const auto& [name, cluster] : clusters) sum += cluster.resource_version();
    return sum;
}

Answer exited(int status, std::string output, std::string errors) {
    Answer answer;
    answer.ending = Ending::Exited;
    answer.status = status;
    answer.output = std::move(output);
    answer.errors = std::move(errors);
    return answer;
}

Answer done(std::string output) {
    return exited(0, std::move(output));
}

Answer failed(const std::string& errors) {
    return exited(1, "", errors);
}

Answer unmodelled(const std::string& what) {
    return exited(not_modelled, "", fmt::format("the simulated world does not model: {}\n", what));
}

Answer out_of_time() {
    Answer answer;
    answer.ending = Ending::TimedOut;
    answer.reason = "the command was ended because it took longer than it may";
    return answer;
}

Answer script(Simulation& world, const CommandLine& command) {
    for (const auto& [path, script] : world.programs) {
        if (!names_path(path, command.argv[0])) continue;
        if (!world.pass(script.duration_ms)) return out_of_time();
        return exited(script.status, script.output, script.errors);
    }
    return unmodelled(fmt::format("the program {}", command.argv[0]));
}

}  // namespace migc::runtime
