#include "runtime/session/consent.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/project/user_config.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/evaluate/kubeconfig.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/tools/live.hpp"

namespace migc::session {
namespace {

using runtime::EventKind;
using runtime::printable;
using runtime::ProjectProgram;
using Programs = std::vector<ProjectProgram>;

constexpr std::size_t most_places = 3;  // of one program that are shown

nlohmann::json to_json(const Programs& programs) {
    nlohmann::json all = nlohmann::json::array();
    for (const ProjectProgram& one : programs)
        all.push_back({{"name", printable(one.name)}, {"path", printable(one.path)}, {"sha256", one.digest}});
    return all;
}

// What a person or a flag has allowed for this run before. What somebody else's journal says, whom a person
// has answered for since, is not this user's word.
nlohmann::json allowed_before(const std::vector<runtime::Event>& events) {
    nlohmann::json all = nlohmann::json::array();
    for (const runtime::Event& event : events) {
        if (event.kind() == EventKind::Adopted) all.clear();
        const auto* begun = event.as<runtime::events::RunBegun>();
        const auto* resumed = event.as<runtime::events::RunResumed>();
        if (begun == nullptr && resumed == nullptr) continue;
        const nlohmann::json& consent = begun != nullptr ? begun->consent : resumed->consent;
        for (const nlohmann::json& one : field(consent, "/programs")) all.push_back(one);
    }
    return all;
}

bool is_among(const nlohmann::json& one, const nlohmann::json& all) {
    return one.at("sha256") != "" && std::find(all.begin(), all.end(), one) != all.end();
}

std::string where(const Script& script, const ProjectProgram& program) {
    std::string text;
    for (std::size_t i = 0; i < std::min(program.places.size(), most_places); ++i)
        text += fmt::format("      {}: {}\n", printable(script.sources.location(program.places[i])),
                            printable(script.sources.text(program.places[i]), 120));
    if (program.places.size() > most_places)
        text += fmt::format("      and at {} more places\n", program.places.size() - most_places);
    return text;
}

std::string shown(const Script& script, const Programs& programs) {
    std::string text;
    for (const ProjectProgram& one : programs) {
        text += "  " + printable(one.name);
        if (!one.path.empty() && one.path != one.name) text += "  " + printable(one.path);
        text += one.digest.empty() ? "" : "  sha256 " + short_digest(one.digest);
        text += fmt::format("  ({})\n{}", printable(one.why), where(script, one));
    }
    return text;
}

// To be put into the user's configuration.
std::string configuration(const std::map<std::string, ProjectProgram>& programs) {
    std::string text;
    for (const auto& [name, one] : programs)
        if (!one.digest.empty())
            text += fmt::format("  - {{ path: {}, sha256: {} }}\n",
                                nlohmann::json(printable(one.path)).dump(), one.digest);
    return text.empty() ? text : fmt::format("allowed-tools:\n{}", text);
}

std::string how_to_allow(const std::string& entries, const std::filesystem::path& root) {
    const auto folder = project::user_folder();
    std::string text = "`--allow-tools` allows it this time";
    if (const std::string why = project::not_believed(root); !why.empty())
        return fmt::format("{}; {}\n", text, printable(why));
    if (entries.empty() || folder.empty()) return text;
    return text + fmt::format("; for good, {} does:\n{}", (folder / "config.yaml").string(), entries);
}

}  // namespace

tl::expected<void, std::string> is_the_users(const Script& script) {
    if (script.inventory.exists || script.sources.size() == 0) return {};
    std::vector<FileId> files = {script.file};
    files.insert(files.end(), script.used.begin(), script.used.end());
    for (const FileId id : files) {
        std::error_code error;
        const auto file = std::filesystem::canonical(script.sources.file(id).name(), error);
        const std::string why = error ? std::string() : project::why_not_trusted(file);
        if (!why.empty())
            return tl::unexpected(fmt::format(
                "{} is not acted upon: {}, and what it says would be done as you. Copy it to where only you "
                "write; if it is the project's: `trusted-projects: [{}]` in {}",
                printable(file.string()), why, printable(file.parent_path().string()),
                (project::user_folder() / "config.yaml").string()));
    }
    return {};
}

namespace {

// For the journal: what was allowed, and how; null if there is nothing.
tl::expected<nlohmann::json, std::string> consent_to(const Programs& programs, SessionOptions& options,
                                                     const Script& script,
                                                     const std::vector<runtime::Event>* earlier) {
    if (programs.empty()) return nlohmann::json();
    const nlohmann::json all = to_json(programs);
    const nlohmann::json before = earlier != nullptr ? allowed_before(*earlier) : nlohmann::json::array();
    const auto allowed = [&](const char* how) { return nlohmann::json{{"how", how}, {"programs", all}}; };
    if (options.allow_tools) return allowed("--allow-tools");
    const auto root = std::filesystem::absolute(script.inventory.root);
    const bool is_configured = std::all_of(programs.begin(), programs.end(), [&](const ProjectProgram& one) {
        return runtime::is_configured(one, root);
    });
    if (is_configured) return allowed("the user's configuration");
    const bool is_known =
        std::all_of(all.begin(), all.end(), [&](const nlohmann::json& one) { return is_among(one, before); });
    options.allow_tools = true;
    if (is_known) return allowed("as before");
    const std::string list = shown(script, programs);
    if (const auto yes = options.ask(list)) {
        if (*yes) return allowed("asked on the terminal");
        return tl::unexpected(std::string("nothing is begun: it was not allowed"));
    }
    std::map<std::string, ProjectProgram> by_name;
    for (const ProjectProgram& one : programs) by_name.emplace(one.name, one);
    return tl::unexpected(
        fmt::format("nothing is begun: it executes what the project says, and nobody has allowed that:\n{}{}",
                    list, how_to_allow(configuration(by_name), root)));
}

}  // namespace

tl::expected<runtime::RunOptions, Refusal> agreed_options(SessionOptions& options, const Script& script,
                                                          const std::vector<runtime::Event>* earlier) {
    options.work = runtime::Work::Acts;
    if (is_live(options) && earlier == nullptr)
        if (const auto own = is_the_users(script); !own) return tl::unexpected(Refusal{own.error()});
    auto agreed = run_options(options, script);
    if (!agreed) return tl::unexpected(Refusal{agreed.error()});
    if (!is_live(options)) return std::move(*agreed);
    const auto programs =
        runtime::project_programs(script.program, script.inventory, *agreed, *runtime::make_live_tools());
    auto consent = consent_to(programs, options, script, earlier);
    if (!consent) return tl::unexpected(Refusal{consent.error(), 2, true});
    agreed->consent = std::move(*consent);
    return std::move(*agreed);
}

std::string not_read(const Session& session) {
    if (session.consented == nullptr) return {};
    const auto left_out = session.consented->refused();
    if (left_out.empty()) return {};
    std::vector<std::string> names;
    std::string text;
    for (const auto& [name, one] : left_out) {
        names.push_back(printable(name));
        const bool is_own_kubectl = name == "kubectl" && one.why.starts_with(runtime::own_program);
        if (one.why.starts_with(runtime::own_kubeconfig) || is_own_kubectl)
            text += "note: which cluster it is was not asked, and is no part of the run digest\n";
    }
    return text + fmt::format("note: not run, since nobody has allowed it: {}. {}\n", fmt::join(names, ", "),
                              how_to_allow(configuration(left_out), session.consented->root()));
}

}  // namespace migc::session
