// migc diff and migc graph: what a script does, in words and as a picture.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "compiler/diff/difference.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/graph/graph.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/tools/live.hpp"

namespace migc::cli {
namespace {

// The standard input is taken for a text of the other script's folder: what it uses is found, and the
// migc.yaml that is its.
std::unique_ptr<Script> load_beside(const std::string& path, const std::string& other) {
    if (path != "-") return driver::load_script(path);
    auto text = driver::read_named("-", syntax::source_limit);
    const auto folder = std::filesystem::path(other).parent_path();
    if (!text || other == "-" || folder.empty())
        return text ? driver::load_script("-", *text) : driver::load_script("-");
    return driver::load_script((folder / "-").string(), *text);
}

// Whether it was understood: findings about what it does are no matter here.
bool is_understood(const Script& script) {
    const auto& all = script.diagnostics.all();
    return script.readable && std::none_of(all.begin(), all.end(), [](const Diagnostic& d) {
               return d.severity == Severity::Error && !can_be_silenced(d.code) &&
                      !info(d.code).id.starts_with('A');
           });
}

int diff(const std::string& old_path, const std::string& new_path) {
    if (old_path == "-" && new_path == "-") return refuse("only one of the two can be the standard input");
    const auto before = load_beside(old_path, new_path);
    const auto after = load_beside(new_path, old_path);
    bool understood = true;
    for (const auto* script : {before.get(), after.get()}) {
        if (is_understood(*script)) continue;
        understood = false;
        print(*script);
    }
    if (!understood) return 2;
    const auto found =
        diff::differences({before->program, before->sources}, {after->program, after->sources});
    std::string where;
    for (const auto& one : found) {
        if (one.where != where) say("{}\n", one.where);
        where = one.where;
        say("  {}\n", one.what);
    }
    if (found.empty()) say("no difference in what it does\n");
    return found.empty() ? 0 : 1;
}

// A drawing executes nothing of the project, whatever it is called there.
int print_svg(const std::string& dot, const std::filesystem::path& root) {
    const auto tools = runtime::make_live_tools();
    if (const auto lying = runtime::lying_in_project("dot", root, *tools))
        return refuse(fmt::format(
            "--format svg needs `dot`, and the one on PATH, {}, lies in the project, of which nothing is executed",
            runtime::printable(lying->path)));
    runtime::CommandLine command{};
    command.tool = "dot";
    command.argv = {"dot", "-Tsvg"};
    command.input = dot;
    const runtime::Answer answer = tools->run(command);
    if (answer.succeeded() && !answer.truncated) {
        print_document(Document::Ready, answer.output);
        return 0;
    }
    if (answer.ending == runtime::Ending::NotStarted)
        return refuse(
            "--format svg needs `dot`, which is not installed: install graphviz, or take --format mermaid");
    return refuse("`dot` could not draw the graph: " +
                  (answer.errors.empty() ? answer.reason : answer.errors));
}

int graph(const std::string& path, const std::string& format) {
    const auto script = driver::load_script(path);
    if (!is_understood(*script)) {
        print(*script);
        return 2;
    }
    if (format == "svg") return print_svg(graph::as_dot(script->program), script->inventory.root);
    print_document(Document::Ready,
                   format == "dot" ? graph::as_dot(script->program) : graph::as_mermaid(script->program));
    return 0;
}

}  // namespace

void add_graph(CLI::App& command, int& exit_code) {
    auto& [path, format] = on_call(command, exit_code, graph);
    format = "dot";
    command.add_option("FILE", path, "The script; - is the standard input")->required();
    command.add_option("--format", format, "dot (the default), mermaid, or svg, which Graphviz draws")
        ->check(CLI::IsMember({"dot", "mermaid", "svg"}));
    command.footer(
        "Examples:\n  migc graph --format svg deploy.mig > deploy.svg\n  migc graph --format mermaid "
        "deploy.mig");
}

void add_diff(CLI::App& command, int& exit_code) {
    auto& [before, after] = on_call(command, exit_code, diff);
    command.add_option("OLD", before, "The script as it was; - is the standard input")->required();
    command.add_option("NEW", after, "The script as it is")->required();
    command.footer(
        "Examples:\n  migc diff old.mig new.mig\n  git show HEAD:deploy.mig | migc diff - deploy.mig\n\nExit "
        "codes: 0 both do the same, 1 they differ, 2 a script cannot be read or understood.");
}

}  // namespace migc::cli
