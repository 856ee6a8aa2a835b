// Production gets what staging has exercised, through gates that can open.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/checks/checks.hpp"
#include "compiler/semantics/window.hpp"

namespace migc::checks {
namespace {

// The first stage of each name, and of each environment.
using FirstStages = std::map<std::string, std::size_t>;

FirstStages first_stages(const ir::Program& program) {
    FirstStages first;
    for (std::size_t i = 0; i < program.stages.size(); ++i) {
        first.emplace(program.stages[i].name, i);
        first.emplace(program.stages[i].environment, i);
    }
    return first;
}

// `gate staging passed` where staging comes later, or is this very stage.
void never_passed(const CheckContext& picture, const FirstStages& first, std::size_t here,
                  const ir::Step& gate, Diagnostics& diagnostics) {
    const ir::Stage& stage = picture.program.stages[here];
    const auto wanted = asked_of(picture, gate, stage);
    if (!wanted) return;
    const std::string name = show(*wanted);
    const auto found = first.find(name);
    if (found == first.end() || found->second < here) return;
    auto& d = diagnostics.report(Code::GateNeverOpens, gate.span, "this gate can never open");
    d.primary_label = fmt::format("waits for {}", name);
    d.label(picture.program.stages[found->second].span,
            found->second == here ? "which is this stage itself" : "which comes only later");
    d.note(fmt::format("the run would stop before `{}`, every time", stage.name));
}

// `gate approval by 0 of ["ops", "lead"]`.
void no_approval(const ir::Step& gate, std::int64_t number, Diagnostics& diagnostics) {
    auto& d = diagnostics.report(Code::TolerantCheck, gate.span, "this gate is always open");
    d.primary_label = fmt::format("wants {} approvals", number);
    d.note(
        "nobody is asked, and whoever reads the script believes that somebody was: say how many must approve");
}

// `gate approval by 3 of ["ops", "lead"]`.
void wrong_number_of_approvals(const CheckContext& picture, const ir::Stage& stage, const ir::Step& gate,
                               Diagnostics& diagnostics) {
    const auto count = asked_of(picture, gate, stage), people = asked_of(picture, gate, stage, 1);
    const auto* number = count ? count->get_if<std::int64_t>() : nullptr;
    const auto* list = people ? people->get_if<List>() : nullptr;
    if (number != nullptr && *number <= 0) return no_approval(gate, *number, diagnostics);
    if (number == nullptr || list == nullptr) return;
    std::set<std::string> different, without_key;
    for (const Value& one : *list) different.insert(show(one));
    // A project that names nobody keeps its approvers elsewhere, or not yet.
    const auto& approvers = picture.inventory.approvers;
    for (const std::string& one : different)
        if (!approvers.empty() && !approvers.contains(one)) without_key.insert(one);
    if (*number <= static_cast<std::int64_t>(different.size() - without_key.size())) return;
    auto& d = diagnostics.report(Code::GateNeverOpens, gate.span, "this gate can never open");
    d.note(fmt::format("it wants {} approvals, and names {} {}", *number, different.size(),
                       different.size() == 1 ? "person" : "different people"));
    if (!without_key.empty())
        d.note(fmt::format("{} has no key of {}, so their approvals would not count: add them to `approvers`",
                           picture.inventory.file_name, fmt::join(without_key, " and ")));
}

void gates(const CheckContext& picture, Diagnostics& diagnostics) {
    const FirstStages first = first_stages(picture.program);
    for (std::size_t i = 0; i < picture.program.stages.size(); ++i) {
        const ir::Stage& stage = picture.program.stages[i];
        for (const ir::Step& gate : stage.gates) {
            const ir::Role role = semantics::role_of(picture.program, *gate.condition);
            if (role == ir::Role::Passing) never_passed(picture, first, i, gate, diagnostics);
            if (role == ir::Role::Approval) wrong_number_of_approvals(picture, stage, gate, diagnostics);
        }
    }
}

bool is_live_change(const Event& event) {
    return event.is_change() && touches_live(event);
}

// What stages have done: which verb to which things; with an image or a file, with which.
class Exercised {
  public:
    explicit Exercised(const Resources& resources) : resources_(resources) {}

    void add(const Event& event) {
        if (event.is_change() && !never_happens(event)) done_[subject(event)].insert(inputs(event));
    }

    [[nodiscard]] bool has(const Event& event) const {
        const auto found = done_.find(subject(event));
        if (found == done_.end()) return false;
        const std::string wanted = inputs(event);
        // What only a run can tell may be the same.
        return wanted == unknown || found->second.contains(wanted) || found->second.contains(unknown);
    }

  private:
    static constexpr const char* unknown = "?";
    using Subject = std::pair<const ir::Verb*, std::set<ResourceKey>>;

    static Subject subject(const Event& event) { return {event.verb, event.things}; }
    // A file of one environment stands for those of the others.
    [[nodiscard]] std::string inputs(const Event& event) const {
        std::string text;
        for (std::size_t i = 0; i < event.arguments.size(); ++i) {
            const auto kind = event.verb->parameters.at(i).type.kind;
            if (kind != ir::TypeKind::Image && kind != ir::TypeKind::Path) continue;
            if (!event.arguments[i]) return unknown;
            const bool is_own = kind == ir::TypeKind::Path && resources_.is_of_one(show(*event.arguments[i]));
            text += is_own ? "\n" : show(*event.arguments[i]) + "\n";
        }
        return text;
    }

    const Resources& resources_;
    std::map<Subject, std::set<std::string>> done_;
};

struct Lower {
    explicit Lower(const Resources& resources) : exercised(resources) {}
    const ir::Stage* first = nullptr;
    Exercised exercised;
};

// What a stage does otherwise than the one that it repeats, because an `if` asks for the environment.
bool is_own(const ir::Stage& stage, const Event& event) {
    return !stage.repeats || decided_by_environment(event) != nullptr;
}

void how_to_exercise(const StageEvents& upper, const Event& event, const ir::Stage& first, Diagnostic& d) {
    const ir::Step* condition = decided_by_environment(event);
    if (condition != nullptr) {
        d.label(condition->condition->span, "this decides it");
        d.note(
            fmt::format("let {} do it too: what differs between environments is better a value than a step",
                        first.environment));
        return;
    }
    d.note(fmt::format("let `{}` repeat the steps: `stage {} repeats {} < gate {} passed; >`",
                       upper.stage->name, heading(*upper.stage), first.name, first.name));
}

void never_exercised(const StageEvents& upper, const std::map<std::string, Lower>& lower,
                     const ir::Stage& first, Diagnostics& diagnostics) {
    const ir::Step* told = nullptr;
    for (const Event& event : upper.forward) {
        if (!is_live_change(event) || event.step == told || never_happens(event) ||
            !is_own(*upper.stage, event))
            continue;
        const bool exercised = std::ranges::any_of(lower, [&](const auto& one) {
            return one.first != upper.stage->environment && one.second.exercised.has(event);
        });
        if (exercised) continue;
        told = event.step;
        auto& d = diagnostics.report(Code::NeverExercised, event.step->span,
                                     fmt::format("{} has never seen this change", first.environment));
        d.primary_label = fmt::format("first tried in {}", upper.stage->environment);
        d.label(first.span, "this stage does not do it");
        d.note(fmt::format("what is wrong with it would be found out in {}", upper.stage->environment));
        how_to_exercise(upper, event, first, d);
    }
}

// The first stage of a lower environment that changes something.
const ir::Stage* first_lower(const CheckContext& picture, const std::map<std::string, Lower>& lower,
                             const StageEvents& upper) {
    const auto rank = picture.inventory.rank(upper.stage->environment);
    const ir::Stage* first = nullptr;
    for (const auto& [environment, one] : lower) {
        const auto other = picture.inventory.rank(environment);
        const bool is_lower = rank && other && *other < *rank && one.first != nullptr;
        if (is_lower && (first == nullptr || one.first < first)) first = one.first;
    }
    return first;
}

void exercise(const CheckContext& picture, Diagnostics& diagnostics) {
    std::map<std::string, Lower> lower;
    for (const StageEvents& course : picture.timeline.courses()) {
        const ir::Stage* first = course.is_protected() ? first_lower(picture, lower, course) : nullptr;
        if (first != nullptr) never_exercised(course, lower, *first, diagnostics);
        Lower& own = lower.try_emplace(course.stage->environment, picture.resources).first->second;
        for (const Event& event : course.forward) {
            if (own.first == nullptr && is_live_change(event)) own.first = course.stage;
            own.exercised.add(event);
        }
    }
}

// A window in which the last change cannot begin, because what must be waited for before it takes longer.
std::optional<std::int64_t> length_of_window(const std::string& when) {
    const auto window = semantics::parse_window(when);
    return window ? std::optional(std::int64_t{window->length()} * 60'000) : std::nullopt;
}

// The first change that begins only when the window is over, for it comes after soaks that take longer.
void too_late(const StageEvents& course, const ir::Step& gate, std::int64_t length,
              Diagnostics& diagnostics) {
    std::int64_t waited = 0;
    const Event* soak = nullptr;
    for (const Event& event : course.forward) {
        if (event.act == EventKind::Soak && event.at_least_ms) {
            waited += *event.at_least_ms;
            soak = &event;
        }
        if (!is_live_change(event) || waited < length || soak == nullptr) continue;
        auto& d = diagnostics.report(Code::WindowTooShort, gate.span,
                                     fmt::format("the window is over before `{}` begins", event.step->text));
        d.primary_label = "lasts " + show(Value(Duration{length}));
        d.label(soak->step->span, "waits until then");
        d.label(event.step->span, "begins only afterwards");
        d.note(
            "production would be changed outside of the maintenance window; soak after the last change, "
            "or put the later steps into a stage of their own");
        return;
    }
}

void window(const CheckContext& picture, const StageEvents& course, Diagnostics& diagnostics) {
    for (const ir::Step& gate : course.stage->gates) {
        if (semantics::role_of(picture.program, *gate.condition) != ir::Role::Window) continue;
        const auto when = asked_of(picture, gate, *course.stage);
        const auto length = when ? length_of_window(show(*when)) : std::nullopt;
        if (length) too_late(course, gate, *length, diagnostics);
    }
}

}  // namespace

void promotion(const CheckContext& picture, Diagnostics& diagnostics) {
    gates(picture, diagnostics);
    if (!is_emergency(picture.program)) exercise(picture, diagnostics);
    for (const StageEvents& course : picture.timeline.courses()) window(picture, course, diagnostics);
}

}  // namespace migc::checks
