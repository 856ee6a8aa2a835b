// What is changed is looked at: by a verify or a soak after it, at the thing itself or at the whole.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

bool is_look(const Event& event) {
    return event.act == Act::Look || event.act == Act::Soak;
}

// Whether it changes something that a person would look at afterwards. A file of the project or an image is
// looked at where it is used; what nobody has to undo leaves nothing to look at.
bool is_live_change(const Event& event) {
    if (event.act != Act::Change) return false;
    if (event.inner->undo && event.inner->undo->kind == ir::UndoKind::None) return false;
    return event.things.empty() || touches_live(event);
}

bool is_workload(const Thing& thing) {
    return thing.starts_with("deployment/") || thing.starts_with("statefulset/") ||
           thing.starts_with("daemonset/");
}

// The thing itself, or a workload whose pods read it.
bool looks_at(const Picture& picture, const Event& look, const Thing& thing) {
    if (look.everything || look.things.contains(thing)) return true;
    const auto readers = picture.manifests.readers(thing);
    return std::any_of(readers.begin(), readers.end(),
                       [&](const Object* reader) { return look.things.contains(reader->thing); });
}

void never_verified(const Course& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    const auto last_look = std::find_if(events.rbegin(), events.rend(), is_look).base();
    const auto change = std::find_if(last_look, events.end(), is_live_change);
    if (change == events.end()) return;
    auto& d = diagnostics.report(Code::NotVerified, change->step->span,
                                 fmt::format("nothing verifies `{}`", change->step->text));
    d.primary_label = "no `verify` or `soak` follows it";
    d.notes.push_back(fmt::format("`{}` would be called done although nobody has seen that {} still works",
                                  course.stage->name, course.stage->environment));
    d.notes.emplace_back("add a `verify` behind it: `verify pods ready;`, or what its users would see");
}

void elsewhere_verified(const Picture& picture, const Course& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    for (auto change = events.begin(); change != events.end(); ++change) {
        if (!is_live_change(*change) || change->things.size() != 1 || change->conditional) continue;
        const Thing& thing = *change->things.begin();
        if (!is_workload(thing)) continue;
        const auto look = std::find_if(change, events.end(), is_look);
        if (look == events.end()) continue;
        const bool seen = std::any_of(change, events.end(), [&](const Event& event) {
            return is_look(event) && looks_at(picture, event, thing);
        });
        if (seen) continue;
        auto& d =
            diagnostics.report(Code::VerifiedElsewhere, look->step->span,
                               fmt::format("this looks at something else than what was changed: {}", thing));
        d.labels.push_back({change->step->span, fmt::format("changes {}, and nothing looks at it", thing)});
        d.notes.push_back(fmt::format("if {} does not come up, the stage passes all the same", thing));
    }
}

bool is_number(const ir::Expr& expression, std::int64_t wanted) {
    const auto* number = expression.value.get_if<std::int64_t>();
    return expression.kind == ir::ExprKind::Literal && number != nullptr && *number == wanted;
}

bool is_all(const ir::Expr& expression) {
    const auto* share = expression.value.get_if<Percent>();
    return expression.kind == ir::ExprKind::Literal && share != nullptr && share->value >= 100;
}

// Holds whatever happens.
bool always_holds(const ir::Expr& condition) {
    switch (condition.kind) {
        case ir::ExprKind::And:
            return always_holds(condition.children.at(0)) && always_holds(condition.children.at(1));
        case ir::ExprKind::Or:
            return always_holds(condition.children.at(0)) || always_holds(condition.children.at(1));
        case ir::ExprKind::Literal: {
            const bool* value = condition.value.get_if<bool>();
            return value != nullptr && *value;
        }
        case ir::ExprKind::Compare: {
            const ir::Expr& bound = condition.children.at(1);
            const bool least = condition.comparison == ir::Comparison::AtLeast;
            const bool most = condition.comparison == ir::Comparison::AtMost;
            return (least && is_number(bound, 0)) || (most && is_all(bound));
        }
        default:
            return false;
    }
}

void tolerant(const Course& course, Diagnostics& diagnostics) {
    for (const Event& event : course.forward) {
        if (!is_look(event) || !event.inner->condition || event.inner != event.step) continue;
        if (!always_holds(*event.inner->condition)) continue;
        auto& d = diagnostics.report(Code::TolerantCheck, event.inner->condition->span,
                                     "this holds whatever happens");
        d.notes.push_back(fmt::format("the {} would pass on a system that is down",
                                      event.act == Act::Soak ? "soak" : "verification"));
    }
}

}  // namespace

void verification(const Picture& picture, Diagnostics& diagnostics) {
    for (const Course& course : picture.timeline.courses()) {
        if (course.stage->repeats) continue;
        never_verified(course, diagnostics);
        elsewhere_verified(picture, course, diagnostics);
        tolerant(course, diagnostics);
    }
}

}  // namespace migc::checks
