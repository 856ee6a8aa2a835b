// What is changed is looked at: by a verify or a soak after it, at the thing itself or at the whole.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/ways.hpp"

namespace migc::checks {
namespace {

// A look at files only says nothing of what runs.
bool is_look(const Event& event) {
    return event.is_look() && (event.everything || touches_live(event));
}

// Whether it changes something that a person would look at afterwards. A file of the project or an image is
// looked at where it is used; what nobody has to undo leaves nothing to look at.
bool is_to_be_verified(const Event& event) {
    if (!event.is_change()) return false;
    const bool is_said = &way_back(event) != &event.verb->undo;
    if (is_said && way_back(event).kind == ir::UndoKind::None) return false;
    return event.things.empty() || touches_live(event);
}

// Which ways through a stage meet a look, seen from its end.
class Coverage {
  public:
    // Goes back to an event: what is in a `parallel` that it is no part of comes after it.
    void back_to(const Event& event) {
        while (!open_.empty() && !within(event.branch, open_.back()->visit)) {
            const Branch* outer = open_.back()->outer;
            open_.pop_back();
            add(outer);
        }
    }

    void add(const Branch* branch) {
        if (branch == nullptr) return ways_.take_all();
        const bool on_both = ways_.take(*branch);
        if (branch->parallel())
            open_.push_back(branch);
        else if (on_both)
            add(branch->outer);
    }

    // Whether a look follows whenever something on this way was done.
    [[nodiscard]] bool covers(const Branch* branch) const { return ways_.cover(branch); }

  private:
    static bool within(const Branch* branch, std::size_t visit) {
        for (; branch != nullptr; branch = branch->outer)
            if (branch->visit == visit) return true;
        return false;
    }

    Ways ways_;
    std::vector<const Branch*> open_;
};

void never_verified(const StageEvents& course, Diagnostics& diagnostics) {
    Coverage coverage;
    const Event* first = nullptr;
    bool any_look = false, looked_later = false;
    for (auto event = course.forward.rbegin(); event != course.forward.rend(); ++event) {
        coverage.back_to(*event);
        if (is_look(*event)) {
            coverage.add(event->branch);
            any_look = true;
        }
        if (!is_to_be_verified(*event) || coverage.covers(event->branch)) continue;
        first = &*event;
        looked_later = any_look;
    }
    if (first == nullptr) return;
    auto& d = diagnostics.report(Code::NotVerified, first->step->span,
                                 fmt::format("nothing verifies `{}`", first->step->text));
    d.primary_label = looked_later ? "a `verify` or `soak` follows it in some cases only"
                                   : "no `verify` or `soak` follows it";
    d.note(fmt::format("`{}` would be called done although nobody has seen that {} still works",
                       course.stage->name, course.stage->environment));
    d.note("add a `verify` behind it: `verify pods ready;`, or what its users would see");
}

// What later looks see, from the end of a stage on.
class Seen {
  public:
    explicit Seen(const CheckContext& picture) : picture_(picture) {}

    void add(const Event& look) {
        first_ = &look;
        everything_ = everything_ || look.everything;
        for (const ResourceKey& thing : look.things)
            if (things_.insert(thing).second && thing.is("service")) service(thing);
    }

    [[nodiscard]] const Event* first() const { return first_; }
    [[nodiscard]] bool sees(const ResourceKey& thing) const {
        if (everything_ || things_.contains(thing)) return true;
        const auto& objects = picture_.manifests.declaring(thing);
        return std::ranges::any_of(objects, [&](const Object* object) {
            const auto services = picture_.manifests.services(*object);
            return std::ranges::any_of(
                services, [&](const Object* service) { return things_.contains(service->thing); });
        });
    }

  private:
    // One that no manifest declares may select anything.
    void service(const ResourceKey& thing) {
        if (picture_.manifests.declaring(thing).empty()) everything_ = true;
    }

    const CheckContext& picture_;
    const Event* first_ = nullptr;
    bool everything_ = false;
    std::set<ResourceKey> things_;
};

void elsewhere_verified(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics) {
    Seen seen(picture);
    std::map<const ir::Step*, std::pair<const Event*, const Event*>> found;  // the change, and the look
    for (auto event = course.forward.rbegin(); event != course.forward.rend(); ++event) {
        if (is_look(*event)) seen.add(*event);
        if (!is_to_be_verified(*event) || event->things.size() != 1 || seen.first() == nullptr) continue;
        const ResourceKey& thing = *event->things.begin();
        if (is_workload(thing) && !seen.sees(thing)) found[event->inner] = {&*event, seen.first()};
    }
    for (const auto& [step, both] : found) {
        const auto& [change, look] = both;
        const ResourceKey& thing = *change->things.begin();
        auto& d =
            diagnostics.report(Code::VerifiedElsewhere, look->step->span,
                               fmt::format("this looks at something else than what was changed: {}", thing));
        d.label(change->step->span, fmt::format("changes {}, and nothing looks at it", thing));
        d.note(fmt::format("if {} does not come up, the stage passes all the same", thing));
    }
}

bool is_none(const ir::Expr& expression) {
    const auto* number = semantics::literal<std::int64_t>(expression);
    return number != nullptr && *number == 0;
}

bool is_all(const ir::Expr& expression) {
    const auto* share = semantics::literal<Percent>(expression);
    return share != nullptr && share->value >= 100;
}

// Nothing is below 0, or above all.
std::optional<bool> by_its_bound(const ir::Expr& comparison) {
    const ir::Expr& bound = comparison.children.at(1);
    switch (comparison.comparison) {
        case ir::Comparison::AtLeast:
        case ir::Comparison::Below:
            if (is_none(bound)) return comparison.comparison == ir::Comparison::AtLeast;
            return std::nullopt;
        case ir::Comparison::AtMost:
        case ir::Comparison::Above:
            if (is_all(bound)) return comparison.comparison == ir::Comparison::AtMost;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

bool opposite(ir::Comparison a, ir::Comparison b) {
    using ir::Comparison;
    constexpr std::array<std::pair<Comparison, Comparison>, 4> pairs = {
        {{Comparison::Is, Comparison::IsNot},
         {Comparison::Below, Comparison::AtLeast},
         {Comparison::Above, Comparison::AtMost},
         {Comparison::OneOf, Comparison::NotOneOf}}};
    return std::ranges::any_of(pairs, [&](const auto& pair) {
        return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
    });
}

// `A or not A`, as written; and `x is 1 or x is not 1`.
bool contradict(const SourceMap& sources, const ir::Expr& a, const ir::Expr& b) {
    const auto alike = [&](const ir::Expr& one, const ir::Expr& other) {
        return sources.text(one.span) == sources.text(other.span);
    };
    if (a.kind == ir::ExprKind::Not && alike(a.children.at(0), b)) return true;
    if (b.kind == ir::ExprKind::Not && alike(b.children.at(0), a)) return true;
    return a.kind == ir::ExprKind::Compare && b.kind == ir::ExprKind::Compare &&
           opposite(a.comparison, b.comparison) && alike(a.children.at(0), b.children.at(0)) &&
           alike(a.children.at(1), b.children.at(1));
}

// Holds whatever happens.
bool always_holds(const SourceMap& sources, const ir::Expr& condition) {
    const auto holds = semantics::known_truth(condition, [&](const ir::Expr& part) -> std::optional<bool> {
        if (part.kind == ir::ExprKind::Compare) return by_its_bound(part);
        const bool is_or = part.kind == ir::ExprKind::Or;
        return is_or && contradict(sources, part.children.at(0), part.children.at(1)) ? std::optional(true)
                                                                                      : std::nullopt;
    });
    return holds == true;
}

// `let r = restarts of webapi; soak 1h while r is 0;`
bool is_frozen(const Event& event) {
    return event.act == EventKind::Soak && event.condition != nullptr && event.part_of == nullptr &&
           !semantics::asks_probe(*event.condition);
}

void frozen(const CheckContext& picture, const Event& soak, std::set<const ir::Expr*>& told,
            Diagnostics& diagnostics) {
    if (!picture.timeline.is_own(soak.condition->span) || !told.insert(soak.condition).second) return;
    auto& d = diagnostics.report(Code::TolerantCheck, soak.condition->span,
                                 "this is the same from the first moment to the last");
    d.primary_label = "asks nothing";
    d.note(
        "a name stands for what was read once, so that the soak watches nothing: ask in the soak itself, "
        "`soak 1h while restarts of WORKLOAD is 0;`");
}

// A condition of the standard library is not the script's to mend; one that was handed to it is.
void tolerant(const CheckContext& picture, const std::vector<Event>& events, std::set<const ir::Expr*>& told,
              Diagnostics& diagnostics) {
    for (const Event& event : events) {
        if (!event.is_look() || event.condition == nullptr) continue;
        if (!always_holds(picture.sources, *event.condition)) {
            if (is_frozen(event)) frozen(picture, event, told, diagnostics);
            continue;
        }
        if (!picture.timeline.is_own(event.condition->span) || !told.insert(event.condition).second) continue;
        auto& d =
            diagnostics.report(Code::TolerantCheck, event.condition->span, "this holds whatever happens");
        d.note(fmt::format("the {} would pass on a system that is down",
                           event.act == EventKind::Soak ? "soak" : "verification"));
    }
}

}  // namespace

void verification(const CheckContext& picture, Diagnostics& diagnostics) {
    std::set<const ir::Expr*> told;
    for (const StageEvents& course : picture.timeline.courses()) {
        if (has_own_failure_block(picture.program, *course.stage))
            tolerant(picture, course.failure, told, diagnostics);
        if (course.stage->repeats) continue;
        tolerant(picture, course.throughout, told, diagnostics);
        tolerant(picture, course.forward, told, diagnostics);
        never_verified(course, diagnostics);
        elsewhere_verified(picture, course, diagnostics);
    }
}

}  // namespace migc::checks
