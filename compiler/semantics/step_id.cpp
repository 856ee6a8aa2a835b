#include "compiler/semantics/step_id.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace migc::semantics {
namespace {

// The numbers of an id after its stage, a loop's turn as a negative one.
std::vector<int> places(const StepId& id) {
    const std::string& text = id.text();
    std::vector<int> result;
    for (std::size_t at = std::min(text.find('/'), text.size()); at < text.size(); ++at) {
        int number = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
        if (error != std::errc()) continue;
        result.push_back(text[at - 1] == '[' ? -number : number);
        at = static_cast<std::size_t>(end - text.data());
    }
    return result;
}

const ir::Step* nth(const std::vector<ir::Step>& steps, int number) {
    if (number < 1 || static_cast<std::size_t>(number) > steps.size()) return nullptr;
    return &steps[static_cast<std::size_t>(number) - 1];
}

const ir::Step* child_of(const ir::Program& program, const ir::Step& step, int number) {
    if (step.kind == ir::StepKind::Call)
        return step.verb < program.verbs.size() ? nth(program.verbs[step.verb].steps, number) : nullptr;
    const int body = static_cast<int>(step.body.size());
    return number <= body ? nth(step.body, number) : nth(step.otherwise, number - body);
}

}  // namespace

StepId StepId::child(const std::string& name) const {
    return StepId(text_ + (text_.ends_with('/') ? "" : ".") + name);
}

bool StepId::is_inside(const StepId& outer) const {
    const std::size_t size = outer.text_.size();
    return text_.size() > size && text_.starts_with(outer.text_) &&
           (text_[size] == '.' || text_[size] == '[');
}

bool earlier(const StepId& step, const StepId& other) {
    const auto absolute_less = [](int a, int b) { return std::abs(a) < std::abs(b); };
    const auto a = places(step), b = places(other);
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), absolute_less);
}

const ir::Stage& stage_with_steps(const ir::Program& program, const ir::Stage& stage) {
    const ir::Stage* repeated = stage.repeats ? program.stage(*stage.repeats) : nullptr;
    return repeated != nullptr ? *repeated : stage;
}

const ir::Step* find_step(const ir::Program& program, const StepId& id) {
    const ir::Stage* stage = program.stage(id.stage());
    if (stage == nullptr) return nullptr;
    const ir::Step* step = nullptr;
    for (const int number : places(id)) {
        if (number < 0) continue;  // which turn of a loop it was does not change the step
        step = step == nullptr ? nth(stage_with_steps(program, *stage).steps, number)
                               : child_of(program, *step, number);
        if (step == nullptr) return nullptr;
    }
    return step;
}

void to_json(nlohmann::json& json, const StepId& id) {
    json = id.text();
}

void from_json(const nlohmann::json& json, StepId& id) {
    id = StepId(json.get<std::string>());
}

}  // namespace migc::semantics
