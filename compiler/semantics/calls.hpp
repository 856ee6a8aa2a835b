// What a call of a declaration means: what its parameters stand for, and how it is taken back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/ir/program.hpp"

namespace migc::semantics {

// Whether a command runs a tool: itself, or by the native that it is.
bool runs(const ir::Command& command, std::string_view tool);
inline bool runs(const std::optional<ir::Command>& command, std::string_view tool) {
    return command && runs(*command, tool);
}

// Whether a verb's command is a tool's own, which writes under the tool's name, and not under the run's.
inline bool writes_as_its_tool(const ir::Verb& verb) {
    return verb.action && verb.action->native.empty();
}

// What a parameter stands for, as far as the text tells: an argument that was left out says `absent`, and
// then the parameter's default counts. The program has it in the argument's place already (sema/phrases.cpp).
// What turns out to be absent only in a run is treated alike: by `is_left_out`.
const ir::Expr& argument_for(const ir::Parameter& parameter, const ir::Expr& given);
// The one value that stands for an argument that was not given.
const Value& not_given();
// Whether the default counts in place of a value that an argument has.
bool is_left_out(const ir::Parameter& parameter, const Value& value);

inline const Value* value_in(const std::optional<Value>& known) {
    return known ? &*known : nullptr;
}
inline const Value* value_in(const Value& value) {
    return &value;
}

// What a parameter stands for, as far as that is known: what the call gives, or where that is left out its
// default. `inside` works the default out, which stands among constants and settings: it sees no parameter.
// `Known` is a value, a reading, or something else with a `value_in`.
template <class Known, class Inside>
Known argument_value(const ir::Parameter& parameter, Known given, const Inside& inside) {
    const Value* value = value_in(given);
    if (value == nullptr || !is_left_out(parameter, *value)) return given;
    return inside(*parameter.default_value);
}

// How a step is taken back: as the step itself says, else as its verb does.
const ir::Undo& way_back(const ir::Step& call, const ir::Verb& verb);

// Whether an inverse has `after P`: it waits until the inverse that restores P has run, and runs once, right
// after.
bool waits(const ir::Undo& undo);
// The same for people: " (after replicas of webapi is changed back)"; empty if it does not wait.
// `describe` says what a probe asks.
std::string turn_in_words(const ir::Undo& undo, const std::function<std::string(const ir::Expr&)>& describe);

// Of `undo .. after P`: whether it runs in its turn, and does not wait, where nothing that the stage did
// changed P: there must be something to bring back. What only becomes different has no reason to run.
bool runs_in_place(const ir::Verb& verb);

}  // namespace migc::semantics
