#include "runtime/engine/still_ours.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/semantics/roles.hpp"
#include "runtime/engine/call.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/effect.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/tools/identity.hpp"

namespace migc::runtime::inline engine {
namespace {

// A cache or another server may answer with what was there a moment ago; one that is away for a minute or two
// is no reason to leave a person with what is done.
constexpr int looks = 4;
constexpr int looks_in_the_dark = 20;
constexpr std::int64_t first_rest_ms = 500;
constexpr std::int64_t longest_rest_ms = 8'000;

bool counts(const Change& change) {
    return change.acted && !change.undone && !change.superseded &&
           (change.state == ChangeState::Done || change.state == ChangeState::Already || change.accepted);
}

// What a verb says of its effect in words decides what must be there now.
bool is_as_left(const Change& change, const std::string& phrase, const Value& now) {
    const Value* before = find_value(change.before, phrase);
    const Value* declared = find_value(change.declared, phrase);
    if (declared != nullptr) return has_become(before == nullptr ? Value() : *before, *declared, now);
    const Value* observed = find_value(change.observed, phrase);
    return observed == nullptr || equal(*observed, now);
}

bool depends_on(const ir::Program& program, std::uint32_t probe, std::uint32_t other, int deepest = 8) {
    if (probe == other) return true;
    const auto& depends = program.probes.at(probe).depends;
    return deepest > 0 && std::any_of(depends.begin(), depends.end(), [&](const ir::Expr& one) {
               return one.kind == ir::ExprKind::Probe &&
                      depends_on(program, one.declaration, other, deepest - 1);
           });
}

// Whether what one effect changes can be part of what another one does: the same thing, one that depends on
// it, a whole object, or nobody knows what.
bool may_meet(const ir::Program& program, const ir::Effect& one, const ir::Effect& other) {
    const auto is_vague = [&](const ir::Effect& effect) {
        return effect.becomes == ir::Becomes::Different ||
               program.probes.at(effect.probe.declaration).type.kind == ir::TypeKind::Json;
    };
    return is_vague(one) || is_vague(other) ||
           depends_on(program, one.probe.declaration, other.probe.declaration) ||
           depends_on(program, other.probe.declaration, one.probe.declaration);
}

}  // namespace

bool may_change(const ir::Program& program, const ir::Verb& verb, const ir::Verb& earlier) {
    return std::any_of(verb.effects.begin(), verb.effects.end(), [&](const ir::Effect& one) {
        return std::any_of(earlier.effects.begin(), earlier.effects.end(),
                           [&](const ir::Effect& other) { return may_meet(program, one, other); });
    });
}

std::set<std::string> names_in(Evaluator& evaluator, const ir::Expr& probe, const Scope& scope) {
    std::set<std::string> names;
    const ir::Expr* thing = semantics::thing_argument(evaluator.program(), probe);
    for (const Value& value : thing != nullptr ? std::vector{evaluator.evaluate(*thing, scope).value}
                                               : evaluator.probe_arguments(probe, scope)) {
        const auto* resource = value.get_if<ResourceRef>();
        const auto* text = value.get_if<std::string>();
        if (resource == nullptr && text == nullptr) continue;
        const std::string written = resource != nullptr ? evaluator.written(*resource) : *text;
        names.insert(written.substr(written.rfind('/') + 1));
    }
    return names;
}

Scope scope_of(StageRun& stage, const Change& change) {
    Scope scope(&stage.run.globals);
    scope.bind_all(change.scope);
    scope.bind_all(change.arguments);
    scope.bind_all(change.captures);
    return scope;
}

StillOurs::Found StillOurs::look_at(Evaluator& snapshot, const Change& change, const ir::Effect& effect,
                                    const Scope& scope) {
    const std::string phrase = snapshot.describe(effect.probe, scope);
    const Reading reading = snapshot.evaluate(effect.probe, scope);
    if (reading.value.is_unknown())
        return {State::Unreadable,
                fmt::format("whether {} is still as `{}` left it could not be found out: {}", phrase,
                            change.text, explain(reading))};
    if (reading.identity == gone && stage_.is_remade(change, phrase, reading))
        return {State::Theirs,
                fmt::format("somebody else deleted the object of which `{}` had changed a field: {}",
                            change.text, explain(reading))};
    if (stage_.is_remade(change, phrase, reading))
        return {State::Theirs,
                fmt::format("somebody else deleted and made anew what `{}` had changed: {} is {}",
                            change.text, phrase, readable(reading.value).value_or("there"))};
    if (is_as_left(change, phrase, reading.value)) return {};
    const Value* declared = find_value(change.declared, phrase);
    const auto was = declared == nullptr ? std::nullopt : readable(*declared);
    const auto now = readable(reading.value);
    return {State::Theirs,
            fmt::format("somebody else changed it since `{}` was done: {} is {}{}", change.text, phrase,
                        now ? *now : "not as this run left it", was ? ", not " + *was : "")};
}

StillOurs::Found StillOurs::look(Evaluator& snapshot, const Change& change) {
    const ir::Verb* verb = stage_.verb(change.verb);
    if (verb == nullptr) return {};
    const Scope scope = scope_of(stage_, change);
    Found worst;
    for (const ir::Effect& effect : verb->effects)
        if (Found found = look_at(snapshot, change, effect, scope); found.state > worst.state)
            worst = std::move(found);
    return worst;
}

Result StillOurs::before(Evaluator& snapshot, const StepId& step, const std::set<std::string>& names) {
    for (const Change& change : stage_.changes_about(names)) {
        if (!counts(change) || change.step == step) continue;
        if (look(snapshot, change).state != State::Theirs) continue;
        if (Found found = look_again({change}); found.state == State::Theirs)
            return {ResultKind::Held, found.message};
    }
    return {};
}

std::vector<StepId> StillOurs::superseded_by(const StepId& step, const ir::Verb& verb,
                                             const std::set<std::string>& names) {
    std::vector<StepId> steps;
    Evaluator snapshot = stage_.evaluator.snapshot();
    for (const Change& change : stage_.changes_about(names)) {
        const ir::Verb* earlier = stage_.verb(change.verb);
        if (!counts(change) || change.step == step || earlier == nullptr) continue;
        if (!may_change(stage_.run.program, verb, *earlier)) continue;
        // Where that cannot be seen, it may be so: what an own step has done is not to be called somebody
        // else's.
        if (look(snapshot, change).state != State::Ours) steps.push_back(change.step);
    }
    return steps;
}

// What is as it should be at one of several looks is so.
StillOurs::Found StillOurs::look_again(const std::vector<Change>& changes) {
    std::vector<Change> left = changes;
    Found worst;
    const StepContext course;
    Waiter waiter(stage_, course);
    // A tool that is not the one any more that the run began with is not asked again, however long it is
    // waited.
    const bool may_come_back = !stage_.run.tools.changed_program();
    const auto enough = [&] {
        return worst.state == State::Unreadable && may_come_back ? looks_in_the_dark : looks;
    };
    for (int i = 0; i < enough() && !left.empty(); ++i) {
        if (i > 0) waiter.rest(std::min(first_rest_ms << (i - 1), longest_rest_ms));
        if (i > 0 && stage_.run.hurried()) break;
        worst = {};
        Evaluator snapshot = stage_.evaluator.snapshot();
        std::erase_if(left, [&](const Change& change) {
            Found found = look(snapshot, change);
            const bool ours = found.state == State::Ours;
            if (found.state > worst.state) worst = std::move(found);
            return ours;
        });
    }
    return left.empty() ? Found{} : worst;
}

// A step of which a person said that it was done may have changed again what an earlier one left: nobody has
// looked what.
bool StillOurs::may_be_changed_by_a_resolved_step(const Change& change) {
    const ir::Verb* verb = stage_.verb(change.verb);
    return std::any_of(stage_.changes.begin(), stage_.changes.end(), [&](const Change& later) {
        const ir::Verb* other = stage_.verb(later.verb);
        return later.resolved && later.acted && semantics::earlier(change.step, later.step) &&
               verb != nullptr && other != nullptr && may_change(stage_.run.program, *other, *verb);
    });
}

bool StillOurs::changes_files_only(const Change& change) {
    const ir::Verb* verb = stage_.verb(change.verb);
    return verb != nullptr && works_alone(stage_, *verb, false);
}

StillOurs::Found StillOurs::look_at_all(bool files_too) {
    std::vector<Change> changes;
    std::copy_if(stage_.changes.begin(), stage_.changes.end(), std::back_inserter(changes),
                 [this, files_too](const Change& change) {
                     return counts(change) && !may_be_changed_by_a_resolved_step(change) &&
                            (files_too || !changes_files_only(change));
                 });
    return look_again(changes);
}

std::string StillOurs::theirs() {
    const Found found = look_at_all(false);
    return found.state == State::Theirs ? found.message : "";
}

Result StillOurs::all() {
    const Found found = look_at_all(true);
    if (found.state == State::Ours) return {};
    return {ResultKind::Held, found.message,
            found.state == State::Unreadable ? Reason::NotSeen : Reason::None};
}

}  // namespace migc::runtime::inline engine
