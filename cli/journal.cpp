// migc journal adopt: a person answers for runs of which nothing shows who wrote them.
#include "runtime/journal/journal.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/support/escape.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/trust/times.hpp"

namespace migc::cli {
namespace {

// Where it says that it was made; nothing if that is here.
std::string made_elsewhere(runtime::Journal& journal, const std::string& run,
                           const std::filesystem::path& here) {
    const auto copy = journal.script_copy(run);
    const auto script = copy ? driver::load_bundle(*copy) : nullptr;
    std::error_code ignored;
    if (!script || std::filesystem::equivalent(script->inventory.root, here, ignored)) return "";
    return fmt::format(", made in {}", script->inventory.root.string());
}

// Those that lay here and are gone need not be there any more. So many they were; the error is a sentence.
tl::expected<std::size_t, std::string> give_up_gone(const std::filesystem::path& root,
                                                    const std::string& because, std::int64_t now) {
    const auto gone = runtime::gone_journals(root);
    if (!gone) return tl::unexpected(gone.error());
    std::size_t given_up = 0;
    for (const auto& one : *gone) {
        if (!one.given_up.empty()) continue;
        const std::string decision =
            fmt::format("{} on {}: {}", runtime::operator_here(), trust::written_time(now), escaped(because));
        if (const auto written = trust::give_up(one, decision); !written)
            return tl::unexpected(written.error());
        say("given up: the journal that lay here, with {} run{}; what they did, used up or took back counts no more "
            "(noted in {})\n",
            one.runs.size(), one.runs.size() == 1 ? "" : "s", one.note.string());
        ++given_up;
    }
    return given_up;
}

int adopt(const std::string& because) {
    if (!says_something(because))
        return refuse("--because: say why you answer for it, for whoever reads the journal later");
    const auto root = driver::project_root_here();
    const auto now = runtime::system_now();
    const auto given_up = give_up_gone(root, because, now);
    if (!given_up) return refuse(given_up.error());
    // Opened for writing only if there is one.
    const auto there = runtime::Journal::open_existing(root);
    if (!there) return refuse(there.error());
    if (!*there && *given_up > 0) return 0;
    if (!*there) return refuse(fmt::format("no run was recorded below {}", root.string()));
    const auto journal = runtime::Journal::open(root);
    if (!journal) return refuse(journal.error());
    const auto adopted = (*journal)->adopt({runtime::operator_here(), because, {}, {}}, now);
    if (!adopted) return refuse(adopted.error());
    if (adopted->empty() && *given_up > 0) return 0;
    if (adopted->empty())
        return refuse("there is nothing to adopt: this user wrote all that is in the journal");
    for (const auto& one : *adopted)
        say("{} {}{}: {}\n", one.adopted ? "adopted" : "not adopted", one.run,
            one.adopted ? made_elsewhere(**journal, one.run, root) : std::string(), one.why);
    say("what the adopted runs did can be undone from now on, and counts as evidence: `migc show RUN` says what that is\n");
    return 0;
}

}  // namespace

void add_journal(CLI::App& command, int& exit_code) {
    command.require_subcommand(1);
    auto* one = command.add_subcommand(
        "adopt",
        "Trust what the journal here says of runs, though nothing shows that you wrote it; and give up one that lay here and is gone");
    auto& [because] = on_call(*one, exit_code, adopt);
    one->add_option("--because", because, "Why: it is recorded in the journal")->required();
    command.footer(
        "A journal is trusted if you have written it on this machine. Whoever wrote another one decides what its undo "
        "does:\nlook at it with `migc runs` and `migc show` first.\n\nExample:\n  migc journal adopt --because \"the laptop "
        "that ran it is broken; this is its disk\"\n\nExit codes: 0 adopted, 2 there is nothing to adopt, or it cannot be.");
}

}  // namespace migc::cli
