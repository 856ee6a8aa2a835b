// What a script states must be about something that the script does.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/ir/compare.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/support/find.hpp"

namespace migc::checks {
namespace {

// A probe, and what it is asked about as far as that is written.
struct Question {
    std::uint32_t probe = 0;
    std::vector<std::optional<Value>> arguments, role;
};
using Arguments = std::map<std::string, std::optional<Value>>;  // by name

std::optional<Value> known(const ir::Expr& expression, const Arguments& names) {
    const auto value = semantics::known_value(expression, [&](const ir::Expr& leaf) {
        const auto found = leaf.kind == ir::ExprKind::Local ? names.find(leaf.name) : names.end();
        return found == names.end() ? std::nullopt : found->second;
    });
    return value && value->is_absent() ? std::nullopt : value;
}

bool same(const Question& a, const Question& b) {
    const auto alike = [](const std::optional<Value>& one, const std::optional<Value>& other) {
        return one.has_value() == other.has_value() && (!one || equal(*one, *other));
    };
    return a.probe == b.probe &&
           std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(), alike);
}

// The probes that an expression asks, and what they are computed from, come up to, or look back at.
void add_asked(const ir::Program& program, const ir::Expr& expression, const Arguments& names,
               std::vector<Question>& found) {
    constexpr std::size_t most = 1'000;  // what asks for itself is refused elsewhere
    for (const ir::Expr& child : expression.children) add_asked(program, child, names, found);
    if (expression.kind != ir::ExprKind::Probe || found.size() >= most) return;
    const ir::Probe& probe = program.probes[expression.declaration];
    Question asked{expression.declaration, {}, {}};
    Arguments inner;
    for (std::size_t i = 0; i < expression.children.size(); ++i) {
        auto given = known(expression.children[i], names);
        if (i < probe.parameters.size())
            inner[probe.parameters[i].name] = given = semantics::argument_value(
                probe.parameters[i], given, [&](const ir::Expr& other) { return known(other, inner); });
        asked.arguments.push_back(std::move(given));
    }
    if (std::ranges::any_of(found, [&](const Question& one) { return same(one, asked); })) return;
    for (const ir::Expr& argument : probe.role.arguments) asked.role.push_back(known(argument, inner));
    found.push_back(std::move(asked));
    if (probe.computed) add_asked(program, *probe.computed, inner, found);
    if (probe.converges) add_asked(program, *probe.converges, inner, found);
    if (probe.read && probe.read->arguments) add_asked(program, *probe.read->arguments, inner, found);
}

// Only of resources of the same kind it is known that two names are two things.
bool differ(const Resources& resources, const std::optional<Value>& a, const std::optional<Value>& b) {
    const auto* one = a ? a->get_if<ResourceRef>() : nullptr;
    const auto* other = b ? b->get_if<ResourceRef>() : nullptr;
    return one != nullptr && other != nullptr && one->type == other->type &&
           resources.thing(*one) != resources.thing(*other);
}

// Whether steps may change what a question is about, as far as roles and manifests tell: the same field of
// the same thing, or something that it depends on.
class Subject {
  public:
    Subject(const CheckContext& picture, const Question& asked)
        : picture_(picture),
          asked_(asked),
          probe_(picture.program.probes[asked.probe]),
          things_(picture.resources.things_of(probe_, asked.arguments, asked.role)),
          pointer_(field_of(probe_, asked.role)) {}

    [[nodiscard]] bool may_change_by(const Event& event) const {
        if (!event.is_change()) return false;
        // What a program does nobody has declared.
        return event.effects.empty() || std::ranges::any_of(telling_effects(event), [&](const Effect* one) {
                   return may_change_by(*one);
               });
    }

  private:
    [[nodiscard]] bool may_change_by(const Effect& effect) const {
        if (effect.probe == &probe_ && (!pointer_ || !effect.pointer)) return !differs(effect);
        return effect.thing.empty() || may_be_about(effect.thing) ||
               std::ranges::any_of(things_, [&](const ResourceKey& thing) { return depends(thing, effect); });
    }

    [[nodiscard]] bool differs(const Effect& effect) const {
        for (std::size_t i = 0; i < std::min(effect.arguments.size(), asked_.arguments.size()); ++i)
            if (differ(picture_.resources, effect.arguments[i], asked_.arguments[i])) return true;
        return false;
    }

    // Whether what only a run can name may be this thing.
    [[nodiscard]] bool may_be_about(const ResourceKey& thing) const {
        bool names_something = false;
        for (std::size_t i = 0; i < asked_.arguments.size() && i < probe_.parameters.size(); ++i) {
            const ir::Type& type = probe_.parameters[i].type;
            if (!names_a_thing(type)) continue;
            names_something = true;
            if (!asked_.arguments[i] && may_name(type, thing)) return true;
        }
        return things_.empty() && !names_something && is_live(thing);
    }

    static bool names_a_thing(const ir::Type& type) {
        return type.kind == ir::TypeKind::Resource || type.kind == ir::TypeKind::List ||
               type.kind == ir::TypeKind::Path;
    }

    [[nodiscard]] bool may_name(const ir::Type& type, const ResourceKey& thing) const {
        if (type.kind == ir::TypeKind::List) return type.element == nullptr || may_name(*type.element, thing);
        if (type.kind == ir::TypeKind::Path) return thing.of == ResourceKey::Of::File;
        const auto* resource = first_of(picture_.program.resource_types,
                                        [&](const auto& one) { return one.name == type.resource; });
        const auto kind = resource == nullptr ? ResourceKey() : ResourceKey::object(resource->written_as);
        // A workload is of several kinds, and other resources are of the one that they are written as.
        return !is_live(thing) ? false
                               : kind.type().empty() || thing.is(kind.type()) ||
                                     (is_workload(kind) && is_workload(thing));
    }

    [[nodiscard]] bool depends(const ResourceKey& thing, const Effect& effect) const {
        if (thing == effect.thing)
            return !pointer_ || !effect.pointer || share_field(*pointer_, *effect.pointer) ||
                   (is_autoscaling(effect) && is_count_of_pods(*pointer_));
        if (thing.of == ResourceKey::Of::Url) return is_live(effect.thing);
        const auto& manifests = picture_.manifests;
        if (thing.is("service"))
            return !pointer_ && is_workload(effect.thing) && may_select(thing, effect.thing);
        if (!is_workload(thing)) return false;
        if (effect.thing.is("horizontalpodautoscaler"))
            return among(manifests.autoscalers(thing), effect.thing) || !is_declared(effect.thing);
        return !pointer_ && effect.thing.is_configuration() && among(manifests.readers(effect.thing), thing);
    }

    [[nodiscard]] bool may_select(const ResourceKey& service, const ResourceKey& workload) const {
        const auto& declared = picture_.manifests.declaring(workload);
        return declared.empty() || !is_declared(service) ||
               std::ranges::any_of(declared, [&](const Object* one) {
                   return among(picture_.manifests.services(*one), service);
               });
    }

    [[nodiscard]] bool is_declared(const ResourceKey& thing) const {
        return !picture_.manifests.declaring(thing).empty();
    }
    static bool among(const Manifests::Objects& objects, const ResourceKey& thing) {
        return std::ranges::any_of(objects, [&](const Object* one) { return one->thing == thing; });
    }

    const CheckContext& picture_;
    const Question& asked_;
    const ir::Probe& probe_;
    std::set<ResourceKey> things_;
    std::optional<std::string> pointer_;
};

bool is_changed(const CheckContext& picture, const std::vector<Question>& asked) {
    std::vector<Subject> subjects;
    subjects.reserve(asked.size());
    for (const Question& one : asked) subjects.emplace_back(picture, one);
    bool found = false;
    for (const StageEvents& course : picture.timeline.courses())
        each_event(course, [&](const Event& event) {
            found = found || std::ranges::any_of(
                                 subjects, [&](const Subject& one) { return one.may_change_by(event); });
        });
    return found;
}

bool asks_for_order(const ir::Program& program, const std::vector<Question>& asked) {
    return std::ranges::any_of(asked, [&](const Question& one) {
        return program.probes[one.probe].role.role == ir::Role::Precedence;
    });
}

}  // namespace

void invariants(const CheckContext& picture, Diagnostics& diagnostics) {
    const ir::Program& program = picture.program;
    if (program.stages.empty()) return;
    for (const ir::Invariant& one : program.invariants) {
        std::vector<Question> asked;
        add_asked(program, one.condition, {}, asked);
        if (asks_for_order(program, asked) || is_changed(picture, asked)) continue;
        diagnostics
            .report(Code::InvariantUndecided, one.span,
                    fmt::format("no step of this script changes what `{}` speaks of", one.text))
            .notes.emplace_back(
                "so it says nothing about the script; while a stage runs, `throughout` watches "
                "what others change");
    }
}

}  // namespace migc::checks
