#include "compiler/checks/timeline.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/checks/field.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/roles.hpp"
#include "compiler/semantics/weight.hpp"
#include "compiler/source/project_path.hpp"

namespace migc::checks {
namespace {

constexpr std::size_t most_events = 1'000'000;  // of a stage
constexpr std::size_t most_of_call = 10'000;  // of one step; what calls twice what calls twice .. has no end
constexpr std::size_t most_rounds = 10'000;   // of a stage's loops; then a loop's name is anything
constexpr std::size_t most_versions = 2'000;  // of edited manifests
constexpr std::size_t most_restored = 1'000;  // files of a folder
constexpr std::size_t most_undos = 1'000;     // of a stage: those that verbs of the script's own declare
constexpr int deepest_call = 32;  // composite verbs within each other; recursion is refused before

const std::map<std::string, std::string, std::less<>>& short_kinds() {
    static const std::map<std::string, std::string, std::less<>> kinds = {
        {"deploy", "deployment"}, {"sts", "statefulset"},
        {"ds", "daemonset"},      {"svc", "service"},
        {"cm", "configmap"},      {"pvc", "persistentvolumeclaim"},
        {"ing", "ingress"},       {"hpa", "horizontalpodautoscaler"},
        {"ns", "namespace"}};
    return kinds;
}

// A kind as an apply or a person may write it: "Deployments.apps" is "deployment".
std::string kind_of(std::string_view written) {
    std::string kind(written.substr(0, written.find('.')));
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
    if (const auto known = short_kinds().find(kind); known != short_kinds().end()) return known->second;
    return kind.size() > 3 && kind.ends_with('s') && !kind.ends_with("ss") ? kind.substr(0, kind.size() - 1)
                                                                           : kind;
}

// What `delete objects of` leaves standing, since it could not be made again as it was.
bool stays(const Thing& thing) {
    return holds_data(thing) || thing.starts_with("secret/");
}

nlohmann::json json_of(const Value& value) {
    if (const auto* number = value.get_if<std::int64_t>()) return *number;
    if (const bool* truth = value.get_if<bool>()) return *truth;
    if (const auto* document = value.get_if<Json>()) return **document;
    return show(value);
}

// What is known of names where an expression stands. Scopes lie within each other, the innermost first.
class Names;
struct Known {
    std::optional<Value> value;
    const ir::Expr* condition = nullptr;  // an argument of type condition, and where its names are known
    const Names* home = nullptr;
    std::string plan;  // the name that the timeline has for a plan which was handed on
};

class Names {
  public:
    explicit Names(const Names* outer = nullptr) : outer_(outer) {}

    [[nodiscard]] const Known* find(const std::string& name) const {
        for (const Names* scope = this; scope != nullptr; scope = scope->outer_)
            if (const auto found = scope->own_.find(name); found != scope->own_.end()) return &found->second;
        return nullptr;
    }
    Known& operator[](const std::string& name) { return own_[name]; }

  private:
    const Names* outer_;
    std::map<std::string, Known> own_;
};

const ir::Expr* condition_of(const ir::Expr& expression, const Names*& names) {
    if (expression.kind != ir::ExprKind::Local) return &expression;
    const Known* known = names->find(expression.name);
    if (known == nullptr || known->condition == nullptr) return nullptr;
    names = known->home;
    return known->condition;
}

}  // namespace

Thing object_thing(std::string_view handle) {
    const auto first = handle.find('/'), last = handle.rfind('/');
    if (first == std::string_view::npos) return Thing(handle);
    return fmt::format("{}/{}", kind_of(handle.substr(0, first)), handle.substr(last + 1));
}

bool holds_data(const Thing& thing) {
    static const std::set<std::string, std::less<>> kinds = {"persistentvolumeclaim", "persistentvolume",
                                                             "namespace", "customresourcedefinition"};
    return kinds.contains(thing.substr(0, thing.find('/')));
}

bool is_live(const Thing& thing) {
    return !thing.starts_with("file ") && !thing.starts_with("image ") && !is_plan(thing);
}

bool is_plan(const Thing& thing) {
    return thing.substr(0, thing.find(' ')) == "plan";
}

const ir::Undo& way_back(const Event& change) {
    return *change.undo;
}

bool plays(const Event& event, ir::Role role) {
    return event.verb != nullptr && event.verb->role.role == role;
}

const Effect* effect_on(const Event& event, ir::Role role) {
    const auto found = std::find_if(event.effects.begin(), event.effects.end(),
                                    [&](const Effect& effect) { return effect.probe->role.role == role; });
    return found == event.effects.end() ? nullptr : &*found;
}

const std::string* text_in(const std::vector<std::optional<Value>>& role, std::size_t number) {
    return number < role.size() && role[number] ? role[number]->get_if<std::string>() : nullptr;
}

bool touches_live(const Event& event) {
    return std::any_of(event.things.begin(), event.things.end(), is_live);
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

// Goes through the steps of one stage, in order.
class Timeline::Walk {
  public:
    Walk(const Timeline& timeline, const ir::Stage& stage, Course* course = nullptr)
        : timeline_(timeline), program_(timeline.program_), stage_(stage), course_(course) {
        environment_ = timeline.inventory_.environment(stage.environment);
        for (const ir::Step& let : program_.lets)
            if (let.value) bind_let(let, globals_);
        lets_ = std::exchange(result_, {});
    }

    std::vector<Event> lets() { return std::move(lets_); }

    // Of the stage's own steps, which are done unless a run fails.
    std::vector<Event> forward(const std::vector<ir::Step>& steps) {
        is_forward_ = true;
        Names names(&globals_);
        walk(steps, names);
        is_forward_ = false;
        return std::exchange(result_, {});
    }

    // Of steps that are done only then, if at all.
    std::vector<Event> aside(const std::vector<ir::Step>& steps) { return aside(steps, globals_); }

    std::vector<Event> watched(const ir::Expr& condition, const ir::Step& place) {
        Event& event = add(Act::Look, place);
        event.condition = &condition;
        look_at(event, condition, globals_);
        return std::exchange(result_, {});
    }

    [[nodiscard]] std::optional<Value> value(const ir::Expr& expression) const {
        return value(expression, globals_);
    }

  private:
    using Known1 = std::optional<Value>;

    std::vector<Event> aside(const std::vector<ir::Step>& steps, const Names& outer) {
        auto before = std::exchange(result_, {});
        const bool was_forward = std::exchange(is_forward_, false);
        const bool was_conditional = std::exchange(conditional_, false);
        const Branch* branch = std::exchange(branch_, nullptr);
        const ir::Step* step = std::exchange(outer_, nullptr);
        const ir::Undo* override = std::exchange(override_, nullptr);
        const ir::Verb* part = std::exchange(part_of_, nullptr);
        edited_aside_.clear();
        Names names(&outer);
        walk(steps, names);
        part_of_ = part, override_ = override, outer_ = step, branch_ = branch;
        conditional_ = was_conditional, is_forward_ = was_forward;
        spent_ += result_.size();
        std::swap(before, result_);
        return before;
    }

    void walk(const std::vector<ir::Step>& steps, Names& names) {
        for (const ir::Step& step : steps) one(step, names);
    }

    void one(const ir::Step& step, Names& names) {
        const bool is_block = step.kind == ir::StepKind::If || step.kind == ir::StepKind::For ||
                              step.kind == ir::StepKind::Parallel;
        const ir::Step* outer = outer_;
        if (outer_ == nullptr && !is_block) outer_ = &step;
        statement(step, names);
        outer_ = outer;
    }

    // Whether enough is known of a stage, or of the step that the script has.
    [[nodiscard]] bool is_enough() const {
        return result_.size() + spent_ >= most_events ||
               (depth_ > 0 && result_.size() >= begun_ + most_of_call);
    }

    void statement(const ir::Step& step, Names& names) {
        if (is_enough()) return;
        switch (step.kind) {
            case ir::StepKind::Call: {
                Known made = call(step, names);
                if (!step.name.empty()) names[step.name] = std::move(made);
                break;
            }
            case ir::StepKind::Let:
                if (step.value) bind_let(step, names);
                break;
            case ir::StepKind::Verify:
            case ir::StepKind::Soak:
                look(step, names);
                break;
            case ir::StepKind::Gate:
                look_at(add(Act::Gate, step), *step.condition, names);
                break;
            case ir::StepKind::If:
                branch(step, names);
                break;
            case ir::StepKind::For:
                loop(step, names);
                break;
            case ir::StepKind::Parallel: {
                const bool before = std::exchange(beside_, true);
                parallel(step, names);
                beside_ = before;
                break;
            }
            case ir::StepKind::Undo:
                add(Act::Undo, step);
                break;
            case ir::StepKind::UndoAll:
                add(Act::UndoAll, step);
                break;
            case ir::StepKind::Hold:
                add(Act::Hold, step);
                break;
        }
    }

    void bind_let(const ir::Step& step, Names& names) {
        Known known;
        known.value = value(*step.value, names);
        known.plan = plan_of(*step.value, names);
        if (asks(*step.value)) look_at(add(Act::Other, step), *step.value, names);
        names[step.name] = std::move(known);
    }

    void arm(const ir::Step& step, std::size_t visit, std::size_t number) {
        timeline_.branches_.push_back(
            {branch_, &step, visit, number, branch_ == nullptr ? 1 : branch_->depth + 1, std::nullopt});
        branch_ = &timeline_.branches_.back();
    }

    void branch(const ir::Step& step, const Names& names) {
        look_at(add(Act::Other, step), *step.condition, names);
        const bool before = std::exchange(conditional_, true);
        const Branch* outer = branch_;
        const std::size_t visit = ++timeline_.visits_;
        const auto holds = by_environment(*step.condition);
        std::size_t number = 0;
        for (const auto* way : {&step.body, &step.otherwise}) {
            Names inner(&names);
            arm(step, visit, number++);
            if (holds) timeline_.branches_.back().taken = *holds == (way == &step.body);
            walk(*way, inner);
            branch_ = outer;
        }
        conditional_ = before;
    }

    // Whether a condition holds, where nothing but the stage's environment and namespace decides it.
    [[nodiscard]] std::optional<bool> by_environment(const ir::Expr& condition) const {
        const auto part = [&](std::size_t at) { return by_environment(condition.children.at(at)); };
        switch (condition.kind) {
            case ir::ExprKind::Not: {
                const auto holds = part(0);
                return holds ? std::optional(!*holds) : std::nullopt;
            }
            case ir::ExprKind::And:
            case ir::ExprKind::Or: {
                const auto first = part(0), second = part(1);
                if (!first || !second) return std::nullopt;
                return condition.kind == ir::ExprKind::And ? *first && *second : *first || *second;
            }
            case ir::ExprKind::Compare:
                return compared(condition);
            default:
                return std::nullopt;
        }
    }

    [[nodiscard]] std::optional<bool> compared(const ir::Expr& comparison) const {
        const ir::Expr &left = comparison.children.at(0), &right = comparison.children.at(1);
        const auto mine = left.kind == ir::ExprKind::Setting ? setting(left.name) : std::nullopt;
        if (!mine) return std::nullopt;
        const bool is_list = right.kind == ir::ExprKind::List;
        bool found = false;
        for (const ir::Expr& one : is_list ? right.children : std::vector{right}) {
            if (one.kind != ir::ExprKind::Literal) return std::nullopt;
            found = found || equal(*mine, one.value);
        }
        switch (comparison.comparison) {
            case ir::Comparison::Is:
            case ir::Comparison::OneOf:
                return found;
            case ir::Comparison::IsNot:
            case ir::Comparison::NotOneOf:
                return !found;
            default:
                return std::nullopt;
        }
    }

    void loop(const ir::Step& step, const Names& names) {
        const auto list = step.value ? value(*step.value, names) : std::nullopt;
        const auto* items = list ? list->get_if<List>() : nullptr;
        if (items != nullptr && rounds_ + items->size() <= most_rounds) {
            rounds_ += items->size();
            for (const Value& item : *items) {
                Names inner(&names);
                inner[step.name].value = item;
                walk(step.body, inner);
            }
            return;
        }
        const bool before = std::exchange(conditional_, true);
        Names inner(&names);
        inner[step.name] = {};
        walk(step.body, inner);
        conditional_ = before;
    }

    void parallel(const ir::Step& step, const Names& names) {
        const Branch* outer = branch_;
        const std::size_t visit = ++timeline_.visits_;
        std::size_t number = 0;
        for (const ir::Step& way : step.body) {
            Names inner(&names);
            arm(step, visit, number++);
            one(way, inner);
            branch_ = outer;
        }
    }

    Event& add(Act act, const ir::Step& step) {
        Event event;
        event.act = act;
        event.step = outer_ != nullptr ? outer_ : &step;
        event.inner = &step;
        event.part_of = part_of_;
        event.branch = branch_;
        event.conditional = conditional_;
        event.beside = beside_;
        result_.push_back(std::move(event));
        return result_.back();
    }

    // Yields what the name behind `as` stands for.
    Known call(const ir::Step& step, const Names& names) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        Names parameters = bind(verb.parameters, step.arguments, names);
        const bool as_a_whole = verb.composite && verb.undo.kind == ir::UndoKind::Steps;
        const ir::Undo* own = step.undo ? &*step.undo : as_a_whole ? &verb.undo : nullptr;
        const ir::Undo* before = override_;
        if (override_ == nullptr) override_ = own;
        const std::size_t begin = result_.size();
        Known made;
        if (verb.composite && depth_ < deepest_call)
            made = composite(verb, parameters);
        else
            made = act(verb, step, parameters, names);
        override_ = before;
        if (is_forward_) own_undo(verb, step, begin, parameters, names);
        return made;
    }

    Known composite(const ir::Verb& verb, Names& parameters) {
        const ir::Verb* before = part_of_;
        if (part_of_ == nullptr) part_of_ = &verb;
        if (depth_ == 0) begun_ = result_.size();
        capture(verb, parameters);
        ++depth_;
        walk(verb.steps, parameters);
        --depth_;
        part_of_ = before;
        Known made;
        if (verb.result)
            made = {value(*verb.result, parameters), nullptr, nullptr, plan_of(*verb.result, parameters)};
        return made;
    }

    Known act(const ir::Verb& verb, const ir::Step& step, Names& parameters, const Names& names) {
        Event& event = add(verb.mutates() ? Act::Change : Act::Other, step);
        event.verb = &verb;
        event.undo = override_ != nullptr ? override_ : &verb.undo;
        for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
            event.arguments.push_back(parameters[verb.parameters[i].name].value);
            add_plan(event, step.arguments[i], names);
        }
        event.role = played(verb.role, parameters);
        add_asked(event, verb.role, event.role, verb.parameters, step.arguments);
        event.bound = semantics::call_bound(program_, step, verb, number_in(names), number_in(parameters));
        if (timeline_.is_own(verb.span))
            for (const ir::Expr& need : verb.needs)
                if (asks(need)) look_at(event, need, parameters);
        capture(verb, parameters);
        for (const ir::Effect& effect : verb.effects) add_effect(event, effect, parameters);
        if (event.act == Act::Other && !event.plans.empty()) event.act = Act::Look;
        Known made;
        const bool makes_plan = verb.result_type && verb.result_type->kind == ir::TypeKind::Plan;
        if (makes_plan && !step.name.empty()) {
            event.makes = fmt::format("{}#{}", step.name, ++timeline_.plans_);
            made.plan = event.makes;
        }
        return made;
    }

    void capture(const ir::Verb& verb, Names& parameters) {
        for (const ir::Capture& capture : verb.captures)
            parameters[capture.name].value = value(capture.value, parameters);
    }

    void own_undo(const ir::Verb& verb, const ir::Step& step, std::size_t begin, const Names& parameters,
                  const Names& names) {
        const bool by_step = step.undo && step.undo->kind == ir::UndoKind::Steps;
        const bool by_verb = !step.undo && verb.undo.kind == ir::UndoKind::Steps &&
                             timeline_.is_own(verb.span) && undos_by_verb_ < most_undos;
        if (course_ == nullptr || (!by_step && !by_verb)) return;
        undos_by_verb_ += by_verb ? 1 : 0;
        OwnUndo own;
        own.undo = by_step ? &*step.undo : &verb.undo;
        own.step = &step;
        own.begin = begin;
        own.end = result_.size();
        own.by_verb = by_verb;
        own.outermost = override_ == nullptr;
        own.back = by_step ? aside(own.undo->steps, names) : aside(own.undo->steps, parameters);
        course_->undos.push_back(std::move(own));
    }

    // A plan goes by one name, however far it was handed on.
    static std::string plan_of(const ir::Expr& argument, const Names& names) {
        if (argument.type.kind != ir::TypeKind::Plan || argument.kind != ir::ExprKind::Local) return {};
        const Known* known = names.find(argument.name);
        return known == nullptr || known->plan.empty() ? argument.name : known->plan;
    }

    static void add_plan(Event& event, const ir::Expr& argument, const Names& names) {
        if (std::string plan = plan_of(argument, names); !plan.empty()) event.plans.insert(std::move(plan));
    }

    void add_effect(Event& event, const ir::Effect& effect, const Names& names) {
        Effect made;
        made.probe = &program_.probes.at(effect.probe.declaration);
        made.becomes = effect.becomes;
        made.exact = true;
        made.role = played(*made.probe, effect.probe, names);
        made.name = made.probe->signature;
        for (const ir::Expr& argument : effect.probe.children) {
            made.arguments.push_back(value(argument, names));
            made.exact = made.exact && made.arguments.back();
            made.name += " | " + (made.arguments.back() ? show(*made.arguments.back()) : "?");
        }
        if (effect.value) made.value = value(*effect.value, names);
        auto things = things_of(*made.probe, made.arguments, made.role);
        if (things.size() == 1) made.thing = *things.begin();
        made.pointer = field_of(*made.probe, made.role);
        if (things.empty() && file_in(*made.probe)) things.insert("file ?");
        event.things.insert(things.begin(), things.end());
        if (made.thing.starts_with("file ")) edit(event, made);
        if (made.probe->role.role == ir::Role::Object) apply(event, made);
        event.effects.push_back(std::move(made));
    }

    // What the project's files then say. An effect on the whole file says only that it is another one.
    void edit(const Event& event, const Effect& effect) {
        const std::string file = effect.thing.substr(5);
        if (!is_forward_) {
            edited_aside_.insert(file);
            return;
        }
        const bool is_value = effect.probe->role.role == ir::Role::Value;
        const auto* pointer = is_value ? text_in(effect.role, 0) : nullptr;
        const bool is_part =
            std::any_of(event.effects.begin(), event.effects.end(), [&](const Effect& other) {
                return other.thing == effect.thing && other.pointer && !other.pointer->empty();
            });
        if (!is_value && is_part) return;
        Draft& draft = timeline_.drafts_[file];
        draft.step = event.step;
        draft.objects = nullptr;
        const bool known =
            pointer != nullptr && !conditional_ && (effect.value || effect.becomes == ir::Becomes::Absent);
        if (known)
            draft.pending[*pointer] = effect.value;
        else
            draft.known = false;
    }

    void apply(Event& event, const Effect& effect) {
        const auto* path = text_in(effect.role, 1);
        if (path == nullptr) return;
        event.manifest = *path;
        const auto& objects = timeline_.objects_of(*path, stage_.environment);
        const auto object = objects.find(effect.thing);
        if (object == objects.end() || edited_aside_.contains(object->second->file)) return;
        event.object = timeline_.edited(*object->second);
    }

    // Which argument of a probe's role names the file that it is about.
    static std::optional<std::size_t> file_in(const ir::Probe& probe) {
        if (probe.role.role == ir::Role::Value) return 1;
        return probe.role.role == ir::Role::Content ? std::optional<std::size_t>(0) : std::nullopt;
    }

    // What the arguments of a role are, where the names of its declaration are known.
    std::vector<Known1> played(const ir::RoleUse& use, const Names& names) const {
        std::vector<Known1> known;
        for (const ir::Expr& argument : use.arguments) known.push_back(value(argument, names));
        return known;
    }

    std::vector<Known1> played(const ir::Probe& probe, const ir::Expr& asked, const Names& names) const {
        if (probe.role.arguments.empty()) return {};
        return played(probe.role, bind(probe.parameters, asked.children, names));
    }

    // What a probe is about, by its role, else by the types of its parameters. An object of a manifest is
    // named by its handle, and the manifest is only where it is described.
    std::set<Thing> things_of(const ir::Probe& probe, const std::vector<Known1>& arguments,
                              const std::vector<Known1>& role) const {
        const bool by_handle = probe.role.role == ir::Role::Object || probe.role.role == ir::Role::About ||
                               probe.role.role == ir::Role::Restored;
        const bool may_be = probe.role.role == ir::Role::Permanence || probe.role.role == ir::Role::Version;
        const auto* handle = by_handle || may_be ? text_in(role, 0) : nullptr;
        if (handle != nullptr) return {object_thing(*handle)};
        std::set<Thing> things;
        if (by_handle) return things;
        if (const auto file = file_in(probe)) add_things(things, ir::TypeKind::Path, role.at(*file));
        for (std::size_t i = 0; i < arguments.size() && i < probe.parameters.size(); ++i)
            add_things(things, probe.parameters[i].type.kind, arguments[i]);
        return things;
    }

    void add_things(std::set<Thing>& things, ir::TypeKind type, const Known1& argument) const {
        if (type == ir::TypeKind::Plan) things.insert("terraform");
        if (!argument) return;
        if (const auto* list = argument->get_if<List>())
            for (const Value& item : *list)
                if (const auto* resource = item.get_if<ResourceRef>())
                    things.insert(timeline_.thing(*resource));
        if (const auto* resource = argument->get_if<ResourceRef>()) things.insert(timeline_.thing(*resource));
        const auto* text = argument->get_if<std::string>();
        if (text == nullptr) return;
        if (type == ir::TypeKind::Path)
            things.insert("file " + std::filesystem::path(*text).lexically_normal().generic_string());
        if (type == ir::TypeKind::Url) things.insert("url " + *text);
        if (type == ir::TypeKind::Image) things.insert("image " + *text);
    }

    void look(const ir::Step& step, const Names& names) {
        Event& event = add(step.kind == ir::StepKind::Soak ? Act::Soak : Act::Look, step);
        if (step.kind == ir::StepKind::Soak && step.value) {
            const auto time = value(*step.value, names);
            const auto* duration = time ? time->get_if<Duration>() : nullptr;
            if (duration != nullptr) event.at_least_ms = duration->milliseconds;
        }
        event.bound = semantics::verify_bound(program_, step, number_in(names));
        if (!step.condition) return;
        const Names* home = &names;
        event.condition = condition_of(*step.condition, home);
        look_at(event, *step.condition, names);
    }

    // Whether an address is asked anywhere in it.
    bool asks(const ir::Expr& expression) const {
        if (expression.kind == ir::ExprKind::Probe) {
            const auto& parameters = program_.probes.at(expression.declaration).parameters;
            if (std::any_of(parameters.begin(), parameters.end(),
                            [](const auto& p) { return p.type.kind == ir::TypeKind::Url; }))
                return true;
        }
        return std::any_of(expression.children.begin(), expression.children.end(),
                           [this](const ir::Expr& child) { return asks(child); });
    }

    static void add_asked(Event& event, const ir::RoleUse& use, const std::vector<Known1>& role,
                          const std::vector<ir::Parameter>& parameters,
                          const std::vector<ir::Expr>& written) {
        if (use.role != ir::Role::Request || !role.at(0)) return;
        const bool* given = role.at(1) ? role.at(1)->get_if<bool>() : nullptr;
        const bool may_be_inside = given != nullptr ? *given : !role.at(1);
        event.asked.push_back(
            {show(*role.at(0)), may_be_inside, semantics::role_argument(use, parameters, written, 0)});
    }

    semantics::NumberOf number_in(const Names& names) const {
        return [this, &names](const ir::Expr& expression) -> std::optional<std::int64_t> {
            const Known1 known = value(expression, names);
            if (!known) return std::nullopt;
            if (const auto* duration = known->get_if<Duration>()) return duration->milliseconds;
            const auto* number = known->get_if<std::int64_t>();
            return number != nullptr ? std::optional(*number) : std::nullopt;
        };
    }

    void look_at(Event& event, const ir::Expr& expression, const Names& given) {
        const Names* names = &given;
        const ir::Expr* condition = condition_of(expression, names);
        if (condition == nullptr) {
            event.everything = event.everything || expression.type.kind == ir::TypeKind::Condition;
            add_plan(event, expression, *names);
            return;
        }
        if (condition->kind == ir::ExprKind::Probe) {
            const ir::Probe& probe = program_.probes.at(condition->declaration);
            std::vector<Known1> arguments;
            for (const ir::Expr& argument : condition->children) arguments.push_back(value(argument, *names));
            const auto role = played(probe, *condition, *names);
            add_asked(event, probe.role, role, probe.parameters, condition->children);
            const auto things = things_of(probe, arguments, role);
            event.things.insert(things.begin(), things.end());
            event.everything =
                event.everything || is_look_at_all(things) ||
                std::any_of(arguments.begin(), arguments.end(), [](const auto& a) { return !a; });
        }
        for (const ir::Expr& child : condition->children) look_at(event, child, *names);
    }

    // What has no name of its own is a look at the whole, or at something that only a run can tell; so is
    // what a pod of its own, of some image, sees.
    static bool is_look_at_all(const std::set<Thing>& things) {
        return std::all_of(things.begin(), things.end(),
                           [](const Thing& t) { return t.starts_with("image "); }) ||
               std::any_of(things.begin(), things.end(),
                           [](const Thing& t) { return t.starts_with("url "); });
    }

    Names bind(const std::vector<ir::Parameter>& parameters, const std::vector<ir::Expr>& arguments,
               const Names& names) const {
        Names bound;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            Known known;
            if (i < arguments.size()) {
                if (parameters[i].type.kind == ir::TypeKind::Condition) {
                    known.home = &names;
                    known.condition = condition_of(arguments[i], known.home);
                }
                known.plan = plan_of(arguments[i], names);
                known.value = value(arguments[i], names);
                if (known.value && semantics::is_left_out(parameters[i], *known.value))
                    known.value = value(*parameters[i].default_value, bound);
            }
            bound[parameters[i].name] = std::move(known);
        }
        return bound;
    }

    Known1 value(const ir::Expr& expression, const Names& names) const {
        switch (expression.kind) {
            case ir::ExprKind::Literal:
                return expression.value;
            case ir::ExprKind::Local: {
                const Known* known = names.find(expression.name);
                return known == nullptr ? std::nullopt : known->value;
            }
            case ir::ExprKind::Param:
                return parameter(expression);
            case ir::ExprKind::Setting:
                return setting(expression.name);
            case ir::ExprKind::Interpolate:
                return interpolated(expression, names);
            case ir::ExprKind::List:
                return list(expression, names);
            case ir::ExprKind::Probe:
                return answer(expression, names);
            default:
                return std::nullopt;
        }
    }

    // What the command line may set is not known, but what it is without that is what a reviewer sees.
    Known1 parameter(const ir::Expr& expression) const {
        if (environment_ != nullptr && environment_->set.contains(expression.name)) return std::nullopt;
        for (const ir::Parameter& parameter : program_.parameters)
            if (parameter.name == expression.name && parameter.default_value &&
                parameter.default_value->kind == ir::ExprKind::Literal)
                return parameter.default_value->value;
        return std::nullopt;
    }

    Known1 setting(const std::string& name) const {
        if (name == "environment") return Value(stage_.environment);
        if (environment_ == nullptr) return std::nullopt;
        if (name == "namespace" && environment_->name_space) return Value(*environment_->name_space);
        if (name == "context" && environment_->context) return Value(*environment_->context);
        if (name == "terraform-dir" && environment_->terraform)
            return Value(environment_->terraform->directory);
        if (name == "var-file" && environment_->terraform) return Value(environment_->terraform->var_file);
        return std::nullopt;
    }

    Known1 interpolated(const ir::Expr& expression, const Names& names) const {
        std::string text;
        for (const ir::Expr& child : expression.children) {
            const Known1 part = value(child, names);
            if (!part) return std::nullopt;
            text += show(*part);
            if (text.size() > semantics::heaviest_known) return std::nullopt;
        }
        return ir::joined(expression.type, std::move(text));
    }

    Known1 list(const ir::Expr& expression, const Names& names) const {
        List items;
        std::size_t weight = 0;
        for (const ir::Expr& child : expression.children) {
            Known1 item = value(child, names);
            if (!item) return std::nullopt;
            weight += semantics::weight(*item);
            if (weight > semantics::heaviest_known) return std::nullopt;
            items.push_back(std::move(*item));
        }
        return Value(std::move(items));
    }

    // The probes that only read the project: what a manifest declares, and what is computed from such.
    Known1 answer(const ir::Expr& expression, const Names& names) const {
        const ir::Probe& probe = program_.probes.at(expression.declaration);
        if (probe.role.role == ir::Role::None && !probe.computed) return std::nullopt;
        const Names bound = bind(probe.parameters, expression.children, names);
        if (probe.computed) {
            if (depth_ >= deepest_call) return std::nullopt;
            ++depth_;
            Known1 result = value(*probe.computed, bound);
            --depth_;
            return result;
        }
        const auto subject = [&] { return value(probe.role.arguments.front(), bound); };
        switch (probe.role.role) {
            case ir::Role::Given:
                return subject();
            case ir::Role::Pointer:
                return pointer_through(subject());
            case ir::Role::VariablesFile:
                return variables_file();
            case ir::Role::Objects:
                return objects_of(subject(), &Walk::declared);
            case ir::Role::RemovableObjects:
                return objects_of(subject(), &Walk::deletable);
            case ir::Role::Committed: {
                const Known1 target = subject();
                const auto* path = target ? target->get_if<std::string>() : nullptr;
                return path != nullptr ? files_below(*path) : std::nullopt;
            }
            default:
                return std::nullopt;
        }
    }

    Known1 objects_of(const Known1& manifest, Known1 (Walk::*which)(const std::string&) const) const {
        const auto* path = manifest ? manifest->get_if<std::string>() : nullptr;
        if (path == nullptr) return std::nullopt;
        if (outer_ != nullptr) timeline_.read_by_.emplace(*path, outer_);
        return (this->*which)(*path);
    }

    Known1 variables_file() const {
        const bool named =
            environment_ != nullptr && environment_->terraform && !environment_->terraform->var_file.empty();
        if (!named) return std::nullopt;
        const auto& terraform = *environment_->terraform;
        return Value((std::filesystem::path(terraform.directory) / terraform.var_file)
                         .lexically_normal()
                         .generic_string());
    }

    static Known1 pointer_through(const Known1& names) {
        if (!names) return std::nullopt;
        const auto* list = names->get_if<List>();
        std::vector<std::string> parts;
        for (const Value& name : list != nullptr ? *list : List{*names}) parts.push_back(show(name));
        return Value(documents::pointer_to(parts));
    }

    Known1 declared(const std::string& path) const {
        List handles;
        for (const Object* object : timeline_.manifests_.of(path)) handles.emplace_back(object->thing);
        return handles.empty() ? std::nullopt : Known1(Value(std::move(handles)));
    }

    Known1 deletable(const std::string& path) const {
        const auto objects = timeline_.manifests_.of(path);
        List handles;
        for (auto object = objects.rbegin(); object != objects.rend(); ++object)
            if (!stays((*object)->thing)) handles.emplace_back(ResourceRef{"object", (*object)->thing});
        return objects.empty() ? std::nullopt : Known1(Value(std::move(handles)));
    }

    // What a commit has below a path, as far as the folder still has it.
    Known1 files_below(const std::string& target) const {
        namespace fs = std::filesystem;
        std::error_code error;
        const fs::path root = timeline_.inventory_.root;
        // What lies outside of the project is not even listed.
        const auto full = project_path(root, target);
        if (!full || !fs::is_directory(*full, error)) return Value(List{Value(target)});
        std::vector<std::string> names;
        for (fs::recursive_directory_iterator at(*full, error), end; !error && at != end;
             at.increment(error)) {
            if (at->is_regular_file(error))
                names.push_back((fs::path(target) / at->path().lexically_relative(*full))
                                    .lexically_normal()
                                    .generic_string());
            if (names.size() > most_restored) return std::nullopt;
        }
        std::sort(names.begin(), names.end());
        return Value(List(names.begin(), names.end()));
    }

    const Timeline& timeline_;
    const ir::Program& program_;
    const ir::Stage& stage_;
    Course* course_;
    const project::Environment* environment_ = nullptr;
    Names globals_;
    std::vector<Event> result_, lets_;
    std::set<std::string> edited_aside_;
    const ir::Step* outer_ = nullptr;
    const ir::Verb* part_of_ = nullptr;
    const ir::Undo* override_ = nullptr;
    const Branch* branch_ = nullptr;
    bool conditional_ = false, is_forward_ = false;
    std::size_t begun_ = 0, rounds_ = 0, spent_ = 0, undos_by_verb_ = 0;
    mutable int depth_ = 0;
    bool beside_ = false;
};

Timeline::Timeline(const ir::Program& program, const project::Inventory& inventory,
                   const Manifests& manifests, const SourceMap& sources)
    : program_(program), inventory_(inventory), manifests_(manifests), sources_(sources) {
    for (const ir::Stage& stage : program.stages) {
        Course course;
        Walk walk(*this, stage, &course);
        course.stage = &stage;
        course.environment = inventory.environment(stage.environment);
        course.lets = walk.lets();
        course.gates = walk.aside(stage.gates);
        course.forward = walk.forward(stage.steps);
        if (stage.on_failure) course.failure = walk.aside(*stage.on_failure);
        if (stage.throughout && !stage.steps.empty())
            course.throughout = walk.watched(*stage.throughout, stage.steps.front());
        courses_.push_back(std::move(course));
    }
}

bool Timeline::is_own(Span span) const {
    const bool is_script = !program_.stages.empty() && span.file == program_.stages.front().span.file;
    return is_script || !sources_.file(span.file).name().starts_with("std/");
}

std::vector<Event> Timeline::events(const std::vector<ir::Step>& steps, const ir::Stage& stage) const {
    return Walk(*this, stage).aside(steps);
}

std::optional<Value> Timeline::value(const ir::Expr& expression, const ir::Stage& stage) const {
    return Walk(*this, stage).value(expression);
}

Thing Timeline::thing(const ResourceRef& resource) const {
    const auto& names = resource.type == "service" ? inventory_.services : inventory_.workloads;
    const bool has_alias = resource.type == "service" || resource.type == "workload";
    if (const auto alias = names.find(resource.name); has_alias && alias != names.end())
        return object_thing(alias->second);
    if (resource.name.find('/') != std::string::npos) return object_thing(resource.name);
    if (resource.type == "object") return resource.name;
    const auto& types = program_.resource_types;
    const auto type = std::find_if(types.begin(), types.end(),
                                   [&](const ir::ResourceType& t) { return t.name == resource.type; });
    constexpr std::string_view slot = "${name}";
    if (type != types.end())
        if (const auto at = type->written_as.find(slot); at != std::string::npos) {
            std::string written = type->written_as;
            return object_thing(written.replace(at, slot.size(), resource.name));
        }
    return fmt::format("{} {}", resource.type, resource.name);
}

const std::map<Thing, const Object*>& Timeline::objects_of(const std::string& path,
                                                           const std::string& environment) const {
    auto& applied = paths_[path];
    if (applied.files.empty()) {
        applied.files = manifests_.files_of(path);
        for (const Object* object : manifests_.of(path)) applied.objects.emplace(object->thing, object);
    }
    if (applied.environments.insert(environment).second)
        for (const std::string& file : applied.files) appliers_[file].insert(environment);
    return applied.objects;
}

const Object* Timeline::edited(const Object& object) const {
    const auto found = drafts_.find(object.file);
    if (found == drafts_.end()) return &object;
    Draft& draft = found->second;
    if (draft.objects == nullptr) work_in(object.file, draft);
    if (!draft.known) return nullptr;
    const auto same = std::find_if(draft.objects->begin(), draft.objects->end(), [&](const Object& one) {
        return one.thing == object.thing && one.document == object.document;
    });
    return same == draft.objects->end() ? nullptr : &*same;
}

void Timeline::work_in(const std::string& file, Draft& draft) const {
    const auto format = documents::format_of(file);
    const auto given = draft.text ? std::optional<std::string_view>(*draft.text) : manifests_.text(file);
    draft.known = draft.known && format && given && versions_.size() < most_versions;
    if (!draft.known) return;
    std::string text(*given);
    for (const auto& [pointer, value] : std::exchange(draft.pending, {})) {
        if (!value) {
            auto without = documents::remove(text, *format, pointer);
            if (!without) draft.known = false;
            if (without) text = std::move(*without);
            continue;
        }
        auto with = documents::set(text, *format, pointer, json_of(*value));
        if (!with) draft.known = false;
        if (with) text = std::move(with->text);
    }
    versions_.push_back(Manifests::objects_of(file, text));
    draft.objects = &versions_.back();
    draft.text = std::move(text);
}

const ir::Step* Timeline::editor(const std::string& file) const {
    const auto found = drafts_.find(file);
    return found == drafts_.end() ? nullptr : found->second.step;
}

namespace {

std::vector<std::string> split(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

// "prod" is production, "stage" is staging.
bool abbreviates(const std::string& word, const std::string& environment) {
    if (word == environment) return true;
    return word.size() >= 3 && word.size() < environment.size() &&
           (environment.starts_with(word) || (word == "stage" && environment == "staging"));
}

// By a folder, or a part of the file's name: k8s/production/web.yaml, web.prod.yaml, web-production.yaml.
bool path_names(const std::string& file, const std::string& environment) {
    auto folders = split(file, "/");
    const std::string name = folders.empty() ? "" : folders.back();
    if (!folders.empty()) folders.pop_back();
    for (const std::string& part : split(name, ".")) folders.push_back(part);
    const auto words = split(name, ".-_");
    return std::any_of(folders.begin(), folders.end(),
                       [&](const std::string& part) { return abbreviates(part, environment); }) ||
           std::find(words.begin(), words.end(), environment) != words.end();
}

}  // namespace

const std::set<std::string>& Timeline::named_by(const std::string& file) const {
    const auto [entry, is_new] = named_.try_emplace(file);
    if (is_new)
        for (const auto& environment : inventory_.environments)
            if (path_names(file, environment.name)) entry->second.insert(environment.name);
    return entry->second;
}

bool Timeline::is_of(const Object& object, const std::string& environment) const {
    const auto applied = appliers_.find(object.file);
    if (applied != appliers_.end() && applied->second.contains(environment)) return true;
    const auto& named = named_by(object.file);
    if (!named.empty()) return named.contains(environment);
    if (applied != appliers_.end()) return false;
    // Where no manifest has the environment's own namespace, namespaces do not tell environments apart.
    const auto* own = inventory_.environment(environment);
    const std::string name_space = text_at(object.json, "/metadata/namespace");
    if (name_space.empty() || own == nullptr || !own->name_space || name_space == *own->name_space)
        return true;
    const auto& all = inventory_.environments;
    const bool is_anothers =
        std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name_space == name_space; });
    return !is_anothers || !namespaces().contains(*own->name_space);
}

const std::set<std::string>& Timeline::namespaces() const {
    if (!namespaces_) {
        namespaces_.emplace();
        for (const Object* object : manifests_.all())
            if (std::string name = text_at(object->json, "/metadata/namespace"); !name.empty())
                namespaces_->insert(std::move(name));
    }
    return *namespaces_;
}

Manifests::Objects Timeline::of_environment(const Manifests::Objects& objects,
                                            const std::string& environment) const {
    Manifests::Objects found;
    for (const Object* object : objects)
        if (is_of(*object, environment)) found.push_back(object);
    return found;
}

}  // namespace migc::checks
