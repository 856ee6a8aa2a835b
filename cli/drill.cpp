// migc drill: the real engine in a simulated world, with everything that can go wrong.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/proof.hpp"
#include "cli/trial.hpp"

namespace migc::cli {
namespace {

struct Options {
    std::string script;
    unsigned faults = 1;
    SessionOptions session;
};

constexpr int survived = 0, found_hole = 1, could_not = 2;

constexpr std::array<std::pair<runtime::FaultKind, const char*>, 5> kinds = {{
    {runtime::FaultKind::FailBefore, "fail-before"},
    {runtime::FaultKind::FailAfter, "fail-after"},
    {runtime::FaultKind::TimeoutAfter, "timeout-after"},
    {runtime::FaultKind::Hang, "hang"},
    {runtime::FaultKind::Garbage, "garbage"},
}};

std::string_view name(runtime::FaultKind kind) {
    for (const auto& [known, text] : kinds)
        if (known == kind) return text;
    return "down";
}

// One way in which a run went: what was done to it, and how it ended.
struct Case {
    TrialPlan plan;
    Trial trial;
    std::optional<std::string> hole;
};

class Drill {
  public:
    Drill(const Options& options, Script& script) : options_(options), script_(script) {}

    // The error: it could not be begun.
    tl::expected<void, std::string> run() {
        auto plain = try_run(options_.session, script_, {});
        if (!plain) return tl::unexpected(plain.error());
        if (plain->result.result != "done")
            return tl::unexpected(fmt::format("without any fault the run is not done but {}: {}",
                                              plain->result.result, plain->result.message));
        commands_ = plain->changing.size();
        plain_ = plain->journaled;
        if (auto done = kill_everywhere(*plain); !done) return done;
        if (auto done = fault_each(*plain, {}); !done) return done;
        for (std::size_t intents = 1; intents <= plain->intents; ++intents) {
            TrialPlan plan;
            plan.stop_after = intents;
            if (auto done = one(std::move(plan)); !done) return tl::unexpected(done.error());
        }
        return {};
    }

    [[nodiscard]] const std::vector<Case>& holes() const { return holes_; }
    [[nodiscard]] const std::map<std::string, std::size_t>& ends() const { return ends_; }
    [[nodiscard]] const std::map<std::string, std::set<std::string>>& by_fault() const { return by_fault_; }
    [[nodiscard]] std::size_t runs() const { return runs_; }
    [[nodiscard]] std::size_t commands() const { return commands_; }

  private:
    tl::expected<Trial, std::string> one(TrialPlan plan) {
        auto trial = try_run(options_.session, script_, plan);
        if (!trial) return trial;
        ++runs_;
        const std::string_view before = trial->resumed  ? "killed, then "
                                        : trial->undone ? "stopped, then "
                                                        : "";
        ++ends_[fmt::format("{}{}", before, trial->last().result)];
        by_fault_[kind_of(plan)].insert(trial->last().result);
        const std::size_t faults = plan.faults.size() + (plan.stop_after ? 1 : 0) + (plan.kill ? 1 : 0);
        if (auto why = hole(*trial, script_.program, faults))
            holes_.push_back({std::move(plan), *trial, why});
        return trial;
    }

    // Each changing command of a trial behind the last fault, made to go wrong as well.
    tl::expected<void, std::string> fault_each(const Trial& trial,
                                               const std::vector<runtime::Fault>& faults) {
        std::size_t first = 0;
        if (!faults.empty())
            for (std::size_t i = 0; i < trial.changing.size(); ++i)
                if (is_of(faults.back(), trial.changing[i])) first = i + 1;
        for (std::size_t i = first; i < trial.changing.size(); ++i)
            for (const runtime::Fault& fault : ways(trial.changing[i])) {
                TrialPlan plan{faults, {}, {}};
                plan.faults.push_back(fault);
                const auto next = plan.faults;
                auto done = one(std::move(plan));
                if (!done) return tl::unexpected(done.error());
                if (auto killed = kill_before_told(next, *done); !killed) return killed;
                if (next.size() < options_.faults)
                    if (auto deeper = fault_each(*done, next); !deeper) return deeper;
            }
        return {};
    }

    // What went wrong, if it was one thing only.
    static std::string kind_of(const TrialPlan& plan) {
        if (plan.faults.size() + (plan.stop_after ? 1 : 0) + (plan.kill ? 1 : 0) > 1) return "several";
        return plan.stop_after ? "stop" : plan.kill ? "kill" : std::string(name(plan.faults.front().kind));
    }

    static Kill kill_at(const std::vector<runtime::Event>& events, std::size_t at, bool written) {
        const std::string text = events[at].body.value("text", events[at].body.value("step", ""));
        return {at, written,
                fmt::format("{} {}", written ? "after the beginning of" : "before the outcome of", text)};
    }

    // Between what is written down and what is done, and between that and what is written down of it.
    tl::expected<void, std::string> kill_everywhere(const Trial& plain) {
        for (std::size_t i = 0; i < plain.journaled.size(); ++i) {
            const bool begins = plain.journaled[i].kind == runtime::EventKind::Intent;
            if (!begins && plain.journaled[i].kind != runtime::EventKind::Outcome) continue;
            TrialPlan plan;
            plan.kill = kill_at(plain.journaled, i, begins);
            if (auto done = one(std::move(plan)); !done) return tl::unexpected(done.error());
        }
        return {};
    }

    // Once more with the faults, and killed before what they led to is written down: the run that goes on
    // must find out for itself.
    tl::expected<void, std::string> kill_before_told(const std::vector<runtime::Fault>& faults,
                                                     const Trial& trial) {
        std::size_t at = 0;
        const auto same = [&](std::size_t i) {
            return plain_[i].kind == trial.journaled[i].kind && plain_[i].body == trial.journaled[i].body;
        };
        while (at < plain_.size() && at < trial.journaled.size() && same(at)) ++at;
        if (at >= trial.journaled.size()) return {};
        TrialPlan plan;
        plan.faults = faults;
        plan.kill = kill_at(trial.journaled, at, false);
        if (auto done = one(std::move(plan)); !done) return tl::unexpected(done.error());
        return {};
    }

    // A command goes wrong, or what is read soon after it: by the step itself, or by a verification, whose
    // limit is mostly two minutes or five, so that it fails and the undo can see again.
    static std::vector<runtime::Fault> ways(const Changing& command) {
        std::vector<runtime::Fault> result;
        for (const auto& kind : kinds) result.push_back({kind.first, command.text, command.nth, 0});
        for (const auto& [text, nth] : command.read_after)
            for (const std::int64_t outage_ms : {121'000, 301'000})
                result.push_back({runtime::FaultKind::Down, text, nth, outage_ms});
        return result;
    }

    static bool is_of(const runtime::Fault& fault, const Changing& command) {
        const auto same = [&](const auto& read) {
            return read.first == fault.text && read.second == fault.nth;
        };
        return (command.text == fault.text && command.nth == fault.nth) ||
               std::any_of(command.read_after.begin(), command.read_after.end(), same);
    }

    const Options& options_;
    Script& script_;
    std::vector<Case> holes_;
    std::map<std::string, std::size_t> ends_;
    std::size_t runs_ = 0, commands_ = 0;
    std::vector<runtime::Event> plain_;
    std::map<std::string, std::set<std::string>> by_fault_;
};

std::string what_happened(const TrialPlan& plan) {
    std::vector<std::string> texts;
    for (const runtime::Fault& fault : plan.faults)
        texts.push_back(fmt::format("{}: {}{}", name(fault.kind), fault.text,
                                    fault.nth > 1 ? fmt::format(" #{}", fault.nth) : ""));
    if (plan.stop_after)
        texts.push_back(fmt::format("the operator stops after step {}, then `migc undo`", *plan.stop_after));
    if (plan.kill) texts.push_back(fmt::format("killed {}, then `migc resume`", plan.kill->text));
    return fmt::format("{}", fmt::join(texts, "; "));
}

std::vector<std::string> left(const Case& one) {
    const bool all = one.trial.undid_all || one.trial.undone;
    const auto stage = one.trial.begins.find(one.trial.stage);
    return differences(all || stage == one.trial.begins.end() ? one.trial.before : stage->second,
                       one.trial.after);
}

void print_text(const Options& options, const Drill& drill) {
    constexpr std::size_t most = 5;
    for (std::size_t i = 0; i < drill.holes().size() && i < most; ++i) {
        const Case& one = drill.holes()[i];
        fmt::print("{}\n  {}\n", what_happened(one.plan), *one.hole);
        for (const std::string& text : left(one)) fmt::print("  left: {}\n", text);
    }
    if (drill.holes().size() > most) fmt::print("and {} more\n", drill.holes().size() - most);
    std::vector<std::string> ends;
    for (const auto& [end, count] : drill.ends()) ends.push_back(fmt::format("{} {}", count, end));
    fmt::print("{}: {}: {} changing commands, {} runs: {}\n", options.script,
               drill.holes().empty() ? "survived"
                                     : fmt::format("{} runs end where they must not", drill.holes().size()),
               drill.commands(), drill.runs(), fmt::join(ends, ", "));
}

void print_json(const Drill& drill) {
    nlohmann::json holes = nlohmann::json::array();
    for (const Case& one : drill.holes())
        holes.push_back({{"faults", what_happened(one.plan)},
                         {"why", *one.hole},
                         {"result", one.trial.last().result},
                         {"left", left(one)}});
    const nlohmann::json report = {{"verdict", drill.holes().empty() ? "survived" : "counterexample"},
                                   {"commands", drill.commands()},
                                   {"runs", drill.runs()},
                                   {"ends", drill.ends()},
                                   {"ends_by_fault", drill.by_fault()},
                                   {"counterexamples", holes}};
    fmt::print("{}\n", report.dump(1));
}

int drill(const Options& options) {
    const auto script = load_script(options.script);
    print_errors(*script);
    if (!can_be_tried(*script)) return could_not;
    // When a change may be made is not what is drilled.
    for (ir::Stage& stage : script->program.stages) stage.gates.clear();
    Drill drill(options, *script);
    if (const auto done = drill.run(); !done) {
        fmt::print(stderr, "migc: {}\n", done.error());
        return could_not;
    }
    if (options.session.json)
        print_json(drill);
    else
        print_text(options, drill);
    return drill.holes().empty() ? survived : found_hole;
}

}  // namespace

void add_drill(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("drill", "Run a script in a simulated world with everything that can go wrong");
    auto options = std::make_shared<Options>();
    command->add_option("FILE", options->script, "The script")->required();
    command->add_option("--world", options->session.world, "A world file, or `learning` for the built-in one")
        ->required();
    command->add_option("--faults", options->faults, "How many commands go wrong in one run: 1 or 2")
        ->check(CLI::Range(1U, 2U));
    command->add_option("--set", options->session.set, "NAME=VALUE of a script's parameter")
        ->allow_extra_args(false);
    command->add_flag("--json", options->session.json, "Print the answer as JSON");
    command->footer(
        "Examples:\n  migc drill deploy.mig --world learning\n  migc drill deploy.mig --world learning --faults 2\n\n"
        "Exit codes: 0 every run ends done, undone, held or in doubt as it should; 1 one does not; 2 it could not be "
        "tried.");
    command->callback([options, &exit_code] { exit_code = drill(*options); });
}

}  // namespace migc::cli
