// Faults of the tools and kills of migc, together, in the simulated world: world_faults [--long]
//
// For each command that a run makes, each kind of fault; for each of those, kills at points of the run (the
// short form: a few; with --long: all, and pairs of faults). Each run is gone on with until it ends. It must
// end done, with the world as the script says; undone, with the world as it was; held or in doubt, and say
// so. Never elsewhere.
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "compiler/driver/script.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/world/world.hpp"
#include "stdlib/stdlib.hpp"
#include "tests/unit/fakes.hpp"

namespace {

using namespace migc;
using namespace migc::runtime;

constexpr const char* script = R"(
let before = "2";
stage staging <
    let now = replicas of webapi;
    scale webapi to (now + 2) within 5m;
    if now is 2 < restart webapi; > else < scale webapi to 1; >
    verify pods ready within 5m;
    soak 10m while restarts of webapi is 0;
    set image of webapi to "registry.example.com/webapi:1.1";
    verify pods ready within 5m;
> on failure < undo; verify pods ready within 5m; >
)";

struct Killed {};  // no std::exception: nobody in the engine may stop it

// Counts down to a kill, over everything that a run does to the outside and to its journal.
struct Death {
    int points_left = -1;
    int passed = 0;
    void point() {
        ++passed;
        if (points_left >= 0 && points_left-- == 0) throw Killed{};
    }
};

class MortalTools final : public Tools {
  public:
    MortalTools(World& world, Death& death) : world_(world), death_(death) {}
    Answer run(const CommandLine& command) override {
        death_.point();
        Answer answer = world_.run(command);
        death_.point();
        return answer;
    }
    std::unique_ptr<Watch> watch(const CommandLine& command) override { return world_.watch(command); }
    std::unique_ptr<Watch> watch_all() override { return world_.watch_all(); }
    Time now() override { return world_.now(); }
    WakeReason sleep_until(Time deadline) override { return world_.sleep_until(deadline); }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "simulated"; }

  private:
    World& world_;
    Death& death_;
};

class MortalJournal final : public Journal {
  public:
    explicit MortalJournal(Death& death) : death_(death) {}
    tl::expected<std::string, std::string> begin_run(const RunSummary& about,
                                                     const std::string& copy) override {
        return kept_.begin_run(about, copy);
    }
    tl::expected<void, std::string> append(const std::string& run, const Event& event) override {
        death_.point();
        auto written = kept_.append(run, event);
        death_.point();
        return written;
    }
    tl::expected<void, std::string> append_unsynced(const std::string& run, const Event& event) override {
        death_.point();
        auto written = kept_.append_unsynced(run, event);
        death_.point();
        return written;
    }
    tl::expected<void, std::string> sync() override {
        death_.point();
        return kept_.sync();
    }
    void lose_power() { kept_.lose_power(); }
    tl::expected<void, std::string> end_run(const std::string& run, const Event& event) override {
        return append(run, event);
    }
    tl::expected<std::vector<RunSummary>, std::string> runs() override { return kept_.runs(); }
    tl::expected<RunSummary, std::string> find(const std::string& id) override { return kept_.find(id); }
    tl::expected<std::vector<Event>, std::string> events(const std::string& run) override {
        return kept_.events(run);
    }
    tl::expected<std::string, std::string> script_copy(const std::string& run) override {
        return kept_.script_copy(run);
    }
    tl::expected<void, std::string> vouched(const std::string& run) override { return kept_.vouched(run); }
    tl::expected<std::vector<AdoptedRun>, std::string> adopt(const events::Adopted& decision,
                                                             std::int64_t now_ms) override {
        return kept_.adopt(decision, now_ms);
    }

  private:
    fakes::FakeJournal kept_;
    Death& death_;
};

using Compiled = driver::Script;

struct Case {
    std::vector<runtime::Fault> faults;
    int kill = -1;       // at that point; -1: never
    bool power = false;  // it is the power that is lost, with what the disk does not have yet
};

struct Outcome {
    std::string result, message, state;
    std::vector<std::string> commands;
    int points = 0;
    int resumed = 0;
};

class Trial {
  public:
    explicit Trial(const Compiled& what) : what_(what) {}

    Outcome go(const Case& one) {
        for (const runtime::Fault& fault : one.faults) world_->inject(fault);
        death_.points_left = one.kill;
        power_ = one.power;
        Outcome outcome = attempt([](Engine& engine) { return engine.run(); });
        outcome.points = death_.passed;
        constexpr int most = 4;
        // What is down comes back, in time; who is asked to look at a step in doubt looks by resuming.
        while (outcome.resumed < most && (outcome.result == "killed" || outcome.result == "in-doubt")) {
            world_->sleep_until(world_->now() + 900'000);
            const int resumed = outcome.resumed + 1;
            const int points = outcome.points;
            outcome = attempt([](Engine& engine) { return engine.resume("run-1"); });
            outcome.resumed = resumed;
            outcome.points = points;
        }
        outcome.state = world_->state();
        outcome.commands = world_->commands();
        return outcome;
    }
    std::string state() const { return world_->state(); }

  private:
    static std::unique_ptr<World> learning() {
        SourceMap sources;
        Diagnostics diagnostics;
        return *load_world(sources.add("learning", std::string(learning_world())), sources, diagnostics);
    }

    template <typename Work>
    Outcome attempt(Work work) {
        Outcome outcome;
        try {
            Engine engine(what_.program, what_.inventory, tools_, journal_, {}, {});
            const RunResult result = work(engine);
            outcome.result = word(result.result);
            outcome.message = result.message;
        } catch (const Killed&) {
            outcome.result = "killed";
            if (power_) journal_.lose_power();
        }
        return outcome;
    }

    const Compiled& what_;
    std::unique_ptr<World> world_ = learning();
    Death death_;
    bool power_ = false;
    MortalTools tools_{*world_, death_};
    MortalJournal journal_{death_};
};

class Campaign {
  public:
    explicit Campaign(bool thorough) : thorough_(thorough), script_(driver::load_text(script)) {}

    int run() {
        if (script_->diagnostics.has_errors()) return complain("the script is wrong");
        Trial well(*script_);
        before_ = well.state();
        const Outcome fine = well.go({});
        if (fine.result != "done") return complain("without a fault: " + fine.result + " " + fine.message);
        after_ = fine.state;
        kills({}, fine.points);
        report("a kill or a loss of power");
        const auto all = faults(fine.commands);
        for (std::size_t i = 0; i < all.size(); i += thorough_ ? 1 : 1 + random_() % 80) with_kills({all[i]});
        report("one fault, and such an end");
        const int pairs = thorough_ ? 4000 : 8;
        for (int i = 0; i < pairs; ++i)
            with_kills({all[random_() % all.size()], all[random_() % all.size()]});
        report("two faults, and such an end");
        return wrong_ == 0 ? 0 : 1;
    }

  private:
    static int complain(const std::string& what) {
        fmt::print("{}\n", what);
        return 1;
    }

    static std::vector<runtime::Fault> faults(const std::vector<std::string>& commands) {
        std::vector<runtime::Fault> result;
        for (std::size_t n = 1; n <= commands.size(); ++n)
            for (const FaultKind kind : {FaultKind::FailBefore, FaultKind::FailAfter, FaultKind::TimeoutAfter,
                                         FaultKind::Hang, FaultKind::Garbage, FaultKind::Down}) {
                runtime::Fault fault;
                fault.kind = kind;
                fault.nth = n;
                result.push_back(fault);
            }
        return result;
    }

    void with_kills(const std::vector<runtime::Fault>& faults) { kills(faults, check({faults})); }

    void kills(const std::vector<runtime::Fault>& faults, int points) {
        const int step = thorough_ ? (faults.empty()      ? 1
                                      : faults.size() > 1 ? 61
                                                          : 31)
                                   : points / (faults.empty() ? 20 : 2) + 1;
        for (int at = static_cast<int>(random_() % static_cast<unsigned>(step)); at < points; at += step)
            for (const bool power : {false, true}) check({faults, at, power});
    }

    // Gives the number of points at which it could have been killed.
    int check(const Case& one) {
        ++tried_;
        const Outcome outcome = Trial(*script_).go(one);
        ++ends_[outcome.result];
        const bool right = outcome.result == "done"     ? outcome.state == after_
                           : outcome.result == "undone" ? outcome.state == before_
                                                        : allowed(outcome);
        if (!right && ++wrong_ <= 5) tell(one, outcome);
        return outcome.points;
    }

    static bool allowed(const Outcome& outcome) {
        return !outcome.message.empty() && (outcome.result == "held" || outcome.result == "in-doubt" ||
                                            outcome.result == "undo-failed" || outcome.result == "refused");
    }

    void tell(const Case& one, const Outcome& outcome) const {
        fmt::print("wrong: {} ({}), {} resumed, {} at {}\n", outcome.result, outcome.message, outcome.resumed,
                   one.power ? "the power lost" : "killed", one.kill);
        for (const auto& fault : one.faults)
            fmt::print("  fault {} at command {}\n", static_cast<int>(fault.kind), fault.nth);
        fmt::print("  state {}\n  before {}\n  after {}\n", outcome.state, before_, after_);
    }

    void report(const char* what) {
        fmt::print("{:<26} {:6} runs, {} wrong;", what, tried_, wrong_);
        for (const auto& [result, count] : ends_) fmt::print(" {} {}", count, result);
        fmt::print("\n");
        std::fflush(stdout);
        tried_ = 0;
        ends_.clear();
    }

    bool thorough_;
    std::unique_ptr<Compiled> script_;
    std::string before_, after_;
    std::mt19937 random_{7};
    int tried_ = 0, wrong_ = 0;
    std::map<std::string, int> ends_;
};

}  // namespace

int main(int argc, char** argv) {
    return Campaign(argc > 1 && std::string(argv[1]) == "--long").run();
}
