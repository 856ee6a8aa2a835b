// How many schedules of faults a second the interpreter and the machine code go through.   bench-prove
// [FOLDER]
//
// Every schedule is carried out: nothing is remembered between states, only the way to a choice is shared.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/driver/script.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/prove/explore.hpp"
#include "compiler/prove/lower.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/parse.hpp"
#include "stdlib/stdlib.hpp"

namespace {

using namespace migc;
// Processor time, in seconds: other work on the machine does not count.
double now() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

prove::System system_of(const std::string& text, bool others) {
    const auto script = driver::load_text(text);
    if (script->diagnostics.has_errors()) std::abort();
    return prove::lower(script->program, script->inventory, {}, nullptr, others);
}

std::string script(int steps) {
    std::string text = "stage staging <\n";
    for (int i = 0; i < steps; ++i)
        text += fmt::format("    scale w{} to 4;\n    verify replicas of w{} is 4;\n", i, i);
    return text + "> on failure undo;\n";
}

// No two steps of it are alike for long, so that loops can be made of its undo only.
std::string varied(int steps) {
    std::string text = "stage staging <\n";
    std::uint32_t random = 1;
    const auto below = [&random](std::uint32_t limit) {
        random = random * 1664525 + 1013904223;
        return (random >> 16) % limit;
    };
    for (int i = 0; i < steps; ++i) {
        text += fmt::format("    scale w{} to {};\n", i, 3 + below(5));
        for (std::uint32_t more = below(3); more > 0; --more)
            text += fmt::format("    verify replicas of w{} is above {};\n", i, below(3));
    }
    return text + "> on failure undo;\n";
}

struct Contender {
    std::unique_ptr<prove::Machine> machine;
    double ready = 0;           // seconds until it was
    std::vector<double> rates;  // schedules a second, by round
};

Contender contender(prove::System& system, bool compiled) {
    Contender result;
    const double begun = now();
    if (!compiled) {
        result.machine = prove::make_interpreter(prove::fast_code(system), system.values);
    } else if (auto made = prove::make_compiled(prove::fast_code(system), system.values)) {
        result.machine = std::move(*made);
    } else {
        fmt::print("skipped: {}\n", made.error());
    }
    result.ready = now() - begun;
    return result;
}

// A system is gone through until a time that can be measured has passed.
void explore(prove::System& system, Contender& one, unsigned faults, bool others) {
    prove::Limits limits;
    limits.faults = faults;
    limits.others = others;
    limits.remember = false;
    limits.variations = false;
    std::uint64_t schedules = 0;
    const double begun = now();
    do schedules += prove::explore(system, *one.machine, limits).counts.runs;
    while (now() - begun < 0.3);
    one.rates.push_back(static_cast<double>(schedules) / (now() - begun));
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// Both in turn, round by round, as the machine may be faster in one moment than in the next.
void compare(const std::string& name, const std::string& text, unsigned faults, bool others = false) {
    prove::System system = system_of(text, others);
    Contender slow = contender(system, false), fast = contender(system, true);
    fmt::print("{}: {} instructions, {} registers, {} fault{}{}\n", name, system.code.size(),
               system.registers, faults, faults == 1 ? "" : "s", others ? ", somebody else" : "");
    std::vector<double> ratios;
    for (int round = 0; round < 5; ++round) {
        explore(system, slow, faults, others);
        if (!fast.machine) continue;
        explore(system, fast, faults, others);
        ratios.push_back(fast.rates.back() / slow.rates.back());
    }
    const double a = median(slow.rates);
    fmt::print("  interpreter {:>12.0f} schedules/s\n", a);
    if (!fast.machine) return;
    const double b = median(fast.rates);
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    fmt::print(
        "  machine code{:>12.0f} schedules/s   {:.1f} x ({:.1f} to {:.1f})   ready after {:.0f} ms, which pays "
        "off after {:.0f} schedules\n",
        b, median(ratios), *least, *most, fast.ready * 1000, b > a ? fast.ready / (1 / a - 1 / b) : 0.0);
}

}  // namespace

int main() {
    compare("a scenario: 6 steps and verifications", script(3), 1);
    compare("a scenario: 12 steps and verifications, pairs", script(6), 2);
    compare("40 steps, pairs", script(20), 2);
    compare("200 steps", script(100), 1);
    compare("500 steps", script(250), 1);
    compare("500 steps in no order", varied(250), 1);
    compare("500 steps, others", script(250), 0, true);
    compare("12 steps, others and a fault", script(6), 1, true);
    return 0;
}
