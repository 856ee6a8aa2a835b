#include "compiler/checks/values.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/checks/resources.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/roles.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/project_path.hpp"

namespace migc::checks {
namespace {

constexpr std::size_t most_restored = 1'000;  // files of a folder
constexpr std::size_t longest_same = 1'000;   // put together beyond that, a value is compared with no other

Maybe pointer_through(const Maybe& names) {
    if (!names) return std::nullopt;
    const auto* list = names->get_if<List>();
    std::vector<std::string> parts;
    for (const Value& name : list != nullptr ? *list : List{*names}) parts.push_back(show(name));
    return Value(documents::pointer_to(parts));
}

}  // namespace

Names Names::of_declaration() const {
    Names names;
    names.depth_ = depth_ + 1;
    names.step_ = step_;
    return names;
}

Maybe Names::value(const std::string& name) const {
    const Known* known = find(name);
    return known == nullptr ? std::nullopt : known->value;
}

std::vector<std::string> words_of(const Value& given) {
    std::vector<std::string> words;
    if (const auto* text = given.get_if<std::string>()) words.push_back(*text);
    if (const auto* list = given.get_if<List>())
        std::ranges::transform(*list, std::back_inserter(words), show);
    return words;
}

std::string plan_of(const ir::Expr& expression, const Names& names) {
    if (expression.type.kind != ir::TypeKind::Plan || expression.kind != ir::ExprKind::Local) return {};
    const Known* known = names.find(expression.name);
    return known == nullptr || known->plan.empty() ? expression.name : known->plan;
}

Values::Values(const ir::Program& program, const project::Inventory& inventory, const Manifests& manifests,
               const ir::Stage& stage, ReadBy& read_by)
    : program_(program),
      inventory_(inventory),
      manifests_(manifests),
      stage_(stage),
      environment_(inventory.environment(stage.environment)),
      read_by_(read_by) {}

Maybe Values::of(const ir::Expr& expression, const Names& names) const {
    return semantics::known_value(expression, [&](const ir::Expr& leaf) -> Maybe {
        switch (leaf.kind) {
            case ir::ExprKind::Local:
                return names.value(leaf.name);
            case ir::ExprKind::Param:
                return parameter(leaf.name);
            case ir::ExprKind::Setting:
                return setting(leaf.name);
            case ir::ExprKind::Probe:
                return answer(leaf, names);
            default:
                return std::nullopt;
        }
    });
}

Known Values::known(const ir::Expr& expression, const Names& names) const {
    Known known;
    known.value = of(expression, names);
    known.plan = plan_of(expression, names);
    known.same = same(expression, names);
    if (known.same.empty()) known.same = fmt::format("#{}", ++unknown_);
    return known;
}

std::string Values::same(const ir::Expr& expression, const Names& names) const {
    if (const Maybe value = of(expression, names)) {
        const std::string text = show(*value);
        return text.size() > longest_same ? "" : fmt::format("{}:{}", text.size(), text);
    }
    switch (expression.kind) {
        case ir::ExprKind::Local: {
            const Known* known = names.find(expression.name);
            return known == nullptr ? "" : known->same;
        }
        case ir::ExprKind::Param:
        case ir::ExprKind::Setting:
            return fmt::format("${}", expression.name);
        case ir::ExprKind::Interpolate:
        case ir::ExprKind::List:
            return same_parts(expression, names);
        case ir::ExprKind::Probe:
            return same_answer(expression, names);
        default:
            return "";
    }
}

std::string Values::same_parts(const ir::Expr& expression, const Names& names) const {
    std::string all = "(";
    for (const ir::Expr& child : expression.children) {
        const std::string part = same(child, names);
        if (part.empty() || all.size() + part.size() > longest_same) return "";
        all += part + ' ';
    }
    return all + ")";
}

// Of what depends on its arguments alone; what a tool or a file answers may be another thing each time.
std::string Values::same_answer(const ir::Expr& expression, const Names& names) const {
    const ir::Probe& probe = program_.probes.at(expression.declaration);
    if (probe.role.role == ir::Role::Given) {
        const ir::Expr* given =
            semantics::role_argument(probe.role, probe.parameters, expression.children, 0);
        return given == nullptr ? "" : same(*given, names);
    }
    const bool only_computes =
        probe.role.role == ir::Role::None && probe.read && !probe.read->native.empty() &&
        probe.read->through.empty() && !expression.children.empty() &&
        std::ranges::none_of(probe.parameters,
                             [](const ir::Parameter& one) { return one.type.kind == ir::TypeKind::Path; });
    const std::string parts = only_computes ? same_parts(expression, names) : "";
    return parts.empty() ? "" : fmt::format("{}{}", expression.declaration, parts);
}

semantics::NumberOf Values::number_in(const Names& names) const {
    return [this, &names](const ir::Expr& expression) -> std::optional<std::int64_t> {
        const Maybe known = of(expression, names);
        if (!known) return std::nullopt;
        if (const auto* duration = known->get_if<Duration>()) return duration->milliseconds;
        const auto* number = known->get_if<std::int64_t>();
        return number != nullptr ? std::optional(*number) : std::nullopt;
    };
}

Names Values::bind(const std::vector<ir::Parameter>& parameters, const std::vector<ir::Expr>& arguments,
                   const Names& names) const {
    Names bound = names.of_declaration();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        Known known;
        if (i < arguments.size()) {
            if (parameters[i].type.kind == ir::TypeKind::Condition) {
                known.home = &names;
                known.condition = &semantics::handed_on(arguments[i], known.home);
            }
            known.plan = plan_of(arguments[i], names);
            known.value =
                semantics::argument_value(parameters[i], of(arguments[i], names),
                                          [&](const ir::Expr& otherwise) { return of(otherwise, bound); });
        }
        bound.bind(parameters[i].name, std::move(known));
    }
    return bound;
}

std::vector<Maybe> Values::played(const ir::RoleUse& use, const Names& names) const {
    std::vector<Maybe> known;
    for (const ir::Expr& argument : use.arguments) known.push_back(of(argument, names));
    return known;
}

std::vector<Maybe> Values::played(const ir::Expr& probe, const Names& names) const {
    const ir::Probe& declared = program_.probes.at(probe.declaration);
    if (declared.role.arguments.empty()) return {};
    return played(declared.role, bind(declared.parameters, probe.children, names));
}

std::optional<bool> Values::by_environment(const ir::Expr& condition) const {
    const auto mine = [&](const ir::Expr& leaf) {
        return leaf.kind == ir::ExprKind::Setting ? setting(leaf.name) : std::nullopt;
    };
    bool is_open = false;
    const auto holds = semantics::known_truth(condition, [&](const ir::Expr& part) {
        const bool is_whole =
            part.kind == ir::ExprKind::Not || part.kind == ir::ExprKind::And || part.kind == ir::ExprKind::Or;
        const bool asks =
            part.kind == ir::ExprKind::Compare && part.children.at(0).kind == ir::ExprKind::Setting;
        const auto decided = asks ? semantics::known_comparison(part, mine) : std::nullopt;
        is_open = is_open || (!is_whole && !decided);
        return decided;
    });
    return is_open ? std::nullopt : holds;
}

// What the command line may set is not known, but what it is without that is what a reviewer sees.
Maybe Values::parameter(const std::string& name) const {
    if (environment_ != nullptr && environment_->set.contains(name)) return std::nullopt;
    const auto* found =
        first_of(program_.parameters, [&](const ir::Parameter& one) { return one.name == name; });
    if (found == nullptr || !found->default_value) return std::nullopt;
    return semantics::constant(*found->default_value);
}

Maybe Values::setting(const std::string& name) const {
    if (name == "environment") return Value(stage_.environment);
    if (environment_ == nullptr) return std::nullopt;
    if (name == "namespace" && environment_->name_space) return Value(*environment_->name_space);
    if (name == "context" && environment_->context) return Value(*environment_->context);
    if (name == "terraform-dir" && environment_->terraform) return Value(environment_->terraform->directory);
    if (name == "var-file" && environment_->terraform) return Value(environment_->terraform->var_file);
    return std::nullopt;
}

// The probes that only read the project: what a manifest declares, and what is computed from such.
Maybe Values::answer(const ir::Expr& expression, const Names& names) const {
    const ir::Probe& probe = program_.probes.at(expression.declaration);
    if (probe.role.role == ir::Role::None && !probe.computed) return std::nullopt;
    const Names bound = bind(probe.parameters, expression.children, names);
    if (probe.computed) return names.depth() < deepest_call ? of(*probe.computed, bound) : std::nullopt;
    const auto subject = [&] { return of(probe.role.arguments.front(), bound); };
    const auto path = [&] {
        const Maybe target = subject();
        const auto* text = target ? target->get_if<std::string>() : nullptr;
        return text != nullptr ? std::optional(*text) : std::nullopt;
    };
    switch (probe.role.role) {
        case ir::Role::Given:
            return subject();
        case ir::Role::Pointer:
            return pointer_through(subject());
        case ir::Role::VariablesFile:
            return variables_file();
        case ir::Role::Objects:
        case ir::Role::RemovableObjects: {
            const auto manifest = path();
            const bool removable = probe.role.role == ir::Role::RemovableObjects;
            return manifest ? objects_of(*manifest, removable, names) : std::nullopt;
        }
        case ir::Role::Committed: {
            const auto target = path();
            return target ? files_below(*target) : std::nullopt;
        }
        default:
            return std::nullopt;
    }
}

// The handles of those that are declared; or, the last first, of those that may be removed.
Maybe Values::objects_of(const std::string& path, bool removable, const Names& names) const {
    if (names.step() != nullptr) read_by_.emplace(path, names.step());
    const auto& objects = manifests_.of(path);
    if (objects.empty()) return std::nullopt;
    List handles;
    for (const Object* object : objects)
        if (!removable)
            handles.emplace_back(object->thing.text);
        else if (!kubernetes::is_left_standing(object->thing.type()))
            handles.emplace_back(ResourceRef{"object", object->thing.text});
    if (removable) std::ranges::reverse(handles);
    return Value(std::move(handles));
}

Maybe Values::variables_file() const {
    if (environment_ == nullptr || !environment_->terraform) return std::nullopt;
    const std::filesystem::path path = environment_->terraform->variables();
    return path.empty() ? std::nullopt : Maybe(path.lexically_normal().generic_string());
}

// What a commit has below a path, as far as the folder still has it.
Maybe Values::files_below(const std::string& target) const {
    namespace fs = std::filesystem;
    std::error_code error;
    // What lies outside of the project is not even listed.
    const auto full = project_path(inventory_.root, target);
    if (!full || !fs::is_directory(*full, error)) return Value(List{Value(target)});
    std::vector<std::string> names;
    for (fs::recursive_directory_iterator at(*full, error), end; !error && at != end; at.increment(error)) {
        if (at->is_regular_file(error))
            names.push_back((fs::path(target) / at->path().lexically_relative(*full))
                                .lexically_normal()
                                .generic_string());
        if (names.size() > most_restored) return std::nullopt;
    }
    std::ranges::sort(names);
    return Value(List(names.begin(), names.end()));
}

}  // namespace migc::checks
