#include "runtime/session/ready.hpp"

#include <fmt/format.h>

#include "compiler/driver/files.hpp"
#include "compiler/support/escape.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/session/signatures.hpp"
#include "runtime/tools/interrupts.hpp"

namespace migc::session {
namespace {

namespace fs = std::filesystem;
using Error = tl::unexpected<std::string>;

// Whether the journal below another folder has this very run, too.
bool has_run(const fs::path& root, const runtime::RunSummary& about, const std::string& copy) {
    const auto journal = runtime::Journal::open_existing(root);
    if (!journal || !*journal) return false;
    const auto there = (*journal)->find(about.id);
    if (!there || there->id != about.id || there->begun_ms != about.begun_ms) return false;
    const auto script = (*journal)->script_copy(about.id);
    return script && *script == copy;
}

tl::expected<void, std::string> find_its_place(Earlier& earlier, const fs::path& here,
                                               const std::string& copy, bool is_undo) {
    const auto then = earlier.script->inventory.root;
    std::error_code ignored;
    if (fs::equivalent(here, then, ignored)) return {};
    const std::string& id = earlier.about.id;
    if (has_run(then, earlier.about, copy))
        return Error(fmt::format(
            "{0} is a copy: run {1} was made in {2}, and is there, too. {3} there: `cd {2} && migc {4} {1}`. If the "
            "project has moved here for good, take {2}/.migc away first",
            here.string(), id, then.string(), is_undo ? "Undo it" : "Go on", is_undo ? "undo" : "resume"));
    earlier.note =
        fmt::format("note: run {} was made in {}; it goes on in {}", id, then.string(), here.string());
    earlier.script->inventory.root = here;
    return {};
}

tl::expected<std::unique_ptr<runtime::Journal>, std::string> journal_in(const fs::path& root) {
    auto journal = runtime::Journal::open_existing(root);
    if (journal && !*journal) return Error(fmt::format("no run was recorded below {}", root.string()));
    return journal;
}

}  // namespace

tl::expected<Ready, Refusal> make_ready(SessionOptions options, Script& script, const ir::Program& program,
                                        const std::string& purpose, runtime::RunOptions agreed) {
    const auto refused = [](std::string why, int code = 2) {
        return tl::unexpected(Refusal{std::move(why), code});
    };
    const auto root = script.inventory.root;
    Ready ready;
    ready.locks = std::make_shared<runtime::Locks>();
    // Simulated and replayed runs change nothing that two could fight for.
    if (is_live(options)) {
        auto locks = runtime::Locks::take(root, lock_names(program), purpose);
        if (!locks) return refused(locks.error(), locked);
        *ready.locks = std::move(*locks);
    }
    options.locks = ready.locks->descriptors();
    auto scratch = ScratchCopy::make(options, script);
    if (!scratch) return refused(scratch.error());
    auto session = open_session(options, script);
    if (!session) return refused(session.error());
    auto journal = runtime::Journal::open(root);
    if (!journal) return refused(journal.error());
    ready.scratch = std::move(*scratch);
    ready.session = std::move(*session);
    ready.journal = std::move(*journal);
    ready.options = std::move(agreed);
    ready.options.newest_known = [newest = newest_known(root, ready.journal.get())] { return newest; };
    ready.options.world = ready.session->world;
    ready.options.stop_requested = [] { return runtime::interrupts() > 0; };
    ready.options.lock_lost = [locks = ready.locks] { return locks->lost(); };
    return ready;
}

tl::expected<std::optional<runtime::Plan>, Refusal> hold_to_plan(const std::string& file,
                                                                 const Script& script, Ready& ready) {
    if (file.empty()) return std::nullopt;
    const auto not_held = [](std::string why, bool in_lines = false) {
        return tl::unexpected(Refusal{std::move(why), locked, in_lines});
    };
    const auto saved = read_plan(file);
    if (!saved) return not_held(saved.error());
    ready.options.plan = saved->at("digests");
    const auto before = runtime::saved_plan(*saved);
    if (!before) return not_held(fmt::format("the plan {} was edited: {}", file, before.error()));
    auto now = runtime::make_plan(script.program, script.inventory, *ready.session->tools, ready.options);
    if (!now) return not_held(now.error().message);
    if (const auto drifted = runtime::live_drift(*before, *now); !drifted.empty())
        return not_held(fmt::format("nothing is begun: the world is not as it was when {} was made:\n  {}",
                                    escaped(file), fmt::join(drifted, "\n  ")),
                        true);
    return std::move(*now);
}

tl::expected<std::unique_ptr<runtime::Journal>, std::string> journal_here() {
    return journal_in(driver::project_root_here());
}

tl::expected<FoundRun, std::string> find_run(const std::string& id) {
    const fs::path root = driver::project_root_here();
    auto journal = journal_in(root);
    if (!journal) return Error(journal.error());
    auto about = (*journal)->find(id);
    if (!about) return Error(about.error());
    const auto vouched = (*journal)->vouched(about->id);
    return FoundRun{root, std::move(*journal), std::move(*about), vouched ? "" : vouched.error()};
}

tl::expected<Earlier, std::string> earlier_run(const std::string& id, bool is_undo) {
    auto found = find_run(id);
    if (!found) return Error(found.error());
    // Before anything of it is read as what it says it is.
    if (!found->doubt.empty()) return Error(found->doubt);
    const auto copy = found->journal->script_copy(found->about.id);
    if (!copy) return Error(copy.error());
    auto script = driver::load_bundle(*copy);
    if (!script) return Error(fmt::format("the journal's copy of {} cannot be read", found->about.script));
    Earlier earlier{std::move(found->about), std::move(script), {}, {}};
    if (auto placed = find_its_place(earlier, found->root, *copy, is_undo); !placed)
        return Error(placed.error());
    auto events = found->journal->events(earlier.about.id);
    if (!events) return Error(events.error());
    earlier.events = std::move(*events);
    return earlier;
}

}  // namespace migc::session
