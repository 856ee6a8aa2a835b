#include "runtime/trial/drill.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "runtime/trial/process_pool.hpp"
#include "runtime/trial/trial.hpp"

namespace migc::trial {
namespace {

using runtime::FaultKind;

// Output of a tool may be anything.
std::string dumped(const nlohmann::json& json, int indent = -1) {
    return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add(Tally& tally, Tally more) {
    for (const auto& [end, count] : more.ends) tally.ends[end] += count;
    for (auto& [fault, ends] : more.ends_by_fault) tally.ends_by_fault[fault].merge(ends);
    tally.runs += more.runs;
    std::move(more.counterexamples.begin(), more.counterexamples.end(),
              std::back_inserter(tally.counterexamples));
}

std::string what_happened(const TrialPlan& plan) {
    std::vector<std::string> texts;
    for (const runtime::Fault& fault : plan.faults)
        texts.push_back(fmt::format("{}: {}{}", name(fault.kind), fault.text,
                                    fault.nth > 1 ? fmt::format(" #{}", fault.nth) : ""));
    if (plan.other) texts.push_back("somebody else: " + plan.other->text);
    if (plan.stop_after)
        texts.push_back(fmt::format("the operator stops after step {}, then `migc undo`", *plan.stop_after));
    if (plan.kill) texts.push_back(fmt::format("killed {}, then `migc resume`", plan.kill->text));
    return fmt::format("{}", fmt::join(texts, "; "));
}

class Drill {
  public:
    Drill(const DrillOptions& options, Script& script) : options_(options), script_(script) {}

    tl::expected<Tally, std::string> run() {
        if (const auto done = try_all(); !done) return tl::unexpected(done.error());
        return std::move(tally_);
    }

  private:
    using Done = tl::expected<void, std::string>;

    Done try_all() {
        if (auto made = make_copies(); !made) return made;
        auto plain = try_run(options_.session, script_, {}, copies_.front().get());
        if (!plain) return tl::unexpected(plain.error());
        if (plain->result.result != Outcome::Done)
            return tl::unexpected(fmt::format("without any fault the run is not done but {}: {}",
                                              word(plain->result.result), plain->result.message));
        if (options_.others) return with_others();
        tally_.commands = plain->changing.size();
        plain_ = plain->journaled;
        kill_everywhere(*plain);
        fault_each(*plain);
        for (std::size_t intents = 1; intents <= plain->intents; ++intents)
            later(TrialPlan{.stop_after = intents});
        return do_all();
    }

    static Done done(const tl::expected<Trial, std::string>& trial) {
        return trial ? Done{} : tl::unexpected(trial.error());
    }

    // Somebody else does each thing that they can do, around each command that changes something, in the run
    // and in its undo; and to each file of the project that a step edits.
    Done with_others() {
        auto plain = try_run(options_.session, script_, {.undo = true}, copies_.front().get());
        if (!plain) return tl::unexpected(plain.error());
        plain_trial_ = std::move(*plain);
        tally_.commands = plain_trial_.changing.size();
        for (const Changing& command : plain_trial_.changing)
            for (const runtime::Deed deed : runtime::deeds)
                for (const std::int64_t later_ms : {-1, 0, 20'000}) other_at(deed, command, later_ms);
        const nlohmann::json edited = files_edited();
        for (const auto& [path, digest] : edited.items())
            for (const runtime::Event& event : plain_trial_.events)
                if (const auto* call = event.as<runtime::events::Call>()) other_at_step(path, call->text);
        return do_all();
    }

    // `later_ms` below 0: before it.
    void other_at(runtime::Deed deed, const Changing& command, std::int64_t later_ms) {
        other_later({.deed = deed,
                     .after = later_ms >= 0,
                     .later_ms = std::max<std::int64_t>(later_ms, 0),
                     .command = command.text,
                     .nth = command.nth});
    }

    void other_at_step(const std::string& path, const std::string& text) {
        if (text.find(path) == std::string::npos) return;
        for (const runtime::Deed deed : {runtime::Deed::SetUnrelated, runtime::Deed::Delete})
            for (const bool after : {false, true})
                other_later(
                    {.deed = deed, .of = "file " + path, .after = after, .step = true, .command = text});
    }

    void other_later(runtime::Interference other) {
        other.text =
            fmt::format("{}{}{} {}{} {}{}", runtime::name(other.deed), other.of.empty() ? "" : " of ",
                        other.of, other.later_ms > 0 ? fmt::format("{}s ", other.later_ms / 1000) : "",
                        other.after ? "after" : "before", other.step ? "step " : "", other.command);
        if (other.nth > 1) other.text += fmt::format(" #{}", other.nth);
        later(TrialPlan{.other = std::move(other), .undo = true});
    }

    [[nodiscard]] nlohmann::json files_edited() const {
        auto result = nlohmann::json::object();
        for (const nlohmann::json& state : plain_trial_.ended)
            result.update(state.value("files", nlohmann::json::object()));
        return result;
    }

    // One of the project for each process that is at work at a time; a trial leaves it as it was.
    Done make_copies() {
        const std::filesystem::path root = script_.inventory.root;
        for (std::size_t i = 0; i < pool_size(); ++i) {
            auto copy = ScratchCopy::make(options_.session, script_);
            script_.inventory.root = root;
            if (!copy) return tl::unexpected(copy.error());
            copies_.push_back(std::move(*copy));
        }
        return {};
    }

    void later(std::function<Done()> work) {
        works_.emplace_back([this, work = std::move(work)](std::size_t place) {
            tally_ = {};
            place_ = place;
            const Done done = work();
            return dumped(done ? nlohmann::json(tally_) : nlohmann::json(done.error()));
        });
    }

    void later(TrialPlan plan) {
        later([this, plan = std::move(plan)] { return done(one(plan)); });
    }

    // Each has a process of its own: `tally_` is that process's.
    Done do_all() {
        std::string problem;
        const auto done = execute(works_, [&](const std::string& answer) {
            const auto json = nlohmann::json::parse(answer, nullptr, false);
            if (json.is_object()) return add(tally_, json.get<Tally>());
            if (problem.empty()) problem = json.is_string() ? json.get<std::string>() : "no answer";
        });
        if (!problem.empty()) return tl::unexpected(problem);
        return done;
    }

    tl::expected<Trial, std::string> one(const TrialPlan& plan) {
        auto trial = try_run(options_.session, script_, plan, copies_[place_].get());
        if (!trial) return trial;
        if (plan.other && !trial->interfered) return trial;  // it could not come about
        ++tally_.runs;
        const std::string before =
            trial->resumed  ? "killed, then "
            : trial->undone ? fmt::format("{}, then ", plan.undo ? word(trial->result.result) : "stopped")
                            : "";
        ++tally_.ends[fmt::format("{}{}", before, word(trial->last().result))];
        tally_.ends_by_fault[kind_of(plan)].insert(word(trial->last().result));
        if (auto why = plan.other ? hole_with_others(*trial, plain_trial_)
                                  : hole(*trial, script_.program, faults_in(plan)))
            tally_.counterexamples.push_back({what_happened(plan), *why, word(trial->last().result),
                                              differences(trial->origin(), trial->after)});
        return trial;
    }

    // Each changing command of the run that went well, made to go wrong.
    void fault_each(const Trial& plain) {
        for (std::size_t i = 0; i < plain.changing.size(); ++i)
            for (const runtime::Fault& fault : ways_at(plain, i))
                later([this, fault] { return fault_too({fault}); });
    }

    // A run with these faults, killed as well, and with one more fault behind the last.
    Done fault_too(const std::vector<runtime::Fault>& faults) {
        const auto trial = one({.faults = faults});
        if (!trial) return done(trial);
        if (auto killed = kill_before_told(faults, *trial); !killed) return killed;
        if (faults.size() >= options_.faults) return {};
        std::size_t first = 0;
        for (std::size_t i = 0; i < trial->changing.size(); ++i)
            if (is_of(faults.back(), trial->changing[i])) first = i + 1;
        for (std::size_t i = first; i < trial->changing.size(); ++i)
            for (const runtime::Fault& fault : ways_at(*trial, i)) {
                auto more = faults;
                more.push_back(fault);
                if (auto deeper = fault_too(more); !deeper) return deeper;
            }
        return {};
    }

    static std::size_t faults_in(const TrialPlan& plan) {
        return plan.faults.size() + (plan.stop_after ? 1 : 0) + (plan.kill ? 1 : 0);
    }

    // What went wrong, if it was one thing only.
    static std::string kind_of(const TrialPlan& plan) {
        if (faults_in(plan) > 1) return "several";
        if (plan.other) return "others";
        return plan.stop_after ? "stop" : plan.kill ? "kill" : std::string(name(plan.faults.front().kind));
    }

    static Kill kill_at(const std::vector<runtime::Event>& events, std::size_t at, bool written) {
        const auto* step = events[at].as<runtime::events::OfStep>();
        const std::string text = step == nullptr ? "" : step->text;
        return {at, written,
                fmt::format("{} {}", written ? "after the beginning of" : "before the outcome of", text)};
    }

    // Between what is written down and what is done, and between that and what is written down of it.
    void kill_everywhere(const Trial& plain) {
        for (std::size_t i = 0; i < plain.journaled.size(); ++i) {
            const bool begins = plain.journaled[i].kind() == runtime::EventKind::Intent;
            if (!begins && plain.journaled[i].kind() != runtime::EventKind::Outcome) continue;
            later(TrialPlan{.kill = kill_at(plain.journaled, i, begins)});
        }
    }

    // Once more with the faults, and killed before what they led to is written down: the run that goes on
    // must find out for itself.
    Done kill_before_told(const std::vector<runtime::Fault>& faults, const Trial& trial) {
        std::size_t at = 0;
        const auto same = [&](std::size_t i) {
            return plain_[i].kind() == trial.journaled[i].kind() &&
                   runtime::encode(plain_[i].body) == runtime::encode(trial.journaled[i].body);
        };
        while (at < plain_.size() && at < trial.journaled.size() && same(at)) ++at;
        if (at >= trial.journaled.size()) return {};
        return done(one({.faults = faults, .kill = kill_at(trial.journaled, at, false)}));
    }

    // What a step does over and over again (a soak asks from inside, by a pod of its own each time) goes
    // wrong the first time and the last.
    static std::vector<runtime::Fault> ways_at(const Trial& trial, std::size_t at) {
        const auto again = [&](const Changing& other) {
            return other.during == trial.changing[at].during && other.what == trial.changing[at].what;
        };
        const auto here = trial.changing.begin() + static_cast<std::ptrdiff_t>(at);
        const bool before = std::any_of(trial.changing.begin(), here, again);
        const bool after = std::any_of(here + 1, trial.changing.end(), again);
        return before && after ? std::vector<runtime::Fault>() : ways(*here);
    }

    // A command goes wrong, or what is read soon after it: by the step itself, or by a verification, whose
    // limit is mostly two minutes or five, so that it fails and the undo can see again.
    static std::vector<runtime::Fault> ways(const Changing& command) {
        std::vector<runtime::Fault> result;
        for (const auto kind : {FaultKind::FailBefore, FaultKind::FailAfter, FaultKind::TimeoutAfter,
                                FaultKind::Hang, FaultKind::Garbage})
            result.push_back({kind, command.text, command.nth, 0});
        for (const auto& [text, nth] : command.read_after)
            for (const std::int64_t outage_ms : {121'000, 301'000})
                result.push_back({FaultKind::Down, text, nth, outage_ms});
        return result;
    }

    static bool is_of(const runtime::Fault& fault, const Changing& command) {
        const auto same = [&](const auto& read) {
            return read.first == fault.text && read.second == fault.nth;
        };
        return (command.text == fault.text && command.nth == fault.nth) ||
               std::any_of(command.read_after.begin(), command.read_after.end(), same);
    }

    const DrillOptions& options_;
    Script& script_;
    Tally tally_;
    std::vector<runtime::Event> plain_;
    Trial plain_trial_;  // with its undo, when others act
    std::vector<Work> works_;
    std::vector<std::unique_ptr<ScratchCopy>> copies_;  // null where the script edits no files
    std::size_t place_ = 0;                             // of this process
};

}  // namespace

tl::expected<Tally, std::string> drill(const DrillOptions& options, Script& script) {
    // When a change may be made is not what is drilled.
    for (ir::Stage& stage : script.program.stages) stage.gates.clear();
    return Drill(options, script).run();
}

std::string as_json(const Tally& tally) {
    nlohmann::json report = tally;
    report["verdict"] = tally.counterexamples.empty() ? "survived" : "counterexample";
    return dumped(report, 1) + "\n";
}

}  // namespace migc::trial
