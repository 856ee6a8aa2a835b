// Which files the steps of a script name, as far as its text and the environment's values tell.
#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/known.hpp"
#include "compiler/semantics/step_id.hpp"
#include "runtime/review/inputs.hpp"

namespace migc::runtime::inline reviews {
namespace {

using ir::ExprKind;
using ir::TypeKind;
using Names = std::map<std::string, Value>;

// What messages go to, as migc.yaml names it.
constexpr std::string_view channel = "channel";
// Rounds within rounds, and verbs of verbs, make more steps of a few lines than anybody could wait for.
constexpr std::size_t most_steps = 200'000;

class PathSearch {
  public:
    PathSearch(const ir::Program& program, const StageEnvironment& environment)
        : program_(program), environment_(environment) {
        for (const ir::Step& let : program.lets)
            if (auto value = constant(*let.value, lets_)) lets_[let.name] = std::move(*value);
    }

    void search(const ir::Stage& stage) {
        const ir::Stage& definition = semantics::stage_with_steps(program_, stage);
        Names names = lets_;
        steps(program_.lets, names);
        for (const auto& requirement : program_.requirements) expression(requirement.condition, names);
        steps(stage.gates, names);
        steps(definition.steps, names);
        for (const auto* throughout : {&stage.throughout, &definition.throughout})
            if (*throughout) expression(**throughout, names);
        for (const auto* block : {&stage.on_failure, &definition.on_failure})
            if (*block) steps(**block, names);
    }

    NamedPaths take() {
        for (const std::string& path : left_out_) {
            found_.paths.erase(path);
            found_.composed.erase(path);
        }
        if (uses_terraform_ && !environment_.setting("terraform-dir").empty())
            found_.terraform.insert(environment_.setting("terraform-dir"));
        return std::move(found_);
    }

  private:
    // The value of an expression that does not depend on the world.
    std::optional<Value> constant(const ir::Expr& e, const Names& names) const {
        return semantics::known_value(e, [&](const ir::Expr& leaf) -> std::optional<Value> {
            if (leaf.kind == ExprKind::Local) return at(names, leaf.name);
            if (leaf.kind == ExprKind::Param) return at(environment_.parameters, leaf.name);
            if (leaf.kind != ExprKind::Setting || !environment_.settings.contains(leaf.name))
                return std::nullopt;
            return Value(environment_.setting(leaf.name));
        });
    }

    static std::optional<Value> at(const Names& values, const std::string& name) {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    }

    void add(const ir::Expr& e, const Names& names, bool is_input) {
        const auto value = constant(e, names);
        const auto* text = value ? value->get_if<std::string>() : nullptr;
        if (text == nullptr || text->empty()) return;
        (is_input ? found_.paths : left_out_).insert(*text);
        if (is_input && e.kind != ExprKind::Literal) found_.composed.insert(*text);
    }

    // What a slot of a phrase is given.
    void argument(const ir::Expr& given, const ir::Parameter& slot, const Names& names) {
        const auto known = constant(given, names);
        const bool is_default = known && semantics::is_left_out(slot, *known);
        const ir::Expr& e = is_default ? *slot.default_value : given;
        if (slot.type.kind == TypeKind::Path && e.type.kind != TypeKind::Path)
            add(e, names, !slot.type.written && !slot.type.secret);
        else if (slot.type.kind == TypeKind::Path && (slot.type.written || slot.type.secret))
            add(e, names, false);
        if (slot.type.resource == channel) add_channel(e, names);
        expression(e, names);
    }

    void expression(const ir::Expr& e, const Names& names) {
        if (e.type.kind == TypeKind::Path && !e.type.written && e.kind != ExprKind::Setting)
            add(e, names, true);
        if (e.kind == ExprKind::Probe) {
            const ir::Probe& probe = program_.probes.at(e.declaration);
            for (std::size_t i = 0; i < e.children.size() && i < probe.parameters.size(); ++i)
                argument(e.children[i], probe.parameters[i], names);
            return inside(probe, e, names);
        }
        for (const ir::Expr& child : e.children) expression(child, names);
    }

    Names bound(const std::vector<ir::Parameter>& slots, const std::vector<ir::Expr>& arguments,
                const Names& names) const {
        Names inner = lets_;
        for (std::size_t i = 0; i < slots.size() && i < arguments.size(); ++i)
            if (auto value =
                    semantics::argument_value(slots[i], constant(arguments[i], names),
                                              [&](const ir::Expr& other) { return constant(other, inner); }))
                inner[slots[i].name] = std::move(*value);
        return inner;
    }

    void inside(const ir::Probe& probe, const ir::Expr& e, const Names& names) {
        const Names inner = bound(probe.parameters, e.children, names);
        command(probe.read, inner);
        if (probe.computed) expression(*probe.computed, inner);
    }

    void inside(const ir::Verb& verb, const ir::Step& step, const Names& names) {
        Names inner = bound(verb.parameters, step.arguments, names);
        for (const ir::Expr& need : verb.needs) expression(need, inner);
        for (const ir::Capture& capture : verb.captures) expression(capture.value, inner);
        command(verb.action, inner);
        steps(verb.steps, inner);
    }

    void command(const std::optional<ir::Command>& declared, const Names& names) {
        if (!declared) return;
        const ir::Command& c = *declared;
        uses_terraform_ = uses_terraform_ || semantics::runs(declared, "terraform");
        add_tools(c);
        if (!c.arguments) return;
        expression(*c.arguments, names);
        if (semantics::runs(declared, "program")) program(*c.arguments, names);
    }

    // The program itself is the first word: `start program ["./gateway", "--port", "8080"]`.
    void program(const ir::Expr& arguments, const Names& names) {
        const ir::Expr& first = arguments.children.empty() ? arguments : arguments.children.front();
        const auto value = constant(first, names);
        const auto* words = value ? value->get_if<List>() : nullptr;
        const Value* word = words != nullptr && !words->empty() ? &words->front() : value ? &*value : nullptr;
        const auto* text = word != nullptr ? word->get_if<std::string>() : nullptr;
        if (text == nullptr || text->empty()) return;
        found_.programs.insert(*text);
        if (words != nullptr) found_.paths.insert(*text);
    }

    // What begins with curl asks from inside of the cluster only where the script says so: the rest of its
    // tools is not needed for sure.
    void add_tools(const ir::Command& c) {
        if (c.tool != "native") found_.tools.insert(c.tool);
        for (const std::string& tool : c.through) {
            found_.tools.insert(tool);
            if (tool == "curl" && tool == c.through.front()) break;
        }
    }

    void add_channel(const ir::Expr& given, const Names& names) {
        const auto target = constant(given, names);
        if (target && !target->is_absent()) found_.channels.insert(show(*target));
    }

    void steps(const std::vector<ir::Step>& list, Names& names) {
        for (const ir::Step& one : list) {
            if (!found_.complete) return;
            step(one, names);
        }
    }

    void step(const ir::Step& one, Names& names) {
        found_.complete = ++steps_seen_ <= most_steps;
        if (!found_.complete) return;
        for (const auto* part : {&one.condition, &one.value})
            if (*part) expression(**part, names);
        if (one.kind == ir::StepKind::Call) call(one, names);
        if (one.kind == ir::StepKind::Let)
            if (auto value = constant(*one.value, names)) names[one.name] = std::move(*value);
        if (one.kind == ir::StepKind::For) return loop(one, names);
        Names body = names, otherwise = names;
        steps(one.body, body);
        steps(one.otherwise, otherwise);
    }

    void call(const ir::Step& one, Names& names) {
        const ir::Verb& verb = program_.verbs.at(one.verb);
        for (std::size_t i = 0; i < one.arguments.size() && i < verb.parameters.size(); ++i)
            argument(one.arguments[i], verb.parameters[i], names);
        inside(verb, one, names);
        if (one.undo) {
            Names undo = names;
            steps(one.undo->steps, undo);
        }
    }

    void loop(const ir::Step& one, const Names& names) {
        const auto value = constant(*one.value, names);
        const auto* items = value ? value->get_if<List>() : nullptr;
        const List none = {Value()};
        for (const Value& item : items != nullptr ? *items : none) {
            if (!found_.complete) return;
            Names body = names;
            if (items != nullptr) body[one.name] = item;
            steps(one.body, body);
        }
    }

    const ir::Program& program_;
    const StageEnvironment& environment_;
    Names lets_;
    NamedPaths found_;
    std::set<std::string> left_out_;
    std::size_t steps_seen_ = 0;
    bool uses_terraform_ = false;
};

}  // namespace

NamedPaths named_paths(const ir::Program& program, const std::vector<BoundStage>& stages) {
    NamedPaths all;
    for (const BoundStage& bound : stages) {
        PathSearch search(program, *bound.environment);
        search.search(*bound.stage);
        all.merge(search.take());
    }
    return all;
}

void NamedPaths::merge(NamedPaths other) {
    paths.merge(other.paths);
    terraform.merge(other.terraform);
    composed.merge(other.composed);
    tools.merge(other.tools);
    programs.merge(other.programs);
    channels.merge(other.channels);
    complete = complete && other.complete;
}

}  // namespace migc::runtime::inline reviews
