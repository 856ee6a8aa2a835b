// Secrets: read when a stage needs them, from a file, a variable or a command; kept in memory only.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/ir/program.hpp"
#include "compiler/project/named_file.hpp"
#include "runtime/evaluate/environment.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline evaluation {
namespace {

using Text = tl::expected<std::string, std::string>;
using Failure = tl::unexpected<std::string>;

constexpr std::size_t longest = std::size_t{64} << 10;  // bytes
constexpr std::int64_t command_limit_ms = 60'000;
const std::string unread(secret_unread);

Text not_read(const std::string& path, const std::string& why) {
    return Failure(fmt::format("{} cannot be read: {}", path, why));
}

Text from_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return Failure(fmt::format("the environment has no variable {}", name));
    return std::string(value);
}

// What it prints is told nowhere, not even when it fails.
Text from_command(const std::vector<std::string>& words, const StageEnvironment& environment, Tools& tools) {
    CommandLine command;
    command.tool = "(secret)";  // what it answers is in no transcript
    command.argv = words;
    command.of_project = true;
    command.directory = environment.setting("root");
    command.within_ms = command_limit_ms;
    Answer answer = tools.run(command);
    if (answer.succeeded() && !answer.truncated && answer.output.size() <= longest)
        return std::move(answer.output);
    answer.output.clear();
    answer.errors.clear();
    return Failure(answer.succeeded() ? words.front() + " printed more than 64 KiB"
                                      : failure_text(words.front(), answer));
}

Text read(const project::SecretSource& source, const project::Inventory& inventory,
          const StageEnvironment& environment, Tools& tools) {
    if (!source.variable.empty()) return from_variable(source.variable);
    if (source.file.empty()) return from_command(source.command, environment, tools);
    const auto content = project::named_file_content(inventory, source.file, longest);
    return content ? content : not_read(source.file, content.error());
}

// In its place when it is known to be there.
Text look_for(const project::SecretSource& source, const project::Inventory& inventory) {
    if (!source.variable.empty())
        return from_variable(source.variable).map([](const auto&) { return unread; });
    if (source.file.empty()) return unread;
    const auto file = project::named_file(inventory, source.file);
    std::error_code error;
    if (file && std::filesystem::is_regular_file(*file, error)) return unread;
    return not_read(source.file, file ? "there is no such file" : file.error());
}

// Files and commands end with a line's end, which is no part of the secret.
Text checked(Text text) {
    if (!text) return text;
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    if (text->find('\0') != std::string::npos) return Failure(std::string("it holds a NUL"));
    if (text->size() < shortest_secret)
        return Failure(fmt::format("it is shorter than {} characters, and could not be kept out of messages",
                                   shortest_secret));
    return text;
}

// What the journal itself says of every run.
bool is_word_of_ours(std::string_view text) {
    static const std::vector<std::string> words = [] {
        std::vector<std::string> all = {"true",   "false",   "null",  "passed", "stage", "step",   "result",
                                        "reason", "outcome", "begun", "text",   "value", "skipped"};
        for (std::string& outcome : outcome_words()) all.push_back(std::move(outcome));
        return all;
    }();
    return std::find(words.begin(), words.end(), text) != words.end();
}

// A short one that stands in what is written down anyway is none; the others are, whatever it costs.
void redact(const ir::Program& program, const StageEnvironment& environment, const std::string& secret) {
    constexpr std::size_t shortest_that_is_no_word = 8;
    if (secret.size() >= shortest_that_is_no_word || !environment.shows(program, secret))
        secrets().add(secret);
}

}  // namespace

bool StageEnvironment::shows(const ir::Program& program, const std::string& text) const {
    const auto stands_in = [&](const auto& setting) {
        return setting.second.find(text) != std::string::npos;
    };
    return text.size() < shortest_secret || name.find(text) != std::string::npos ||
           std::any_of(settings.begin(), settings.end(), stands_in) || is_word_of_ours(text) ||
           ir::dump(program).find(text) != std::string::npos;
}

void StageEnvironment::redact_secrets(const ir::Program& program) const {
    for (const std::string& secret : secrets)
        if (const auto found = parameters.find(secret); found != parameters.end())
            if (const auto* text = found->second.get_if<std::string>()) redact(program, *this, *text);
}

std::optional<Problem> read_secrets(const ir::Program& program, const project::Inventory& inventory,
                                    Tools& tools, StageEnvironment& environment, bool reads) {
    const project::Environment* entry = inventory.environment(environment.name);
    std::optional<Problem> problem;
    for (const ir::Parameter& parameter : program.parameters) {
        if (parameter.type.kind != ir::TypeKind::Secret) continue;
        environment.secrets.push_back(parameter.name);
        if (environment.parameters.contains(parameter.name)) continue;
        const auto* source = entry != nullptr && entry->secrets.contains(parameter.name)
                                 ? &entry->secrets.at(parameter.name)
                                 : nullptr;
        Text text = Failure(fmt::format("migc.yaml says not where it is: `secrets: {{ {}: {{ file: .. }} }}`",
                                        parameter.name));
        if (tools.kind() != "live")
            text = "(secret)";
        else if (source != nullptr)
            text =
                reads ? checked(read(*source, inventory, environment, tools)) : look_for(*source, inventory);
        if (text) {
            const bool is_known = tools.kind() != "live" || reads;
            if (is_known) redact(program, environment, *text);
            environment.parameters[parameter.name] = is_known ? Value(*text) : Value(Unknown{*text});
            continue;
        }
        const std::string why = fmt::format("the secret {} of environment {}: {}", parameter.name,
                                            environment.name, text.error());
        environment.parameters[parameter.name] = Value(Unknown{why});
        if (!problem && !(source == nullptr && parameter.optional)) problem = Problem{why};
    }
    return problem;
}

}  // namespace migc::runtime::inline evaluation
