// migc check: what stands against running these scripts.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/frontend.hpp"
#include "compiler/diagnostics/apply.hpp"
#include "compiler/diagnostics/render.hpp"

namespace migc::cli {
namespace {

struct Options {
    std::vector<std::string> files;
    bool fix = false;
    bool json = false;
};

// Applies what is safe and checks again, as long as that mends something.
std::unique_ptr<Script> fix(const std::string& path, std::unique_ptr<Script> script) {
    constexpr int rounds =
        8;  // a fix may uncover another finding; this many in a row would be a mistake of ours
    for (int i = 0; i < rounds; ++i) {
        const AppliedFixes fixed =
            apply_fixes(script->sources.file(script->file).text(), script->file, script->diagnostics);
        if (fixed.count == 0) break;
        if (!write_file(path, fixed.text)) {
            fmt::print(stderr, "{}: cannot be written\n", path);
            break;
        }
        fmt::print(stderr, "{}: {} {}\n", path, fixed.count,
                   fixed.count == 1 ? "fix applied" : "fixes applied");
        script = load_script(path);
    }
    return script;
}

int check(const Options& options) {
    int exit_code = 0;
    auto json = nlohmann::ordered_json::array();
    for (const auto& path : options.files) {
        auto script = load_script(path);
        if (options.fix && script->readable && path != "-") script = fix(path, std::move(script));
        if (options.json)
            for (auto& one : nlohmann::ordered_json::parse(render_json(script->diagnostics, script->sources)))
                json.push_back(std::move(one));
        else
            print(*script);
        const auto is_unreadable = [](const Diagnostic& d) { return d.code == Code::Unreadable; };
        const bool unreadable =
            std::any_of(script->diagnostics.all().begin(), script->diagnostics.all().end(), is_unreadable);
        const bool findings = !script->diagnostics.empty();
        exit_code = std::max(exit_code, unreadable ? 2 : findings ? 1 : 0);
        if (!options.json && !findings) fmt::print("{}: no findings\n", path);
    }
    if (options.json) fmt::print("{}\n", json.dump(2));
    return exit_code;
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand(
        "check", "Say what stands against running a script: no way back, wrong order, wrong types");
    auto options = std::make_shared<Options>();
    command->add_option("FILE", options->files, "Scripts; - is the standard input")->required();
    command->add_flag("--fix", options->fix, "Apply the fixes that are safe");
    command->add_flag("--json", options->json, "Print the findings as JSON");
    command->footer(
        "Examples:\n  migc check deploy.mig\n  migc check --fix deploy.mig\n\nExit codes: 0 no findings, 1 "
        "findings, 2 a file could not be checked.");
    command->callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace migc::cli
