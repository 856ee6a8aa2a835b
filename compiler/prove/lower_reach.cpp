// What else may change an answer than the step that has an effect on the very probe.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/field.hpp"
#include "compiler/prove/lowering.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/roles.hpp"
#include "compiler/support/json_text.hpp"

namespace migc::prove {
namespace {

using Kind = FunctionKind;

std::set<checks::ResourceKey> common(const Place& a, const Place& b) {
    std::set<checks::ResourceKey> result;
    std::ranges::set_intersection(a.things, b.things, std::inserter(result, result.end()));
    return result;
}

bool is_number(ir::TypeKind kind) {
    return kind == ir::TypeKind::Int || kind == ir::TypeKind::Quantity || kind == ir::TypeKind::Percent;
}

// The one value at a pointer of which `*` is any element of a list; null if there is none, or several.
const nlohmann::json* only_value(const nlohmann::json& json, std::string_view pointer) {
    if (pointer.empty()) return &json;
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    const std::string name(pointer.substr(1, end - 1));
    if (name == "*")
        return json.is_array() && json.size() == 1 ? only_value(json.front(), pointer.substr(end)) : nullptr;
    const auto found = json.is_object() ? json.find(name) : json.end();
    return found == json.end() ? nullptr : only_value(*found, pointer.substr(end));
}

}  // namespace

Place Lowering::place_of(std::uint32_t declaration, const std::vector<Term>& arguments) const {
    const ir::Probe& declared = program_.probes.at(declaration);
    const auto value_of = [this](Term term) -> std::optional<Value> {
        const Value* value = known(term);
        return value == nullptr || value->is_absent() ? std::nullopt : std::optional(*value);
    };
    std::vector<std::optional<Value>> given, role;
    std::map<std::string, std::optional<Value>> names;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        given.push_back(value_of(arguments[i]));
        names[declared.parameters.at(i).name] = given.back();
    }
    for (const ir::Expr& one : declared.role.arguments)
        role.push_back(semantics::known_value(one, [&](const ir::Expr& leaf) -> std::optional<Value> {
            const auto found = leaf.kind == ir::ExprKind::Local ? names.find(leaf.name) : names.end();
            return found == names.end() ? std::nullopt : found->second;
        }));
    Place place;
    const std::string through = reads_through(declared);
    place.realm = declared.read && semantics::runs(declared.read, "program")    ? Realm::Any
                  : through == "files" || semantics::runs(declared.read, "git") ? Realm::Files
                  : semantics::runs(declared.read, "docker")                    ? Realm::Registry
                                                                                : Realm::World;
    place.things = resources_.things_of(declared, given, role);
    place.field = checks::field_of(declared, role);
    place.type = declared.type.kind;
    place.environment = environment_of(declared);
    return place;
}

Place Lowering::place_of(std::size_t variable) const {
    const std::uint32_t declaration = variable_probe_[variable];
    Place place = declaration == no_probe ? Place{} : place_of(declaration, variable_arguments_[variable]);
    place.environment = out_.variables[variable].environment;
    return place;
}

// Whether what changes the one may be a change of the other.
Meeting Lowering::meet(const Place& changed, const Place& asked) {
    const bool elsewhere = changed.environment != asked.environment && !changed.environment.empty() &&
                           !asked.environment.empty();
    const bool apart =
        changed.realm != asked.realm && changed.realm != Realm::Any && asked.realm != Realm::Any;
    if (elsewhere || apart) return Meeting::None;
    const bool things_known = !changed.things.empty() && !asked.things.empty();
    const bool by_thing = asked.field.has_value() || asked.realm != Realm::World;
    if (!by_thing || !things_known) return Meeting::May;
    if (common(changed, asked).empty()) return Meeting::None;
    if (!changed.field || !asked.field) return Meeting::May;
    if (!checks::may_change(*changed.field, *asked.field)) return Meeting::None;
    if (changed.field->empty()) return asked.field->empty() ? Meeting::Whole : Meeting::Part;
    const bool is_raw = changed.type == ir::TypeKind::Json || is_number(changed.type);
    const bool same = *changed.field == *asked.field && changed.field->find('*') == std::string::npos;
    return same && is_raw && is_number(asked.type) ? Meeting::Same : Meeting::May;
}

// What the manifest that a step applies says of what is asked; nothing if it says nothing, or more than one
// thing.
std::optional<Term> Lowering::declared_in_manifest(std::size_t variable, const Place& asked) {
    const ir::Probe& declared = program_.probes.at(variable_probe_[variable]);
    if (declared.role.role != ir::Role::Object || !asked.field || asked.things.size() != 1) return {};
    const ir::Expr& path = declared.role.arguments.at(1);
    for (std::size_t i = 0; i < declared.parameters.size(); ++i) {
        const Value* manifest = known(variable_arguments_[variable].at(i));
        if (declared.parameters[i].name != path.name || manifest == nullptr) continue;
        const std::string file = migc::show(*manifest);
        if (inventory_.root.empty() || is_edited(file)) return {};
        for (const checks::Object* object : manifests_.of(file)) {
            if (object->thing != *asked.things.begin()) continue;
            const nlohmann::json* value = only_value(object->json, *asked.field);
            if (value == nullptr || value->is_structured() || value->is_null()) return {};
            const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
            ir::Type type;
            type.kind = asked.type;
            auto parsed = facts_.parse(type, text);
            return parsed ? std::optional(literal(*parsed)) : std::nullopt;
        }
    }
    return {};
}

// Whether the script changes a file at or below a path, so that nobody knows what it says when it is read.
bool Lowering::is_edited(const std::string& path) const {
    for (std::size_t i = 0; i < out_.variables.size(); ++i) {
        if (variable_probe_[i] == no_probe) continue;
        for (const checks::ResourceKey& thing : place_of(i).things)
            if (thing.of == checks::ResourceKey::Of::File &&
                (thing == checks::ResourceKey::file(path) || thing.name().starts_with(path)))
                return true;
    }
    return false;
}

// The answer to a question of an invariant, after all that may have changed it.
Term Lowering::as_influenced(Term own, std::uint32_t declaration, const std::vector<Term>& arguments) {
    if (!watching_) return own;
    const Place asked = place_of(declaration, arguments);
    const Term itself = own;
    for (const std::size_t i : changed_) {
        const Variable& variable = out_.variables[i];
        if (itself == Term{true, variable.now}) continue;
        const bool hidden = variable_probe_[i] == no_probe;
        const Meeting meeting = meet(place_of(i), asked);
        if (meeting == Meeting::None) continue;
        Function how{Kind::Upset, "something that only a run can tell"};
        if (meeting == Meeting::Same) how.kind = Kind::Replaced;
        if (meeting == Meeting::Whole) how.kind = Kind::Present;
        if (meeting == Meeting::Part) how.kind = Kind::Gone;
        const auto wanted = declared_of_.find(i);
        if (!hidden && meeting == Meeting::Part && wanted != declared_of_.end())
            if (const auto stated = declared_in_manifest(i, asked)) {
                how.kind = Kind::Stated;
                how.when = wanted->second.id;
                how.stated = stated->id;
            }
        const Term moved =
            apply({Kind::Moved, "what has changed"}, {true, variable.now}, {true, variable.origins.back()});
        own = apply(how, own, moved);
    }
    return own;
}

// Whether no pod may be left of a workload because of a variable.
bool Lowering::takes_pods(std::size_t variable) const {
    const Place where = place_of(variable);
    return where.realm == Realm::World && where.field && !where.things.empty() &&
           checks::is_workload(*where.things.begin()) && checks::may_take_all_pods(*where.field);
}

// Leads there if pods are left of the workload that a variable is of.
void Lowering::if_pods_are_left(std::size_t variable, Label target) {
    const Register now = out_.variables[variable].now;
    // Of a whole object it is enough that it is there.
    if (place_of(variable).field->empty()) return void(emit(Op::IfIsNot, now, absent, target));
    const Term some = apply({Kind::Compare, "a comparison", ir::Comparison::Above, {}}, {true, now},
                            literal(Value(std::int64_t{0})));
    emit(Op::IfIs, as_register(some), yes, target);
}

// Yes as long as the pods of a workload that has none are only about to start.
Register Lowering::starting(std::size_t variable) {
    auto [found, is_new] = starting_.try_emplace(variable);
    if (is_new) found->second = new_register(no);
    return found->second;
}

// An inverse brings a workload's pods back, which takes them a while.
void Lowering::pods_start(std::size_t variable, const StepContext& course) {
    if (invariant_ != nullptr || course.undoing == nullptr || !takes_pods(variable)) return;
    const Label on = label();
    if_pods_are_left(variable, on);
    set(starting(variable), yes);
    place(on);
}

// After such a look they are there.
void Lowering::pods_are_seen(const ir::Expr& condition) {
    const ir::Role role = semantics::role_of(program_, condition);
    if (role == ir::Role::Readiness || role == ir::Role::Backing)
        for (const auto& [variable, one] : starting_) set(one, no);
    for (const ir::Expr& child : condition.children) pods_are_seen(child);
}

// Whether the pods are there that an inverse needs: not if something that takes them is not back by then, or
// if they are only about to start.
void Lowering::may_lack_pods(const ir::Expr& need, const std::string& text, const Change& change) {
    if (semantics::role_of(program_, need) != ir::Role::Backing) {
        for (const ir::Expr& child : need.children) may_lack_pods(child, text, change);
        return;
    }
    for (const std::size_t variable : now_->touched) {
        if (concerns(change.touches, variable) || !takes_pods(variable)) continue;
        const Variable& one = out_.variables[variable];
        if (one.environment != now_->environment) continue;
        const Label fine = label(), back = label();
        emit(Op::IfIsNot, excuse_, NoExcuse, fine);
        emit(Op::IfSame, one.now, one.origins[now_->index], back);
        if_pods_are_left(variable, fine);
        only_a_run_tells(
            fmt::format("whether `{}` can be done while {} is not what it was before", text, one.name),
            change.span);
        jump(fine);
        place(back);
        emit(Op::IfIsNot, starting(variable), yes, fine);
        only_a_run_tells(
            fmt::format("whether `{}` can be done right after {} is back, when pods only begin to "
                        "start and nothing has waited for them",
                        text, one.name),
            change.span);
        place(fine);
    }
}

}  // namespace migc::prove
