// Statements, as engine/steps.cpp runs them, and calls, as engine/call.cpp does.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/timeline.hpp"
#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"

namespace migc::prove {

using ir::StepKind;
using ir::UndoKind;

// As it is now: what holds the present is not what holds the past.
Term Lowering::snapshot(Term term) {
    const auto variable = read_from(term);
    if (!variable || out_.variables[*variable].now != term.id) return term;
    const Register kept = new_register();
    emit(Op::Copy, kept, term.id);
    read_from_[kept] = *variable;
    return {true, kept};
}

// In a branch: once another one has failed, this one may end here, or come further.
void Lowering::cut_here(const StepContext& course) {
    if (!course.cut) return;
    const Label on = label();
    emit(Op::IfIsNot, *course.cut, 1, on);
    Choice choice = begin_choice("another branch has failed", {}, false);
    option(choice, "this branch ends here", course.exits.cancelled);
    end_choice(std::move(choice));
    place(on);
}

void Lowering::block(const std::vector<ir::Step>& steps, Names& names, const StepContext& course) {
    constexpr std::size_t most = 4'000'000;  // instructions
    for (const ir::Step& step : steps) {
        out_.too_large = out_.too_large || out_.code.size() > most;
        if (out_.too_large) return;
        cut_here(course);
        statement(step, names, course);
    }
}

void Lowering::statement(const ir::Step& step, Names& names, const StepContext& course) {
    const auto otherwise = [&] {
        if (step.kind == StepKind::Gate) gate(step, names, course);
    };
    semantics::Walk::statement(*this, otherwise, step, names, course);
}

// What can happen between any two steps.
void Lowering::common_options(Choice& choice, const StepContext& course) {
    choice.undoing = course.purpose != Purpose::Forward;
    if (course.purpose != Purpose::Forward) return;
    option(choice, "the operator stops the run here", course.exits.stopped);
    if (now_->stage->throughout || now_->definition->throughout)
        option(choice, "what must hold throughout the stage does not", course.exits.failed);
}

void Lowering::may_go_wrong(const ir::Step& step, const StepContext& course,
                            std::initializer_list<std::pair<const char*, Label>> faults) {
    Choice choice = begin_choice(step.text, in_script(step.span, course));
    for (const auto& [what, target] : faults) option(choice, what, target);
    common_options(choice, course);
    end_choice(std::move(choice));
}

void Lowering::may_be_unreadable(const ir::Step& step, const ir::Expr& read, const Names& names,
                                 const StepContext& course) {
    if (has_probe(read, names))
        may_go_wrong(step, course, {{"it cannot be read", bad(course, course.exits.failed)}});
}

Label Lowering::bad(const StepContext& course, Label exit) {
    if (course.purpose == Purpose::Forward) return exit;
    return aside([&] {
        note_trouble();
        jump(exit);
    });
}

void Lowering::unless(Term holds, Label target) {
    if (holds.is_register)
        emit(Op::IfIs, holds.id, no, target);
    else if (holds.id == no)
        jump(target);
}

void Lowering::check(const ir::Step& step, Names& names, const StepContext& course) {
    const Span at = in_script(step.span, course);
    remark(Remark::Kind::Step, step.text, at);
    if (others_) {
        std::vector<std::size_t> read;
        variables_in(*step.condition, names, read);
        somebody_else(step.text, at, read, course.purpose != Purpose::Forward);
    }
    unless(evaluate(*step.condition, names), course.exits.failed);
    const Label failed = bad(course, course.exits.failed);
    if (step.kind == StepKind::Verify)
        may_go_wrong(step, course, {{"it does not hold in time", failed}});
    else
        may_go_wrong(step, course,
                     {{"it does not go on holding", failed},
                      {"nobody can see whether it holds", bad(course, course.exits.held)}});
    if (course.purpose == Purpose::Forward) mark_verified(now_->environment);
    if (course.purpose == Purpose::Inverse && !starting_.empty()) pods_are_seen(*step.condition);
}

void Lowering::let(const ir::Step& step, Names& names, const StepContext& course) {
    Term value = snapshot(evaluate(*step.value, names));
    if (course.purpose == Purpose::Inverse && computed(value)) {
        value = symbol(fmt::format("{}\x01late {}", step.name, ++named_));
        late_.insert(value);
    }
    names.bind(step.name, {value});
    may_be_unreadable(step, *step.value, names, course);
}

void Lowering::choose(const ir::Step& step, Names& names, const StepContext& course) {
    const Term holds = snapshot(evaluate(*step.condition, names));
    if (step.condition->kind == ir::ExprKind::IsAbsent || step.condition->kind == ir::ExprKind::Not) {
        const ir::Expr* inner = &*step.condition;
        while (inner->kind == ir::ExprKind::Not) inner = &inner->children.front();
        if (inner->kind == ir::ExprKind::IsAbsent) {
            if (const auto asked = read_from(evaluate(inner->children.front(), names)))
                may_be(*asked, absent);
        }
    }
    const Label body = label(), otherwise = label(), end = label();
    may_be_unreadable(step, *step.condition, names, course);
    if (holds.is_register) {
        emit(Op::IfIs, holds.id, yes, body);
        emit(Op::IfIs, holds.id, no, otherwise);
        decide(step, holds, body, otherwise);
    } else if (holds.id == no) {
        jump(otherwise);
    } else if (holds.id != yes) {
        decide(step, holds, body, otherwise);
    }
    // Only what can be reached is lowered: otherwise a loop that is not entered would count as a bound.
    Names* inner = new_names(&names);
    place(body);
    if (holds.is_register || holds.id != no) block(step.body, *inner, course);
    jump(end);
    place(otherwise);
    Names* other = new_names(&names);
    if (holds.is_register || holds.id != yes) block(step.otherwise, *other, course);
    place(end);
}

// Who knows? But as often as the same is asked about the same, the answer is the same.
void Lowering::decide(const ir::Step& step, Term asked, Label body, Label otherwise) {
    const auto key = asked.is_register ? std::string(step.text) : "c" + std::to_string(asked.id);
    auto [found, is_new] = decisions_.try_emplace(key);
    if (is_new) found->second = {new_register(), new_register()};
    const auto [about, answer] = found->second;
    const Register value = as_register(asked);
    const Label ask = label(), yes_it_is = label(), no_it_is_not = label();
    emit(Op::IfDiffer, about, value, ask);
    emit(Op::IfIs, answer, yes, body);
    jump(otherwise);
    place(ask);
    emit(Op::Copy, about, value);
    Choice choice = begin_choice(step.text, step.span, false);
    option(choice, "it does not", no_it_is_not);
    end_choice(std::move(choice));
    out_.choices.back().options.front() = {"it holds", out_.choices.back().options.front().target, true};
    place(yes_it_is);
    set(answer, yes);
    jump(body);
    place(no_it_is_not);
    set(answer, no);
    jump(otherwise);
}

// The objects of a manifest of the project, by name; nothing if it cannot be read now.
Term Lowering::objects_declared(const ir::Expr& list, const Names& names) {
    if (semantics::role_of(program_, list) != ir::Role::Objects || inventory_.root.empty()) return {};
    const ir::Expr* manifest = semantics::role_argument(program_, list, 0);
    if (manifest == nullptr) return {};
    List objects;
    if (const Value* path = known(evaluate(*manifest, names)))
        for (const checks::Object* object : manifests_.of(migc::show(*path)))
            objects.emplace_back(object->thing.text);
    return objects.empty() ? Term{} : literal(Value(std::move(objects)));
}

void Lowering::loop(const ir::Step& step, Names& names, const StepContext& course) {
    Term items = objects_declared(*step.value, names);
    if (items.id == nothing) items = evaluate(*step.value, names);
    const auto round = [&](Term element) {
        Names* inner = new_names(&names);
        inner->bind(step.name, {element});
        block(step.body, *inner, course);
    };
    const Value* list = known(items);
    if (const List* elements = list == nullptr ? nullptr : list->get_if<List>()) {
        const List copied = *elements;
        for (const Value& element : copied)
            if (!out_.too_large) round(literal(element));
        return;
    }
    const std::string text = fmt::format("each of {}", migc::show(shown(items, step.value->name)));
    tell_once(out_.bounds, "loop " + step.text,
              fmt::format("`{}` was gone through once, for an element that stands for all", step.text),
              step.span);
    round(items.is_register ? apply({FunctionKind::Opaque, text}, items) : symbol(text));
}

namespace {

// More than any search goes through: such a `parallel` is not even written down.
constexpr double hopeless_orders = 1e8;

// At how many places a step may stop, once another branch has failed.
double stops_in(const std::vector<ir::Step>& steps) {
    double stops = 0;
    for (const ir::Step& step : steps) stops += std::max(1.0, stops_in(step.body) + stops_in(step.otherwise));
    return stops;
}

// Each of the branches may be the first to fail, and each of the others stops at any of its steps.
double orders_of(const std::vector<ir::Step>& branches) {
    double orders = static_cast<double>(branches.size()) / 2;
    for (const ir::Step& branch : branches) orders *= 1 + std::max(1.0, stops_in(branch.body));
    return orders;
}

}  // namespace

// Branches touch nothing in common, so their steps may be thought of in any order; what differs is which one
// fails first, and how far the others come.
void Lowering::parallel(const ir::Step& step, Names& names, const StepContext& course) {
    const double orders = orders_of(step.body);
    out_.orders = std::max(out_.orders, orders);
    if (orders > hopeless_orders) return;
    const Register failed = new_register(), worst = new_register();
    set(failed, 0);
    set(worst, 0);
    std::vector<Label> entries;
    std::vector<Register> backs;
    const Label start = label();
    jump(start);
    for (const ir::Step& branch : step.body) {
        const Label entry = label();
        const Register back = new_register();
        entries.push_back(entry);
        backs.push_back(back);
        place(entry);
        StepContext inner = course;
        inner.cut = failed;
        const auto ends = [&](std::uint16_t fate) {
            return aside([&] {
                const Label heavier = label();
                set(failed, 1);
                for (std::uint16_t worse = fate; worse <= 6; ++worse) emit(Op::IfIs, worst, worse, heavier);
                set(worst, fate);
                place(heavier);
                go_back(back);
            });
        };
        inner.exits = {ends(5), ends(2), ends(6), ends(4), ends(3), ends(1)};
        Names* own = new_names(&names);
        cut_here(inner);
        statement(branch, *own, inner);
        go_back(back);
    }
    place(start);
    const Label joined = label();
    Choice order = begin_choice("parallel", step.span, false);
    std::vector<Label> first;
    for (std::size_t i = 1; i < entries.size(); ++i) {
        first.push_back(label());
        option(order, fmt::format("`{}` comes first", step.body[i].text), first.back());
    }
    const bool several = entries.size() > 1;
    if (several) end_choice(std::move(order));
    for (std::size_t lead = 0; lead < entries.size(); ++lead) {
        if (lead > 0) place(first[lead - 1]);
        call_routine(backs[lead], entries[lead]);
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (i != lead) call_routine(backs[i], entries[i]);
        jump(joined);
    }
    place(joined);
    emit(Op::IfIs, worst, 1, course.exits.cancelled);
    emit(Op::IfIs, worst, 2, course.exits.stopped);
    emit(Op::IfIs, worst, 3, course.exits.closed);
    emit(Op::IfIs, worst, 4, course.exits.held);
    emit(Op::IfIs, worst, 5, course.exits.failed);
    emit(Op::IfIs, worst, 6, course.exits.in_doubt);
}

void Lowering::gate(const ir::Step& step, Names& names, const StepContext& course) {
    remark(Remark::Kind::Step, step.text, step.span);
    Choice choice = begin_choice(step.text, step.span);
    option(choice, "it is closed", course.exits.closed);
    end_choice(std::move(choice));
    if (semantics::role_of(program_, *step.condition) != ir::Role::Passing) return;
    const ir::Expr* asked = semantics::role_argument(program_, *step.condition, 0);
    if (asked == nullptr) return;
    if (const Value* stage = known(evaluate(*asked, names))) mark_verified(migc::show(*stage));
}

Names* Lowering::bind(const ir::Step& step, const ir::Verb& verb, const Names& names) {
    Names* inner = new_names(globals_);
    for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
        const ir::Parameter& parameter = verb.parameters[i];
        const ir::Expr& given = step.arguments[i];
        if (parameter.type.kind == ir::TypeKind::Condition) {
            const Names* home = &names;
            const ir::Expr& condition = semantics::handed_on(given, home);
            inner->bind(parameter.name, {{}, &condition, home});
        } else {
            inner->bind(parameter.name, {argument(parameter, snapshot(evaluate(given, names)))});
        }
    }
    return inner;
}

void Lowering::call(const ir::Step& step, Names& names, const StepContext& course) {
    const ir::Verb& verb = program_.verbs.at(step.verb);
    Names* inner = bind(step, verb, names);
    if (depth_ > deepest) return;
    const bool outermost = course.purpose != Purpose::Inverse && (depth_ == 0 || program_span_.empty());
    if (outermost) program_span_ = step.span;
    ++depth_;
    if (verb.action)
        simple(step, verb, *inner, names, course);
    else
        composite(step, verb, *inner, names, course);
    --depth_;
    if (outermost) program_span_ = {};
    if (step.name.empty()) return;
    Term result = verb.result ? snapshot(evaluate(*verb.result, *inner)) : Term{};
    if (!result.is_register && known(result) == nullptr) {
        result = symbol(fmt::format("{}\x01{}.{}", step.name, now_ ? now_->index : 0, ++named_));
        if (course.purpose == Purpose::Inverse) late_.insert(result);
    }
    names.bind(step.name, {result});
}

// What is not known is taken to hold: that it does not is a fault of its own.
std::vector<Term> Lowering::needs(const ir::Verb& verb, const Names& inner, Label failed) {
    std::vector<Term> result;
    for (const ir::Expr& need : verb.needs) {
        result.push_back(evaluate(need, inner));
        unless(result.back(), failed);
    }
    return result;
}

// An object of which it is known that nothing is lost with it.
bool Lowering::may_go(const ir::Verb& verb, Term name) const {
    const Value* object = known(name);
    return object != nullptr && semantics::has_effect_on(program_, verb, ir::Role::Object) &&
           !checks::holds_data(checks::ResourceKey::object(migc::show(*object)));
}

// What an inverse, by the standard library's word, never takes away: where it was not there before, it stays.
void Lowering::keep_what_is_new(const ir::Verb& verb, const Names& inner, const std::string& text,
                                const StepContext& course) {
    if (course.undoing == nullptr) return;
    for (const ir::Expr& need : verb.needs) {
        if (semantics::role_of(program_, need) != ir::Role::Permanence) continue;
        const auto& role = program_.probes.at(need.declaration).role.arguments;
        const Names& own = *probe_names(need, inner);
        if (may_go(verb, evaluate(role.at(0), own))) continue;
        const Term prior = evaluate(role.at(1), own);
        if (const auto variable = read_from(prior)) may_be(*variable, absent);
        const Label goes = label();
        emit(Op::IfIsNot, as_register(prior), absent, goes);
        note(fmt::format("`{}`: what was not there before stays", text), need.span);
        set(excuse_, Declared);
        jump(course.exits.held);
        place(goes);
        tell_once(out_.no_return, "stays " + course.undoing->text,
                  fmt::format("`{}`: what was not there before stays", course.undoing->text),
                  course.undoing->span);
    }
}

void Lowering::composite(const ir::Step& step, const ir::Verb& verb, Names& inner, const Names& outer,
                         const StepContext& course) {
    const bool own_undo =
        step.undo || verb.undo.kind == UndoKind::Steps || verb.undo.kind == UndoKind::Irreversible;
    const std::string text = text_of(verb, inner);
    needs(verb, inner, course.purpose == Purpose::Inverse ? course.exits.held : course.exits.failed);
    capture(verb, inner);
    if (!own_undo || course.purpose != Purpose::Forward) return block(verb.steps, inner, course);
    Change* change = new_change(step, verb, inner, outer, course, text);
    const Label prologue = label(), begin = label();
    jump(prologue);
    place(begin);
    set(change->status, Begun);
    StepContext own = course;
    own.outer = change;
    for (Label Exits::*exit :
         {&Exits::failed, &Exits::stopped, &Exits::held, &Exits::cancelled, &Exits::in_doubt})
        own.exits.*exit = aside([&] {
            set(change->status, exit == &Exits::in_doubt ? InDoubt : Failed);
            jump(course.exits.*exit);
        });
    block(verb.steps, inner, own);
    set(change->status, Done);
    // It speaks for everything inside: what that was is kept before any of it begins.
    const Label on = label();
    jump(on);
    place(prologue);
    for (const Change* part : change->inner)
        for (const Touch& touch : part->touches) {
            if (concerns(change->touches, touch.variable)) continue;
            const Register before = new_register();
            emit(Op::Copy, before, out_.variables[touch.variable].now);
            change->touches.push_back({touch.variable, before, touch.declared, touch.becomes});
        }
    jump(begin);
    place(on);
}

Change* Lowering::new_change(const ir::Step& step, const ir::Verb& verb, const Names& inner,
                             const Names& outer, const StepContext& course, std::string text) {
    Change* change = &changes_.emplace_back();
    change->text = std::move(text);
    change->span = own_span(step.span);
    change->outer = course.outer;
    change->verb = &verb;
    change->undo = &semantics::way_back(step, verb);
    change->status = new_register();
    // What the caller's inverse can see: the caller's names, then the verb's own.
    Names* own = new_names(step.undo ? &outer : globals_);
    for (const auto& [name, known] : inner.own()) own->bind(name, known);
    change->names = own;
    for (Change* speaker = course.outer; speaker != nullptr; speaker = speaker->outer)
        speaker->inner.push_back(change);
    change->seen = !verb.effects.empty();
    const bool stays = change->undo->kind == UndoKind::Irreversible ||
                       (change->undo->kind == UndoKind::None && change->seen);
    if (stays)
        tell_once(out_.no_return, "stays " + change->text,
                  fmt::format("`{}`: {}", change->text, change->undo->reason), change->span);
    now_->changes.push_back(change);
    return change;
}

Kept Lowering::capture(const ir::Verb& verb, Names& inner) {
    Kept kept;
    for (const ir::Capture& one : verb.captures) {
        const Term now = evaluate(one.value, inner), then = snapshot(now);
        if (then != now) kept[read_from_.at(then.id)] = then.id;
        inner.bind(one.name, {then});
    }
    return kept;
}

std::vector<Touch> Lowering::touches(const ir::Verb& verb, const Names& inner, const Kept& kept,
                                     const std::string& text, Span span, const StepContext& course,
                                     const ir::Undo& undo) {
    std::vector<Touch> result;
    for (const ir::Effect& effect : verb.effects) {
        const auto found = variable_of(effect.probe, inner);
        if (!found) continue;
        const auto captured = kept.find(*found);
        const Register before = captured != kept.end()
                                    ? captured->second
                                    : static_cast<Register>(snapshot({true, out_.variables[*found].now}).id);
        Touch touch{*found, before, {false, absent}, effect.becomes};
        if (!program_span_.empty() && course.purpose != Purpose::Inverse && !touched_.contains(*found)) {
            out_.variables[*found].span = program_span_;
            touched_.insert(*found);
        }
        if (effect.value) touch.declared = snapshot(evaluate(*effect.value, inner));
        begin_as_the_other(*found, touch.declared);
        if (effect.becomes == ir::Becomes::Different)
            touch.declared =
                apply({FunctionKind::Different, fmt::format("{} {}", text, changes_.size()), {}, {}},
                      {true, touch.before});
        if (!is_told_otherwise(verb, inner, *found, course)) changed_.insert(*found);
        if (!touch.declared.is_register) declared_of_.insert_or_assign(*found, touch.declared);
        const bool is_literal = touch.is_visible() && known(touch.declared) != nullptr;
        if (is_literal && course.purpose == Purpose::Forward) may_be(*found, touch.declared.id);
        result.push_back(touch);
    }
    if (!result.empty() || !verb.effects.empty() || undo.kind == UndoKind::None) return result;
    if (course.purpose != Purpose::Forward) return result;
    const std::size_t hidden = hidden_variable(text, span);
    changed_.insert(hidden);
    Touch touch{hidden, new_register(), {}, ir::Becomes::Different};
    emit(Op::Copy, touch.before, out_.variables[hidden].now);
    touch.declared = apply({FunctionKind::Different, text}, {true, touch.before});
    result.push_back(touch);
    return result;
}

// Whether a step has an effect on a part of it as well: the digest of a file tells no more than the value
// that is set in it. What an inverse is on, the change that it takes back has told.
bool Lowering::is_told_otherwise(const ir::Verb& verb, const Names& inner, std::size_t variable,
                                 const StepContext& course) {
    return (course.undoing != nullptr && concerns(course.undoing->touches, variable)) ||
           is_told_by_a_part(verb, inner, variable);
}

bool Lowering::is_told_by_a_part(const ir::Verb& verb, const Names& inner, std::size_t variable) {
    return std::ranges::any_of(verb.effects, [&](const ir::Effect& effect) {
        const ir::Probe& declared = program_.probes.at(effect.probe.declaration);
        const Names* own = declared.depends.empty() ? nullptr : probe_names(effect.probe, inner);
        return std::ranges::any_of(declared.depends,
                                   [&](const ir::Expr& base) { return variable_of(base, *own) == variable; });
    });
}

// What is either so or not was the one before the other: there is no third.
void Lowering::begin_as_the_other(std::size_t variable, Term declared) {
    const Variable& one = out_.variables[variable];
    if (declared.is_register || (declared.id != yes && declared.id != no)) return;
    if (!out_.values.is_initial(out_.start[one.now])) return;
    const std::uint32_t asked = variable_probe_[variable];
    if (asked == no_probe || program_.probes.at(asked).type.kind != ir::TypeKind::Bool) return;
    out_.start[one.now] = out_.start[one.origins.back()] = declared.id == yes ? no : yes;
}

// What a probe is said to depend on: once that is back, so is what was derived from it.
void Lowering::derive(Change& change, const ir::Verb& verb, const Names& inner) {
    for (std::size_t i = 0; i < verb.effects.size() && i < change.touches.size(); ++i) {
        const ir::Probe& declared = program_.probes.at(verb.effects[i].probe.declaration);
        if (declared.depends.empty()) continue;
        const Names* own = probe_names(verb.effects[i].probe, inner);
        for (const ir::Expr& base : declared.depends) {
            const auto from = variable_of(base, *own);
            if (!from) continue;
            Derived one{change.touches[i].variable, change.touches[i].before, *from, new_register()};
            emit(Op::Copy, one.from_before, out_.variables[*from].now);
            change.derived.push_back(one);
        }
    }
}

// It is again what it was.
void Lowering::take_back(std::size_t variable, Register value) {
    emit(Op::Copy, out_.variables[variable].now, value);
    own(variable);
}

void Lowering::take_effect(const Touch& touch, const StepContext& course) {
    overwrite(touch, course);
    pods_start(touch.variable, course);
    copy(out_.variables[touch.variable].now, touch.declared);
    own(touch.variable);
    now_->touched.insert(touch.variable);
    mark_changed(touch.variable);
    say_value(touch, course);
}

// Whether the thing itself tells that this run wrote it, also where no tool's answer does: a file of the
// project, and what the API server keeps under the run's name.
bool Lowering::tells_who_wrote(const ir::Verb& verb) const {
    const Footprint footprint = facts_.footprint(verb.action->native);
    return footprint == Footprint::File ||
           (footprint == Footprint::Server && semantics::runs(verb.action, "kubectl") && states_all(verb));
}

bool Lowering::states_all(const ir::Verb& verb) {
    return std::none_of(verb.effects.begin(), verb.effects.end(),
                        [](const ir::Effect& effect) { return effect.becomes == ir::Becomes::Different; });
}

// A verb of the tools: needs, captures, effects, the act, and what was seen of it.
void Lowering::simple(const ir::Step& step, const ir::Verb& verb, Names& inner, const Names& outer,
                      const StepContext& course) {
    const bool forward = course.purpose == Purpose::Forward, inverse = course.purpose == Purpose::Inverse;
    const Exits& exits = course.exits;
    const std::string text = text_of(verb, inner);
    const Span at = in_script(step.span, course);
    const ir::Undo& undo = semantics::way_back(step, verb);
    remark(inverse ? Remark::Kind::Undo : Remark::Kind::Step, text, at);
    if (inverse) keep_what_is_new(verb, inner, text, course);
    const bool shared = others_ && !verb.effects.empty();
    const Label before_look = label(), look_now = label();
    if (shared) {
        jump(before_look);
        place(look_now);
    }
    const std::vector<Term> held = needs(verb, inner, inverse ? exits.held : exits.failed);
    if (course.undoing != nullptr)
        for (const ir::Expr& need : verb.needs) may_lack_pods(need, text, *course.undoing);
    const Kept kept = capture(verb, inner);
    const std::vector<Touch> effects = touches(verb, inner, kept, text, at, course, undo);
    Change* change = nullptr;
    const Label done = label(), on = label();
    if (forward) {
        change = new_change(step, verb, inner, outer, course, text);
        change->touches = effects;
        for (const Touch& touch : effects) now_->touched.insert(touch.variable);
        derive(*change, verb, inner);
    }
    if (shared)
        before_looking(before_look, look_now, text, at, effects, course,
                       inverse ? bad(course, exits.held) : exits.failed);
    // As it should be already: nothing is run, and nothing will be undone.
    const bool can_be_so =
        !verb.effects.empty() && effects.size() == verb.effects.size() &&
        std::all_of(effects.begin(), effects.end(), [](const Touch& touch) { return touch.is_visible(); });
    if (can_be_so) {
        const Label act = label();
        for (const Touch& touch : effects)
            emit(Op::IfDiffer, as_register(touch.declared), out_.variables[touch.variable].now, act);
        note("it is so already");
        if (change != nullptr) set(change->status, Already);
        if (forward) {
            Choice choice = begin_choice(text, at);
            common_options(choice, course);
            option(choice, "what is there cannot be read", exits.failed);
            end_choice(std::move(choice));
            out_.choices.back().point = false;
        }
        restore(step, verb, inner, effects, text, course);
        jump(on);
        place(act);
    }
    const Event event{text, at, forward, effects, held};
    const auto concluding = [&](Status status, Label exit, const auto& happens) {
        return aside([&] {
            happens();
            if (change != nullptr) set(change->status, status);
            jump(exit);
        });
    };
    const auto nothing_is_done = [] {};
    const auto all_is_done = [&] {
        for (const Touch& touch : effects) take_effect(touch, course);
        look(event);
    };
    // Of several effects the first, of a list some of it.
    const auto a_part_is_done = [&] {
        const Touch& first = effects.front();
        if (effects.size() > 1) {
            take_effect(first, course);
        } else {
            copy(out_.variables[first.variable].now, apply({FunctionKind::Part, text}, first.declared));
            own(first.variable);
        }
        look(event);
    };
    const bool visible = !verb.effects.empty();
    const Label failed = bad(course, exits.failed), in_doubt = bad(course, exits.in_doubt);
    const Label theirs = shared ? bad(course, inverse ? exits.held : exits.failed) : failed;
    // Refused, or written over: it owns nothing.
    const auto somebody_else_writes = [&] {
        if (shared)
            somebody_else(text, at, settable(effects), !forward, concluding(Failed, theirs, nothing_is_done));
    };
    somebody_else_writes();
    if (shared && !settable(effects).empty()) may_overwrite(verb, text, at);
    if (forward && verb.effects.empty() && undo.kind != UndoKind::None) may_overwrite_unseen(text, at);
    Choice choice = begin_choice(text, at);
    if (!verb.needs.empty() || !verb.captures.empty() || visible)
        option(choice, "what is there cannot be read, so nothing is done", failed);
    option(choice, "it fails, and nothing is done", concluding(Failed, failed, nothing_is_done));
    const auto unseen = [&] { return concluding(InDoubt, in_doubt, all_is_done); };
    const auto failed_but_done = [&](Status status) { return concluding(status, failed, all_is_done); };
    // Where the thing does not tell, the same could be somebody else's work: a person decides.
    const bool tells = visible && tells_who_wrote(verb), proves_nothing = visible && states_all(verb);
    option(choice, "it reports a failure, but has taken effect",
           tells ? done : failed_but_done(proves_nothing ? Unproved : Failed));
    option(choice, "no answer comes in time, but it has taken effect",
           tells                                    ? done
           : visible || undo.kind != UndoKind::None ? unseen()
                                                    : failed_but_done(Failed));
    if (visible) option(choice, "whether it took effect cannot be read", unseen());
    const bool list =
        effects.size() == 1 && visible &&
        program_.probes.at(verb.effects.front().probe.declaration).type.kind == ir::TypeKind::List;
    // What tells of the same thing comes about at once.
    const bool several = effects.size() > 1 && std::ranges::none_of(effects, [&](const Touch& touch) {
                             return is_told_by_a_part(verb, inner, touch.variable);
                         });
    if (visible && (several || list))
        option(choice, "it fails half-way: only a part has taken effect",
               concluding(Failed, failed, a_part_is_done));
    common_options(choice, course);
    end_choice(std::move(choice));
    place(done);
    for (const Touch& touch : effects) take_effect(touch, course);
    if (change != nullptr) set(change->status, Done);
    somebody_else_writes();
    restore(step, verb, inner, effects, text, course);
    look(event);
    place(on);
}

}  // namespace migc::prove
