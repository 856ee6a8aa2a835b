// The interpreter and the machine code agree, state for state, on random systems; and what the search counts.
#include <random>

#include <catch2/catch.hpp>

#include "compiler/prove/explore.hpp"
#include "compiler/prove/machine.hpp"

using namespace migc::prove;

namespace {

// Any program of forward jumps: it ends, whatever it does in between.
struct Random {
    explicit Random(unsigned seed) : engine(seed) {}
    std::mt19937 engine;
    std::uint32_t below(std::uint32_t limit) { return engine() % limit; }
};

System random_system(unsigned seed) {
    Random random(seed);
    System system;
    system.registers = system.written = 3 + random.below(6);
    system.start.assign(system.registers, 0);
    for (std::size_t i = 0; i + 1 < system.registers; ++i)
        system.start[i] = static_cast<ValueId>(random.below(4));
    const auto function = system.values.function({FunctionKind::Opaque, "f", {}, {}});
    const auto both = system.values.function({FunctionKind::And, "and", {}, {}});
    const std::uint32_t size = 10 + random.below(60);
    const auto later = [&](std::uint32_t at) { return at + 1 + random.below(size - at); };
    const auto reg = [&] {
        return static_cast<Register>(random.below(static_cast<std::uint32_t>(system.registers) - 1));
    };
    for (std::uint32_t at = 0; at < size; ++at) {
        Instruction one;
        one.a = reg();
        one.b = reg();
        switch (random.below(10)) {
            case 0:
                one.op = Op::Set;
                one.b = static_cast<std::uint16_t>(random.below(4));
                break;
            case 1:
                one.op = Op::Copy;
                break;
            case 2:
                one.op = Op::Apply;
                one.c = reg();
                one.d = random.below(2) == 0 ? function : both;
                break;
            case 3:
                one.op = Op::IfSame;
                one.target = later(at);
                break;
            case 4:
                one.op = Op::IfDiffer;
                one.target = later(at);
                break;
            case 5:
                one.op = random.below(2) == 0 ? Op::IfIs : Op::IfIsNot;
                one.b = static_cast<std::uint16_t>(random.below(4));
                one.target = later(at);
                break;
            case 6:
                one.op = Op::Jump;
                one.target = later(at);
                break;
            case 7: {  // back from a routine; wherever one comes from, it goes on at the end, so that it ends
                one.op = Op::Set;
                one.a = static_cast<Register>(system.registers - 1);
                one.b = static_cast<std::uint16_t>(system.returns.size());
                system.code.push_back(one);
                ++at;
                if (at >= size) break;
                system.returns.push_back(size);
                one.op = Op::Return;
                break;
            }
            default: {
                one.op = Op::Choose;
                one.target = static_cast<std::uint32_t>(system.choices.size());
                Choice choice;
                choice.fault = random.below(3) != 0;
                choice.point = choice.fault;
                for (std::uint32_t i = 0; i < 2 + random.below(2); ++i)
                    choice.options.push_back({"", later(at), true});
                system.choices.push_back(std::move(choice));
            }
        }
        if (system.code.size() < size) system.code.push_back(one);
    }
    system.code.resize(size);
    Instruction end;
    end.op = Op::End;
    for (const Violation violation : {Violation::None, Violation::NotRestored}) {
        Ending ending;
        ending.violation = violation;
        system.endings.push_back(ending);
    }
    end.target = random.below(2);
    system.code.push_back(end);
    return system;
}

// The same few instructions over and over, each time with the next registers and choices: what a loop in a
// script is lowered to. Jumps lead on, within a turn, into the next one, or out.
System repeating_system(unsigned seed) {
    Random random(seed);
    const std::uint32_t length = 2 + random.below(9), turns = 3 + random.below(40),
                        stride = 1 + random.below(3);
    const std::uint32_t lead = random.below(4), end = lead + length * turns, common = 3;
    struct Moving {
        Instruction one;
        bool a = false, b = false, c = false, out = false;
    };
    System system;
    system.registers = system.written = common + stride * turns;
    for (std::size_t i = 0; i < system.registers; ++i)
        system.start.push_back(static_cast<ValueId>(random.below(3)));
    const auto function = system.values.function({FunctionKind::Opaque, "f", {}, {}});
    const Op ops[] = {Op::Set,     Op::Set,    Op::Copy,   Op::Copy,     Op::Apply,
                      Op::Apply,   Op::Jump,   Op::IfSame, Op::IfDiffer, Op::IfIs,
                      Op::IfIsNot, Op::Choose, Op::Choose, Op::Choose,   Op::End};
    std::vector<Moving> turn(length);
    const auto pick = [&](std::uint16_t& field, bool& moves) {
        moves = random.below(3) != 0;
        field = static_cast<std::uint16_t>(moves ? common + random.below(stride) : random.below(common));
    };
    for (std::uint32_t i = 0; i < length; ++i) {
        Moving& one = turn[i];
        one.one.op = ops[random.below(15)];
        pick(one.one.a, one.a);
        pick(one.one.b, one.b);
        pick(one.one.c, one.c);
        one.one.d = function;
        one.out = random.below(5) == 0;
        one.one.target = one.out ? end + random.below(3) : lead + i + 1 + random.below(2 * length - i - 1);
    }
    const bool fault = random.below(3) != 0;
    system.code.resize(lead, {Op::Set, 0, 1, 0, 0, 0});
    for (std::uint32_t time = 0; time < turns; ++time)
        for (const Moving& moving : turn) {
            Instruction one = moving.one;
            const bool constant = one.op == Op::Set || one.op == Op::IfIs || one.op == Op::IfIsNot;
            const auto step = static_cast<std::uint16_t>(stride * time);
            one.a = static_cast<std::uint16_t>(one.a + (moving.a ? step : 0));
            one.b = static_cast<std::uint16_t>(constant ? one.b % 3 : one.b + (moving.b ? step : 0));
            one.c = static_cast<std::uint16_t>(one.c + (moving.c ? step : 0));
            one.target += moving.out ? 0 : length * time;
            if (one.op == Op::End) one.target = time;
            if (one.op == Op::Choose) {
                Choice choice;
                choice.fault = fault != (random.below(60) == 0);
                const auto next = static_cast<std::uint32_t>(system.code.size()) + 1;
                choice.options = {{"", next, true}, {"", one.target, true}, {"", end, true}};
                one.target = static_cast<std::uint32_t>(system.choices.size());
                system.choices.push_back(std::move(choice));
            }
            system.code.push_back(one);
        }
    system.code.resize(end + 2 * length, {Op::Set, 1, 2, 0, 0, 0});
    system.code.push_back({Op::End, 0, 0, 0, 0, 0});
    system.endings.resize(turns);
    return system;
}

void agree(System& system, Machine& a, Machine& b, Stop stop, std::vector<ValueId> registers, int budget,
           std::size_t& seen) {
    if (stop.at_end || ++seen > 2'000) return;
    const Choice& choice = system.choices[stop.number];
    for (std::uint32_t option = 0; option < choice.options.size(); ++option) {
        const int left = budget - (choice.fault && option > 0 ? 1 : 0);
        if (left < 0) break;
        std::vector<ValueId> left_of_a = registers, left_of_b = registers;
        const Stop from_a = a.go_on(left_of_a.data(), stop.number, option, left == 0);
        const Stop from_b = b.go_on(left_of_b.data(), stop.number, option, left == 0);
        REQUIRE(from_a.at_end == from_b.at_end);
        REQUIRE(from_a.number == from_b.number);
        REQUIRE(left_of_a == left_of_b);
        agree(system, a, b, from_a, left_of_a, left, seen);
    }
}

}  // namespace

namespace {

// False if there is no machine code.
bool agree(System system) {
    auto compiled = make_compiled(fast_code(system), system.values);
    if (!compiled) {
        WARN("skipped: " << compiled.error());
        return false;
    }
    const auto interpreter = make_interpreter(fast_code(system), system.values);
    std::vector<ValueId> a = system.start, b = system.start;
    const Stop from_a = interpreter->begin(a.data(), false), from_b = (*compiled)->begin(b.data(), false);
    REQUIRE(from_a.at_end == from_b.at_end);
    REQUIRE(from_a.number == from_b.number);
    REQUIRE(a == b);
    std::size_t seen = 0;
    agree(system, *interpreter, **compiled, from_a, a, 3, seen);
    return true;
}

}  // namespace

TEST_CASE("the interpreter and the machine code agree, state for state") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        if (!agree(random_system(seed))) return;
    }
}

TEST_CASE("they agree on what repeats, which is compiled as loops") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        if (!agree(repeating_system(seed))) return;
    }
}

TEST_CASE("what is remembered changes neither the counts nor the answer") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        System system = random_system(seed);
        const auto machine = make_interpreter(fast_code(system), system.values);
        Limits with, without;
        with.faults = without.faults = 2;
        without.remember = false;
        const Findings a = explore(system, *machine, with), b = explore(system, *machine, without);
        INFO("seed " << seed);
        REQUIRE(a.counts.schedules == b.counts.schedules);
        REQUIRE(a.counts.points == b.counts.points);
        REQUIRE(a.counterexample.has_value() == b.counterexample.has_value());
        if (a.counterexample) REQUIRE(a.counterexample->decisions == b.counterexample->decisions);
    }
}

TEST_CASE("a limit that is reached is told") {
    System system = random_system(7);
    const auto machine = make_interpreter(fast_code(system), system.values);
    Limits limits;
    limits.states = 0;
    REQUIRE(explore(system, *machine, limits).cut_off);
}
