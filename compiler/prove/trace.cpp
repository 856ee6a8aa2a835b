#include "compiler/prove/trace.hpp"

#include <map>

#include <fmt/format.h>

#include "compiler/prove/execute.hpp"

namespace migc::prove {
namespace {

class Teller {
  public:
    Teller(System& system, const Schedule& schedule, Budget budget)
        : system_(system),
          schedule_(schedule),
          budget_(budget),
          registers_(beginning(system, schedule.variation)) {}

    Trace tell() {
        if (schedule_.variation >= 0)
            story_.given.push_back(system_.variations[static_cast<std::size_t>(schedule_.variation)].text);
        const Stop stop = execute(system_.code, system_.returns, 0, registers_.data(), system_.values, *this);
        end(system_.endings[stop.number]);
        return std::move(story_);
    }

    std::uint32_t choose(std::uint32_t number) {
        const Choice& choice = system_.choices[number];
        const bool stops = !choice.fault || budget_.allows(choice);
        const std::uint32_t option =
            stops && next_ < schedule_.decisions.size() ? schedule_.decisions[next_] : 0;
        next_ += stops ? 1 : 0;
        const bool fault = choice.fault && option > 0;
        if (fault) budget_ = budget_.without(choice);
        const Option& chosen = choice.options[option];
        if (fault || (!choice.fault && chosen.remark)) {
            const bool last = !story_.lines.empty() && story_.lines.back().text == choice.text &&
                              story_.lines.back().happens.empty() && story_.lines.back().results.empty();
            if (!last) story_.lines.push_back({Line::Kind::Step, choice.text, choice.span, {}, {}, false});
            story_.lines.back().happens = chosen.text;
            story_.lines.back().fault = fault;
        }
        return chosen.target;
    }

    void carried(std::uint64_t) const {}

    void say(std::uint32_t number) {
        const Remark& remark = system_.remarks[number];
        if (remark.kind != Line::Kind::Result)
            return story_.lines.push_back({remark.kind, remark.text, remark.span, {}, {}, false});
        const ValueId value = registers_[remark.value];
        remember(remark, value);
        if (!story_.lines.empty())
            story_.lines.back().results.push_back(fmt::format(
                "{} is {}", remark.value_text, system_.values.show(value, system_.start[remark.value])));
    }

  private:
    // Whose work it is that something is not as it was: the last step that changed it, but for those whose
    // undo has brought it back.
    void remember(const Remark& remark, ValueId value) {
        std::vector<Span>& steps = changed_by_[remark.value];
        if (remark.span.empty()) return;
        std::erase(steps, remark.span);
        if (!remark.undoes || value != registers_[remark.before]) steps.push_back(remark.span);
    }

    void end(const Ending& ending) {
        story_.ending = ending;
        for (const Variable& variable : system_.variables) {
            const ValueId now = registers_[variable.now], was = registers_[variable.origins.back()];
            if (now == was) continue;
            const auto steps = changed_by_.find(variable.now);
            const bool known = steps != changed_by_.end() && !steps->second.empty();
            const ValueId own = system_.start[variable.now];
            story_.differences.push_back({variable.name, variable.environment, system_.values.show(now, own),
                                          system_.values.show(was, own),
                                          known ? steps->second.back() : variable.span});
        }
    }

    System& system_;
    const Schedule& schedule_;
    Budget budget_;
    std::vector<ValueId> registers_;
    std::size_t next_ = 0;
    std::map<Register, std::vector<Span>> changed_by_;  // steps of the script, the last one last
    Trace story_;
};

}  // namespace

Trace tell(System& system, const Schedule& schedule, Budget budget) {
    return Teller(system, schedule, budget).tell();
}

}  // namespace migc::prove
