// A script as a transition system: a program of a small machine, whose registers are the state of the world
// and of the run, and that stops wherever something else could happen.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/prove/values.hpp"
#include "compiler/semantics/outcome.hpp"
#include "compiler/source/source.hpp"

namespace migc::prove {

using Register = std::uint16_t;

enum class Op : std::uint8_t {
    Set,     // a := constant b
    Copy,    // a := register b
    Apply,   // a := function d of registers b and c
    Jump,    // to target
    IfSame,  // registers a and b hold the same value: to target
    IfDiffer,
    IfIs,  // register a holds constant b: to target
    IfIsNot,
    Choose,  // target: number of a choice
    Return,  // to the return point whose number register a holds
    End,     // target: number of an end
    Say,     // target: number of a remark, for stories
};

struct Instruction {
    Op op = Op::Jump;
    std::uint16_t a = 0, b = 0, c = 0, d = 0;
    std::uint32_t target = 0;
};
// Which of the fields a, b and c name registers.
constexpr std::array<bool, 3> register_fields(Op op) {
    const bool compares = op == Op::IfSame || op == Op::IfDiffer;
    const bool none = op == Op::Jump || op == Op::Choose || op == Op::End || op == Op::Say;
    return {!none, op == Op::Copy || op == Op::Apply || compares, op == Op::Apply};
}
// Whether it writes the first of them; the others are read.
inline bool writes(const Instruction& one) {
    return one.op <= Op::Apply;
}
// Whether its target is another instruction.
inline bool jumps(const Instruction& one) {
    return one.op == Op::Jump || (one.op >= Op::IfSame && one.op <= Op::IfIsNot);
}

struct Option {
    std::string text;          // what happens: "fails, and nothing is done"
    std::uint32_t target = 0;  // where the program goes on
    bool remark = true;        // part of a trace
};

// A place where the world decides. Option 0 is what is hoped for.
struct Choice {
    bool fault = true;    // the others are faults; else all are as good
    bool others = false;  // a fault that is somebody else's: whether they write here
    bool undoing = false;
    bool undecided = false;  // none: whether the invariant holds here only a run can tell
    bool point = false;      // a place at which a run may come to a stop
    std::string text;        // the step: "scale webapi to 4"
    Span span;
    std::vector<Option> options = {};
};

// Why an end is none that an operator could live with.
enum class Violation : std::uint8_t {
    None,
    NotRestored,  // called undone, and something is not as it was
    NotListed,    // something differs that the run does not name
    NoReason,     // held or failed to undo, though nothing went wrong in the undo and the script does not ask
                  // for it
    NeverDone,    // nothing went wrong, and yet it does not end done
    Property,     // what the script says must always hold does not
    Overwritten,  // somebody else's write is gone, and no step had looked at it
};

struct Ending {
    Outcome outcome = Outcome::Done;
    Violation violation = Violation::None;
    bool declared = false;   // held as the script says: no way back from there
    bool ruled_out = false;  // a world in which the invariant is broken before the run
    std::string text = {};   // of an invariant
    Span span = {};
};

struct Remark {
    enum class Kind : std::uint8_t { Heading, Step, Undo, Result, Note };
    Kind kind = Kind::Note;
    std::string text;
    std::string value_text = {};  // "replicas of webapi"; with `value` its value is added
    Register value = 0;
    bool has_value = false;
    // Of a value that an undo sets: what it was before the change that is undone, of which `span` then is.
    Register before = 0;
    bool undoes = false;
    Span span;
};

// One thing that the script may change.
struct Variable {
    std::string name;         // "replicas of webapi"
    std::string environment;  // empty: the same in all
    Register now = 0;
    Span span;                      // of the first step that changes it
    std::vector<Register> origins;  // by stage: what it was when the stage began; by `stages`: before the run
};

// Something that may be so from the beginning: "replicas of webapi is 4 already".
struct Variation {
    std::string text;
    std::size_t variable = 0;
    ValueId value = nothing;
};

struct Note {
    std::string text;
    Span span;
};

struct System {
    Values values;
    std::vector<Instruction> code;  // as lowered, with remarks
    std::vector<Choice> choices;
    std::vector<Ending> endings;
    std::vector<Remark> remarks;
    std::vector<std::uint32_t> returns;  // by number, where they go on
    std::vector<Variable> variables;
    std::vector<Variation> variations;
    std::size_t registers = 0;
    std::size_t written = 0;      // the first registers, which are the state; nothing writes the others
    double orders = 0;            // in how many ways the branches of the widest `parallel` may come about
    bool too_large = false;       // more than a machine can hold: nothing of it is to be trusted
    std::vector<ValueId> start;   // the registers at the beginning
    std::vector<Note> bounds;     // what was not looked at
    std::vector<Note> trusted;    // inverses that are taken at their word
    std::vector<Note> no_return;  // irreversible steps
};

// Which choices do not stop a machine: what is hoped for happens there.
enum Quiet : unsigned { NotQuiet = 0, NoFaults = 1, NoOthers = 2 };

// What a machine needs to know of a system: the instructions without remarks, of which the first is where it
// begins. The numbers of choices, options, returns and ends are those of the system.
struct MachineCode {
    std::vector<Instruction> code;
    std::vector<std::uint32_t> first_option;  // by choice: where its options begin in `options`
    std::vector<char> is_fault;               // by choice: 0, or the bit of `Quiet` that it is of
    std::vector<std::uint32_t> options;       // where each goes on
    std::vector<std::uint32_t> returns;
    std::size_t registers = 0;
};
MachineCode fast_code(const System& system);

// The register file after `variation` (-1: none) at the beginning.
std::vector<ValueId> beginning(const System& system, int variation);

}  // namespace migc::prove
