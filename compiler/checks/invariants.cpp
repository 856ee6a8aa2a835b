// What a script states must be about something that the script does.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

using Probes = std::set<std::uint32_t>;

// The probes that an expression asks, and what they are computed from, come up to, or look back at.
void add_probes(const ir::Program& program, const ir::Expr& expression, Probes& found) {
    for (const ir::Expr& child : expression.children) add_probes(program, child, found);
    if (expression.kind != ir::ExprKind::Probe || !found.insert(expression.declaration).second) return;
    const ir::Probe& probe = program.probes[expression.declaration];
    if (probe.computed) add_probes(program, *probe.computed, found);
    if (probe.converges) add_probes(program, *probe.converges, found);
    if (probe.read && probe.read->arguments) add_probes(program, *probe.read->arguments, found);
}

bool is_changed(const ir::Program& program, const Probes& probes) {
    return std::any_of(program.verbs.begin(), program.verbs.end(), [&](const ir::Verb& verb) {
        return std::any_of(verb.effects.begin(), verb.effects.end(), [&](const ir::Effect& effect) {
            return probes.contains(effect.probe.declaration);
        });
    });
}

bool asks_for_order(const ir::Program& program, const Probes& probes) {
    return std::any_of(probes.begin(), probes.end(), [&](std::uint32_t one) {
        const auto& read = program.probes[one].read;
        return read && read->native == ir::native_changed_before;
    });
}

}  // namespace

void invariants(const Picture& picture, Diagnostics& diagnostics) {
    const ir::Program& program = picture.program;
    if (program.stages.empty()) return;
    for (const ir::Invariant& one : program.invariants) {
        Probes probes;
        add_probes(program, one.condition, probes);
        if (asks_for_order(program, probes) || is_changed(program, probes)) continue;
        diagnostics
            .report(Code::InvariantUndecided, one.span,
                    fmt::format("no step of this script changes what `{}` speaks of", one.text))
            .notes.emplace_back(
                "so it says nothing about the script; while a stage runs, `throughout` watches "
                "what others change");
    }
}

}  // namespace migc::checks
