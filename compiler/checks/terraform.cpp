// What terraform applies has been planned, and the plan has been looked at.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

bool runs(const Event& event, std::string_view native) {
    return event.verb != nullptr && event.verb->action && event.verb->action->native == native;
}

bool applies_plan(const Event& event) {
    return runs(event, "terraform-apply") && event.act == Act::Change && event.plans.size() == 1;
}

// A file that a plan is made from.
bool is_input_of_plan(const Course& course, const Event& event, const Thing& thing) {
    if (event.part_of != nullptr && event.part_of->signature.starts_with("set variable ")) return true;
    if (!thing.starts_with("file ") || course.environment == nullptr || !course.environment->terraform)
        return false;
    const std::string file = thing.substr(5);
    return file.starts_with(course.environment->terraform->directory + "/") &&
           (file.ends_with(".tfvars") || file.ends_with(".tf") || file.ends_with(".tfvars.json"));
}

const ir::Step* named(const std::vector<ir::Step>& steps, const std::string& name) {
    const ir::Step* found = nullptr;
    each_step(steps, [&](const ir::Step& step) {
        if (step.kind == ir::StepKind::Call && step.name == name) found = &step;
    });
    return found;
}

void plans(const Course& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    for (auto apply = events.begin(); apply != events.end(); ++apply) {
        if (!applies_plan(*apply) || apply->inner != apply->step) continue;
        const std::string& name = *apply->plans.begin();
        const ir::Step* plan = named(course.stage->steps, name);
        if (plan == nullptr) continue;
        const bool looked_at = std::any_of(events.begin(), apply, [&](const Event& event) {
            return event.act != Act::Change && event.plans.contains(name);
        });
        if (!looked_at) {
            auto& d = diagnostics.report(Code::PlanNotReviewed, apply->step->span,
                                         fmt::format("nothing says what the plan `{}` may do", name));
            d.labels.push_back({plan->span, "made here"});
            d.notes.emplace_back(
                "terraform would apply whatever it has come to, a destruction included; say what you expect: "
                "`expect p adds 1 changes 0 destroys 0;` or `expect p touches only [..];`");
        }
        const auto made = std::find_if(events.begin(), apply, [&](const Event& event) {
            return event.step == plan || event.inner == plan;
        });
        const auto edited = std::find_if(made, apply, [&](const Event& event) {
            return event.act == Act::Change &&
                   std::any_of(event.things.begin(), event.things.end(),
                               [&](const Thing& thing) { return is_input_of_plan(course, event, thing); });
        });
        if (made == apply || edited == apply) continue;
        auto& d = diagnostics.report(Code::PlanOutdated, apply->step->span,
                                     fmt::format("the plan `{}` is older than what it was made from", name));
        d.labels.push_back({plan->span, "made here"});
        d.labels.push_back({edited->step->span, "changes what it was made from"});
        d.notes.emplace_back(
            "the run would refuse it in the middle of the window; make the plan after the edit");
    }
}

bool holds_in_order(const Event& event, std::string_view first, std::string_view second) {
    for (const auto& argument : event.arguments) {
        const auto* list = argument ? argument->get_if<List>() : nullptr;
        for (std::size_t i = 0; list != nullptr && i + 1 < list->size(); ++i)
            if (show((*list)[i]) == first && show((*list)[i + 1]) == second) return true;
    }
    return false;
}

void state_push(const std::vector<Event>& events, Diagnostics& diagnostics) {
    for (const Event& event : events) {
        if (!holds_in_order(event, "state", "push")) continue;
        auto& d = diagnostics.report(Code::StatePush, event.step->span, "an old state is no way back");
        d.notes.emplace_back(
            "`terraform state push` changes the record, and nothing that exists: afterwards terraform knows less "
            "than before. Undo by a plan: `undo;`, or `plan terraform as back; .. apply back;`");
    }
}

// `var-file: staging.tfvars` under production.
void variable_files(const Picture& picture, Diagnostics& diagnostics) {
    for (const auto& environment : picture.inventory.environments) {
        if (!environment.terraform || !picture.inventory.exists) continue;
        const std::string& file = environment.terraform->var_file;
        const auto holds = [&](const std::string& name) {
            for (auto at = file.find(name); at != std::string::npos; at = file.find(name, at + 1)) {
                const auto is_letter = [&](std::size_t i) {
                    return i < file.size() && std::isalnum(static_cast<unsigned char>(file[i])) != 0;
                };
                if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + name.size())) return true;
            }
            return false;
        };
        if (holds(environment.name)) continue;
        for (const auto& other : picture.inventory.environments) {
            if (other.name == environment.name || !holds(other.name)) continue;
            auto& d = diagnostics.report(
                Code::ForeignVariables, environment.span,
                fmt::format("{} would be planned with the variables of {}", environment.name, other.name));
            d.primary_label = "its var-file is " + file;
            d.notes.push_back(
                fmt::format("terraform would make {} look like {}: fewer nodes, smaller volumes",
                            environment.name, other.name));
        }
    }
}

bool uses_terraform(const Picture& picture) {
    return picture.program.tool("terraform") != nullptr;
}

}  // namespace

void terraform(const Picture& picture, Diagnostics& diagnostics) {
    for (const Course& course : picture.timeline.courses()) {
        state_push(course.failure, diagnostics);
        if (course.stage->repeats) continue;
        plans(course, diagnostics);
        state_push(course.forward, diagnostics);
        each_step(course.stage->steps, [&](const ir::Step& step) {
            if (step.undo) state_push(picture.timeline.events(step.undo->steps, *course.stage), diagnostics);
        });
    }
    if (uses_terraform(picture)) variable_files(picture, diagnostics);
}

}  // namespace migc::checks
