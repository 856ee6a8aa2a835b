#include "cli/signatures.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/frontend.hpp"
#include "cli/written.hpp"
#include "runtime/engine/reviewed.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/journal/state_folder.hpp"
#include "runtime/trust/evidence.hpp"
#include "runtime/trust/statement.hpp"

namespace migc::cli {
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
    return read_file(file, trust::largest_statement + 1).value_or("");
}

bool share(const json& digests, const std::vector<std::string>& changes) {
    return digests.is_array() && std::any_of(digests.begin(), digests.end(), [&](const json& digest) {
               return std::find(changes.begin(), changes.end(), digest) != changes.end();
           });
}

// Whether the run's last word on the stage, or on one of that environment, is that it passed with one of
// these changes: an undo takes the word back.
bool passed_in(const std::vector<runtime::Event>& events, const std::string& stage,
               const std::vector<std::string>& changes) {
    std::set<std::string> passed;
    for (const auto& event : events) {
        if (event.kind != runtime::EventKind::StageEnded) continue;
        const std::string name = event.body.value("stage", "");
        const bool asked = name == stage || event.body.value("environment", "") == stage;
        if (asked && event.body.value("result", "") == "done" &&
            share(event.body.value("changes", json()), changes))
            passed.insert(name);
        else
            passed.erase(name);
    }
    return !passed.empty();
}

class EvidenceSearch {
  public:
    EvidenceSearch(fs::path root, std::vector<std::string> files,
                   std::map<std::string, std::string> approvers, std::string mode)
        : root_(std::move(root)),
          files_(std::move(files)),
          approvers_(std::move(approvers)),
          mode_(std::move(mode)) {}

    Reading operator()(const std::string& stage, const std::vector<std::string>& changes) const {
        std::string reasons;
        if (auto run = in_journal(stage, changes, reasons))
            return {true, fmt::format("{} passed in run {}", stage, *run), false, {}, *run};
        for (const fs::path& file : signed_files(root_, "evidence", files_)) {
            const auto why = refusal(file, stage, changes);
            if (why.empty())
                return {true,
                        fmt::format("{} passed, says {} (not looked at)", stage, file.filename().string()),
                        false};
            reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", file.filename().string(), why);
        }
        const std::string none =
            fmt::format("and the journal has no {} run in which {} passed with this change", mode_, stage);
        return {false, reasons.empty() ? none : none + "; " + reasons, false};
    }

  private:
    // The newest such run for which the journal is vouched; why one of those before it does not count.
    [[nodiscard]] std::optional<std::string> in_journal(const std::string& stage,
                                                        const std::vector<std::string>& changes,
                                                        std::string& why_not) const {
        const auto journal = runtime::Journal::open_existing(root_);
        if (!journal) why_not = journal.error();
        const auto runs = journal && *journal ? (*journal)->runs() : std::vector<runtime::RunSummary>();
        if (!runs) return std::nullopt;
        for (std::size_t i = 0; i < runs->size() && i < most_runs; ++i) {
            if ((*runs)[i].mode != mode_) continue;
            const auto events = (*journal)->events((*runs)[i].id);
            if (!events || !passed_in(*events, stage, changes)) continue;
            const auto vouched = (*journal)->vouched((*runs)[i].id);
            if (vouched) return (*runs)[i].id;
            if (why_not.empty()) why_not = vouched.error();
        }
        return std::nullopt;
    }

    [[nodiscard]] std::string refusal(const fs::path& file, const std::string& stage,
                                      const std::vector<std::string>& changes) const {
        const auto evidence = trust::read_evidence(text_of(file), approvers_);
        if (!evidence) return evidence.error();
        if (evidence->stage != stage && evidence->environment != stage) return "it is about another stage";
        if (evidence->mode != mode_) return fmt::format("it is of a {} run", evidence->mode);
        return share(json(evidence->changes), changes)
                   ? ""
                   : "another change has passed there, or this one before it was edited";
    }

    fs::path root_;
    std::vector<std::string> files_;
    std::map<std::string, std::string> approvers_;
    std::string mode_;
};

}  // namespace

tl::expected<void, std::string> write_plan(const std::string& path, const json& plan,
                                           const std::string& script) {
    json saved = plan;
    saved["migc-plan"] = 1;
    saved["script"] = script;
    return write_output(path, saved.dump(1) + "\n");
}

tl::expected<json, std::string> read_plan(const std::string& path) {
    const auto text = read_file(path, largest_plan);
    if (!text) return Error(fmt::format("cannot read the plan {}: {}", path, text.error()));
    auto plan = json::parse(*text, nullptr, false);
    if (!plan.is_object() || plan.value("migc-plan", json()) != 1)
        return Error(fmt::format("{} is no plan that `migc plan --save` has written", path));
    try {
        const json& digests = plan.at("digests");
        const runtime::Reviewed reviewed{digests.at("parts").at("change"), digests.at("parts").at("run")};
        if (reviewed.change_digest() == digests.at("change") && reviewed.run_digest() == digests.at("run"))
            return plan;
    } catch (const json::exception&) {  // a key is missing, or of another type
    }
    return Error(fmt::format("the plan {} was edited: its digests do not fit to its parts", path));
}

tl::expected<void, std::string> look_at_signed_files(const std::vector<std::string>& files,
                                                     const char* option, bool may_come_later) {
    for (const std::string& file : files) {
        std::error_code ignored;
        if (may_come_later && !fs::exists(file, ignored)) continue;
        const auto text = read_file(file, trust::largest_statement + 1);
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
    given.runner = trust::own_names();
    given.runner.push_back(runtime::operator_name());
    return given;
}

std::function<Reading(const std::string&, const std::vector<std::string>&)> evidence_of(
    const fs::path& root, const std::vector<std::string>& files, const project::Inventory& inventory,
    const std::string& mode) {
    return EvidenceSearch(root, files, inventory.approvers, mode);
}

}  // namespace migc::cli
