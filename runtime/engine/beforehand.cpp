#include "runtime/engine/beforehand.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "compiler/semantics/roles.hpp"
#include "runtime/engine/guards.hpp"
#include "runtime/engine/wait.hpp"
#include "runtime/evaluate/convert.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/natives/calendar.hpp"

namespace migc::runtime::inline engine {
namespace {

namespace fs = std::filesystem;

class Looker {
  public:
    Looker(RunContext& run, StageRun& stage) : run_(run), stage_(stage), environment_(stage.environment) {}

    void look(std::vector<std::string>& problems) {
        problems_ = &problems;
        if (emergency(run_.program) == nullptr) look_at_gates();
        if (run_.tools.kind() != "live") return;
        const NamedPaths named = named_paths(run_.program, {{&stage_.stage, &environment_}});
        look_at_tools(named);
        look_at_files(named);
        look_at_channels(named);
        look_at_terraform(named);
        look_at_context();
    }

  private:
    void problem(const std::string& text) {
        const std::string whole = fmt::format("stage {}: {}", stage_.stage.name, text);
        if (std::find(problems_->begin(), problems_->end(), whole) == problems_->end())
            problems_->push_back(whole);
    }

    void look_at_gates() {
        for (const ir::Step& gate : stage_.stage.gates) {
            const ir::Role role = semantics::role_of(run_.program, *gate.condition);
            const ir::Expr* asked = semantics::role_argument(run_.program, *gate.condition, 0);
            if ((role != ir::Role::Window && role != ir::Role::Freeze) || asked == nullptr) continue;
            const Reading when = stage_.evaluator.evaluate(*asked, stage_.scope);
            if (when.value.is_unknown()) {
                problem(fmt::format("{}: {}", gate.text, explain(when)));
                continue;
            }
            const Time now = run_.tools.now();
            const auto hour = role == ir::Role::Window ? window_at(show(when.value), now)
                                                       : freeze_at(show(when.value), now);
            if (!hour) problem(fmt::format("{}: {}", gate.text, hour.error()));
        }
        if (!environment_.is_protected) return;
        for (const project::Freeze& freeze : run_.eval_context.inventory.freezes)
            if (const auto hour = freeze_at(fmt::format("{} to {} {}", freeze.from, freeze.to, freeze.zone),
                                            run_.tools.now());
                !hour)
                problem("a freeze in migc.yaml cannot be read: " + hour.error());
    }

    void look_at_tools(const NamedPaths& named) {
        for (const std::string& name : named.tools) {
            const ir::Tool* tool = run_.program.tool(name);
            if (tool == nullptr || name == "program" || tool->program.empty()) continue;
            const bool is_path = tool->program.find('/') != std::string::npos;
            const bool is_there = is_path ? ::access(full(tool->program).c_str(), X_OK) == 0
                                          : run_.tools.program_file(tool->program).has_value();
            if (!is_there)
                problem(fmt::format("it runs {}, and there is no program `{}`: install it, or put it on PATH",
                                    name, tool->program));
        }
    }

    // What a program of the project makes need not be there yet.
    void look_at_files(const NamedPaths& named) {
        std::error_code ignored;
        for (const std::string& program : named.programs)
            if (fs::is_regular_file(full(program), ignored) && ::access(full(program).c_str(), X_OK) != 0)
                problem(fmt::format("{0} may not be executed: `chmod +x {0}`", program));
        if (named.tools.contains("program")) return;
        for (const std::string& path : named.composed)
            if (!fs::exists(full(path), ignored)) problem(fmt::format("there is no file {}", path));
    }

    // Without any channel what is said is said here only; with some, another name is a slip. That the file
    // with its address is not on this machine is told when it is said: nobody's rollback waits for that.
    void look_at_channels(const NamedPaths& named) {
        const auto& channels = run_.eval_context.inventory.channels;
        for (const std::string& name : named.channels) {
            const auto channel = std::find_if(channels.begin(), channels.end(),
                                              [&](const auto& one) { return one.name == name; });
            if (channel == channels.end() && !channels.empty())
                problem(fmt::format("migc.yaml has no channel `{}` under `notify`", name));
        }
    }

    void look_at_terraform(const NamedPaths& named) {
        const fs::path folder = environment_.setting("terraform-dir");
        if (named.terraform.empty() || folder.empty()) return;
        std::error_code ignored;
        const std::string variables = environment_.setting("var-file");
        if (!fs::is_directory(folder, ignored))
            problem(fmt::format("there is no terraform folder {}", folder.string()));
        else if (!variables.empty() && !fs::exists(folder / variables, ignored))
            problem(fmt::format("there is no {}", (folder / variables).string()));
    }

    // Which cluster it is was asked already: only if there was no answer, kubectl may not know the context.
    void look_at_context() {
        const std::string context = environment_.setting("context");
        if (context.empty() || !environment_.setting("cluster").empty() ||
            !uses_kubectl(run_.program, stage_.stage))
            return;
        const Answer answer =
            ask_kubectl(run_.program, environment_, run_.tools, {"config", "get-contexts", "-o", "name"});
        const auto lines = answer.succeeded() ? read_format(answer.output, "lines", "")
                                              : tl::expected<Value, std::string>(Value());
        const auto* names = lines ? lines->get_if<List>() : nullptr;
        if (names == nullptr || names->empty()) return;
        const auto has = [&](const auto& wanted) {
            return std::any_of(names->begin(), names->end(), wanted);
        };
        const bool is_list =
            !has([](const Value& name) { return show(name).find_first_of("{ ") != std::string::npos; });
        if (!is_list || has([&](const Value& name) { return show(name) == context; })) return;
        problem(fmt::format("kubectl has no context {}", context));
    }

    [[nodiscard]] fs::path full(const std::string& path) const {
        return fs::path(environment_.setting("root")) / path;
    }

    RunContext& run_;
    StageRun& stage_;
    const StageEnvironment& environment_;
    std::vector<std::string>* problems_ = nullptr;
};

}  // namespace

std::optional<Problem> known_beforehand(RunContext& run, const StageRuns& stages) {
    std::vector<std::string> problems;
    for (const auto& stage : stages)
        if (!stage->passed) Looker(run, *stage).look(problems);
    if (problems.empty()) return std::nullopt;
    return Problem{fmt::format("nothing is begun: {}", fmt::join(problems, "; "))};
}

}  // namespace migc::runtime::inline engine
