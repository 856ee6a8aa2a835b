// What is changed is looked at: by a verify or a soak after it, at the thing itself or at the whole.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "compiler/checks/behind.hpp"
#include "compiler/checks/checks.hpp"
#include "compiler/checks/routes.hpp"
#include "compiler/checks/ways.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

// A look at files only says nothing of what runs.
bool is_look(const Event& event) {
    return event.is_look() && (event.everything || touches_live(event));
}

// Whether it changes something that a person would look at afterwards. A file of the project or an image is
// looked at where it is used; what nobody has to undo leaves nothing to look at.
bool is_to_be_verified(const Event& event) {
    if (!event.is_change()) return false;
    const bool is_said = &way_back(event) != &event.verb->undo;
    if (is_said && way_back(event).kind == ir::UndoKind::None) return false;
    return event.things.empty() || touches_live(event);
}

// Which ways through a stage meet a look, seen from its end.
class Coverage {
  public:
    // Goes back to an event: what is in a `parallel` that it is no part of comes after it.
    void back_to(const Event& event) {
        while (!open_.empty() && !within(event.branch, open_.back()->visit)) {
            const Branch* outer = open_.back()->outer;
            open_.pop_back();
            add(outer);
        }
    }

    void add(const Branch* branch) {
        if (branch == nullptr) return ways_.take_all();
        const bool on_both = ways_.take(*branch);
        if (branch->parallel())
            open_.push_back(branch);
        else if (on_both)
            add(branch->outer);
    }

    // Whether a look follows whenever something on this way was done.
    [[nodiscard]] bool covers(const Branch* branch) const { return ways_.cover(branch); }

  private:
    static bool within(const Branch* branch, std::size_t visit) {
        for (; branch != nullptr; branch = branch->outer)
            if (branch->visit == visit) return true;
        return false;
    }

    Ways ways_;
    std::vector<const Branch*> open_;
};

void never_verified(const StageEvents& course, Diagnostics& diagnostics) {
    Coverage coverage;
    const Event* first = nullptr;
    bool any_look = false, looked_later = false;
    for (auto event = course.forward.rbegin(); event != course.forward.rend(); ++event) {
        coverage.back_to(*event);
        if (is_look(*event)) {
            coverage.add(event->branch);
            any_look = true;
        }
        if (!is_to_be_verified(*event) || coverage.covers(event->branch)) continue;
        first = &*event;
        looked_later = any_look;
    }
    if (first == nullptr) return;
    auto& d = diagnostics.report(Code::NotVerified, first->step->span,
                                 fmt::format("nothing verifies `{}`", first->step->text));
    d.primary_label = looked_later ? "a `verify` or `soak` follows it in some cases only"
                                   : "no `verify` or `soak` follows it";
    d.note(fmt::format("`{}` would be called done although nobody has seen that {} still works",
                       course.stage->name, course.stage->environment));
    d.note("add a `verify` behind it: `verify pods ready;`, or what its users would see");
}

// What later looks see, from the end of a stage on.
class Seen {
  public:
    Seen(const CheckContext& picture, const StageEvents& course, Behind& behind)
        : picture_(picture), course_(course), behind_(behind) {}

    void add(const Event& look) {
        first_ = &look;
        everything_ = everything_ || look.everything;
        if (look.condition != nullptr) words_.push_back(picture_.sources.text(look.condition->span));
        for (const ResourceKey& thing : look.things) {
            if (!things_.insert(thing).second) continue;
            if (thing.is("service")) service(thing);
            if (thing.of == ResourceKey::Of::Url) address(thing.name());
        }
    }

    [[nodiscard]] const Event* first() const { return first_; }
    [[nodiscard]] bool sees(const ResourceKey& thing) const {
        if (everything_ || things_.contains(thing)) return true;
        for (const Object* object : picture_.manifests.declaring(thing))
            for (const Object* service : picture_.manifests.services(*object))
                if (things_.contains(service->thing)) return true;
        return (any_service_ && behind_.can_be_asked(thing, course_)) || mentions(thing);
    }
    // Where the addresses lead that do not lead to a thing: for a note.
    [[nodiscard]] const std::map<std::string, Answering>& addresses() const { return addresses_; }

  private:
    // One that no manifest declares may select anything.
    void service(const ResourceKey& thing) {
        if (picture_.manifests.declaring(thing).empty()) everything_ = true;
    }

    void address(const std::string& address) {
        const Answering& answering = behind_.at(address, course_);
        things_.insert(answering.things.begin(), answering.things.end());
        any_service_ = any_service_ || answering.perhaps_others;
        addresses_.emplace(address, answering);
    }

    // `json of "https://shop.example.com/health" at "/checks/worker"`.
    [[nodiscard]] bool mentions(const ResourceKey& thing) const {
        const auto has = [&](const std::string& name) {
            return std::ranges::any_of(words_,
                                       [&](std::string_view text) { return has_word(text, name, ""); });
        };
        return !addresses_.empty() &&
               (has(thing.name()) || std::ranges::any_of(picture_.inventory.workloads, [&](const auto& one) {
                    return ResourceKey::object(one.second) == thing && has(one.first);
                }));
    }

    const CheckContext& picture_;
    const StageEvents& course_;
    Behind& behind_;
    const Event* first_ = nullptr;
    bool everything_ = false, any_service_ = false;
    std::set<ResourceKey> things_;
    std::map<std::string, Answering> addresses_;
    std::vector<std::string_view> words_;  // of the conditions
};

// Whose addresses those are that a look asks.
void explain_addresses(const Seen& seen, const Event& look, const ResourceKey& changed, Diagnostic& d) {
    for (const ResourceKey& thing : look.things) {
        const auto found = seen.addresses().find(thing.name());
        if (thing.of != ResourceKey::Of::Url || found == seen.addresses().end()) continue;
        const Answering& answering = found->second;
        if (!answering.service.empty())
            d.note(fmt::format("`{}` answers at `{}`", answering.service, answering.host));
        else if (answering.perhaps_others)
            d.note(
                fmt::format("no service selects the pods of {}, so that no request reaches them", changed));
        if (answering.service.empty() && !answering.host.empty())
            d.note(fmt::format("if it is its address, say so in migc.yaml: `services: {{ {}: {} }}`",
                               answering.host, changed));
    }
}

// The workloads that a service leads to from each event on that leads it elsewhere.
std::map<const Event*, std::set<ResourceKey>> led_elsewhere(const CheckContext& picture,
                                                            const StageEvents& course) {
    std::map<const Event*, std::set<ResourceKey>> found;
    const auto is_selector = [](const Effect& one) { return one.pointer == "/spec/selector"; };
    const auto is_switch = [&](const Event& event) {
        return event.is_change() && event.things.size() == 1 && event.things.begin()->is("service") &&
               std::ranges::any_of(event.effects, is_selector);
    };
    if (std::ranges::none_of(course.forward, is_switch)) return found;
    Routes routes(picture, course);
    for (const Event& event : course.forward) {
        routes.take(event);
        if (!is_switch(event)) continue;
        if (auto led = routes.led_to(*event.things.begin()); !led.empty()) found[&event] = std::move(led);
    }
    return found;
}

void elsewhere_verified(const CheckContext& picture, const StageEvents& course, Behind& behind,
                        Diagnostics& diagnostics) {
    Seen seen(picture, course, behind);
    const auto switches = led_elsewhere(picture, course);
    std::map<const ir::Step*, std::pair<const Event*, const Event*>> found;  // the change, and the look
    for (auto event = course.forward.rbegin(); event != course.forward.rend(); ++event) {
        if (is_look(*event)) seen.add(*event);
        if (!is_to_be_verified(*event) || event->things.size() != 1 || seen.first() == nullptr) continue;
        const ResourceKey& thing = *event->things.begin();
        if (is_workload(thing) && !seen.sees(thing)) found[event->inner] = {&*event, seen.first()};
        if (const auto led = switches.find(&*event); led != switches.end() && !seen.sees(thing)) {
            const auto is_seen = [&](const ResourceKey& one) { return seen.sees(one); };
            if (std::ranges::none_of(led->second, is_seen)) found[event->inner] = {&*event, seen.first()};
        }
    }
    for (const auto& [step, both] : found) {
        const auto& [change, look] = both;
        const ResourceKey& thing = *change->things.begin();
        auto& d =
            diagnostics.report(Code::VerifiedElsewhere, look->step->span,
                               fmt::format("this looks at something else than what was changed: {}", thing));
        d.label(change->step->span, fmt::format("changes {}, and nothing looks at it", thing));
        d.note(fmt::format("if {} does not come up, the stage passes all the same", thing));
        explain_addresses(seen, *look, thing, d);
    }
}

// `let r = restarts of webapi; soak 1h while r is 0;`
bool is_frozen(const Event& event) {
    return event.act == EventKind::Soak && event.condition != nullptr && event.part_of == nullptr &&
           !semantics::asks_probe(*event.condition);
}

void frozen(const CheckContext& picture, const Event& soak, std::set<const ir::Expr*>& told,
            Diagnostics& diagnostics) {
    if (!picture.timeline.is_own(soak.condition->span) || !told.insert(soak.condition).second) return;
    auto& d = diagnostics.report(Code::TolerantCheck, soak.condition->span,
                                 "this is the same from the first moment to the last");
    d.primary_label = "asks nothing";
    d.note(
        "a name stands for what was read once, so that the soak watches nothing: ask in the soak itself, "
        "`soak 1h while restarts of WORKLOAD is 0;`");
}

// Conditions that hold whatever happens, each time that a step comes to them. One of the standard library is
// not the script's to mend; one that was handed to it is.
class Tolerant : ScriptCheck {
  public:
    Tolerant(const CheckContext& picture, Diagnostics& diagnostics) : ScriptCheck(picture, diagnostics) {
        for (const StageEvents& course : picture.timeline.courses())
            for (const auto* events : {&course.gates, &course.throughout, &course.forward, &course.failure})
                for (const Event& event : *events)
                    if (event.condition != nullptr && !event.always) can_fail_.insert(event.condition);
    }

    void check(const Events& events) {
        for (const Event& event : events) {
            const bool asks = event.is_look() || event.act == EventKind::Gate;
            if (!asks || event.condition == nullptr) continue;
            if (!can_fail_.contains(event.condition))
                always(event);
            else if (is_frozen(event))
                frozen(picture_, event, told_, diagnostics_);
        }
    }

  private:
    void always(const Event& event) {
        if (!picture_.timeline.is_own(event.condition->span) || !told_.insert(event.condition).second) return;
        auto& d =
            diagnostics_.report(Code::TolerantCheck, event.condition->span, "this holds whatever happens");
        if (event.act == EventKind::Gate)
            d.note(
                "the gate is open whatever state the system is in: ask what must be so before the stage begins");
        else
            d.note(fmt::format("the {} would pass on a system that is down",
                               event.act == EventKind::Soak ? "soak" : "verification"));
    }

    std::set<const ir::Expr*> can_fail_, told_;
};

}  // namespace

void verification(const CheckContext& picture, Diagnostics& diagnostics) {
    Tolerant tolerant(picture, diagnostics);
    Behind behind(picture);
    for (const StageEvents& course : picture.timeline.courses()) {
        tolerant.check(course.gates);
        if (has_own_failure_block(picture.program, *course.stage)) tolerant.check(course.failure);
        if (course.stage->repeats) continue;
        tolerant.check(course.throughout);
        tolerant.check(course.forward);
        never_verified(course, diagnostics);
        elsewhere_verified(picture, course, behind, diagnostics);
    }
}

}  // namespace migc::checks
