#include "compiler/prove/explore.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <unordered_map>

namespace migc::prove {
namespace {

// One behind another, of one schedule: each takes a frame of the stack, of which there are eight megabytes.
constexpr std::size_t most_choices = 12'000;

// What lies between two states is short, but for a script in which each step has thousands that might have to
// be undone. Whoever asks for more faults at once has time.
std::uint64_t most_instructions(const Limits& limits) {
    constexpr std::uint64_t for_a_state = 500;
    const std::uint64_t further = std::max(1U, limits.faults) - 1;
    return std::max<std::uint64_t>(1, limits.states * for_a_state) << (6 * further);
}

// States are told apart by 128 bits of digest: of two billion of them, that any two share one has a chance of
// one in 10^20.
struct Key {
    std::uint64_t a = 0, b = 0;
    friend bool operator==(const Key&, const Key&) = default;
};
struct HashOfKey {
    std::size_t operator()(const Key& key) const { return key.a; }
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

Key digest(const ValueId* registers, std::size_t count, std::uint64_t where) {
    constexpr std::uint64_t p0 = 0xa0761d6478bd642fULL, p1 = 0xe7037ed1a0b428dbULL,
                            p2 = 0x8ebc6af09c88c6e3ULL;
    Key key{mixed(where ^ p0, p1), mixed(where ^ p1, p2)};
    const char* bytes = reinterpret_cast<const char*>(registers);
    std::size_t left = count * sizeof(ValueId);
    while (left > 0) {
        std::uint64_t part = 0;
        const std::size_t size = std::min<std::size_t>(left, sizeof part);
        std::memcpy(&part, bytes, size);
        key.a = mixed(key.a ^ part, p1);
        key.b = mixed(key.b ^ part ^ p0, p2);
        bytes += size;
        left -= size;
    }
    return key;
}

constexpr std::uint32_t far = ~std::uint32_t{0};

// What lies behind a state.
struct Ahead {
    std::array<std::uint64_t, most_faults + 1> schedules{};
    std::uint32_t faults = far;  // of a shortest way into a violation
    std::uint32_t length = far;
    std::uint32_t option = 0;  // its first step
    Outcomes outcomes = 0;     // if nothing more goes wrong
};

class Search {
  public:
    Search(System& system, Machine& machine, const Limits& limits)
        : system_(system), machine_(machine), limits_(limits), size_(system.written) {
        counts_.reached_choice.assign(system.choices.size(), 0);
        counts_.reached_ending.assign(system.endings.size(), 0);
        for (const Choice& choice : system.choices) {
            first_option_.push_back(counts_.after_fault.size());
            counts_.after_fault.resize(counts_.after_fault.size() + choice.options.size());
        }
    }

    Findings run() {
        Findings result;
        Ahead best;
        const int variations = limits_.variations ? static_cast<int>(system_.variations.size()) : 0;
        int chosen = -1;
        for (int variation = -1; variation < variations && !cut_off(); ++variation) {
            enter_world(variation);
            const Ahead ahead = from_start(budget_of(variation));
            for (std::size_t i = 0; i <= most_faults; ++i) counts_.schedules[i] += ahead.schedules[i];
            if (variation < 0) counts_.without_fault = ahead.outcomes;
            // A violation that needs nothing special to be so tells more than a shorter one that does.
            const bool special = variation >= 0, best_special = chosen >= 0;
            const bool shorter = std::tuple(ahead.faults, special, ahead.length) <
                                 std::tuple(best.faults, best_special, best.length);
            if (!shorter) continue;
            best = ahead;
            chosen = variation;
        }
        if (best.faults != far) {
            enter_world(chosen);
            result.counterexample = follow(budget_of(chosen));
        }
        counts_.states = known_.size();
        for (std::size_t i = 0; i < system_.choices.size(); ++i)
            counts_.points += system_.choices[i].point && counts_.reached_choice[i] ? 1 : 0;
        result.counts = std::move(counts_);
        result.cut_off = cut_off_ || system_.values.full();
        return result;
    }

  private:
    bool cut_off() {
        const bool too_long = machine_.carried_out() >= most_instructions(limits_);
        if (known_.size() >= limits_.states || too_long || choices_ahead_ >= most_choices) cut_off_ = true;
        return cut_off_;
    }

    void enter_world(int variation) {
        variation_ = variation;
        start_ = beginning(system_, variation);
        frames_.clear();
    }

    // What is never written is in each from the beginning.
    ValueId* frame(std::size_t depth) {
        while (frames_.size() <= depth) frames_.push_back(start_);
        return frames_[depth].data();
    }

    [[nodiscard]] Budget budget_of(int variation) const { return budget_for(limits_, variation); }

    bool is_hole(std::uint32_t ending, bool used) const {
        const Ending& one = system_.endings[ending];
        if (limits_.only_invariant) return one.violation == Violation::Property;
        if (one.violation != Violation::None) return true;
        // Nothing went wrong, and nothing is special: then it must be done.
        return !used && variation_ < 0 && one.outcome != Outcome::Done;
    }

    Ahead from_start(Budget budget) {
        return behind(machine_.begin(frame(0), budget.quiet()), 0, budget, budget);
    }

    Ahead behind(Stop stop, std::size_t depth, Budget budget, Budget whole) {
        if (!stop.at_end) return at_choice(stop.number, depth, budget, whole);
        ++counts_.runs;
        counts_.reached_ending[stop.number] = 1;
        Ahead ahead;
        ahead.schedules[0] = 1;
        ahead.outcomes =
            static_cast<Outcomes>(1U << static_cast<unsigned>(system_.endings[stop.number].outcome));
        if (is_hole(stop.number, whole != budget)) ahead.faults = ahead.length = 0;
        return ahead;
    }

    Ahead at_choice(std::uint32_t number, std::size_t depth, Budget budget, Budget whole) {
        const Choice& choice = system_.choices[number];
        counts_.reached_choice[number] = 1;
        ValueId* here = frame(depth);
        Key key;
        if (limits_.remember) {
            // Whether anything went wrong yet decides about what an end is worth.
            const std::uint64_t fresh = budget == whole && variation_ < 0 ? 1 : 0;
            key = digest(here, size_, (std::uint64_t{number} << 8) | (budget.number() << 1) | fresh);
            if (const auto found = known_.find(key); found != known_.end()) return found->second;
        }
        Ahead ahead;
        if (cut_off()) return ahead;
        ValueId* aside = frame(depth + 1);
        const auto options = static_cast<std::uint32_t>(choice.options.size());
        // What is hoped for comes last: nobody needs the state after it, so that it is not copied.
        for (std::uint32_t option = options; option-- > 0;) {
            const unsigned cost = choice.fault && option > 0 ? 1 : 0;
            if (cost != 0 && !budget.allows(choice)) continue;
            const Budget left = cost != 0 ? budget.without(choice) : budget;
            const std::size_t counted = choice.others ? 0 : cost;
            ValueId* next = option > 0 ? aside : here;
            if (option > 0) std::memcpy(next, here, size_ * sizeof(ValueId));
            ++choices_ahead_;
            const Ahead one = behind(machine_.go_on(next, number, option, left.quiet()),
                                     option > 0 ? depth + 1 : depth, left, whole);
            --choices_ahead_;
            for (std::size_t i = 0; i + counted <= most_faults; ++i) {
                auto& sum = ahead.schedules[i + counted];
                sum = sum + one.schedules[i] < sum ? ~std::uint64_t{0} : sum + one.schedules[i];
            }
            if (cost == 0) ahead.outcomes |= one.outcomes;
            if (cost == 1 && budget == whole && variation_ < 0)
                counts_.after_fault[first_option_[number] + option] |= one.outcomes;
            if (one.faults == far) continue;
            const std::pair way(one.faults + cost, one.length + 1);
            if (way <= std::pair(ahead.faults, ahead.length)) {
                ahead.faults = way.first;
                ahead.length = way.second;
                ahead.option = option;
            }
        }
        if (limits_.remember) known_[key] = ahead;
        return ahead;
    }

    // The way into the violation, once more.
    Schedule follow(Budget budget) {
        Schedule schedule;
        schedule.variation = variation_;
        const Budget whole = budget;
        std::vector<ValueId> registers = start_;
        Stop stop = machine_.begin(registers.data(), budget.quiet());
        while (!stop.at_end) {
            std::copy(registers.begin(), registers.end(), frame(0));
            const Ahead ahead = at_choice(stop.number, 0, budget, whole);
            const bool fault = system_.choices[stop.number].fault && ahead.option > 0;
            schedule.decisions.push_back(ahead.option);
            schedule.faults += fault ? 1 : 0;
            if (fault) budget = budget.without(system_.choices[stop.number]);
            stop = machine_.go_on(registers.data(), stop.number, ahead.option, budget.quiet());
        }
        schedule.ending = stop.number;
        return schedule;
    }

    System& system_;
    Machine& machine_;
    Limits limits_;
    std::size_t size_;
    int variation_ = -1;
    bool cut_off_ = false;
    std::size_t choices_ahead_ = 0;  // of the schedule that is followed
    Counts counts_;
    std::vector<std::size_t> first_option_;  // by choice
    std::vector<ValueId> start_;
    std::vector<std::vector<ValueId>> frames_;  // a state for each option but the first on the way here
    std::unordered_map<Key, Ahead, HashOfKey> known_;
};

}  // namespace

Budget budget_for(const Limits& limits, int variation) {
    return {variation < 0 ? limits.faults : std::min(limits.faults, 1U), limits.others};
}

Findings explore(System& system, Machine& machine, const Limits& limits) {
    return Search(system, machine, limits).run();
}

}  // namespace migc::prove
