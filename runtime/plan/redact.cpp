
#include "runtime/plan/plan.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline plans {
namespace {

using nlohmann::json;

// Each structure is taken apart into all of its members: what is added to one does not compile until it is
// here, too.
struct Concealer {
    template <typename... Parts>
    static void all(Parts&... parts) {
        (hide(parts), ...);
    }

    static void hide(std::string& text) { text = secrets().apply(std::move(text)); }
    static void hide(json& value) { value = secrets().apply(value); }
    static void hide(Value& value) { value = migc::from_json(secrets().apply(migc::to_json(value))); }

    template <typename T>
    static void hide(std::optional<T>& part) {
        if (part) hide(*part);
    }
    template <typename T>
    static void hide(std::vector<T>& parts) {
        for (T& part : parts) hide(part);
    }
    template <typename A, typename B>
    static void hide(std::pair<A, B>& pair) {
        all(pair.first, pair.second);
    }
    template <typename T>
    static void hide(std::map<std::string, T>& parts) {
        std::map<std::string, T> hidden;
        for (auto& [name, part] : parts) {
            std::string shown = name;
            all(shown, part);
            hidden.insert_or_assign(std::move(shown), std::move(part));
        }
        parts = std::move(hidden);
    }

    static void hide(PlannedCommand& command) {
        auto& [argv, object] = command;
        all(argv, object);
    }
    static void hide(Preview& preview) {
        auto& [text, commands] = preview;
        all(text, commands);
    }
    static void hide(PlanValue& value) {
        auto& [text, kind] = value;
        hide(text);
    }
    static void hide(PlanEffect& effect) {
        auto& [probe, before, after, fields, was] = effect;
        all(probe, before, after, fields, was);
    }
    static void hide(PlanUndo& undo) {
        auto& [kind, text] = undo;
        hide(text);
    }
    static void hide(PlanAction& action) {
        auto& [command, layer, effects, already, undo_commands] = action;
        all(command, layer, effects, undo_commands);
    }
    static void hide(PlanStep& step) {
        auto& [number, kind, text, problems, needs, known, when, limit, captures, kept, action, undo, seen,
               objects] = step;
        all(number, text, problems, needs, known, when, limit, captures, kept, action, undo, seen, objects);
    }
    static void hide(PlanGate& gate) {
        auto& [text, open, why, known] = gate;
        all(text, why, known);
    }
    static void hide(PlanWindow& one) {
        auto& [window, last_safe_start] = one;
        all(window, last_safe_start);
    }
    static void hide(semantics::Times& times) {
        auto& [steps, soaks, soaks_between, undo, no_return] = times;
        hide(no_return);
    }
    static void hide(PlanStage& stage) {
        auto& [name, environment, context, name_space, gates, steps, on_failure, times, windows] = stage;
        all(name, environment, context, name_space, gates, steps, on_failure, times, windows);
    }
    static void hide(PlanLet& let) {
        auto& [name, value] = let;
        all(name, value);
    }
    static void hide(PlanDigests& digests) {
        auto& [change, run, parts] = digests;
        all(change, run, parts);
    }
};

}  // namespace

void redact(Plan& plan) {
    if (!secrets().any()) return;
    // What is affected is in the script, not in the world.
    auto& [title, properties, mode, digests, emergency, lets, problems, open, stages, affected] = plan;
    Concealer::all(title, properties, mode, digests, emergency, lets, problems, open, stages);
}

}  // namespace migc::runtime::inline plans
