#include "compiler/checks/timeline.hpp"

#include <algorithm>

#include "compiler/checks/expansion.hpp"
#include "compiler/support/find.hpp"

namespace migc::checks {

bool undoes_or_holds(Events::const_iterator from, Events::const_iterator end) {
    return std::any_of(from, end,
                       [](const Event& event) { return event.undoes() || event.act == EventKind::Hold; });
}

void each_event(const StageEvents& course, const std::function<void(const Event&)>& visit) {
    std::ranges::for_each(course.forward, visit);
    for (const OwnUndo& own : course.undos) std::ranges::for_each(own.back, visit);
    std::ranges::for_each(course.failure, visit);
}

std::pair<Events::const_iterator, Events::const_iterator> undone_by(const StageEvents& course,
                                                                    const OwnUndo& own) {
    const auto first = course.forward.begin();
    return {first + static_cast<std::ptrdiff_t>(own.begin), first + static_cast<std::ptrdiff_t>(own.end)};
}

const ir::Undo& way_back(const Event& change) {
    return *change.undo;
}

bool must_be_restored(const Event& change) {
    const ir::UndoKind kind = way_back(change).kind;
    return kind != ir::UndoKind::None && kind != ir::UndoKind::Irreversible;
}

bool plays(const Event& event, ir::Role role) {
    return event.verb != nullptr && event.verb->role.role == role;
}

const Effect* effect_on(const Event& event, ir::Role role) {
    return first_of(event.effects, [&](const Effect& effect) { return effect.probe->role.role == role; });
}

const std::string* text_in(const std::vector<std::optional<Value>>& role, std::size_t number) {
    return number < role.size() && role[number] ? role[number]->get_if<std::string>() : nullptr;
}

bool touches_live(const Event& event) {
    return std::ranges::any_of(event.things, is_live);
}

namespace {

// Where the ways of two events part: the way of the first; null if one is on the other's way.
const Branch* parting(const Event& a, const Event& b) {
    const Branch *left = a.branch, *right = b.branch;
    const auto depth = [](const Branch* branch) { return branch == nullptr ? 0 : branch->depth; };
    while (depth(left) > depth(right)) left = left->outer;
    while (depth(right) > depth(left)) right = right->outer;
    for (; left != right; left = left->outer, right = right->outer)
        if (left->visit == right->visit) return left;
    return nullptr;
}

}  // namespace

bool exclusive(const Event& a, const Event& b) {
    const Branch* way = parting(a, b);
    return way != nullptr && !way->parallel();
}

bool concurrent(const Event& a, const Event& b) {
    const Branch* way = parting(a, b);
    return way != nullptr && way->parallel();
}

bool never_happens(const Event& event) {
    for (const Branch* branch = event.branch; branch != nullptr; branch = branch->outer)
        if (branch->taken == false) return true;
    return false;
}

const ir::Step* decided_by_environment(const Event& event) {
    for (const Branch* branch = event.branch; branch != nullptr; branch = branch->outer)
        if (branch->taken) return branch->step;
    return nullptr;
}

Timeline::Timeline(const ir::Program& program, const project::Inventory& inventory,
                   const Manifests& manifests, const SourceMap& sources, Resources& resources,
                   EditedFiles& files)
    : program_(program), sources_(sources) {
    const Ground ground{program, resources, files, branches_, [this](Span span) { return is_own(span); }};
    for (const ir::Stage& stage : program.stages)
        courses_.push_back(
            expand(ground, values_.emplace_back(program, inventory, manifests, stage, read_by_)));
}

bool Timeline::is_own(Span span) const {
    const bool is_script = !program_.stages.empty() && span.file == program_.stages.front().span.file;
    return is_script || !sources_.file(span.file).name().starts_with("std/");
}

std::optional<Value> Timeline::value(const ir::Expr& expression, const ir::Stage& stage) const {
    const Values& values = values_.at(static_cast<std::size_t>(&stage - program_.stages.data()));
    return values.of(expression, values.top);
}

}  // namespace migc::checks
