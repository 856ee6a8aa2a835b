// A journal: either the file itself, or the events of a run, one JSON object a line as `migc run --json`
// prints them. Whatever stands there, it is told, shown, taken for a run to go on with, or refused; and a run
// that is gone on with ends in one of the ways in which runs end.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <stdlib.h>

#include "compiler/driver/script.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/inspect/status.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/run_state.hpp"
#include "runtime/report/report.hpp"
#include "runtime/world/world.hpp"
#include "stdlib/stdlib.hpp"
#include "tests/unit/fakes.hpp"

using namespace migc;
using namespace migc::runtime;
namespace fs = std::filesystem;

namespace {

constexpr const char* script = R"(
let before = 2;
stage staging <
    scale webapi to (before + 2);
    if replicas of webapi is 4 < restart webapi; >
    for n in [1, 2] < scale webapi to (n + 4); >
    verify pods ready within 5m;
    soak 10m while restarts of webapi is 0;
> on failure < undo; verify pods ready within 5m; >
)";

std::unique_ptr<World> learning() {
    SourceMap sources;
    Diagnostics diagnostics;
    return *load_world(sources.add("learning", std::string(learning_world())), sources, diagnostics);
}

std::vector<Event> events_in(const std::string& text) {
    std::vector<Event> events;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_object() || !json.contains("event") || !json["event"].is_string()) continue;
        const auto time = json.contains("time_ms") && json["time_ms"].is_number_integer()
                              ? json["time_ms"].get<std::int64_t>()
                              : 0;
        auto body = decode(json["event"].get<std::string>(), json.value("body", nlohmann::json()));
        if (body) events.push_back({time, std::move(*body)});  // the journal gives no others
    }
    return events;
}

void tell(const RunSummary& about, const std::vector<Event>& events, const ir::Program& program) {
    std::ostringstream out;
    const auto plain = make_plain_reporter(out, true);
    const auto json = make_json_reporter(out);
    for (const Event& event : events) {
        plain->on(event);
        json->on(event);
    }
    show_run(about, events);
    const StatusInput input{about, events, program, std::nullopt, std::nullopt, 1'768'010'400'000};
    const Status status = status_of(input);
    render_status(status, input);
    to_json(status, input);
}

// What the journal of a run makes of an engine that goes on with it, takes it back, or writes its runbook.
template <typename Work>
void go_on(const std::vector<Event>& events, const driver::Script& compiled, Work work) {
    static const std::set<Outcome> endings = {Outcome::Done,       Outcome::Undone,  Outcome::Held,
                                              Outcome::UndoFailed, Outcome::InDoubt, Outcome::Refused};
    fakes::FakeJournal journal;
    journal.summary.id = "run-1";
    journal.stored = events;
    const auto world = learning();
    Engine engine(compiled.program, compiled.inventory, *world, journal);
    const RunResult result = work(engine);
    if (!endings.contains(result.result) || result.exit_code < 0 || result.exit_code > 5) std::abort();
}

void from_events(const std::string& text) {
    static const auto compiled = driver::load_text(script);
    const std::vector<Event> events = events_in(text);
    RunSummary about;
    about.id = "run-1";
    tell(about, events, compiled->program);
    go_on(events, *compiled, [](Engine& engine) { return engine.resume("run-1"); });
    go_on(events, *compiled, [](Engine& engine) { return engine.undo("run-1"); });
    go_on(events, *compiled, [](Engine& engine) {
        static_cast<void>(engine.runbook("run-1"));
        RunResult well;
        well.result = Outcome::Done;
        return well;
    });
}

void read(Journal& journal, const ir::Program& program) {
    const auto runs = journal.runs();
    if (!runs) return;
    runs_table(*runs);
    for (const RunSummary& run : *runs) {
        static_cast<void>(journal.script_copy(run.id));
        if (const auto events = journal.events(run.id)) tell(run, *events, program);
    }
}

void file(const std::string& bytes) {
    static const auto compiled = driver::load_text(script);
    std::string pattern = (fs::temp_directory_path() / "migc-fuzz-XXXXXX").string();
    const fs::path root = ::mkdtemp(pattern.data());
    fs::create_directory(root / ".migc");
    std::ofstream(root / ".migc/journal.db", std::ios::binary) << bytes;
    if (const auto journal = Journal::open_existing(root); journal && *journal)
        read(**journal, compiled->program);
    // It becomes one of the present format, and takes a new run, or is refused.
    if (const auto journal = Journal::open(root)) {
        RunSummary about;
        about.mode = "live";
        about.begun_ms = 1'768'010'400'000;
        const auto run = (*journal)->begin_run(about, "script");
        events::RunBegun body;
        body.script = "a.mig";
        const Event begun{about.begun_ms, body};
        const auto written = run && (*journal)->append(*run, begun)
                                 ? (*journal)->events(*run)
                                 : tl::unexpected(std::string("not written"));
        if (written && written->size() != 1) std::abort();
        read(**journal, compiled->program);
    }
    fs::remove_all(root);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (text.starts_with("{"))
        from_events(text);
    else
        file(text);
    return 0;
}
