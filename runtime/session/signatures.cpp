#include "runtime/session/signatures.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/driver/files.hpp"
#include "compiler/support/escape.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/review/reviewed.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/trust/evidence.hpp"
#include "runtime/trust/runner.hpp"
#include "runtime/trust/statement.hpp"
#include "runtime/trust/times.hpp"

namespace migc::session {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using runtime::Reading;
using Error = tl::unexpected<std::string>;

constexpr std::size_t largest_plan = std::size_t{64} << 20;
constexpr std::size_t most_files = 200;  // of one folder of signed files
constexpr std::size_t most_runs = 500;   // newest ones, in which evidence is looked for

// Those that were named, and those that lie in a folder of `.migc`.
std::vector<fs::path> signed_files(const fs::path& root, const char* name,
                                   const std::vector<std::string>& given) {
    std::vector<fs::path> files(given.begin(), given.end());
    std::vector<fs::path> found;
    std::error_code error;
    const auto state = runtime::find_state_folder(root);
    if (!state || !*state) return files;  // whoever opens the journal is told why
    const fs::path folder = (*state)->path() / name;
    for (fs::directory_iterator i(folder, error), end; !error && i != end && found.size() < most_files;
         i.increment(error))
        if (i->path().extension() == ".json") found.push_back(i->path());
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
    return files;
}

// Too long is for the reader to refuse.
std::string text_of(const fs::path& file) {
    return driver::read_named(file, trust::largest_statement + 1).value_or("");
}

bool share(const std::vector<std::string>& digests, const std::vector<std::string>& changes) {
    return std::find_first_of(digests.begin(), digests.end(), changes.begin(), changes.end()) !=
           digests.end();
}

using Passings = std::map<std::string, runtime::events::StageEnded>;

// The stages of that name, or of that environment, of which the run's last word is that they passed with one
// of these changes, with the event that says so: an undo takes the word back.
Passings passed_in(const std::vector<runtime::Event>& events, const std::string& stage,
                   const std::vector<std::string>& changes) {
    Passings passed;
    for (const auto& event : events) {
        const auto* ended = event.as<runtime::events::StageEnded>();
        if (ended == nullptr) continue;
        const bool asked = ended->stage == stage || ended->environment == stage;
        if (asked && ended->result == Outcome::Done && share(ended->changes, changes))
            passed.insert_or_assign(ended->stage, *ended);
        else
            passed.erase(ended->stage);
    }
    return passed;
}

using IsThere = runtime::RunOptions::IsThere;

class EvidenceSearch {
  public:
    EvidenceSearch(fs::path root, std::vector<std::string> files, const project::Inventory& inventory,
                   std::string mode)
        : root_(std::move(root)),
          files_(std::move(files)),
          approvers_(inventory.approvers),
          users_(inventory.approver_users),
          mode_(std::move(mode)) {}

    Reading operator()(const std::string& stage, const std::vector<std::string>& changes,
                       const IsThere& is_there) const {
        std::vector<std::string> reasons;
        if (auto found = in_journal(stage, changes, is_there, reasons)) return *found;
        const trust::Signers signers{approvers_, users_, trust::runner_here()};
        for (const fs::path& file : signed_files(root_, "evidence", files_)) {
            const auto counts = judged(file, signers, stage, changes, is_there);
            const std::string name = escaped(file.filename().string());
            if (counts)
                return {true, fmt::format("{} passed, says {}{} (not looked at)", stage, name, *counts),
                        false};
            reasons.push_back(fmt::format("{}: {}", name, counts.error()));
        }
        reasons.insert(
            reasons.begin(),
            fmt::format("and the journal has no {} run in which {} passed with this change", mode_, stage));
        return {false, fmt::format("{}", fmt::join(reasons, "; ")), false};
    }

  private:
    // The newest such run for which the journal is vouched; why the newest one that does not count does not.
    [[nodiscard]] std::optional<Reading> in_journal(const std::string& stage,
                                                    const std::vector<std::string>& changes,
                                                    const IsThere& is_there,
                                                    std::vector<std::string>& reasons) const {
        const auto journal = runtime::Journal::open_existing(root_);
        if (!journal) reasons.push_back(journal.error());
        const auto runs = journal && *journal ? (*journal)->runs() : std::vector<runtime::RunSummary>();
        if (!runs) return std::nullopt;
        for (std::size_t i = 0; i < runs->size() && i < most_runs; ++i) {
            const std::string& id = (*runs)[i].id;
            if ((*runs)[i].mode != mode_) continue;
            const auto events = (*journal)->events(id);
            if (!events) continue;
            const auto passings = passed_in(*events, stage, changes);
            if (passings.empty()) continue;
            const auto counts = counting(**journal, id, passings, is_there);
            if (counts)
                return Reading{true, fmt::format("{} passed in run {}{}", stage, id, *counts), false, {}, id};
            if (reasons.empty()) reasons.push_back(counts.error());
        }
        return std::nullopt;
    }

    // One of them is enough. The value: what could not be compared; the error: why none counts.
    static tl::expected<std::string, std::string> counting(runtime::Journal& journal, const std::string& run,
                                                           const Passings& passings,
                                                           const IsThere& is_there) {
        if (const auto vouched = journal.vouched(run); !vouched) return Error(vouched.error());
        tl::expected<std::string, std::string> counts = Error(std::string());
        for (const auto& [stage, ended] : passings) {
            const auto place = trust::read_place(ended.place);
            if (place)
                counts = there(is_there, stage, *place);
            else
                counts = Error(
                    fmt::format("run {} does not say where {} passed, as an older migc wrote it; run the "
                                "stage again",
                                run, stage));
            if (counts) return counts;
            if (place) counts = Error(fmt::format("in run {} {}", run, counts.error()));
        }
        return counts;
    }

    static tl::expected<std::string, std::string> there(const IsThere& is_there, const std::string& stage,
                                                        const trust::Place& place) {
        const auto compared = is_there(stage, place);
        if (!compared)
            return Error(
                fmt::format("it passed {}; run the stage where it is, without options that send it "
                            "elsewhere",
                            compared.error()));
        return compared->empty() ? "" : fmt::format(" ({})", *compared);
    }

    [[nodiscard]] tl::expected<std::string, std::string> judged(const fs::path& file,
                                                                const trust::Signers& signers,
                                                                const std::string& stage,
                                                                const std::vector<std::string>& changes,
                                                                const IsThere& is_there) const {
        const auto evidence = trust::read_evidence(text_of(file), signers);
        if (!evidence) return Error(evidence.error());
        if (evidence->stage != stage && evidence->place.environment != stage)
            return Error(std::string("it is about another stage"));
        // A clock that was set back makes nothing valid again.
        if (evidence->expires != 0 &&
            evidence->expires <= std::max(runtime::system_now(), newest_known(root_)))
            return Error(fmt::format("it expired {}", trust::written_time(evidence->expires)));
        if (evidence->mode != mode_) return Error(fmt::format("it is of a {} run", escaped(evidence->mode)));
        if (!share(evidence->changes, changes))
            return Error(std::string("another change has passed there, or this one before it was edited"));
        if (is_taken_back(*evidence))
            return Error(fmt::format("that was in run {}, which was undone since, says the journal",
                                     escaped(evidence->run)));
        if (const auto why = why_not_known(*evidence))
            return Error(fmt::format("whether run {} was undone since cannot be told: {}",
                                     escaped(evidence->run), *why));
        return there(is_there, evidence->stage, evidence->place);
    }

    // Whether the journal here has that very run, and it stands no more.
    [[nodiscard]] bool is_taken_back(const trust::Evidence& evidence) const {
        const auto journal = runtime::Journal::open_existing(root_);
        if (!journal || !*journal) return false;
        const auto events = (*journal)->events(evidence.run);
        if (!events) return false;
        const bool is_that_one = std::any_of(events->begin(), events->end(), [&](const auto& event) {
            const auto* ended = event.template as<runtime::events::StageEnded>();
            return ended != nullptr && ended->stage == evidence.stage &&
                   event.time_ms / 1000 == evidence.passed / 1000;
        });
        return is_that_one && passed_in(*events, evidence.stage, evidence.changes).empty();
    }

    // A journal that is gone may have had that run, and its undo.
    [[nodiscard]] std::optional<std::string> why_not_known(const trust::Evidence& evidence) const {
        auto gone = runtime::gone_journals(root_);
        if (!gone) return gone.error();
        std::erase_if(*gone, [&](const trust::NotedJournal& one) {
            return std::find(one.runs.begin(), one.runs.end(), evidence.run) == one.runs.end();
        });
        return runtime::what_is_gone(*gone, root_);
    }

    fs::path root_;
    std::vector<std::string> files_;
    std::map<std::string, std::string> approvers_;
    std::map<std::string, std::vector<std::string>> users_;
    std::string mode_;
};

// Whether a run went on from the gates that approvals opened: one that a further gate kept back has used
// nothing up.
bool acts(const runtime::Event& event) {
    using runtime::EventKind;
    const auto* ended = event.as<runtime::events::StageEnded>();
    return event.kind() == EventKind::Intent || event.kind() == EventKind::Outcome ||
           (ended != nullptr && ended->result != Outcome::Refused);
}

// The approvals that a run has used up.
std::vector<std::string> used_in(const std::vector<runtime::Event>& events) {
    std::vector<std::string> opened, used;
    for (const auto& event : events) {
        const auto* checked = event.as<runtime::events::Checked>();
        const auto* ended = event.as<runtime::events::StageEnded>();
        if (checked != nullptr)
            opened.insert(opened.end(), checked->approvals.begin(), checked->approvals.end());
        if (ended != nullptr) opened.insert(opened.end(), ended->approvals.begin(), ended->approvals.end());
        if (acts(event)) used.insert(used.end(), opened.begin(), opened.end()), opened.clear();
    }
    return used;
}

// By whatever run, also one for which nobody vouches: it can only keep a gate closed.
void look_for_used(const fs::path& root, runtime::Approvals& given) {
    const auto unknown = [&](const std::string& why) {
        given.unknown = fmt::format("whether an approval was used up already cannot be told: {}", why);
    };
    const auto gone = runtime::gone_journals(root);
    if (!gone) return unknown(gone.error());
    given.gone = runtime::what_is_gone(*gone, root).value_or("");
    for (const auto& one : *gone) {
        if (one.given_up.empty()) given.gone_since = std::max(given.gone_since, one.written);
        if (!one.given_up.empty())
            given.note = fmt::format("the journal that lay here was given up by {}", one.given_up);
    }
    const auto journal = runtime::Journal::open_existing(root);
    if (!journal) return unknown(journal.error());
    if (!*journal) return;
    if (const auto lost = (*journal)->lost()) return unknown(*lost);
    const auto runs = (*journal)->runs();
    if (!runs) return unknown(runs.error());
    for (const auto& run : *runs) {
        const auto events = (*journal)->events(run.id);
        if (!events) return unknown(events.error());
        for (const std::string& one : used_in(*events)) given.used[one].push_back(run.id);
    }
}

}  // namespace

tl::expected<std::string, std::string> write_plan(const std::string& path, const json& plan,
                                                  const std::string& script) {
    json saved = plan;
    saved["migc-plan"] = 1;
    saved["script"] = script;
    return driver::write_output(path, saved.dump(1) + "\n");
}

tl::expected<json, std::string> read_plan(const std::string& path) {
    const auto text = driver::read_named(path, largest_plan);
    if (!text) return Error(fmt::format("cannot read the plan {}: {}", path, text.error()));
    auto plan = json::parse(*text, nullptr, false);
    if (!plan.is_object() || plan.value("migc-plan", json()) != 1)
        return Error(fmt::format("{} is no plan that `migc plan --save` has written", path));
    try {
        const json& digests = plan.at("digests");
        const runtime::Reviewed reviewed{digests.at("parts").at("change"), digests.at("parts").at("run")};
        if (reviewed.change_digest() == digests.at("change") && reviewed.run_digest() == digests.at("run")) {
            if (!reviewed.run.contains("title"))
                return Error(fmt::format("the plan {} was made by an older migc; make it again", path));
            // What people are shown is what they sign.
            if (reviewed.run.at("title") == plan.at("title")) return plan;
            return Error(
                fmt::format("the plan {} was edited: the title that it shows is not the migration's", path));
        }
    } catch (const json::exception&) {  // a key is missing, or of another type
    }
    return Error(fmt::format("the plan {} was edited: its digests do not fit to its parts", path));
}

tl::expected<void, std::string> look_at_signed_files(const std::vector<std::string>& files,
                                                     const char* option, bool may_come_later) {
    for (const std::string& file : files) {
        std::error_code ignored;
        if (may_come_later && !fs::exists(file, ignored)) continue;
        const auto text = driver::read_named(file, trust::largest_statement + 1);
        if (!text) return Error(fmt::format("{} {}: {}", option, file, text.error()));
        if (!json::parse(*text, nullptr, false).is_object())
            return Error(fmt::format("{} {}: it is no signed file of migc", option, file));
    }
    return {};
}

runtime::Approvals given_approvals(const fs::path& root, const std::vector<std::string>& files) {
    runtime::Approvals given;
    for (const fs::path& file : signed_files(root, "approvals", files))
        given.files.push_back({file.filename().string(), text_of(file)});
    given.runner = trust::runner_here();
    if (!given.files.empty()) look_for_used(root, given);
    return given;
}

runtime::Time newest_known(const fs::path& root, runtime::Journal* journal) {
    runtime::Time newest = 0;
    for (const auto& one : runtime::gone_journals(root).value_or(std::vector<trust::NotedJournal>()))
        if (one.given_up.empty()) newest = std::max(newest, one.written);
    if (journal == nullptr) return newest;
    for (const auto& run : journal->runs().value_or(std::vector<runtime::RunSummary>())) {
        if (run.mode != "live") continue;
        newest = std::max({newest, run.begun_ms, run.ended_ms});
        if (run.ended_ms != 0) continue;
        for (const auto& event : journal->events(run.id).value_or(std::vector<runtime::Event>()))
            newest = std::max(newest, event.time_ms);
    }
    return newest;
}

runtime::Time newest_known(const fs::path& root) {
    const auto journal = runtime::Journal::open_existing(root);
    return newest_known(root, journal ? journal->get() : nullptr);
}

decltype(runtime::RunOptions::evidence) evidence_of(const fs::path& root,
                                                    const std::vector<std::string>& files,
                                                    const project::Inventory& inventory,
                                                    const std::string& mode) {
    return EvidenceSearch(root, files, inventory, mode);
}

}  // namespace migc::session
