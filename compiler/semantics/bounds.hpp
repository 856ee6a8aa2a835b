// How long things may take at most, by the limits that the script and the declarations give. All in
// milliseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// Limits where neither the step nor a declaration gives one.
constexpr std::int64_t default_verify_ms = 300'000;
constexpr std::int64_t default_effect_ms = 30'000;
constexpr std::int64_t default_action_ms = 60'000;
constexpr std::int64_t default_retry_ms = 1'000;  // the pause between two tries

// What an expression yields where it stands: a duration in milliseconds, or a number. Nothing if it is not
// known.
using NumberOf = std::function<std::optional<std::int64_t>(const ir::Expr&)>;

struct Bound {
    std::int64_t act_ms = 0;  // of the command, with all its tries
    std::int64_t see_ms = 0;  // until its effect is seen, or a condition holds
    bool stated = false;      // by the step itself, and not only by a declaration
    [[nodiscard]] std::int64_t total() const { return act_ms + see_ms; }
};

// Of a call of a verb that acts. `outer` reads the step's clauses, `inner` what the verb and its tool
// declare.
Bound call_bound(const ir::Program& program, const ir::Step& step, const ir::Verb& verb,
                 const NumberOf& outer, const NumberOf& inner);

// Of a call of a verb of steps, which take so long `once`: `within` bounds all of its tries together.
Bound composite_bound(const ir::Step& step, const ir::Verb& verb, std::int64_t once, const NumberOf& outer,
                      const NumberOf& inner);

// Of a `verify`: its own limit, else that of the first probe which declares one.
Bound verify_bound(const ir::Program& program, const ir::Step& step, const NumberOf& value);

// Reads what stands among some steps, and inside of the verbs that they call.
struct Reader {
    NumberOf value;
    std::function<Reader(const ir::Step& call, const ir::Verb& verb)> enter;
};

// What steps take one after the other by their limits, whichever way they go.
std::int64_t longest(const ir::Program& program, const std::vector<ir::Step>& steps, const Reader& reader);

// Of taking back a call that takes `forward`: as long, for what is there is read before that. An undo that
// was written for the step has limits of its own; so has one that looks, too. `reader` is of where the undo
// stands.
std::int64_t undo_bound(const ir::Program& program, const ir::Step& step, const ir::Verb& verb,
                        const Bound& forward, const Reader& reader);

// The times of a stage, summed up in the order of its steps.
struct Times {
    std::int64_t steps_ms = 0;          // commands, and what is waited for
    std::int64_t soaks_ms = 0;          // all soaks
    std::int64_t soaks_between_ms = 0;  // those that a later change waits for
    std::int64_t undo_ms = 0;           // of everything that can be undone
    std::string no_return;              // the first step without a way back; "" if there is none

    void call(const Bound& bound, ir::UndoKind way_back, bool mutates, const std::string& text);
    // The failure block takes so long by itself. Unless it holds, it stands for the undo of the steps, or
    // comes beside it where it says `undo;`.
    void failure(const std::vector<ir::Step>& block, std::int64_t milliseconds);
    void verify(const Bound& bound) { steps_ms += bound.total(); }
    void soak(std::int64_t milliseconds);
    // Branches that run at the same time: the longest one counts, and each is undone by itself.
    void beside(const Times& before, const Times& branch);

    // From the first step until all that was changed is verified, and after a failure then, undone. A soak
    // after the last change may go on when the window is over.
    [[nodiscard]] std::int64_t window_ms() const { return steps_ms + soaks_between_ms + undo_ms; }
};

}  // namespace migc::semantics
