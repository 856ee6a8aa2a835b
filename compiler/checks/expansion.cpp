#include "compiler/checks/expansion.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/checks/field.hpp"
#include "compiler/semantics/anyway.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "compiler/semantics/visit.hpp"
#include "compiler/semantics/walk.hpp"

namespace migc::checks {
namespace {

constexpr std::size_t most_events = 1'000'000;  // of a stage
constexpr std::size_t most_of_call = 10'000;  // of one step; what calls twice what calls twice .. has no end
constexpr std::size_t most_rounds = 10'000;   // of a stage's loops; then a loop's name is anything
constexpr std::size_t most_undos = 1'000;     // of a stage: those that verbs of the script's own declare

void add_plan(Event& event, const ir::Expr& argument, const Names& names) {
    if (std::string plan = plan_of(argument, names); !plan.empty()) event.plans.insert(std::move(plan));
}

void add_asked(Event& event, const ir::RoleUse& use, const std::vector<Maybe>& role,
               const std::vector<ir::Parameter>& parameters, const std::vector<ir::Expr>& written) {
    if (use.role != ir::Role::Request || !role.at(0)) return;
    const bool* given = role.at(1) ? role.at(1)->get_if<bool>() : nullptr;
    const bool may_be_inside = given != nullptr ? *given : !role.at(1);
    event.asked.push_back(
        {show(*role.at(0)), may_be_inside, semantics::role_argument(use, parameters, written, 0)});
}

// What has no name of its own is a look at the whole, or at something that only a run can tell; so is what a
// pod of its own, of some image, sees. What answers at an address, `Behind` says.
bool is_look_at_all(const std::set<ResourceKey>& things) {
    return std::ranges::all_of(things,
                               [](const ResourceKey& thing) { return thing.of == ResourceKey::Of::Image; });
}

// Goes through the steps of one stage, in order.
class Expansion {
  public:
    Expansion(const Ground& ground, Values& values)
        : ground_(ground), program_(ground.program), values_(values) {}

    StageEvents course() {
        const ir::Stage& stage = values_.stage();
        course_.stage = &stage;
        course_.environment = values_.environment();
        course_.lets = lets();
        course_.gates = aside(stage.gates, values_.top, false);
        course_.forward = forward(stage.steps);
        course_.moment = ground_.files.now();
        if (stage.on_failure) course_.failure = aside(*stage.on_failure, values_.top, false);
        if (stage.throughout && !stage.steps.empty())
            course_.throughout = watched(*stage.throughout, stage.steps.front());
        return std::move(course_);
    }

  private:
    friend struct semantics::Walk;

    // Events that come one after the other.
    struct Sequence {
        std::vector<Event> events;
        bool forward = false;
        std::set<std::string> edited;  // aside: the files that these steps edit, whose content nobody knows
        std::size_t begun = 0;         // where the step of the script that is gone through begins
    };
    // Where a step stands.
    struct Place {
        Sequence& in;
        const ir::Step* step = nullptr;     // that the script has
        const ir::Verb* part_of = nullptr;  // the composite verb that it calls
        const ir::Undo* undo = nullptr;     // the outermost that was written for it
        const Branch* branch = nullptr;
        bool conditional = false, beside = false;
    };

    // Of the script's top level: its names are known from then on.
    std::vector<Event> lets() {
        Sequence found;
        for (const ir::Step& step : program_.lets)
            if (step.value) let(step, values_.top, {found});
        return std::move(found.events);
    }

    // Of the stage's own steps, which are done unless a run fails.
    std::vector<Event> forward(const std::vector<ir::Step>& steps) {
        Sequence found;
        found.forward = true;
        Names names(&values_.top);
        walk(steps, names, {found});
        return std::move(found.events);
    }

    // Of looking at a condition all the time.
    std::vector<Event> watched(const ir::Expr& condition, const ir::Step& place) {
        Sequence found;
        look_at_condition(add(EventKind::Look, place, {found}), condition, values_.top);
        return std::move(found.events);
    }

    // Of steps that are done only then, if at all.
    std::vector<Event> aside(const std::vector<ir::Step>& steps, const Names& outer, bool beside) {
        Sequence found;
        Place place{found};
        place.beside = beside;
        Names names(&outer);
        walk(steps, names, place);
        spent_ += found.events.size();
        return std::move(found.events);
    }

    void walk(const std::vector<ir::Step>& steps, Names& names, const Place& place) {
        for (const ir::Step& step : steps) one(step, names, place);
    }

    void one(const ir::Step& step, Names& names, Place place) {
        if (is_enough(names, place)) return;
        const bool is_block = step.kind == ir::StepKind::If || step.kind == ir::StepKind::For ||
                              step.kind == ir::StepKind::Parallel;
        if (place.step == nullptr && !is_block) place.step = &step;
        names.stand_in(place.step);
        const auto otherwise = [&] {
            if (step.kind == ir::StepKind::Undo) add(EventKind::Undo, step, place);
            if (step.kind == ir::StepKind::UndoAll) add(EventKind::UndoAll, step, place);
            if (step.kind == ir::StepKind::Hold) add(EventKind::Hold, step, place);
            if (step.kind == ir::StepKind::Gate)
                look_at_condition(add(EventKind::Gate, step, place), *step.condition, names);
        };
        semantics::Walk::statement(*this, otherwise, step, names, place);
    }

    // Whether enough is known of a stage, or of the step that the script has.
    bool is_enough(const Names& names, const Place& place) const {
        const std::size_t count = place.in.events.size();
        return count + spent_ >= most_events || (names.depth() > 0 && count >= place.in.begun + most_of_call);
    }

    Event& add(EventKind act, const ir::Step& step, const Place& place) {
        Event& event = place.in.events.emplace_back();
        event.act = act;
        event.step = place.step != nullptr ? place.step : &step;
        event.inner = &step;
        event.part_of = place.part_of;
        event.branch = place.branch;
        event.conditional = place.conditional;
        event.beside = place.beside;
        event.moment = ground_.files.now();
        return event;
    }

    // ------------------------------------------------ blocks

    void let(const ir::Step& step, Names& names, const Place& place) {
        if (asks(*step.value)) look_at(add(EventKind::Other, step, place), *step.value, names);
        Known known = values_.known(*step.value, names);
        known.read = read(*step.value, names, place);
        names.bind(step.name, std::move(known));
    }

    // The number that the value of a file has which an expression is, as far as its place is known; 0 for
    // everything else.
    std::size_t read(const ir::Expr& expression, const Names& names, const Place& place) {
        if (expression.kind == ir::ExprKind::Local) {
            const Known* known = names.find(expression.name);
            return known == nullptr ? 0 : known->read;
        }
        const ir::Probe* probe = program_.probe(expression);
        if (probe == nullptr || probe->role.role != ir::Role::Value || !place.in.forward) return 0;
        const auto role = values_.played(expression, names);
        const std::string *pointer = text_in(role, 0), *file = text_in(role, 1);
        if (pointer == nullptr || file == nullptr) return 0;
        course_.reads.push_back({*file, *pointer, ground_.files.now()});
        return course_.reads.size();
    }

    // Of what is given to a step that sets something to it.
    void use_reads(const Event& event, const ir::Verb& verb, const Names& parameters, const Place& place) {
        const bool sets = std::ranges::any_of(
            verb.effects, [](const ir::Effect& effect) { return effect.becomes == ir::Becomes::Value; });
        if (!sets || !place.in.forward || place.conditional) return;
        for (const ir::Parameter& parameter : verb.parameters) {
            const Known* known = parameter.optional ? nullptr : parameters.find(parameter.name);
            if (known != nullptr && known->read > 0) course_.reads[known->read - 1].used = event.step;
        }
    }

    Place arm(const ir::Step& step, const Place& place, std::size_t visit, std::size_t number) {
        const std::size_t depth = place.branch == nullptr ? 1 : place.branch->depth + 1;
        Place inner = place;
        inner.branch =
            &ground_.branches.emplace_back(Branch{place.branch, &step, visit, number, depth, std::nullopt});
        return inner;
    }

    void choose(const ir::Step& step, const Names& names, const Place& place) {
        look_at(add(EventKind::Other, step, place), *step.condition, names);
        const auto holds = values_.by_environment(*step.condition);
        const std::size_t visit = ground_.branches.size();
        for (const bool otherwise : {false, true}) {
            Names inner(&names);
            Place way = arm(step, place, visit, otherwise ? 1 : 0);
            way.conditional = true;
            if (holds) ground_.branches.back().taken = *holds != otherwise;
            walk(otherwise ? step.otherwise : step.body, inner, way);
        }
    }

    void loop(const ir::Step& step, const Names& names, const Place& place) {
        const auto list = values_.of(*step.value, names);
        const auto* items = list ? list->get_if<List>() : nullptr;
        const bool is_known = items != nullptr && rounds_ + items->size() <= most_rounds;
        Place round = place;
        round.conditional = place.conditional || !is_known;
        if (is_known) rounds_ += items->size();
        for (std::size_t i = 0; i < (is_known ? items->size() : 1); ++i) {
            Names inner(&names);
            inner.bind(step.name, Known()).value = is_known ? Maybe((*items)[i]) : std::nullopt;
            walk(step.body, inner, round);
        }
    }

    void parallel(const ir::Step& step, const Names& names, const Place& place) {
        const std::size_t visit = ground_.branches.size();
        for (std::size_t i = 0; i < step.body.size(); ++i) {
            Names inner(&names);
            Place way = arm(step, place, visit, i);
            way.beside = true;
            one(step.body[i], inner, way);
        }
    }

    // ------------------------------------------------ calls

    void call(const ir::Step& step, Names& names, const Place& place) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        Names parameters = bind(verb, step, names, place);
        const bool as_a_whole = verb.composite && verb.undo.kind == ir::UndoKind::Steps;
        Place inner = place;
        if (place.undo == nullptr && (step.undo || as_a_whole)) inner.undo = &semantics::way_back(step, verb);
        const std::size_t begin = place.in.events.size();
        Known made = verb.composite && names.depth() < deepest_call
                         ? composite(verb, parameters, inner)
                         : act(verb, step, parameters, names, inner);
        if (place.in.forward) own_undo(verb, step, begin, parameters, names, place);
        if (!step.name.empty()) names.bind(step.name, std::move(made));
    }

    // Two steps that are given the same are told from others, though only a run can tell what it is.
    Names bind(const ir::Verb& verb, const ir::Step& step, const Names& names, const Place& place) {
        Names bound = values_.bind(verb.parameters, step.arguments, names);
        for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
            Known* known = bound.find(verb.parameters[i].name);
            if (known == nullptr || known->value) continue;
            known->same = values_.same(step.arguments[i], names);
            known->read = read(step.arguments[i], names, place);
        }
        return bound;
    }

    // Yields what the name behind `as` stands for.
    Known composite(const ir::Verb& verb, Names& parameters, Place place) {
        if (place.part_of == nullptr) {
            place.part_of = &verb;
            place.in.begun = place.in.events.size();
        }
        capture(verb, parameters);
        walk(verb.steps, parameters, place);
        return verb.result ? values_.known(*verb.result, parameters) : Known();
    }

    Known act(const ir::Verb& verb, const ir::Step& step, Names& parameters, const Names& names,
              const Place& place) {
        Event& event = add(verb.mutates() ? EventKind::Change : EventKind::Other, step, place);
        event.verb = &verb;
        event.undo = place.undo != nullptr ? place.undo : &verb.undo;
        for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
            event.arguments.push_back(parameters.value(verb.parameters[i].name));
            add_plan(event, step.arguments[i], names);
        }
        event.role = values_.played(verb.role, parameters);
        add_asked(event, verb.role, event.role, verb.parameters, step.arguments);
        event.bound = semantics::call_bound(program_, step, verb, values_.number_in(names),
                                            values_.number_in(parameters));
        if (ground_.is_own(verb.span)) event.asked = asked_before(verb, parameters, std::move(event.asked));
        capture(verb, parameters);
        for (const ir::Effect& effect : verb.effects) add_effect(event, effect, parameters);
        use_reads(event, verb, parameters, place);
        edit(event, place);
        apply(event, place);
        if (event.act == EventKind::Other && !event.plans.empty()) event.act = EventKind::Look;
        Known made;
        const bool makes_plan = verb.result_type && verb.result_type->kind == ir::TypeKind::Plan;
        if (makes_plan && !step.name.empty()) event.makes = fmt::format("{}#{}", step.name, ++plans_);
        made.plan = event.makes;
        return made;
    }

    // With the addresses that a verb asks before it acts. What it looks at then it does not change.
    std::vector<Asked> asked_before(const ir::Verb& verb, const Names& parameters,
                                    std::vector<Asked> asked) const {
        Event look;
        look.asked = std::move(asked);
        for (const ir::Expr& need : verb.needs)
            if (asks(need)) look_at(look, need, parameters);
        return std::move(look.asked);
    }

    void capture(const ir::Verb& verb, Names& parameters) const {
        for (const ir::Capture& capture : verb.captures)
            parameters.bind(capture.name, values_.known(capture.value, parameters));
    }

    void own_undo(const ir::Verb& verb, const ir::Step& step, std::size_t begin, const Names& parameters,
                  const Names& names, const Place& place) {
        const ir::Undo& undo = semantics::way_back(step, verb);
        const bool by_verb = !step.undo;
        if (undo.kind != ir::UndoKind::Steps ||
            (by_verb && (!ground_.is_own(verb.span) || undos_by_verb_ >= most_undos)))
            return;
        undos_by_verb_ += by_verb ? 1 : 0;
        OwnUndo own;
        own.undo = &undo;
        own.step = &step;
        own.part_of = place.part_of;
        own.begin = begin;
        own.end = place.in.events.size();
        own.by_verb = by_verb;
        own.outermost = place.undo == nullptr;
        own.back = aside(undo.steps, by_verb ? parameters : names, place.beside);
        course_.undos.push_back(std::move(own));
    }

    // What the parameters of a probe stand for.
    std::vector<Maybe> arguments_of(const ir::Probe& probe, const ir::Expr& asked, const Names& names) const {
        const Names bound = values_.bind(probe.parameters, asked.children, names);
        std::vector<Maybe> arguments;
        for (std::size_t i = 0; i < asked.children.size() && i < probe.parameters.size(); ++i)
            arguments.push_back(bound.value(probe.parameters[i].name));
        return arguments;
    }

    void add_effect(Event& event, const ir::Effect& effect, const Names& names) const {
        Effect made;
        made.probe = &program_.probes.at(effect.probe.declaration);
        made.becomes = effect.becomes;
        made.exact = true;
        made.role = values_.played(effect.probe, names);
        made.name = made.probe->signature;
        made.arguments = arguments_of(*made.probe, effect.probe, names);
        for (const Maybe& argument : made.arguments) {
            made.exact = made.exact && argument;
            made.name += " | " + (argument ? show(*argument) : "?");
        }
        if (effect.value) {
            made.value = values_.of(*effect.value, names);
            made.same = values_.same(*effect.value, names);
        }
        auto things = ground_.resources.things_of(*made.probe, made.arguments, made.role);
        if (things.size() == 1) made.thing = *things.begin();
        made.pointer = field_of(*made.probe, made.role);
        if (things.empty() && file_in(*made.probe)) things.insert(ResourceKey::some_file());
        event.things.insert(things.begin(), things.end());
        event.effects.push_back(std::move(made));
    }

    // What the project's files then say. Of what is done aside they say nothing.
    void edit(Event& event, const Place& place) const {
        if (place.in.forward) {
            ground_.files.take(event);
            event.moment = ground_.files.now();
            return;
        }
        for (const ResourceKey& thing : event.things)
            if (thing.of == ResourceKey::Of::File) place.in.edited.insert(thing.name());
    }

    void apply(Event& event, const Place& place) const {
        for (const Effect& effect : event.effects) {
            const auto* path =
                effect.probe->role.role == ir::Role::Object ? text_in(effect.role, 1) : nullptr;
            if (path == nullptr) continue;
            event.manifest = *path;
            const Object* object =
                ground_.resources.applied(*path, effect.thing, values_.stage().environment);
            if (object != nullptr && !place.in.edited.contains(object->file))
                event.object = ground_.files.version(*object, event.moment);
        }
    }

    // ------------------------------------------------ looks

    void verify(const ir::Step& step, const Names& names, const Place& place) {
        look(add(EventKind::Look, step, place), step, names);
    }

    void soak(const ir::Step& step, const Names& names, const Place& place) {
        Event& event = add(EventKind::Soak, step, place);
        const auto time = step.value ? values_.of(*step.value, names) : std::nullopt;
        const auto* duration = time ? time->get_if<Duration>() : nullptr;
        if (duration != nullptr) event.at_least_ms = duration->milliseconds;
        look(event, step, names);
    }

    void look(Event& event, const ir::Step& step, const Names& names) const {
        event.bound = semantics::verify_bound(program_, step, values_.number_in(names));
        if (step.condition) look_at_condition(event, *step.condition, names);
    }

    void look_at_condition(Event& event, const ir::Expr& given, const Names& names) const {
        const Names* home = &names;
        const ir::Expr& condition = semantics::handed_on(given, home);
        if (condition.kind != ir::ExprKind::Local) {
            event.condition = &condition;
            event.always = holds_anyway(condition, *home, home->depth() == 0) == true;
        }
        look_at(event, given, names);
    }

    // Whether it holds whatever the probes answer. `constant`: what is known of names is so whenever they are
    // asked; what a verb is given is another thing in each call.
    std::optional<bool> holds_anyway(const ir::Expr& condition, const Names& names, bool constant) const {
        const auto leaf = [&](const ir::Expr& one) { return constant_of(one, names, constant); };
        const auto inside = [&](const ir::Expr& one) -> std::optional<bool> {
            const ir::Probe* probe = computed(one, names);
            if (probe == nullptr) return std::nullopt;
            return holds_anyway(*probe->computed, values_.bind(probe->parameters, one.children, names), true);
        };
        const auto negative = [&](const ir::Expr& one) { return may_be_negative(one, 0); };
        return semantics::holds_anyway(condition, {program_, leaf, inside, negative});
    }

    // What the command line or migc.yaml may say, and what a file holds, is no constant.
    Maybe constant_of(const ir::Expr& leaf, const Names& names, bool constant) const {
        if (leaf.kind == ir::ExprKind::Local) return constant ? names.value(leaf.name) : std::nullopt;
        const ir::Probe* probe = computed(leaf, names);
        if (probe == nullptr) return std::nullopt;
        const Names bound = values_.bind(probe->parameters, leaf.children, names);
        return semantics::known_value(*probe->computed,
                                      [&](const ir::Expr& one) { return constant_of(one, bound, true); });
    }

    // The probe that is asked, if it is worked out of others; else null.
    const ir::Probe* computed(const ir::Expr& expression, const Names& names) const {
        const ir::Probe* probe = program_.probe(expression);
        const bool is_computed = probe != nullptr && probe->computed && names.depth() < deepest_call;
        return is_computed ? probe : nullptr;
    }

    // Only of what the standard library counts it is known that there are no less than none.
    bool may_be_negative(const ir::Expr& asked, unsigned depth) const {
        const ir::Probe* probe = program_.probe(asked);
        if (probe == nullptr || depth == deepest_call) return true;
        if (probe->computed) return may_be_negative(*probe->computed, depth + 1);
        return asked.type.kind == ir::TypeKind::Json || asked.type.kind == ir::TypeKind::Any ||
               (asked.type.kind == ir::TypeKind::Int && ground_.is_own(probe->span));
    }

    void look_at(Event& event, const ir::Expr& expression, const Names& given) const {
        const Names* names = &given;
        const ir::Expr& condition = semantics::handed_on(expression, names);
        if (condition.kind == ir::ExprKind::Local) {
            event.everything = event.everything || expression.type.kind == ir::TypeKind::Condition;
            return add_plan(event, expression, *names);
        }
        if (const ir::Probe* probe = program_.probe(condition)) {
            const std::vector<Maybe> arguments = arguments_of(*probe, condition, *names);
            const auto role = values_.played(condition, *names);
            add_asked(event, probe->role, role, probe->parameters, condition.children);
            const auto things = ground_.resources.things_of(*probe, arguments, role);
            event.things.insert(things.begin(), things.end());
            event.everything = event.everything || is_look_at_all(things) ||
                               std::ranges::any_of(arguments, [](const auto& a) { return !a; });
        }
        for (const ir::Expr& child : condition.children) look_at(event, child, *names);
    }

    // Whether an address is asked anywhere in it.
    bool asks(const ir::Expr& expression) const {
        return semantics::any_expression(expression, [&](const ir::Expr& one) {
            const ir::Probe* probe = program_.probe(one);
            return probe != nullptr && std::ranges::any_of(probe->parameters, [](const auto& parameter) {
                       return parameter.type.kind == ir::TypeKind::Url;
                   });
        });
    }

    const Ground& ground_;
    const ir::Program& program_;
    Values& values_;
    StageEvents course_;
    std::size_t rounds_ = 0, spent_ = 0, plans_ = 0, undos_by_verb_ = 0;
};

}  // namespace

StageEvents expand(const Ground& ground, Values& values) {
    return Expansion(ground, values).course();
}

}  // namespace migc::checks
