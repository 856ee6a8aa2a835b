// Which rights a command line of kubectl takes, and whether the operator has them.
#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "compiler/kubernetes/kinds.hpp"
#include "compiler/support/text.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/inspect/doctor.hpp"
#include "runtime/plan/commands.hpp"

namespace migc::runtime::inline inspect {
namespace {

// "deployment/webapi" -> "deployment"; kubectl itself understands singular names, so any kind will do, but
// not with a version: "deployment.v1.apps" -> "deployment.apps".
std::string kind_of(const std::string& handle) {
    std::string kind = handle.substr(0, handle.find('/'));
    const auto dot = kind.find(".v");
    if (dot == std::string::npos || dot + 2 >= kind.size() || std::isdigit(kind[dot + 2]) == 0) return kind;
    const auto end = kind.find('.', dot + 1);
    return kind.erase(dot, end == std::string::npos ? end : end - dot);
}

// "/apis/apps/v1/namespaces/shop/deployments/web" -> "deployments.apps"
std::string kind_at(const std::string& address) {
    const std::vector<std::string> parts = split(address, '/');  // the first one is empty
    if (parts.size() < 5) return {};
    const std::string& plural = parts[parts.size() - 2];
    return parts[1] == "apis" ? plural + "." + parts[2] : plural;
}

// What a subcommand needs on the kind that it names, or on the object that it is given.
std::vector<Right> rights_of_subcommand(const KubectlWords& call, const std::string& object) {
    const auto kind_named = [&](std::size_t index) {
        return index < call.words.size() ? kind_of(call.words[index]) : std::string();
    };
    const std::string kind = kind_named(0), second = kind_named(1), given = kind_of(object);
    const std::string& subcommand = call.verb;
    // With a precondition kubectl reads the scale and writes it back, else it patches.
    const bool careful = call.has("--current-replicas") || call.has("--resource-version");
    if (subcommand == "scale") return {{"get", kind}, {careful ? "update" : "patch", kind + "/scale"}};
    if (subcommand == "rollout" || subcommand == "set") return {{"patch", second}};
    if (subcommand == "patch" || subcommand == "annotate" || subcommand == "label") return {{"patch", kind}};
    if (subcommand == "delete") return {{"delete", call.has("--raw") ? kind_at(call.value("--raw")) : kind}};
    if (subcommand == "cordon" || subcommand == "uncordon") return {{"patch", "nodes"}};
    if (subcommand == "drain") return {{"patch", "nodes"}, {"create", "pods/eviction"}};
    if (subcommand == "exec" || subcommand == "cp") return {{"create", "pods/exec"}};
    if (subcommand == "run") return {{"create", "pods"}, {"delete", "pods"}};
    if (subcommand == "create") return {{"create", kind}};
    if (subcommand == "apply") return {{"create", given}, {"patch", given}};
    return {};
}

// The error: why that is not known.
tl::expected<bool, std::string> is_granted(const Right& right, const ir::Program& program,
                                           const StageEnvironment& environment, Tools& tools) {
    const auto slash = right.resource.find('/');
    std::vector<std::string> question = {"--context",   environment.setting("context"),
                                         "--namespace", environment.setting("namespace"),
                                         "auth",        "can-i",
                                         right.verb,    right.resource.substr(0, slash)};
    if (slash != std::string::npos) question.push_back("--subresource=" + right.resource.substr(slash + 1));
    const Answer answer = ask_kubectl(program, environment, tools, question);
    // An error ends with the same code as a `no`.
    if (answer.output.starts_with("yes")) return true;
    if (answer.output.starts_with("no")) return false;
    return tl::unexpected(failure_text("kubectl", answer));
}

// What an apply makes its undo deletes, unless it holds data; no command line says so while it is not there.
std::vector<Right> rights_of_undoing(const PlanAction& action) {
    const bool makes =
        std::any_of(action.effects.begin(), action.effects.end(),
                    [](const PlanEffect& effect) { return effect.before.kind == PlanValue::Kind::Absent; });
    for (const PlannedCommand& command : action.command.commands)
        if (const std::string kind = kind_of(command.object);
            makes && !kind.empty() && !kubernetes::holds_data(kind))
            return {{"delete", kind}};
    return {};
}

}  // namespace

std::vector<Right> rights_of(const PlannedCommand& command) {
    if (command.argv.empty() || command.argv.front() != "kubectl") return {};
    std::vector<Right> rights = rights_of_subcommand(parse_kubectl(command.argv), command.object);
    std::erase_if(rights,
                  [](const Right& right) { return right.resource.empty() || right.resource.front() == '/'; });
    return rights;
}

void examine_rights(const ir::Program& program, const PlanStage& planned, const StageEnvironment& environment,
                    Tools& tools, Diagnoses& found) {
    std::map<Right, std::string> needed;  // and the first step that needs it
    const auto add = [&](const std::vector<Right>& rights, const std::string& what) {
        for (const Right& right : rights) needed.try_emplace(right, what);
    };
    const auto add_all = [&](const Preview& preview, const std::string& what) {
        for (const PlannedCommand& command : preview.commands) add(rights_of(command), what);
    };
    for (const PlanStep& step : planned.steps) {
        if (!step.action) continue;
        const std::string undo = "the undo of " + step.text;
        add_all(step.action->command, step.text);
        for (const Preview& preview : step.action->undo_commands) add_all(preview, undo);
        add(rights_of_undoing(*step.action), undo);
    }
    std::size_t granted = 0;
    const Examined examined(environment.name, found);
    for (const auto& [right, step] : needed) {
        const auto answer = is_granted(right, program, environment, tools);
        const std::string what = fmt::format("{} {}", right.verb, right.resource);
        if (!answer)
            examined.note(fmt::format("whether you may {} is not known: {}", what, answer.error()));
        else if (*answer)
            ++granted;
        else
            examined.trouble(fmt::format("you may not {} in {}, which `{}` does", what,
                                         environment.setting("namespace"), step),
                             "ask for the right, or let somebody run it who has it");
    }
    if (granted > 0)
        examined.well(fmt::format("{} of {} rights that the steps and their undo take are granted", granted,
                                  needed.size()));
}

}  // namespace migc::runtime::inline inspect
