// What a script states must be about something that the script does.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/semantics/calls.hpp"

namespace migc::checks {
namespace {

// A probe, and what it is asked about as far as that is written.
struct Question {
    std::uint32_t probe = 0;
    std::vector<std::optional<Value>> arguments;
};
using Arguments = std::map<std::string, std::optional<Value>>;  // by name

std::optional<Value> known(const ir::Expr& expression, const Arguments& names) {
    const auto value = semantics::known_value(expression, [&](const ir::Expr& leaf) {
        const auto found = leaf.kind == ir::ExprKind::Local ? names.find(leaf.name) : names.end();
        return found == names.end() ? std::nullopt : found->second;
    });
    return value && value->is_absent() ? std::nullopt : value;
}

bool same(const Question& a, const Question& b) {
    const auto alike = [](const std::optional<Value>& one, const std::optional<Value>& other) {
        return one.has_value() == other.has_value() && (!one || equal(*one, *other));
    };
    return a.probe == b.probe &&
           std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(), alike);
}

// The probes that an expression asks, and what they are computed from, come up to, or look back at.
void add_asked(const ir::Program& program, const ir::Expr& expression, const Arguments& names,
               std::vector<Question>& found) {
    constexpr std::size_t most = 1'000;  // what asks for itself is refused elsewhere
    for (const ir::Expr& child : expression.children) add_asked(program, child, names, found);
    if (expression.kind != ir::ExprKind::Probe || found.size() >= most) return;
    const ir::Probe& probe = program.probes[expression.declaration];
    Question asked{expression.declaration, {}};
    Arguments inner;
    for (std::size_t i = 0; i < expression.children.size(); ++i) {
        auto given = known(expression.children[i], names);
        if (i < probe.parameters.size())
            inner[probe.parameters[i].name] = given = semantics::argument_value(
                probe.parameters[i], given, [&](const ir::Expr& other) { return known(other, inner); });
        asked.arguments.push_back(std::move(given));
    }
    if (std::ranges::any_of(found, [&](const Question& one) { return same(one, asked); })) return;
    found.push_back(std::move(asked));
    if (probe.computed) add_asked(program, *probe.computed, inner, found);
    if (probe.converges) add_asked(program, *probe.converges, inner, found);
    if (probe.read && probe.read->arguments) add_asked(program, *probe.read->arguments, inner, found);
}

// Only of resources of the same kind it is known that two names are two things.
bool differ(const Resources& resources, const std::optional<Value>& a, const std::optional<Value>& b) {
    const auto* one = a ? a->get_if<ResourceRef>() : nullptr;
    const auto* other = b ? b->get_if<ResourceRef>() : nullptr;
    return one != nullptr && other != nullptr && one->type == other->type &&
           resources.thing(*one) != resources.thing(*other);
}

bool is_on(const CheckContext& picture, const Effect& effect, const Question& asked) {
    if (effect.probe != &picture.program.probes[asked.probe]) return false;
    for (std::size_t i = 0; i < std::min(effect.arguments.size(), asked.arguments.size()); ++i)
        if (differ(picture.resources, effect.arguments[i], asked.arguments[i])) return false;
    return true;
}

bool is_changed(const CheckContext& picture, const std::vector<Question>& asked) {
    const auto is_asked = [&](const Effect& effect) {
        return std::ranges::any_of(asked, [&](const Question& one) { return is_on(picture, effect, one); });
    };
    bool found = false;
    for (const StageEvents& course : picture.timeline.courses())
        each_event(course, [&](const Event& event) {
            found = found || std::ranges::any_of(event.effects, is_asked);
        });
    return found;
}

bool asks_for_order(const ir::Program& program, const std::vector<Question>& asked) {
    return std::ranges::any_of(asked, [&](const Question& one) {
        return program.probes[one.probe].role.role == ir::Role::Precedence;
    });
}

}  // namespace

void invariants(const CheckContext& picture, Diagnostics& diagnostics) {
    const ir::Program& program = picture.program;
    if (program.stages.empty()) return;
    for (const ir::Invariant& one : program.invariants) {
        std::vector<Question> asked;
        add_asked(program, one.condition, {}, asked);
        if (asks_for_order(program, asked) || is_changed(picture, asked)) continue;
        diagnostics
            .report(Code::InvariantUndecided, one.span,
                    fmt::format("no step of this script changes what `{}` speaks of", one.text))
            .notes.emplace_back(
                "so it says nothing about the script; while a stage runs, `throughout` watches "
                "what others change");
    }
}

}  // namespace migc::checks
