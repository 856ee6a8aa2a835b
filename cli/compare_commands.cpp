// migc diff: what the change of a script changes in what it does.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/frontend.hpp"
#include "compiler/ir/difference.hpp"
#include "compiler/source/escape.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::cli {
namespace {

// The standard input is taken for a text of the other script's folder: what it uses is found, and the
// migc.yaml that is its.
std::unique_ptr<Script> load_beside(const std::string& path, const std::string& other) {
    if (path != "-") return load_script(path);
    auto text = read_file("-", syntax::source_limit);
    const auto folder = std::filesystem::path(other).parent_path();
    if (!text || other == "-" || folder.empty()) return text ? load_script("-", *text) : load_script("-");
    return load_script((folder / "-").string(), *text);
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
    if (old_path == "-" && new_path == "-") {
        fmt::print(stderr, "migc: only one of the two can be the standard input\n");
        return 2;
    }
    const auto before = load_beside(old_path, new_path);
    const auto after = load_beside(new_path, old_path);
    bool understood = true;
    for (const auto* script : {before.get(), after.get()}) {
        if (is_understood(*script)) continue;
        understood = false;
        print(*script);
    }
    if (!understood) return 2;
    const auto found = ir::differences({before->program, before->sources}, {after->program, after->sources});
    std::string where;
    for (const auto& one : found) {
        if (one.where != where) fmt::print("{}\n", escaped(one.where));
        where = one.where;
        fmt::print("  {}\n", escaped(one.what));
    }
    if (found.empty()) fmt::print("no difference in what it does\n");
    return found.empty() ? 0 : 1;
}

}  // namespace

void add_diff(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("diff", "Say what the change of a script changes in what it does, in words");
    auto before = std::make_shared<std::string>();
    auto after = std::make_shared<std::string>();
    command->add_option("OLD", *before, "The script as it was; - is the standard input")->required();
    command->add_option("NEW", *after, "The script as it is")->required();
    command->footer(
        "Examples:\n  migc diff old.mig new.mig\n  git show HEAD:deploy.mig | migc diff - deploy.mig\n\nExit "
        "codes: 0 both do the same, 1 they differ, 2 a script cannot be read or understood.");
    command->callback([before, after, &exit_code] { exit_code = diff(*before, *after); });
}

}  // namespace migc::cli
