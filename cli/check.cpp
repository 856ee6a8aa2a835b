// migc check: what stands against running these scripts.
#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "cli/proof.hpp"
#include "cli/unified_diff.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/driver/review.hpp"
#include "compiler/findings/allow.hpp"
#include "compiler/findings/baseline.hpp"
#include "compiler/findings/report.hpp"
#include "runtime/engine/proof_facts.hpp"

namespace migc::cli {
namespace {

using driver::Checked;

struct CheckOptions {
    std::vector<std::string> paths;
    bool fix = false, dry_run = false, json = false;
    std::string format = "text";
    std::string baseline, new_baseline;
    bool prove = false;
    prove::Options proof;
};

bool is_unreadable(const Script& script) {
    const auto& all = script.diagnostics.all();
    return std::any_of(all.begin(), all.end(),
                       [](const Diagnostic& d) { return d.code == Code::Unreadable; });
}

// ------------------------------------------------------------------ --fix

std::string_view text_of(const Script& script) {
    return script.sources.file(script.file).text();
}

void fix(Checked& one, bool dry_run) {
    if (!one.script->readable || one.path == "-") return;
    driver::Fixed fixed = driver::fixed(one.path, *one.script);
    if (!fixed.script) return;
    if (dry_run) {
        print_lines(stdout, unified_diff(text_of(*one.script), text_of(*fixed.script), one.path));
        return;
    }
    if (const auto done = driver::write_script(one.path, text_of(*fixed.script)); !done) {
        refuse(done.error());
        return;
    }
    tell("{}: {} {}\n", one.path, fixed.count, fixed.count == 1 ? "fix applied" : "fixes applied");
    one.script = std::move(fixed.script);
}

// ------------------------------------------------------------------ --prove

// A counterexample is a finding like the others.
void prove(Checked& one, const prove::Options& options) {
    const bool has_stages = !one.script->program.stages.empty();
    if (!has_stages || !can_be_tried(*one.script)) return;
    const auto answer =
        prove::prove(one.script->program, one.script->inventory, runtime::proof_facts(), options);
    Script& script = *one.script;
    prove::report(answer, script.diagnostics);
    findings::apply_decisions_to_proof({script.file, script.used, true}, script.inventory, script.sources,
                                       script.diagnostics);
    one.script->diagnostics.sort();
    one.undecided = answer.verdict == prove::Verdict::CutOff;
    if (one.undecided) tell("{}: {}\n", one.path, prove::headline(answer));
}

// ------------------------------------------------------------------ output

std::string without_findings(const Checked& one, std::size_t allowed, std::size_t known) {
    if (!one.with.empty()) return fmt::format("checked with {}", one.with);
    std::vector<std::string> others;
    if (one.repeats) others.emplace_back("besides what is said above");
    if (allowed > 0) others.push_back(fmt::format("{} allowed", allowed));
    if (known > 0) others.push_back(fmt::format("{} in the baseline", known));
    return others.empty() ? "no findings" : fmt::format("no findings ({})", fmt::join(others, ", "));
}

void print_text(const std::vector<Checked>& all, const std::vector<findings::Finding>& found) {
    for (const auto& one : all) {
        Diagnostics shown;
        std::size_t allowed = 0, known = 0;
        for (const auto& finding : found) {
            if (finding.sources != &one.script->sources) continue;
            if (finding.is_new()) shown.all().push_back(*finding.diagnostic);
            allowed += finding.silenced ? 1 : 0;
            known += finding.known ? 1 : 0;
        }
        print(shown, one.script->sources);
        if (shown.empty()) say("{}: {}\n", one.path, without_findings(one, allowed, known));
    }
}

void print_findings(const CheckOptions& options, const std::vector<Checked>& all,
                    const std::vector<findings::Finding>& found) {
    if (options.format == "text") return print_text(all, found);
    if (options.format == "github") return print_document(Document::Ready, findings::as_github(found));
    print_document(Document::Json, options.format == "json"    ? findings::as_json(found)
                                   : options.format == "sarif" ? findings::as_sarif(found, MIGC_VERSION)
                                                               : findings::as_gitlab(found));
}

// ------------------------------------------------------------------ baseline

void tell_gone(const std::string& file, const std::vector<findings::BaselineEntry>& gone) {
    for (const auto& entry : gone)
        tell("{}: {} in {} is gone: {}\n", file, entry.code, entry.file, entry.message);
    if (!gone.empty()) tell("{}: `migc check --write-baseline {}` leaves out what is gone\n", file, file);
}

// False if the file cannot be used; it was said why.
bool use_baseline(const std::string& file, const std::vector<Checked>& all,
                  std::vector<findings::Finding>& found) {
    constexpr std::size_t limit = std::size_t{64} << 20;
    const auto text = driver::read_named(file, limit);
    const auto baseline = text ? findings::read_baseline(*text) : tl::unexpected(text.error());
    if (!baseline) {
        refuse(fmt::format("the baseline {} cannot be read: {}", file, baseline.error()));
        return false;
    }
    std::set<std::string> checked;
    for (const auto& one : all) {
        Diagnostic place{};
        for (place.span.file = 0; place.span.file < one.script->sources.size(); ++place.span.file)
            checked.insert(findings::file_of(place, one.script->sources));
    }
    tell_gone(file, findings::apply_baseline(*baseline, checked, found));
    return true;
}

// Writes the baseline; what cannot be in one stays in `found` as new.
bool make_baseline(const std::string& file, std::vector<findings::Finding>& found) {
    if (written(driver::write_output(file, findings::write_baseline(found))) != 0) return false;
    std::size_t count = 0;
    for (auto& finding : found) {
        finding.known = !finding.silenced && can_be_silenced(finding.diagnostic->code);
        count += finding.known ? 1 : 0;
    }
    tell("{}: {} {} written\n", file, count, count == 1 ? "finding" : "findings");
    return true;
}

// ------------------------------------------------------------------ the command

int exit_code_of(const std::vector<Checked>& all, const std::vector<findings::Finding>& found) {
    if (std::any_of(all.begin(), all.end(),
                    [](const Checked& one) { return is_unreadable(*one.script) || one.undecided; }))
        return 2;
    return std::any_of(found.begin(), found.end(), [](const auto& one) { return one.is_new(); }) ? 1 : 0;
}

int check(CheckOptions options) {
    if (options.json) options.format = "json";
    if (options.dry_run && options.format != "text") {
        tell("migc: --dry-run prints a difference, and --format {} something else: choose one\n",
             options.format);
        return 2;
    }
    std::vector<std::string> empty;
    std::vector<Checked> all;
    for (auto& file : driver::script_files(options.paths, empty)) {
        all.push_back(
            {file.path, driver::load_script(file.path, file.found_in), !file.found_in.empty(), "", false});
        if (options.fix) fix(all.back(), options.dry_run);
        if (options.prove) prove(all.back(), options.proof);
    }
    for (const auto& folder : empty) refuse(fmt::format("there is no script (*.mig) below {}", folder));
    driver::set_modules_aside(all);
    auto found = driver::collect(all);
    const bool usable = (options.baseline.empty() || use_baseline(options.baseline, all, found)) &&
                        (options.new_baseline.empty() || make_baseline(options.new_baseline, found));
    print_findings(options, all, found);
    return usable && empty.empty() ? exit_code_of(all, found) : 2;
}

}  // namespace

void add_check(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, check);
    command
        .add_option("PATH", options.paths,
                    "Scripts, and folders with every *.mig below them; - is the standard input")
        ->required();
    auto* fix = command.add_flag("--fix", options.fix, "Apply the fixes that are safe");
    command.add_flag("--dry-run", options.dry_run, "With --fix: show what would change, write nothing")
        ->needs(fix);
    command.add_option("--format", options.format, "text, json, sarif, github or gitlab")
        ->check(CLI::IsMember({"text", "json", "sarif", "github", "gitlab"}));
    command.add_flag("--json", options.json, "The same as --format json");
    auto* proof =
        command.add_flag("--prove", options.prove,
                         "Also search for a course of things that cannot be taken back (`migc prove`)");
    add_proof_options(command, options.proof, proof);
    auto* baseline =
        command.add_option("--baseline", options.baseline, "Do not report the findings that this file lists");
    command
        .add_option("--write-baseline", options.new_baseline,
                    "Write the present findings into this file, as known ones")
        ->excludes(baseline);
    command.footer(
        "Examples:\n  migc check deploy.mig\n  migc check --fix --dry-run deploy.mig\n  migc check --format "
        "sarif . > migc.sarif\n\nA finding is allowed by `# allow CODE: why` at its line or the line before, "
        "or by `checks` in migc.yaml.\n\nExit codes: 0 no findings, 1 findings, 2 a file could not be "
        "checked.");
}

}  // namespace migc::cli
