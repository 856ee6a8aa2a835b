// Terraform that is started by hand: it applies what was planned and read, and destroys what is named. The
// verbs `plan terraform`, `apply` and `destroy` do so by themselves.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"

namespace migc::checks {
namespace {

using Words = std::vector<std::string>;

constexpr const char* unknown = "";

// A word with its names left out: "-target=" of "-target=${address}".
std::string word_of(const ir::Expr& expression) {
    if (const auto* text = semantics::literal<std::string>(expression)) return *text;
    std::string word = unknown;
    if (expression.kind == ir::ExprKind::Interpolate)
        for (const ir::Expr& child : expression.children) word += word_of(child);
    return word;
}

void add_words(Words& words, const std::optional<ir::Expr>& list) {
    if (!list) return;
    if (list->children.empty()) words.emplace_back(unknown);
    for (const ir::Expr& child : list->children) words.push_back(word_of(child));
}

// The command of a verb of the script's own, as far as it is written in it.
Words command_of(const ir::Program& program, const ir::Command& action) {
    Words words = {action.tool};
    if (const ir::Tool* tool = program.tool(action.tool)) {
        words.push_back(tool->program);
        add_words(words, tool->arguments);
    }
    add_words(words, action.arguments);
    return words;
}

// The program that a verb says it runs, and what it is given.
Words said_to_run(const Event& event) {
    Words words;
    if (!plays(event, ir::Role::Runs) && !plays(event, ir::Role::RunsInside)) return words;
    for (const auto& argument : event.role) {
        if (!argument) return {};
        const Words given = words_of(*argument);
        words.insert(words.end(), given.begin(), given.end());
    }
    return words;
}

// The commands that a step starts: what its verb says, and what one of the script's own does, whatever it
// says.
std::vector<Words> commands_of(const CheckContext& picture, const Event& event) {
    if (event.verb == nullptr || event.act == EventKind::Look) return {};
    std::vector<Words> commands = {said_to_run(event)};
    if (event.verb->action && picture.timeline.is_own(event.verb->span))
        commands.push_back(command_of(picture.program, *event.verb->action));
    return commands;
}

bool is_terraform(const Words& words) {
    return std::ranges::any_of(words, [](const std::string& word) {
        const std::string name = word.substr(word.rfind('/') + 1);
        return name == "terraform" || name == "tofu" || name == "tf" || name.starts_with("terraform.") ||
               name.starts_with("tf.") || name.starts_with("tofu.");
    });
}

bool has(const Words& words, std::string_view wanted) {
    return std::ranges::find(words, wanted) != words.end();
}

bool has_option(const Words& words, std::string_view name) {
    return std::ranges::any_of(words, [&](const std::string& word) {
        const std::string_view option =
            std::string_view(word).substr(std::min(word.find_first_not_of('-'), word.size()));
        return word.starts_with("-") &&
               (option == name || (option.starts_with(name) && option[name.size()] == '='));
    });
}

// A file behind `apply` is the plan that was saved; what stands behind `-var` is none.
bool has_plan(Words::const_iterator apply, Words::const_iterator end) {
    static const std::set<std::string_view> with_value = {"var", "var-file", "target", "replace"};
    for (auto word = apply + 1; word != end; ++word) {
        const std::string_view before = *(word - 1);
        const bool is_value =
            before.starts_with("-") &&
            with_value.contains(before.substr(std::min(before.find_first_not_of('-'), before.size())));
        if (!word->starts_with("-") && !is_value) return true;
    }
    return false;
}

bool unplanned(const Event& event, const Words& words, Diagnostics& diagnostics) {
    const auto apply = std::ranges::find(words, "apply");
    if (apply == words.end() || has_plan(apply, words.end())) return false;
    auto& d =
        diagnostics.report(Code::AppliesUnplanned, event.step->span, "this applies what nobody has read");
    d.note(
        "terraform would make a plan of its own at that moment, and carry it out; make one, say what you expect, and apply that: "
        "`plan terraform as p; expect p adds 1 changes 0 destroys 0; apply p;`");
    return true;
}

bool unnamed(const Event& event, const Words& words, Diagnostics& diagnostics) {
    const bool destroys = has(words, "destroy") || (has(words, "apply") && has_option(words, "destroy"));
    // A word that only a run knows may name it.
    if (!destroys || has_option(words, "target") || has(words, unknown)) return false;
    auto& d = diagnostics.report(Code::DestroysUnnamed, event.step->span,
                                 "this destroys everything that terraform has made");
    d.note(
        "name what is to go: `destroy \"module.platform.node[4]\";`, which fails if anything else would go with it");
    return true;
}

// Whether something is wrong with a command of terraform, which is then told.
bool is_told(const Event& event, const Words& words, Diagnostics& diagnostics) {
    const bool destroys = has(words, "destroy") || has_option(words, "destroy");
    return destroys ? unnamed(event, words, diagnostics) : unplanned(event, words, diagnostics);
}

// `plan destruction of ".." as p; apply p;`: what depends on the address goes, too.
void unread(const StageEvents& course, Diagnostics& diagnostics) {
    const auto& events = course.forward;
    for (auto plan = events.begin(); plan != events.end(); ++plan) {
        const bool plans = plays(*plan, ir::Role::MakesDestroyingPlan) && !plan->inner->name.empty() &&
                           plan->part_of == nullptr;
        if (!plans) continue;
        const std::string& name = plan->inner->name;
        const auto uses = [&](const Event& event) { return event.plans.contains(plan->makes); };
        const auto apply = std::find_if(plan, events.end(),
                                        [&](const Event& event) { return uses(event) && event.is_change(); });
        if (apply == events.end()) continue;
        const bool named = std::any_of(plan, apply, [&](const Event& event) {
            return uses(event) && (event.step->text.find("touches only") != std::string::npos ||
                                   event.step->text.find("mirrors") != std::string::npos);
        });
        if (named) continue;
        auto& d = diagnostics.report(Code::DestroysUnnamed, apply->step->span,
                                     fmt::format("nothing names what the plan `{}` may destroy", name));
        d.label(plan->step->span, "made here; terraform adds whatever depends on it");
        d.note(fmt::format("say it: `expect {} touches only [..];`, or write `destroy \"ADDRESS\";`", name));
    }
}

}  // namespace

void destruction(const CheckContext& picture, Diagnostics& diagnostics) {
    const auto check = [&](const std::vector<Event>& events) {
        for (const Event& event : events)
            for (const Words& words : commands_of(picture, event))
                if (is_terraform(words) && is_told(event, words, diagnostics)) break;
    };
    for (const StageEvents& course : picture.timeline.courses()) {
        if (!course.stage->repeats) {
            check(course.forward);
            unread(course, diagnostics);
            each_undo_of_step(course, [&](const OwnUndo& own) { check(own.back); });
        }
        if (has_own_failure_block(picture.program, *course.stage)) check(course.failure);
    }
}

}  // namespace migc::checks
