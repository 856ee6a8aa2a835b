// A host for natives: its tools answer by rules, and it notes what they were asked.
#pragma once

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "runtime/natives/natives.hpp"
#include "runtime/tools/natives.hpp"

namespace fakes {

using namespace migc;
using namespace migc::runtime;

inline Answer printed(std::string output) {
    Answer answer;
    answer.ending = Ending::Exited;
    answer.output = std::move(output);
    return answer;
}

inline Answer failed(std::string errors, int status = 1) {
    Answer answer = printed("");
    answer.status = status;
    answer.errors = std::move(errors);
    return answer;
}

class FakeHost : public Host {
  public:
    // A command is answered by the first rule whose text is part of it. A rule gives its answers one after
    // the other and the last one again and again, or until it has been used so many `times`.
    void say(const std::string& part, std::deque<Answer> answers, int times = -1) {
        rules.push_back({part, std::move(answers), times});
    }
    void say(const std::string& part, const Answer& answer, int times = -1) {
        say(part, std::deque{answer}, times);
    }
    void say(const std::string& part, const nlohmann::json& answer) { say(part, printed(answer.dump())); }

    Answer run(const std::string& tool, const std::vector<std::string>& arguments,
               const std::string& input) override {
        commands.push_back(fmt::format("{} {}", tool, fmt::join(arguments, " ")));
        inputs.push_back(input);
        clock += took_ms;
        for (Rule& rule : rules) {
            if (rule.times == 0 || text_of(commands.back(), input).find(rule.part) == std::string::npos)
                continue;
            --rule.times;
            Answer answer = rule.answers.front();
            if (rule.answers.size() > 1) rule.answers.pop_front();
            return answer;
        }
        return otherwise ? *otherwise : not_started("no such tool in this test: " + commands.back());
    }
    Answer perform(const ToolCommand& command) override {
        Answer answer = run(command.tool, command.arguments, {});
        if (!command.output_file.empty() && answer.succeeded())
            std::ofstream(command.output_file, std::ios::binary) << answer.output;
        return answer;
    }
    void redact(const std::string& secret) override { concealed.push_back(secret); }
    Time now() override { return clock; }
    WakeReason sleep_until(Time deadline) override {
        clock = std::max(clock, deadline);
        return interrupted ? WakeReason::Interrupted : WakeReason::Deadline;
    }
    std::string setting(std::string_view name) override { return settings[std::string(name)]; }
    std::string written(const ResourceRef& resource) override {
        if (resource.name.find('/') != std::string::npos) return resource.name;
        return (resource.type == "workload" ? "deployment" : resource.type) + "/" + resource.name;
    }
    const project::Inventory& inventory() override { return inventory_value; }
    std::string kind() override { return kind_value; }

    [[nodiscard]] std::size_t count(const std::string& part) const {
        return static_cast<std::size_t>(std::count_if(commands.begin(), commands.end(), [&](const auto& one) {
            return one.find(part) != std::string::npos;
        }));
    }
    [[nodiscard]] bool ran(const std::string& part) const { return count(part) > 0; }

    struct Rule {
        std::string part;
        std::deque<Answer> answers;
        int times = -1;
    };
    std::deque<Rule> rules;
    std::optional<Answer> otherwise;  // where no rule fits; by itself there is no such tool
    std::vector<std::string> commands;
    std::vector<std::string> inputs;
    std::vector<std::string> concealed;
    std::map<std::string, std::string> settings = {{"namespace", "web"}, {"root", "/"}};
    project::Inventory inventory_value;
    std::string kind_value = "live";
    Time clock = 1'700'000'000'000;
    std::int64_t took_ms = 0;  // each command
    bool interrupted = false;

  protected:
    // What a rule's text is looked for in.
    virtual std::string text_of(const std::string& command, const std::string& /*input*/) { return command; }
};

inline const NativeEntry& native(const char* name) {
    const NativeEntry* found = find_native(name);
    REQUIRE(found != nullptr);
    return *found;
}
inline Reading read(Host& host, const char* name, const std::vector<Value>& arguments) {
    REQUIRE(native(name).probe);
    return native(name).probe(host, arguments);
}
inline Answer act(Host& host, const char* name, const std::vector<Value>& arguments) {
    REQUIRE(native(name).action);
    return native(name).action(host, arguments);
}
inline std::string preview(Host& host, const char* name, const std::vector<Value>& arguments) {
    REQUIRE(native(name).preview);
    return native(name).preview(host, arguments).text;
}

}  // namespace fakes
