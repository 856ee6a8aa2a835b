#include "compiler/checks/timeline.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/documents/document.hpp"

namespace migc::checks {
namespace {

constexpr std::size_t most_events = 200'000;  // of a stage; what calls twice what calls twice .. has no end
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

const ir::Expr* condition_of(const ir::Expr& expression, const Names*& names) {
    if (expression.kind != ir::ExprKind::Local) return &expression;
    const auto known = names->find(expression.name);
    if (known == names->end() || known->second.condition == nullptr) return nullptr;
    names = known->second.home;
    return known->second.condition;
}

}  // namespace

Thing object_thing(std::string_view handle) {
    const auto first = handle.find('/'), last = handle.rfind('/');
    if (first == std::string_view::npos) return Thing(handle);
    return fmt::format("{}/{}", kind_of(handle.substr(0, first)), handle.substr(last + 1));
}

bool is_live(const Thing& thing) {
    return !thing.starts_with("file ") && !thing.starts_with("image ") && !thing.starts_with("plan ");
}

const ir::Undo& way_back(const Event& change) {
    return change.inner->undo ? *change.inner->undo : change.verb->undo;
}

bool touches_live(const Event& event) {
    return std::any_of(event.things.begin(), event.things.end(), is_live);
}

// Goes through the steps of one stage, in order.
class Timeline::Walk {
  public:
    Walk(const Timeline& timeline, const ir::Stage& stage)
        : timeline_(timeline), program_(timeline.program_), stage_(stage) {
        environment_ = timeline.inventory_.environment(stage.environment);
        for (const ir::Step& let : program_.lets)
            if (let.value) globals_[let.name] = {value(*let.value, globals_), nullptr, nullptr, {}};
    }

    std::vector<Event> events(const std::vector<ir::Step>& steps) {
        result_.clear();
        Names names = globals_;
        walk(steps, names);
        return std::move(result_);
    }

    [[nodiscard]] std::optional<Value> value(const ir::Expr& expression) const {
        return value(expression, globals_);
    }

  private:
    using Known1 = std::optional<Value>;

    void walk(const std::vector<ir::Step>& steps, Names& names) {
        for (const ir::Step& step : steps) {
            const bool is_block = step.kind == ir::StepKind::If || step.kind == ir::StepKind::For ||
                                  step.kind == ir::StepKind::Parallel;
            const ir::Step* outer = outer_;
            if (outer_ == nullptr && !is_block) outer_ = &step;
            statement(step, names);
            outer_ = outer;
        }
    }

    void statement(const ir::Step& step, Names& names) {
        if (result_.size() >= most_events || kept_.size() >= most_events) return;
        switch (step.kind) {
            case ir::StepKind::Call:
                call(step, names);
                if (!step.name.empty()) names[step.name] = {};
                break;
            case ir::StepKind::Let:
                names[step.name] = {
                    step.value ? value(*step.value, names) : std::nullopt, nullptr, nullptr, {}};
                break;
            case ir::StepKind::Verify:
            case ir::StepKind::Soak:
                look(step, names);
                break;
            case ir::StepKind::Gate:
                add(Act::Gate, step);
                break;
            case ir::StepKind::If:
            case ir::StepKind::For:
                branch(step, names);
                break;
            case ir::StepKind::Parallel: {
                const bool before = std::exchange(beside_, true);
                walk(step.body, names);
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

    void branch(const ir::Step& step, Names& names) {
        if (step.kind == ir::StepKind::For) {
            const auto list = step.value ? value(*step.value, names) : std::nullopt;
            if (const auto* items = list ? list->get_if<List>() : nullptr) {
                for (const Value& item : *items) {
                    Names inner = names;
                    inner[step.name] = {item, nullptr, nullptr, {}};
                    walk(step.body, inner);
                }
                return;
            }
        }
        if (step.condition) look_at(add(Act::Other, step), *step.condition, names);
        const bool before = std::exchange(conditional_, true);
        Names inner = names;
        if (step.kind == ir::StepKind::For) inner[step.name] = {};
        walk(step.body, inner);
        inner = names;
        walk(step.otherwise, inner);
        conditional_ = before;
    }

    Event& add(Act act, const ir::Step& step) {
        Event event;
        event.act = act;
        event.step = outer_ != nullptr ? outer_ : &step;
        event.inner = &step;
        event.part_of = part_of_;
        event.conditional = conditional_;
        event.beside = beside_;
        result_.push_back(std::move(event));
        return result_.back();
    }

    void call(const ir::Step& step, const Names& names) {
        const ir::Verb& verb = program_.verbs.at(step.verb);
        auto parameters = std::make_unique<Names>(bind(verb.parameters, step.arguments, names));
        if (verb.composite && depth_ < deepest_call) {
            // Conditions that were given as arguments refer to the caller's names for as long as the walk.
            Names inner = *kept_.emplace_back(std::move(parameters));
            const ir::Verb* before = part_of_;
            if (part_of_ == nullptr) part_of_ = &verb;
            ++depth_;
            walk(verb.steps, inner);
            --depth_;
            part_of_ = before;
            return;
        }
        Event& event = add(verb.mutates() ? Act::Change : Act::Other, step);
        event.verb = &verb;
        for (std::size_t i = 0; i < verb.parameters.size() && i < step.arguments.size(); ++i) {
            event.arguments.push_back(parameters->at(verb.parameters[i].name).value);
            if (step.arguments[i].type.kind == ir::TypeKind::Plan) event.plans.insert(step.arguments[i].name);
        }
        event.bound = ir::call_bound(program_, step, verb, number_in(names), number_in(*parameters));
        for (const ir::Capture& capture : verb.captures)
            (*parameters)[capture.name] = {value(capture.value, *parameters), nullptr, nullptr, {}};
        for (const ir::Effect& effect : verb.effects) add_effect(event, effect, *parameters);
        if (event.act == Act::Other && !event.plans.empty()) event.act = Act::Look;
    }

    // A plan goes by the name that the script gave it, however far it was handed on.
    static std::string plan_of(const ir::Expr& argument, const Names& names) {
        if (argument.type.kind != ir::TypeKind::Plan || argument.kind != ir::ExprKind::Local) return {};
        const auto known = names.find(argument.name);
        return known == names.end() || known->second.plan.empty() ? argument.name : known->second.plan;
    }

    static void add_plan(Event& event, const ir::Expr& argument, const Names& names) {
        if (std::string plan = plan_of(argument, names); !plan.empty()) event.plans.insert(std::move(plan));
    }

    void add_effect(Event& event, const ir::Effect& effect, const Names& names) {
        Effect made;
        made.probe = &program_.probes.at(effect.probe.declaration);
        made.becomes = effect.becomes;
        made.exact = true;
        made.name = made.probe->signature;
        for (const ir::Expr& argument : effect.probe.children) {
            made.arguments.push_back(value(argument, names));
            made.exact = made.exact && made.arguments.back();
            made.name += " | " + (made.arguments.back() ? show(*made.arguments.back()) : "?");
        }
        if (effect.value) made.value = value(*effect.value, names);
        const auto things = things_of(*made.probe, made.arguments);
        event.things.insert(things.begin(), things.end());
        if (things.empty() && is_of_files(*made.probe)) event.things.insert("file ?");
        event.effects.push_back(std::move(made));
    }

    static bool is_of_files(const ir::Probe& probe) {
        return probe.read &&
               (probe.read->native.starts_with("file-") || probe.read->native.starts_with("git-"));
    }

    // What a probe is about, by the types of its parameters. An object of a manifest is named by its handle,
    // and the manifest is only where it is described.
    std::set<Thing> things_of(const ir::Probe& probe, const std::vector<Known1>& arguments) const {
        std::set<Thing> things;
        for (std::size_t i = 0; i < arguments.size() && i < probe.parameters.size(); ++i)
            if (probe.parameters[i].name == "handle") {
                const auto* handle = arguments[i] ? arguments[i]->get_if<std::string>() : nullptr;
                return handle != nullptr ? std::set<Thing>{object_thing(*handle)} : things;
            }
        for (std::size_t i = 0; i < arguments.size() && i < probe.parameters.size(); ++i)
            add_things(things, probe.parameters[i].type, arguments[i]);
        return things;
    }

    void add_things(std::set<Thing>& things, const ir::Type& type, const Known1& argument) const {
        if (type.kind == ir::TypeKind::Plan) things.insert("terraform");
        if (!argument) return;
        if (const auto* list = argument->get_if<List>())
            for (const Value& item : *list)
                if (const auto* resource = item.get_if<ResourceRef>())
                    things.insert(timeline_.thing(*resource));
        if (const auto* resource = argument->get_if<ResourceRef>()) things.insert(timeline_.thing(*resource));
        const auto* text = argument->get_if<std::string>();
        if (text == nullptr) return;
        if (type.kind == ir::TypeKind::Path) things.insert("file " + *text);
        if (type.kind == ir::TypeKind::Url) things.insert("url " + *text);
        if (type.kind == ir::TypeKind::Image) things.insert("image " + *text);
    }

    void look(const ir::Step& step, const Names& names) {
        Event& event = add(step.kind == ir::StepKind::Soak ? Act::Soak : Act::Look, step);
        if (step.kind == ir::StepKind::Soak && step.value) {
            const auto time = value(*step.value, names);
            const auto* duration = time ? time->get_if<Duration>() : nullptr;
            if (duration != nullptr) event.at_least_ms = duration->milliseconds;
        }
        event.bound = ir::verify_bound(program_, step, number_in(names));
        if (step.condition) look_at(event, *step.condition, names);
    }

    ir::NumberOf number_in(const Names& names) const {
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
            const auto things = things_of(probe, arguments);
            event.things.insert(things.begin(), things.end());
            // What has no name of its own is a look at the whole, or at something that only a run can tell.
            const auto is_url = [](const Thing& thing) { return thing.starts_with("url "); };
            event.everything =
                event.everything || things.empty() || std::any_of(things.begin(), things.end(), is_url) ||
                std::any_of(arguments.begin(), arguments.end(), [](const auto& a) { return !a; });
        }
        for (const ir::Expr& child : condition->children) look_at(event, child, *names);
    }

    Names bind(const std::vector<ir::Parameter>& parameters, const std::vector<ir::Expr>& arguments,
               const Names& names) const {
        Names bound;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            Known known;
            if (i < arguments.size()) {
                if (parameters[i].type.kind == ir::TypeKind::Condition) {
                    const Names* home = &names;
                    known.condition = condition_of(arguments[i], home);
                    // The caller's names change while the walk goes on; what the condition reads does not.
                    known.home = kept_.emplace_back(std::make_unique<Names>(*home)).get();
                }
                known.plan = plan_of(arguments[i], names);
                known.value = value(arguments[i], names);
                if (known.value && known.value->is_absent() && parameters[i].default_value)
                    known.value = value(*parameters[i].default_value, bound);
            }
            bound[parameters[i].name] = known;
        }
        return bound;
    }

    Known1 value(const ir::Expr& expression, const Names& names) const {
        switch (expression.kind) {
            case ir::ExprKind::Literal:
                return expression.value;
            case ir::ExprKind::Local: {
                const auto known = names.find(expression.name);
                return known == names.end() ? std::nullopt : known->second.value;
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
        }
        return Value(std::move(text));
    }

    Known1 list(const ir::Expr& expression, const Names& names) const {
        List items;
        for (const ir::Expr& child : expression.children) {
            Known1 item = value(child, names);
            if (!item) return std::nullopt;
            items.push_back(std::move(*item));
        }
        return Value(std::move(items));
    }

    // The probes that only read the project: what a manifest declares, and what is computed from such.
    Known1 answer(const ir::Expr& expression, const Names& names) const {
        const ir::Probe& probe = program_.probes.at(expression.declaration);
        const Names bound = bind(probe.parameters, expression.children, names);
        if (probe.computed && depth_ < deepest_call) return value(*probe.computed, bound);
        if (probe.read && probe.read->native == "variables-file") return variables_file();
        if (!probe.read || expression.children.empty()) return std::nullopt;
        if (probe.read->native == "pointer-through")
            return pointer_through(bound.at(probe.parameters.front().name).value);
        const bool declared = probe.read->native == "objects-of-manifest";
        if (!declared && probe.read->native != "objects-to-delete") return std::nullopt;
        const auto& path = bound.at(probe.parameters.front().name).value;
        const auto* text = path ? path->get_if<std::string>() : nullptr;
        if (text == nullptr) return std::nullopt;
        List handles;
        for (const Object* object : timeline_.manifests_.of(*text))
            handles.push_back(declared ? Value(object->thing) : Value(ResourceRef{"object", object->thing}));
        return handles.empty() ? std::nullopt : Known1(Value(std::move(handles)));
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

    const Timeline& timeline_;
    const ir::Program& program_;
    const ir::Stage& stage_;
    const project::Environment* environment_ = nullptr;
    Names globals_;
    mutable std::vector<std::unique_ptr<Names>> kept_;
    std::vector<Event> result_;
    const ir::Step* outer_ = nullptr;
    const ir::Verb* part_of_ = nullptr;
    bool conditional_ = false;
    bool beside_ = false;
    int depth_ = 0;
};

Timeline::Timeline(const ir::Program& program, const project::Inventory& inventory,
                   const Manifests& manifests)
    : program_(program), inventory_(inventory), manifests_(manifests) {
    for (const ir::Stage& stage : program.stages) {
        Walk walk(*this, stage);
        Course course;
        course.stage = &stage;
        course.environment = inventory.environment(stage.environment);
        course.gates = walk.events(stage.gates);
        course.forward = walk.events(stage.steps);
        if (stage.on_failure) course.failure = walk.events(*stage.on_failure);
        courses_.push_back(std::move(course));
    }
}

std::vector<Event> Timeline::events(const std::vector<ir::Step>& steps, const ir::Stage& stage) const {
    return Walk(*this, stage).events(steps);
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

}  // namespace migc::checks
