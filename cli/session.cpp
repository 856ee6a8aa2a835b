#include "cli/session.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/print.hpp"
#include "cli/refuse.hpp"
#include "cli/signatures.hpp"
#include "cli/written.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/project/user_config.hpp"
#include "compiler/source/project_path.hpp"
#include "compiler/source/sha256.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/engine/convert.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/tools/environment.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/tools/recording.hpp"
#include "runtime/world/world.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::cli {
namespace {

using runtime::Tools;
using Error = tl::unexpected<std::string>;

tl::expected<std::unique_ptr<Tools>, std::string> simulated(const SessionOptions& options,
                                                            const Script& script, Session& session) {
    std::string text(learning_world());
    if (options.world != "learning") {
        auto read = read_file(options.world, syntax::source_limit);
        if (!read) return Error(fmt::format("cannot read the world {}: {}", options.world, read.error()));
        text = std::move(*read);
    }
    Diagnostics diagnostics;
    const FileId file = session.sources.add(options.world, std::move(text));
    auto world = runtime::load_world(file, session.sources, diagnostics);
    print(diagnostics, session.sources);
    if (!world) return Error(world.error());
    for (const auto& text_of_fault : options.faults) {
        const auto fault = runtime::parse_fault(text_of_fault);
        if (!fault) return Error(fmt::format("--fault \"{}\": {}", text_of_fault, fault.error()));
        (*world)->inject(*fault);
    }
    for (const auto& text_of_deed : options.interference) {
        auto interference = runtime::parse_interference(text_of_deed);
        if (!interference)
            return Error(fmt::format("--interfere \"{}\": {}", text_of_deed, interference.error()));
        (*world)->interfere(std::move(*interference));
    }
    (*world)->stand_in(script.inventory.root);
    session.world = options.world;
    session.simulated = world->get();
    return std::unique_ptr<Tools>(std::move(*world));
}

// What differs from machine to machine in a transcript.
std::vector<runtime::Normalisation> normalised(const Script& script) {
    return {{script.inventory.root.string(), "${root}"}};
}

bool runs_terraform(const std::optional<ir::Command>& command) {
    return command &&
           (command->tool == "terraform" || std::find(command->through.begin(), command->through.end(),
                                                      "terraform") != command->through.end());
}

bool uses_terraform(const ir::Program& program) {
    return std::any_of(program.verbs.begin(), program.verbs.end(),
                       [](const ir::Verb& verb) { return runs_terraform(verb.action); }) ||
           std::any_of(program.probes.begin(), program.probes.end(),
                       [](const ir::Probe& probe) { return runs_terraform(probe.read); });
}

// What the environment says to terraform is told, be it passed on or not: nothing creeps in.
void tell_terraform_variables(const Script& script) {
    if (!uses_terraform(script.program)) return;
    const auto variables = runtime::terraform_variables(::environ);
    if (!variables.withheld.empty())
        tell("note: {} of the environment {} not passed on: what terraform does is said by the script\n",
             fmt::format("{}", fmt::join(variables.withheld, ", ")),
             variables.withheld.size() == 1 ? "is" : "are");
    if (!variables.values.empty())
        tell("note: {} of the environment {} terraform as variables\n",
             fmt::format("{}", fmt::join(variables.values, ", ")),
             variables.values.size() == 1 ? "reaches" : "reach");
}

tl::expected<std::unique_ptr<Tools>, std::string> tools(const SessionOptions& options, const Script& script,
                                                        Session& session) {
    if (!options.world.empty()) return simulated(options, script, session);
    if (!options.faults.empty())
        return Error(std::string("--fault needs --world: faults can be asked for in a simulated world only"));
    if (!options.interference.empty())
        return Error(
            std::string("--interfere needs --world: others can be made to act in a simulated world only"));
    if (!options.replay.empty()) return runtime::make_replayed_tools(options.replay, normalised(script));
    tell_terraform_variables(script);
    runtime::LiveOptions live;
    live.inherited = options.locks;
    return runtime::make_live_tools(std::move(live));
}

tl::expected<void, std::string> set_parameter(const std::string& text, const Script& script,
                                              runtime::RunOptions& result) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return Error(fmt::format("--set {}: write NAME=VALUE", text));
    const std::string name = text.substr(0, equals);
    std::vector<std::string> names;
    for (const auto& parameter : script.program.parameters) {
        names.push_back(parameter.name);
        if (parameter.name != name) continue;
        if (parameter.type.kind == ir::TypeKind::Secret)
            return Error(fmt::format(
                "--set {0}=..: `{0}` is a secret, and the command line can be read by everybody on this machine. "
                "migc.yaml says where it is: `secrets: {{ {0}: {{ file: .. }} }}`",
                name));
        if (result.parameters.contains(name))
            return Error(fmt::format("--set {}: `{}` is set twice", text, name));
        auto value = runtime::parse_parameter(parameter.type, text.substr(equals + 1));
        if (!value) return Error(fmt::format("--set {}: {}", text, value.error()));
        result.parameters.insert_or_assign(name, std::move(*value));
        return {};
    }
    const auto near = nearest(name, names);
    return Error(fmt::format("--set {}: the script has no parameter `{}`{}", text, name,
                             near ? fmt::format("; did you mean `{}`?", *near) : ""));
}

tl::expected<void, std::string> choose_stages(const SessionOptions& options, const Script& script,
                                              runtime::RunOptions& result) {
    std::vector<std::string> names;
    for (const auto& stage : script.program.stages) names.push_back(stage.name);
    for (const auto& name : options.stages) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            const auto near = nearest(name, names);
            return Error(fmt::format("--stage {}: the script has no such stage{}", name,
                                     near ? fmt::format("; did you mean `{}`?", *near) : ""));
        }
        result.only.push_back(name);
    }
    return {};
}

// Evidence of a simulated run opens no gate of a live one.
std::string mode_of(const SessionOptions& options) {
    return !options.world.empty() ? "simulated" : !options.replay.empty() ? "replayed" : "live";
}

constexpr std::uintmax_t scratch_limit = std::uintmax_t{64} << 20;  // bytes of a project that is copied

// Copies what a change reads; the history, the journal and terraform's downloads are none of it.
bool is_left_out(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name == ".git" || name == ".migc" || name == "node_modules";
}

// What is no file of the project is in no copy of it.
bool leads_out(const std::filesystem::directory_entry& entry, const std::filesystem::path& root) {
    return entry.is_symlink() && !project_file(root, entry.path());
}

tl::expected<void, std::string> copy_project(const std::filesystem::path& from,
                                             const std::filesystem::path& to) {
    namespace fs = std::filesystem;
    std::error_code error;
    std::uintmax_t size = 0;
    for (fs::recursive_directory_iterator i(from, error), end; !error && i != end; i.increment(error)) {
        if (is_left_out(i->path())) {
            i.disable_recursion_pending();
            continue;
        }
        const fs::path target = to / fs::relative(i->path(), from);
        if (i->is_directory()) fs::create_directories(target, error);
        if (!i->is_regular_file() || leads_out(*i, from)) continue;
        size += i->file_size();
        if (size > scratch_limit)
            return Error(fmt::format(
                "the project is larger than {} MiB, too large to be copied for a run that only pretends to edit its files",
                scratch_limit >> 20));
        fs::copy_file(i->path(), target, error);
    }
    if (error) return Error("the project cannot be copied for the simulated run: " + error.message());
    return {};
}

// The digest of every file below a folder, without what is left out of a copy.
std::map<std::string, std::string> digests(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::map<std::string, std::string> result;
    std::error_code error;
    for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
        if (is_left_out(i->path()))
            i.disable_recursion_pending();
        else if (i->is_regular_file() && !leads_out(*i, folder))
            if (const auto text = read_file(i->path(), scratch_limit))
                result[fs::relative(i->path(), folder).string()] = sha256(*text);
    }
    return result;
}

}  // namespace

bool is_live(const SessionOptions& options) {
    return options.world.empty() && options.replay.empty();
}

bool edits_files(const ir::Program& program) {
    return std::any_of(program.verbs.begin(), program.verbs.end(), [](const ir::Verb& verb) {
        const auto* native = verb.action ? runtime::find_native(verb.action->native) : nullptr;
        return native != nullptr && native->edits_files;
    });
}

std::vector<std::string> lock_names(const ir::Program& program) {
    std::vector<std::string> names;
    for (const ir::Stage& stage : program.stages)
        names.push_back(stage.environment.empty() ? stage.name : stage.environment);
    if (edits_files(program)) names.push_back(runtime::project_files_lock);
    return names;
}

tl::expected<std::unique_ptr<ScratchCopy>, std::string> ScratchCopy::make(const SessionOptions& options,
                                                                          Script& script) {
    if (is_live(options) || !edits_files(script.program)) return nullptr;
    std::string name = (std::filesystem::temp_directory_path() / "migc-XXXXXX").string();
    if (!::mkdtemp(name.data())) return Error(std::string("no temporary folder can be made"));
    std::unique_ptr<ScratchCopy> copy(new ScratchCopy(script.inventory.root, name));
    if (auto copied = copy_project(script.inventory.root, name); !copied) return Error(copied.error());
    script.inventory.root = name;
    copy->copied_ = digests(name);
    return copy;
}

nlohmann::json ScratchCopy::changed_files() const {
    auto changed = nlohmann::json::object();
    const auto now = digests(folder_);
    for (const auto& [path, digest] : copied_)
        if (!now.contains(path)) changed[path] = nullptr;
    for (const auto& [path, digest] : now)
        if (const auto before = copied_.find(path); before == copied_.end() || before->second != digest)
            changed[path] = digest;
    return changed;
}

tl::expected<void, std::string> ScratchCopy::restore() const {
    namespace fs = std::filesystem;
    std::error_code error;
    // What is never copied, and a run leaves behind.
    for (fs::recursive_directory_iterator i(folder_, error), end; !error && i != end;) {
        const fs::path path = i->path();
        if (is_left_out(path)) i.disable_recursion_pending();
        i.increment(error);
        if (is_left_out(path)) fs::remove_all(path, error);
    }
    const auto changed = changed_files();
    for (const auto& [path, digest] : changed.items()) {
        if (!copied_.contains(path)) {
            fs::remove(folder_ / path, error);
            continue;
        }
        fs::create_directories((folder_ / path).parent_path(), error);
        fs::copy_file(of_ / path, folder_ / path, fs::copy_options::overwrite_existing, error);
        if (error) break;
    }
    if (error) return Error("the copy of the project cannot be made as it was: " + error.message());
    if (!changed.empty() && !changed_files().empty())
        return Error(std::string("the project was changed by somebody else meanwhile"));
    return {};
}

ScratchCopy::~ScratchCopy() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void add_session_options(CLI::App& command, SessionOptions& options) {
    command.add_option(
        "--world", options.world,
        "Simulate: a world file, or `learning` for the built-in one. Without it everything is live");
    command.add_option(
        "--fault", options.faults,
        "In a simulated world: let a command go wrong, for example \"fail-before: kubectl scale\"");
    command.add_option(
        "--interfere", options.interference,
        "In a simulated world: let somebody else act as well, for example \"set-other before kubectl "
        "scale\"");
    command
        .add_option("--set", options.set,
                    "NAME=VALUE of a script's parameter, in place of migc.yaml's or the default")
        ->allow_extra_args(false);
    command.add_option("--stage", options.stages, "Only this stage (several times: only these)")
        ->allow_extra_args(false);
    command
        .add_option("--approval", options.approvals, "A signed approval, besides those in .migc/approvals")
        ->allow_extra_args(false);
    command
        .add_option("--evidence", options.evidence,
                    "A signed evidence that a stage has passed, besides the journal and .migc/evidence")
        ->allow_extra_args(false);
    command
        .add_option_function<std::vector<std::string>>(
            "--outside",
            [](const std::vector<std::string>& paths) {
                for (const std::string& path : paths) project::allow_outside(path);
            },
            "A file or folder outside of the project that migc.yaml may name for a secret, a channel or a "
            "kubeconfig")
        ->allow_extra_args(false);
    command.add_flag(
        "--allow-tools", options.allow_tools,
        "Execute what the project says: its own tools, probes and programs, secrets' commands, terraform. "
        "See docs/trust.md");
    command.add_option("--context", options.context, "The kubectl context, in place of the environment's");
    command.add_option("--namespace", options.name_space, "The namespace, in place of the environment's");
    command.add_option("--record", options.record, "Write a transcript of what the tools answered");
    command.add_option("--replay", options.replay, "Answer from a transcript in place of the tools")
        ->excludes("--world");
    command
        .add_option("--state", options.state,
                    "Write the simulated world's state at the end to a file, as JSON")
        ->needs("--world");
    command.add_flag("--json", options.json, "Print events as JSON, one a line");
}

namespace {

// What the project says is executed only where that is allowed; in a simulated world nothing is.
void ask_for_consent(const SessionOptions& options, const Script& script, Session& session) {
    const auto root = std::filesystem::absolute(script.inventory.root).lexically_normal();
    runtime::ConsentedTools::Allows allows;
    if (options.only_digests)
        allows = [](const runtime::ProjectProgram&) { return false; };
    else if (!options.allow_tools)
        allows = [root](const runtime::ProjectProgram& program) {
            return runtime::is_configured(program, root);
        };
    auto tools = std::make_unique<runtime::ConsentedTools>(std::move(session.tools), root, options.work,
                                                           std::move(allows));
    session.consented = tools.get();
    session.tools = std::move(tools);
}

}  // namespace

tl::expected<std::unique_ptr<Session>, std::string> open_session(const SessionOptions& options,
                                                                 const Script& script) {
    // Noticed before anything runs, not at the end of it.
    if (!options.state.empty())
        if (const auto written = write_output(options.state, ""); !written)
            return Error(fmt::format("--state: {}", written.error()));
    auto session = std::make_unique<Session>();
    auto chosen = tools(options, script, *session);
    if (!chosen) return Error(chosen.error());
    session->tools = std::move(*chosen);
    if (!options.record.empty()) {
        tell_replaced(options.record);
        auto recording = runtime::make_recording_tools(std::move(session->tools), options.record,
                                                       normalised(script), project_root_here());
        if (!recording) return Error(recording.error());
        session->tools = std::move(*recording);
    }
    if (is_live(options)) ask_for_consent(options, script, *session);
    return session;
}

tl::expected<runtime::RunOptions, std::string> run_options(const SessionOptions& options,
                                                           const Script& script) {
    runtime::RunOptions result;
    if (!options.context.empty()) result.context = options.context;
    if (!options.name_space.empty()) result.name_space = options.name_space;
    for (const auto& text : options.set)
        if (auto set = set_parameter(text, script, result); !set) return Error(set.error());
    if (auto chosen = choose_stages(options, script, result); !chosen) return Error(chosen.error());
    result.own_files = {script.used.begin(), script.used.end()};
    result.own_files.insert(script.file);
    result.script = script.sources.file(script.file).name();
    result.script_text = script.bundle();
    result.operated_by = runtime::operator_here();
    if (auto readable = look_at_signed_files(options.approvals, "--approval", true); !readable)
        return Error(readable.error());
    if (auto readable = look_at_signed_files(options.evidence, "--evidence", false); !readable)
        return Error(readable.error());
    const auto root = script.inventory.root;
    result.newest_known = [root, newest = std::optional<runtime::Time>()]() mutable {
        if (!newest) newest = newest_known(root);
        return *newest;
    };
    result.approvals = [root, files = options.approvals] { return given_approvals(root, files); };
    result.evidence = evidence_of(root, options.evidence, script.inventory, mode_of(options));
    return result;
}

void Session::on(const runtime::Event& event) const {
    using runtime::EventKind;
    if (simulated == nullptr) return;
    const bool begins = event.kind == EventKind::Intent || event.kind == EventKind::UndoIntent;
    const bool ends = event.kind == EventKind::Outcome || event.kind == EventKind::UndoOutcome;
    if (begins || ends) simulated->step(event.body.value("text", ""), ends);
}

namespace {

void tell_interference(runtime::World& world) {
    for (const runtime::OthersWrite& write : world.ledger()) {
        if (write.superseded) continue;
        tell("others: {}: {}\n", runtime::shown(write),
             write.stands() ? "it is still there"
                            : fmt::format("it is not there any more since `{}`{}", write.overwritten_by,
                                          write.looked_at ? ", which came after a look" : ""));
    }
    for (const std::string& text : world.idle_interference()) tell("others: {}\n", text);
}

}  // namespace

void close_session(const SessionOptions& options, Session& session, const ScratchCopy* scratch) {
    if (session.simulated != nullptr && !options.interference.empty()) tell_interference(*session.simulated);
    if (options.state.empty()) return;
    const auto* world = dynamic_cast<const runtime::World*>(session.tools.get());
    if (!world) return;
    auto state = nlohmann::json::parse(world->state());
    state["files"] = scratch ? scratch->changed_files() : nlohmann::json::object();
    if (const auto written = write_output(options.state, state.dump(1) + "\n"); !written)
        refuse(written.error());
}

}  // namespace migc::cli
