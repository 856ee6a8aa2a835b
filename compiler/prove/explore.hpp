// Every schedule of faults of a system, up to a number of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/prove/machine.hpp"
#include "compiler/prove/system.hpp"

namespace migc::prove {

constexpr unsigned most_faults = 3;

// What may still go wrong in a run: so many faults, and somebody else once.
struct Budget {
    unsigned faults = 0;
    bool others = false;

    [[nodiscard]] bool allows(const Choice& choice) const { return choice.others ? others : faults > 0; }
    [[nodiscard]] Budget without(const Choice& choice) const {
        return choice.others ? Budget{faults, false} : Budget{faults - 1, others};
    }
    [[nodiscard]] unsigned quiet() const {
        return (faults == 0 ? unsigned{NoFaults} : 0U) | (others ? 0U : unsigned{NoOthers});
    }
    [[nodiscard]] std::uint64_t number() const { return faults | (others ? 8U : 0U); }
    friend bool operator==(const Budget&, const Budget&) = default;
};

struct Limits {
    unsigned faults = 1;
    bool others = false;             // as well
    std::size_t states = 6'000'000;  // remembered; more are not looked at, and that is said
    bool remember = true;            // states that were met before are not gone through again
    bool variations = true;
    bool only_invariant = false;  // only its breaking is a violation
};

// What was decided at each choice at which the machine stopped, from the beginning.
struct Schedule {
    int variation = -1;
    unsigned faults = 0;
    std::vector<std::uint32_t> decisions;
    std::uint32_t ending = 0;
};

// Outcomes that runs come to: the bits 1 << Outcome.
using Outcomes = std::uint16_t;

struct Counts {
    std::array<std::uint64_t, most_faults + 1> schedules{};  // by the number of faults in them, others apart
    std::uint64_t runs = 0;                                  // ends that the machine came to
    std::uint64_t states = 0;
    std::size_t points = 0;  // places at which a run may come to a stop
    std::vector<char> reached_choice, reached_ending;
    Outcomes without_fault = 0;
    std::vector<Outcomes>
        after_fault;  // by option, those of a choice behind another; nothing else went wrong
};

struct Findings {
    Counts counts;
    std::optional<Schedule> counterexample;  // a shortest one
    bool cut_off = false;                    // a limit was reached, so not everything was looked at
};

// A variation is a surprise as well: two are looked at together, and no more.
Budget budget_for(const Limits& limits, int variation);

Findings explore(System& system, Machine& machine, const Limits& limits);

}  // namespace migc::prove
