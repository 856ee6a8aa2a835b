// What terraform applies has been planned, and the plan has been looked at.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/ways.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

bool applies_plan(const Event& event) {
    return plays(event, ir::Role::AppliesPlan) && event.is_change() && event.plans.size() == 1;
}

// A file that a plan is made from.
bool is_input_of_plan(const StageEvents& course, const ResourceKey& thing) {
    const bool is_known = course.environment != nullptr && course.environment->terraform;
    if (!is_known) return thing == ResourceKey::some_file();
    if (thing.of != ResourceKey::Of::File) return false;
    const std::string file = thing.name();
    return file.starts_with(course.environment->terraform->directory + "/") &&
           (file.ends_with(".tfvars") || file.ends_with(".tf") || file.ends_with(".tfvars.json"));
}

bool edits_input(const StageEvents& course, const Event& event) {
    const bool sets_variable = event.part_of != nullptr && event.part_of->role.role == ir::Role::SetsVariable;
    return event.is_change() &&
           (sets_variable || std::ranges::any_of(event.things, [&](const ResourceKey& thing) {
                return is_input_of_plan(course, thing);
            }));
}

// A plan was looked at on this way through a stage.
void review(Ways& ways, const Branch* branch) {
    if (branch == nullptr) return ways.take_all();
    const bool on_both = ways.take(*branch);
    if (branch->parallel() || on_both) review(ways, branch->outer);
}

// The plans of a stage, from where they are made to where they are applied.
class Plans : StageCheck {
  public:
    Plans(const CheckContext& picture, const StageEvents& course, const Events& events,
          std::set<const ir::Step*>& told, Diagnostics& diagnostics)
        : StageCheck(picture, course, diagnostics), events_(events), told_(told) {}

    void check() {
        for (std::size_t i = 0; i < events_.size(); ++i) {
            const Event& event = events_[i];
            if (!event.makes.empty()) made_[event.makes] = i;
            if (!event.is_change())
                for (const std::string& plan : event.plans) looks_[plan].push_back(i);
            if (edits_input(course_, event)) edits_.push_back(i);
            if (applies_plan(event)) applied(event, *event.plans.begin());
        }
    }

  private:
    // What a verb makes and applies is its own matter; what it is given stands where it is called.
    [[nodiscard]] const ir::Step& place(const Event& apply, const Event& made) const {
        const bool within = apply.inner != apply.step && made.step == apply.step;
        return within && picture_.timeline.is_own(apply.inner->span) ? *apply.inner : *apply.step;
    }

    void applied(const Event& apply, const std::string& plan) {
        const auto made = made_.find(plan);
        if (made == made_.end()) return;
        const Event& maker = events_[made->second];
        const ir::Step& step = place(apply, maker);
        if (!told_.insert(&step).second) return;
        const std::string name = plan.substr(0, plan.find('#'));
        Ways reviewed;
        const Event* look = nullptr;
        for (const std::size_t at : looks_[plan]) {
            review(reviewed, events_[at].branch);
            if (!exclusive(events_[at], apply)) look = &events_[at];
        }
        if (!reviewed.cover(apply.branch) && !is_told_as_destruction(maker))
            not_reviewed(step, apply, maker, look, name);
        const auto edited =
            std::find_if(std::lower_bound(edits_.begin(), edits_.end(), made->second), edits_.end(),
                         [&](std::size_t edit) { return !exclusive(events_[edit], apply); });
        if (edited != edits_.end()) outdated(step, apply, maker, events_[*edited], name);
    }

    static void label_of_call(Diagnostic& d, const ir::Step& step, const Event& apply) {
        if (&step != apply.step) d.label(apply.step->span, "called here");
    }

    // What a plan of a destruction may destroy is asked for by another finding.
    [[nodiscard]] bool is_told_as_destruction(const Event& maker) const {
        return &events_ == &course_.forward && maker.part_of == nullptr &&
               plays(maker, ir::Role::MakesDestroyingPlan);
    }

    void not_reviewed(const ir::Step& step, const Event& apply, const Event& maker, const Event* look,
                      const std::string& name) {
        auto& d = diagnostics_.report(Code::PlanNotReviewed, step.span,
                                      fmt::format("nothing says what the plan `{}` may do", name));
        d.label(maker.inner->span, "made here");
        if (look != nullptr && look->step != apply.step)
            d.label(look->step->span, "says it in some cases only");
        label_of_call(d, step, apply);
        d.note(
            "terraform would apply whatever it has come to, a destruction included; say what you expect: "
            "`expect p adds 1 changes 0 destroys 0;` or `expect p touches only [..];`");
    }

    void outdated(const ir::Step& step, const Event& apply, const Event& maker, const Event& edit,
                  const std::string& name) {
        auto& d = diagnostics_.report(Code::PlanOutdated, step.span,
                                      fmt::format("the plan `{}` is older than what it was made from", name));
        d.label(maker.inner->span, "made here");
        const bool within = &step != apply.step && edit.step == apply.step;
        d.label(within ? edit.inner->span : edit.step->span, "changes what it was made from");
        label_of_call(d, step, apply);
        d.note("the run would refuse it in the middle of the window; make the plan after the edit");
    }

    const Events& events_;
    std::set<const ir::Step*>& told_;
    std::map<std::string, std::size_t> made_;
    std::map<std::string, std::vector<std::size_t>> looks_;
    std::vector<std::size_t> edits_;
};

bool pushes(const std::vector<std::string>& words) {
    static const RE2 in_one(R"(\bstate\s+push\b)");
    for (std::size_t i = 0; i < words.size(); ++i)
        if (RE2::PartialMatch(words[i], in_one) ||
            (i + 1 < words.size() && words[i] == "state" && words[i + 1] == "push"))
            return true;
    return false;
}

// What a verb of the script's own runs.
std::vector<std::string> words_run_by(const ir::Verb& verb) {
    std::vector<std::string> words;
    if (!verb.action || !verb.action->arguments) return words;
    for (const ir::Expr& child : verb.action->arguments->children) {
        const auto* text = semantics::literal<std::string>(child);
        words.push_back(text != nullptr ? *text : "");
    }
    return words;
}

void state_push(const CheckContext& picture, const std::vector<Event>& events,
                std::set<const ir::Step*>& told, Diagnostics& diagnostics) {
    for (const Event& event : events) {
        if (event.verb == nullptr) continue;
        const bool runs_it = picture.timeline.is_own(event.verb->span) && pushes(words_run_by(*event.verb));
        const bool is_given = std::ranges::any_of(
            event.arguments, [](const auto& one) { return one && pushes(words_of(*one)); });
        if ((!runs_it && !is_given) || !told.insert(event.step).second) continue;
        auto& d = diagnostics.report(Code::StatePush, event.step->span, "an old state is no rollback");
        d.note(
            "`terraform state push` changes the record, and nothing that exists: afterwards terraform knows less "
            "than before. Undo by a plan: `undo;`, or `plan terraform as back; .. apply back;`");
    }
}

// `var-file: staging.tfvars` under production.
void variable_files(const CheckContext& picture, Diagnostics& diagnostics) {
    for (const auto& environment : picture.inventory.environments) {
        if (!environment.terraform || !picture.inventory.exists) continue;
        const std::string& file = environment.terraform->var_file;
        if (has_word(file, environment.name, "")) continue;
        for (const auto& other : picture.inventory.environments) {
            if (other.name == environment.name || !has_word(file, other.name, "")) continue;
            auto& d = diagnostics.report(
                Code::ForeignVariables, environment.span,
                fmt::format("{} would be planned with the variables of {}", environment.name, other.name));
            d.primary_label = "its var-file is " + file;
            for (const ir::Stage& stage : picture.program.stages)
                if (stage.environment == environment.name && d.labels.empty())
                    d.label(stage.span, "this stage is planned with them");
            d.note(fmt::format("terraform would make {} look like {}: its nodes, its volumes",
                               environment.name, other.name));
        }
    }
}

}  // namespace

void terraform(const CheckContext& picture, Diagnostics& diagnostics) {
    std::set<const ir::Step*> told, pushed;
    for (const StageEvents& course : picture.timeline.courses()) {
        if (has_own_failure_block(picture.program, *course.stage)) {
            state_push(picture, course.failure, pushed, diagnostics);
            Plans(picture, course, course.failure, told, diagnostics).check();
        }
        if (course.stage->repeats) continue;
        Plans(picture, course, course.forward, told, diagnostics).check();
        state_push(picture, course.forward, pushed, diagnostics);
        for (const OwnUndo& own : course.undos) {
            state_push(picture, own.back, pushed, diagnostics);
            Plans(picture, course, own.back, told, diagnostics).check();
        }
    }
    if (picture.program.tool("terraform") != nullptr) variable_files(picture, diagnostics);
}

}  // namespace migc::checks
