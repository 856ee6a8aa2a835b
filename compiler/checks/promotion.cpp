// Production gets what staging has exercised, through gates that can open.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/ir/window.hpp"

namespace migc::checks {
namespace {

const ir::Probe* gate_probe(const Picture& picture, const ir::Step& gate) {
    if (!gate.condition || gate.condition->kind != ir::ExprKind::Probe) return nullptr;
    return &picture.program.probes.at(gate.condition->declaration);
}

// `gate staging passed` where staging comes later, or is this very stage.
void never_passed(const Picture& picture, const ir::Stage& stage, const ir::Step& gate,
                  Diagnostics& diagnostics) {
    const auto wanted = picture.timeline.value(gate.condition->children.at(0), stage);
    if (!wanted) return;
    const std::string name = show(*wanted);
    const auto& stages = picture.program.stages;
    const auto is_wanted = [&](const ir::Stage& one) { return one.name == name || one.environment == name; };
    const auto here = std::find_if(stages.begin(), stages.end(), [&](const auto& s) { return &s == &stage; });
    if (std::any_of(stages.begin(), here, is_wanted)) return;
    const auto later = std::find_if(here, stages.end(), is_wanted);
    if (later == stages.end()) return;
    auto& d = diagnostics.report(Code::GateNeverOpens, gate.span, "this gate can never open");
    d.primary_label = fmt::format("waits for {}", name);
    d.labels.push_back(
        {later->span, later == here ? "which is this stage itself" : "which comes only later"});
    d.notes.push_back(fmt::format("the run would stop before `{}`, every time", stage.name));
}

// `gate approval by 3 of ["ops", "lead"]`.
void too_many_approvals(const Picture& picture, const ir::Stage& stage, const ir::Step& gate,
                        Diagnostics& diagnostics) {
    const auto count = picture.timeline.value(gate.condition->children.at(0), stage);
    const auto people = picture.timeline.value(gate.condition->children.at(1), stage);
    const auto* number = count ? count->get_if<std::int64_t>() : nullptr;
    const auto* list = people ? people->get_if<List>() : nullptr;
    if (number == nullptr || list == nullptr) return;
    std::set<std::string> different;
    for (const Value& one : *list) different.insert(show(one));
    if (*number <= static_cast<std::int64_t>(different.size())) return;
    auto& d = diagnostics.report(Code::GateNeverOpens, gate.span, "this gate can never open");
    d.notes.push_back(fmt::format("it wants {} approvals, and names {} {}", *number, different.size(),
                                  different.size() == 1 ? "person" : "different people"));
}

void gates(const Picture& picture, const ir::Stage& stage, Diagnostics& diagnostics) {
    for (const ir::Step& gate : stage.gates) {
        const ir::Probe* probe = gate_probe(picture, gate);
        if (probe == nullptr || !probe->read) continue;
        if (probe->read->native == "stage-passed") never_passed(picture, stage, gate, diagnostics);
        if (probe->read->native == "approval") too_many_approvals(picture, stage, gate, diagnostics);
    }
}

// The same verb on the same things; with an image or a file, the same one.
bool same_exercise(const Event& lower, const Event& upper) {
    if (lower.verb != upper.verb || lower.things != upper.things) return false;
    for (std::size_t i = 0; i < upper.arguments.size() && i < lower.arguments.size(); ++i) {
        const auto kind = upper.verb->parameters.at(i).type.kind;
        const bool must_agree = kind == ir::TypeKind::Image || kind == ir::TypeKind::Path;
        if (must_agree && upper.arguments[i] && lower.arguments[i] &&
            !equal(*upper.arguments[i], *lower.arguments[i]))
            return false;
    }
    return true;
}

bool is_live_change(const Event& event) {
    return event.act == Act::Change && touches_live(event);
}

void never_exercised(const Course& upper, const Course& lower, Diagnostics& diagnostics) {
    const ir::Step* told = nullptr;
    for (const Event& event : upper.forward) {
        if (!is_live_change(event) || event.step == told) continue;
        const bool exercised = std::any_of(lower.forward.begin(), lower.forward.end(), [&](const Event& one) {
            return one.act == Act::Change && same_exercise(one, event);
        });
        if (exercised) continue;
        told = event.step;
        auto& d = diagnostics.report(Code::NeverExercised, event.step->span,
                                     fmt::format("{} has never seen this change", lower.stage->environment));
        d.primary_label = fmt::format("first tried in {}", upper.stage->environment);
        d.labels.push_back({lower.stage->span, "this stage does not do it"});
        d.notes.push_back(
            fmt::format("what is wrong with it would be found out in {}", upper.stage->environment));
        d.notes.push_back(fmt::format("let `{}` repeat the steps: `stage {} repeats {} < gate {} passed; >`",
                                      upper.stage->name, upper.stage->name, lower.stage->name,
                                      lower.stage->name));
    }
}

void exercise(const Picture& picture, Diagnostics& diagnostics) {
    const auto& courses = picture.timeline.courses();
    for (auto upper = courses.begin(); upper != courses.end(); ++upper) {
        if (upper->stage->repeats || upper->environment == nullptr || !upper->environment->is_protected)
            continue;
        const auto rank = picture.inventory.rank(upper->stage->environment);
        const auto lower = std::find_if(courses.begin(), upper, [&](const Course& course) {
            const auto other = picture.inventory.rank(course.stage->environment);
            return rank && other && *other < *rank &&
                   std::any_of(course.forward.begin(), course.forward.end(), is_live_change);
        });
        if (lower == upper) continue;
        // All that the lower stages do counts, not only the first one's.
        Course all = *lower;
        for (auto more = lower + 1; more != upper; ++more)
            if (more->stage->environment != upper->stage->environment)
                all.forward.insert(all.forward.end(), more->forward.begin(), more->forward.end());
        never_exercised(*upper, all, diagnostics);
    }
}

// A window in which the last change cannot begin, because what must be waited for before it takes longer.
std::optional<std::int64_t> length_of_window(const std::string& when) {
    const auto window = ir::parse_window(when);
    return window ? std::optional(std::int64_t{window->length()} * 60'000) : std::nullopt;
}

void window(const Picture& picture, const Course& course, Diagnostics& diagnostics) {
    for (const ir::Step& gate : course.stage->gates) {
        const ir::Probe* probe = gate_probe(picture, gate);
        if (probe == nullptr || !probe->read || probe->read->native != "window") continue;
        const auto when = picture.timeline.value(gate.condition->children.at(0), *course.stage);
        const auto length = when ? length_of_window(show(*when)) : std::nullopt;
        if (!length) continue;
        std::int64_t waited = 0;
        const Event* soak = nullptr;
        for (const Event& event : course.forward) {
            if (event.act == Act::Soak && event.at_least_ms) {
                waited += *event.at_least_ms;
                soak = &event;
            }
            if (!is_live_change(event) || waited < *length || soak == nullptr) continue;
            auto& d =
                diagnostics.report(Code::WindowTooShort, gate.span,
                                   fmt::format("the window is over before `{}` begins", event.step->text));
            d.primary_label = "lasts " + show(Value(Duration{*length}));
            d.labels.push_back({soak->step->span, "waits until then"});
            d.labels.push_back({event.step->span, "begins only afterwards"});
            d.notes.emplace_back(
                "production would be changed outside of the maintenance window; soak after the last change, "
                "or put the later steps into a stage of their own");
            return;
        }
    }
}

}  // namespace

void promotion(const Picture& picture, Diagnostics& diagnostics) {
    for (const ir::Stage& stage : picture.program.stages) gates(picture, stage, diagnostics);
    const bool is_emergency = picture.program.migration && picture.program.migration->property("emergency");
    if (!is_emergency) exercise(picture, diagnostics);
    for (const Course& course : picture.timeline.courses()) window(picture, course, diagnostics);
}

}  // namespace migc::checks
