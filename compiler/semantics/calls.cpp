#include "compiler/semantics/calls.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace migc::semantics {

bool runs(const ir::Command& command, std::string_view tool) {
    return command.tool == tool || std::ranges::find(command.through, tool) != command.through.end();
}

const Value& not_given() {
    static const Value absent = Absent{};
    return absent;
}

bool is_left_out(const ir::Parameter& parameter, const Value& value) {
    return parameter.default_value && same(value, not_given());
}

const ir::Expr& argument_for(const ir::Parameter& parameter, const ir::Expr& given) {
    const bool left_out = given.kind == ir::ExprKind::Literal && is_left_out(parameter, given.value);
    return left_out ? *parameter.default_value : given;
}

const ir::Undo& way_back(const ir::Step& call, const ir::Verb& verb) {
    return call.undo ? *call.undo : verb.undo;
}

bool waits(const ir::Undo& undo) {
    return undo.kind == ir::UndoKind::Steps && undo.after.has_value();
}

std::string turn_in_words(const ir::Undo& undo, const std::function<std::string(const ir::Expr&)>& describe) {
    const bool says_so = waits(undo) && undo.after->kind == ir::ExprKind::Probe;
    return says_so ? fmt::format(" (after {} is changed back)", describe(*undo.after)) : "";
}

bool runs_in_place(const ir::Verb& verb) {
    return std::ranges::any_of(
        verb.effects, [](const ir::Effect& effect) { return effect.becomes != ir::Becomes::Different; });
}

}  // namespace migc::semantics
