// The tools, and what they reach.
#include <filesystem>
#include <set>

#include <date/date.h>
#include <fmt/format.h>

#include "compiler/support/json_text.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/inspect/doctor.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline inspect {
namespace {

struct KnownTool {
    std::string name;
    std::vector<std::string> version;  // the arguments that make it say its version on one line
    std::string package;
};

const std::vector<KnownTool>& known_tools() {
    static const std::vector<KnownTool> tools = {
        {"kubectl", {"version", "--client"}, "kubernetes.io/docs/tasks/tools"},
        {"terraform", {"version"}, "developer.hashicorp.com/terraform/install"},
        {"docker", {"--version"}, "the package docker.io"},
        {"curl", {"--version"}, "the package curl"},
        {"git", {"--version"}, "the package git"},
    };
    return tools;
}

std::string first_line(const std::string& text) {
    return printable(text.substr(0, text.find('\n')), 80);
}

// Those that the verbs and probes of the script run, also through natives.
std::set<std::string> used_tools(const ir::Program& program) {
    std::set<std::string> used;
    const auto add = [&](const std::optional<ir::Command>& command) {
        if (!command) return;
        used.insert(command->tool);
        used.insert(command->through.begin(), command->through.end());
    };
    for (const ir::Verb& verb : program.verbs) add(verb.action);
    for (const ir::Probe& probe : program.probes) add(probe.read);
    return used;
}

std::string day(Time time) {
    return date::format("%Y-%m-%d %H:%M UTC",
                        date::sys_time<std::chrono::minutes>(std::chrono::minutes(time / 60'000)));
}

// One environment's cluster, through kubectl.
class ClusterExamination : Examined {
  public:
    ClusterExamination(const ir::Program& program, const StageEnvironment& environment, Time until,
                       Tools& tools, Diagnoses& found)
        : Examined(environment.name, found),
          program_(program),
          environment_(environment),
          until_(until),
          tools_(tools) {}

    void run() {
        const auto identity = cluster_identity(program_, environment_, tools_);
        const std::string context = environment_.setting("context");
        const Answer ready = ask({"get", "--raw", "/readyz"});
        if (is_not_allowed(ready)) return note("the cluster is " + ready.reason);
        if (!ready.succeeded() && !identity)
            return trouble(fmt::format("the cluster of context {} does not answer: {}", context,
                                       failure_text("kubectl", ready)),
                           "is the VPN up, and are you logged in?");
        if (identity)
            well(fmt::format("context {} leads to cluster {}", context, *identity));
        else
            note(fmt::format("which cluster context {} leads to cannot be read ({}), so it cannot be pinned",
                             context, identity.error()));
        examine_namespace();
        examine_credentials();
    }

  private:
    Answer ask(const std::vector<std::string>& arguments) {
        std::vector<std::string> question = {"--context", environment_.setting("context")};
        question.insert(question.end(), arguments.begin(), arguments.end());
        return ask_kubectl(program_, environment_, tools_, question);
    }

    void examine_namespace() {
        const std::string name = environment_.setting("namespace");
        const Answer answer = ask({"get", "namespace", name, "-o", "json"});
        if (answer.succeeded()) return well(fmt::format("namespace {} is there", name));
        const std::string why = failure_text("kubectl", answer);
        if (why.find("NotFound") != std::string::npos || why.find("not found") != std::string::npos)
            return trouble(fmt::format("there is no namespace {}", name),
                           "name the right one in migc.yaml, or with --namespace");
        note(fmt::format("whether namespace {} is there cannot be read: {}", name, why));
    }

    // The answer holds the credentials themselves: nothing of it is shown, and no record is made of it.
    void examine_credentials() {
        const Answer answer = ask({"config", "view", "--minify", "--flatten", "--raw", "-o", "json"});
        const auto config = nlohmann::json::parse(answer.output, nullptr, false);
        const nlohmann::json::json_pointer place("/users/0/user");
        if (!answer.succeeded() || !config.is_object() || !config.contains(place))
            return note("the credentials cannot be read, so until when they are good is not known");
        const auto& user = config.at(place);
        for (const char* secret : {"token", "client-key-data", "password"})
            secrets().add(text_of(user, secret));
        if (user.contains("exec") || user.contains("auth-provider"))
            return note(
                "the credentials come from a plugin, which renews them itself: until when is not known");
        auto end = end_of_token(text_of(user, "token"));
        if (const std::string certificate = text_of(user, "client-certificate-data");
            !end && !certificate.empty())
            end = end_of_certificate(certificate, tools_);
        if (!end) return note("the credentials do not say until when they are good");
        if (*end < until_)
            return trouble(fmt::format("the credentials end on {}, before the run and its undo might: {}",
                                       day(*end), day(until_)),
                           "renew them first");
        well(fmt::format("the credentials are good until {}", day(*end)));
    }

    const ir::Program& program_;
    const StageEnvironment& environment_;
    Time until_;
    Tools& tools_;
};

void examine_terraform(const StageEnvironment& environment, Diagnoses& found) {
    namespace fs = std::filesystem;
    const fs::path folder = environment.setting("terraform-dir");
    if (folder.empty()) return;
    const Examined examined(environment.name, found);
    const std::string name = folder.string();
    std::error_code error;
    if (!fs::is_directory(folder, error))
        return examined.trouble("there is no terraform folder " + name, "correct `dir` in migc.yaml");
    const std::string variables = environment.setting("var-file");
    if (!variables.empty() && !fs::exists(folder / variables, error))
        examined.trouble("there is no " + (folder / variables).string(), "correct `var-file` in migc.yaml");
    if (fs::is_directory(folder / ".terraform", error))
        examined.well(fmt::format("terraform folder {} is initialised", name));
    else
        examined.note(fmt::format(
            "terraform folder {} is not initialised yet: the script has to `init terraform`", name));
}

}  // namespace

void examine_tools(const ir::Program& program, Tools& tools, Diagnoses& found) {
    const auto used = used_tools(program);
    for (const KnownTool& tool : known_tools()) {
        if (!used.empty() && !used.contains(tool.name)) continue;
        const Examined examined(tool.name, found);
        CommandLine command;
        command.tool = tool.name;
        command.argv = {tool.name};
        command.argv.insert(command.argv.end(), tool.version.begin(), tool.version.end());
        const Answer answer = tools.run(command);
        const std::string why =
            printable(answer.ending == Ending::NotStarted ? answer.reason : failure_text(tool.name, answer));
        if (answer.succeeded())
            examined.well(first_line(answer.output));
        else if (used.empty())
            examined.note(why);
        else
            examined.trouble(why, "install it: " + tool.package);
    }
}

void examine_environment(const ir::Program& program, const StageEnvironment& environment, bool uses_cluster,
                         Time until, Tools& tools, Diagnoses& found) {
    if (uses_cluster) ClusterExamination(program, environment, until, tools, found).run();
    examine_terraform(environment, found);
}

}  // namespace migc::runtime::inline inspect
