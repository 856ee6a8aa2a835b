#include "runtime/session/session.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/semantics/calls.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/evaluate/convert.hpp"
#include "runtime/evaluate/environment.hpp"
#include "runtime/journal/lock.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/natives/natives.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/session/scratch.hpp"
#include "runtime/session/signatures.hpp"
#include "runtime/tools/environment.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/tools/recording.hpp"
#include "runtime/world/world.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::session {
namespace {

using runtime::Tools;
using Error = tl::unexpected<std::string>;

tl::expected<std::unique_ptr<Tools>, std::string> simulated(const SessionOptions& options,
                                                            const Script& script, Session& session) {
    std::string text(learning_world());
    if (options.world != "learning") {
        auto read = driver::read_named(options.world, syntax::source_limit);
        if (!read) return Error(fmt::format("cannot read the world {}: {}", options.world, read.error()));
        text = std::move(*read);
    }
    Diagnostics diagnostics;
    const FileId file = session.sources.add(options.world, std::move(text));
    auto world = runtime::load_world(file, session.sources, diagnostics);
    options.findings(diagnostics, session.sources);
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

bool uses_terraform(const ir::Program& program) {
    return std::any_of(program.verbs.begin(), program.verbs.end(),
                       [](const ir::Verb& verb) { return semantics::runs(verb.action, "terraform"); }) ||
           std::any_of(program.probes.begin(), program.probes.end(),
                       [](const ir::Probe& probe) { return semantics::runs(probe.read, "terraform"); });
}

// What the environment says to terraform is told, be it passed on or not: nothing creeps in.
void tell_terraform_variables(const SessionOptions& options, const Script& script) {
    if (!uses_terraform(script.program)) return;
    const auto variables = runtime::terraform_variables(::environ);
    if (!variables.withheld.empty())
        options.tell(fmt::format(
            "note: {} of the environment {} not passed on: what terraform does is said by the script",
            fmt::join(variables.withheld, ", "), variables.withheld.size() == 1 ? "is" : "are"));
    if (!variables.values.empty())
        options.tell(fmt::format("note: {} of the environment {} terraform as variables",
                                 fmt::join(variables.values, ", "),
                                 variables.values.size() == 1 ? "reaches" : "reach"));
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
    tell_terraform_variables(options, script);
    runtime::LiveOptions live;
    live.inherited = options.locks;
    return runtime::make_live_tools(std::move(live));
}

std::string hint(const std::string& name, const std::vector<std::string>& names) {
    const auto near = nearest(name, names);
    return near ? fmt::format("; did you mean `{}`?", *near) : "";
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
    return Error(fmt::format("--set {}: the script has no parameter `{}`{}", text, name, hint(name, names)));
}

tl::expected<void, std::string> choose_stages(const SessionOptions& options, const Script& script,
                                              runtime::RunOptions& result) {
    std::vector<std::string> names;
    for (const auto& stage : script.program.stages) names.push_back(stage.name);
    for (const auto& name : options.stages) {
        if (script.program.stage(name) == nullptr)
            return Error(fmt::format("--stage {}: the script has no such stage{}", name, hint(name, names)));
        result.only.push_back(name);
    }
    return {};
}

// Evidence of a simulated run opens no gate of a live one.
std::string mode_of(const SessionOptions& options) {
    return !options.world.empty() ? "simulated" : !options.replay.empty() ? "replayed" : "live";
}

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

tl::expected<void, std::string> write_state(const SessionOptions& options, std::string_view state) {
    const auto note = driver::write_output(options.state, state);
    if (!note) return Error(note.error());
    if (!note->empty()) options.tell(*note);
    return {};
}

void tell_interference(const SessionOptions& options, runtime::World& world) {
    for (const runtime::OthersWrite& write : world.ledger()) {
        if (write.superseded) continue;
        options.tell(fmt::format(
            "others: {}: {}", runtime::shown(write),
            write.stands() ? "it is still there"
                           : fmt::format("it is not there any more since `{}`{}", write.overwritten_by,
                                         write.looked_at ? ", which came after a look" : "")));
    }
    for (const std::string& text : world.idle_interference()) options.tell("others: " + text);
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

tl::expected<std::unique_ptr<Session>, std::string> open_session(const SessionOptions& options,
                                                                 const Script& script) {
    // Noticed before anything runs, not at the end of it.
    if (!options.state.empty())
        if (const auto written = write_state(options, ""); !written)
            return Error(fmt::format("--state: {}", written.error()));
    auto session = std::make_unique<Session>();
    auto chosen = tools(options, script, *session);
    if (!chosen) return Error(chosen.error());
    session->tools = std::move(*chosen);
    if (!options.record.empty()) {
        if (const auto note = driver::note_of_replaced(options.record); !note.empty()) options.tell(note);
        auto recording = runtime::make_recording_tools(std::move(session->tools), options.record,
                                                       normalised(script), driver::project_root_here());
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
    const bool begins = event.kind() == EventKind::Intent || event.kind() == EventKind::UndoIntent;
    const bool ends = event.kind() == EventKind::Outcome || event.kind() == EventKind::UndoOutcome;
    if (begins || ends) simulated->step(event.as<runtime::events::OfStep>()->text, ends);
}

void close_session(const SessionOptions& options, Session& session, const ScratchCopy* scratch) {
    if (session.simulated != nullptr && !options.interference.empty())
        tell_interference(options, *session.simulated);
    if (options.state.empty() || session.simulated == nullptr) return;
    auto state = nlohmann::json::parse(session.simulated->state());
    state["files"] = scratch ? scratch->changed_files() : nlohmann::json::object();
    if (const auto written = write_state(options, state.dump(1) + "\n"); !written)
        options.tell("migc: " + written.error());
}

}  // namespace migc::session
