// What the steps of a stage expand to, in order: composite verbs, loops over known lists, both ways of an
// `if`, and undos that somebody wrote.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "compiler/checks/edited_files.hpp"
#include "compiler/checks/resources.hpp"
#include "compiler/checks/timeline.hpp"
#include "compiler/checks/values.hpp"
#include "compiler/semantics/walk.hpp"

namespace migc::checks {

class Expansion {
  public:
    // What all stages have in common.
    struct Ground {
        const ir::Program& program;
        Resources& resources;
        EditedFiles& files;
        std::deque<Branch>& branches;
        std::function<bool(Span)> is_own;  // of the script's own, and not of the standard library
    };

    // `course` is that of the values' stage, and gets the undos that somebody wrote.
    Expansion(const Ground& ground, Values& values, Course& course)
        : ground_(ground), program_(ground.program), values_(values), course_(course) {}

    // Of the script's top level: its names are known from then on.
    std::vector<Event> lets();
    // Of the stage's own steps, which are done unless a run fails.
    std::vector<Event> forward(const std::vector<ir::Step>& steps);
    // Of steps that are done only then, if at all.
    std::vector<Event> aside(const std::vector<ir::Step>& steps) { return aside(steps, values_.top, false); }
    // Of looking at a condition all the time.
    std::vector<Event> watched(const ir::Expr& condition, const ir::Step& place);

  private:
    friend struct semantics::Walk;

    // Events that come one after the other.
    struct Sequence {
        std::vector<Event> events;
        bool forward = false;
        std::set<std::string> edited;  // aside: the files that these steps edit, whose content nobody knows
        std::size_t begun = 0;         // where the step of the script that is gone through begins
    };
    // Where a step stands.
    struct Place {
        Sequence& in;
        const ir::Step* step = nullptr;     // that the script has
        const ir::Verb* part_of = nullptr;  // the composite verb that it calls
        const ir::Undo* undo = nullptr;     // the outermost that was written for it
        const Branch* branch = nullptr;
        bool conditional = false, beside = false;
    };

    std::vector<Event> aside(const std::vector<ir::Step>& steps, const Names& outer, bool beside);
    void walk(const std::vector<ir::Step>& steps, Names& names, const Place& place);
    void one(const ir::Step& step, Names& names, Place place);
    [[nodiscard]] bool is_enough(const Names& names, const Place& place) const;
    Event& add(Act act, const ir::Step& step, const Place& place);

    void call(const ir::Step& step, Names& names, const Place& place);
    void let(const ir::Step& step, Names& names, const Place& place);
    void verify(const ir::Step& step, const Names& names, const Place& place);
    void soak(const ir::Step& step, const Names& names, const Place& place);
    void choose(const ir::Step& step, const Names& names, const Place& place);
    void loop(const ir::Step& step, const Names& names, const Place& place);
    void parallel(const ir::Step& step, const Names& names, const Place& place);
    [[nodiscard]] Place arm(const ir::Step& step, const Place& place, std::size_t visit, std::size_t number);

    Known composite(const ir::Verb& verb, Names& parameters, Place place);
    Known act(const ir::Verb& verb, const ir::Step& step, Names& parameters, const Names& names,
              const Place& place);
    void capture(const ir::Verb& verb, Names& parameters) const;
    void own_undo(const ir::Verb& verb, const ir::Step& step, std::size_t begin, const Names& parameters,
                  const Names& names, const Place& place);
    void add_effect(Event& event, const ir::Effect& effect, const Names& names) const;
    void edit(Event& event, const Place& place) const;
    void apply(Event& event, const Place& place) const;

    void look(Event& event, const ir::Step& step, const Names& names) const;
    void look_at(Event& event, const ir::Expr& expression, const Names& names) const;
    [[nodiscard]] bool asks(const ir::Expr& expression) const;

    const Ground& ground_;
    const ir::Program& program_;
    Values& values_;
    Course& course_;
    std::size_t rounds_ = 0, spent_ = 0, plans_ = 0, undos_by_verb_ = 0;
};

}  // namespace migc::checks
