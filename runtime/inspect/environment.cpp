// The tools, and what they reach.
#include <filesystem>
#include <set>

#include <date/date.h>
#include <fmt/format.h>

#include "runtime/engine/consent.hpp"
#include "runtime/engine/text.hpp"
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
class ClusterExamination {
  public:
    ClusterExamination(const ir::Program& program, const StageEnvironment& environment, Time until,
                       Tools& tools, Diagnoses& found)
        : program_(program), environment_(environment), until_(until), tools_(tools), found_(found) {}

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
    void well(std::string text) { found_.push_back({Health::Well, environment_.name, std::move(text), {}}); }
    void note(std::string text) { found_.push_back({Health::Note, environment_.name, std::move(text), {}}); }
    void trouble(std::string text, std::string mend) {
        found_.push_back({Health::Trouble, environment_.name, std::move(text), std::move(mend)});
    }

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
        const auto text = [&](const char* key) {
            return user.contains(key) && user.at(key).is_string() ? user.at(key).get<std::string>()
                                                                  : std::string();
        };
        for (const char* secret : {"token", "client-key-data", "password"}) secrets().add(text(secret));
        if (user.contains("exec") || user.contains("auth-provider"))
            return note(
                "the credentials come from a plugin, which renews them itself: until when is not known");
        auto end = end_of_token(text("token"));
        if (const std::string certificate = text("client-certificate-data"); !end && !certificate.empty())
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
    Diagnoses& found_;
};

void examine_terraform(const StageEnvironment& environment, Diagnoses& found) {
    namespace fs = std::filesystem;
    const fs::path folder = environment.setting("terraform-dir");
    if (folder.empty()) return;
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        found.push_back({Health::Trouble, environment.name,
                         fmt::format("there is no terraform folder {}", folder.string()),
                         "correct `dir` in migc.yaml"});
        return;
    }
    const std::string variables = environment.setting("var-file");
    if (!variables.empty() && !fs::exists(folder / variables, error))
        found.push_back({Health::Trouble, environment.name,
                         fmt::format("there is no {}", (folder / variables).string()),
                         "correct `var-file` in migc.yaml"});
    const bool is_ready = fs::is_directory(folder / ".terraform", error);
    found.push_back(
        {is_ready ? Health::Well : Health::Note,
         environment.name,
         fmt::format("terraform folder {} is {}", folder.string(),
                     is_ready ? "initialised" : "not initialised yet: the script has to `init terraform`"),
         {}});
}

}  // namespace

void examine_tools(const ir::Program& program, Tools& tools, Diagnoses& found) {
    const auto used = used_tools(program);
    for (const KnownTool& tool : known_tools()) {
        const bool is_used = used.contains(tool.name);
        if (!used.empty() && !is_used) continue;
        CommandLine command;
        command.tool = tool.name;
        command.argv = {tool.name};
        command.argv.insert(command.argv.end(), tool.version.begin(), tool.version.end());
        const Answer answer = tools.run(command);
        if (answer.succeeded()) {
            found.push_back({Health::Well, tool.name, first_line(answer.output), {}});
        } else {
            const std::string why =
                answer.ending == Ending::NotStarted ? answer.reason : failure_text(tool.name, answer);
            found.push_back({is_used ? Health::Trouble : Health::Note, tool.name, printable(why),
                             is_used ? "install it: " + tool.package : ""});
        }
    }
}

void examine_environment(const ir::Program& program, const StageEnvironment& environment, bool uses_cluster,
                         Time until, Tools& tools, Diagnoses& found) {
    if (uses_cluster) ClusterExamination(program, environment, until, tools, found).run();
    examine_terraform(environment, found);
}

}  // namespace migc::runtime::inline inspect
