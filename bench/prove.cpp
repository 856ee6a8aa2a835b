// How many schedules of faults a second the interpreter and the machine code go through.   bench-prove
// [FOLDER]
//
// Every schedule is carried out: nothing is remembered between states, only the way to a choice is shared.
#include <chrono>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "compiler/project/inventory.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/prove/explore.hpp"
#include "runtime/prove/lower.hpp"
#include "stdlib/stdlib.hpp"

namespace {

using namespace migc;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

prove::System system_of(const std::string& text) {
    SourceMap sources;
    Diagnostics diagnostics;
    const auto inventory = project::load_inventory("/", sources, diagnostics);
    const FileId file = sources.add("bench.mig", text);
    const auto tree = syntax::parse(sources, file, diagnostics);
    sema::Library library(standard_library(), sources, diagnostics,
                          [](const std::string&, const std::string&) { return std::optional<FileId>(); });
    const auto program = sema::analyse(tree, inventory, library, sources, diagnostics);
    return prove::lower(program, inventory, {});
}

std::string script(int steps) {
    std::string text = "stage staging <\n";
    for (int i = 0; i < steps; ++i)
        text += fmt::format("    scale w{} to 4;\n    verify replicas of w{} is 4;\n", i, i);
    return text + "> on failure undo;\n";
}

struct Figure {
    double ready = 0, searched = 0;
    std::uint64_t schedules = 0;
};

Figure measure(prove::System& system, bool compiled, unsigned faults) {
    const auto begun = Clock::now();
    std::unique_ptr<prove::Machine> machine;
    if (compiled) {
        auto made = prove::make_compiled(prove::fast_code(system), system.values);
        if (!made) {
            fmt::print("skipped: {}\n", made.error());
            return {};
        }
        machine = std::move(*made);
    } else {
        machine = prove::make_interpreter(prove::fast_code(system), system.values);
    }
    Figure figure;
    figure.ready = since(begun);
    prove::Limits limits;
    limits.faults = faults;
    limits.remember = false;
    limits.variations = false;
    const auto searching = Clock::now();
    // A small system is gone through until a time that can be measured has passed.
    do figure.schedules += prove::explore(system, *machine, limits).counts.runs;
    while (since(searching) < 0.5);
    figure.searched = since(searching);
    return figure;
}

void compare(const std::string& name, const std::string& text, unsigned faults) {
    prove::System system = system_of(text);
    const Figure slow = measure(system, false, faults), fast = measure(system, true, faults);
    const double a = static_cast<double>(slow.schedules) / slow.searched;
    fmt::print("{}: {} instructions, {} registers, {} fault{}\n", name, system.code.size(), system.registers,
               faults, faults == 1 ? "" : "s");
    fmt::print("  interpreter {:>12.0f} schedules/s\n", a);
    if (fast.schedules == 0) return;
    const double b = static_cast<double>(fast.schedules) / fast.searched;
    fmt::print(
        "  machine code{:>12.0f} schedules/s   {:.1f} x   ready after {:.0f} ms, which pays off after {:.0f} schedules\n",
        b, b / a, fast.ready * 1000, b > a ? fast.ready / (1 / a - 1 / b) : 0.0);
}

}  // namespace

int main() {
    compare("a scenario: 6 steps and verifications", script(3), 1);
    compare("a scenario: 12 steps and verifications, pairs", script(6), 2);
    compare("40 steps, pairs", script(20), 2);
    compare("200 steps", script(100), 1);
    compare("500 steps", script(250), 1);
    return 0;
}
