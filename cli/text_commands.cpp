// migc ir, fmt, explain, verbs: commands that read and print, and touch nothing.
#include <algorithm>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "compiler/diagnostics/explanations.hpp"
#include "compiler/diagnostics/nearest.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/ir/roles.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/format.hpp"
#include "compiler/syntax/parse.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::cli {
namespace {

// ------------------------------------------------------------------ ir

// Of several scripts, each digest comes with the script's name, as `sha256sum` prints them.
int show_ir(const std::vector<std::string>& paths, bool digest) {
    int worst = 0;
    for (const std::string& path : paths) {
        const auto script = driver::load_script(path);
        print(*script);
        if (script->diagnostics.has_errors())
            worst = std::max(worst, script->readable ? 1 : 2);
        else if (!digest)
            print_lines(stdout, ir::dump(script->program));
        else if (paths.size() == 1)
            say("{}\n", ir::change_digest(script->program));
        else
            say("{}  {}\n", ir::change_digest(script->program), path);
    }
    return worst;
}

// ------------------------------------------------------------------ fmt

struct FormatOptions {
    std::vector<std::string> files;
    bool check = false;
};

// 0 as it should be, 1 not (with --check), 2 cannot be formatted.
int format_one(const std::string& path, bool check) {
    auto text = driver::read_named(path, syntax::source_limit);
    if (!text) {
        tell("{}: {}\n", path, text.error());
        return 2;
    }
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId file = sources.add(path, std::move(*text));
    syntax::parse(sources, file, diagnostics);
    if (diagnostics.has_errors()) {
        print(diagnostics, sources);
        return 2;
    }
    const std::string formatted = syntax::format(sources, file);
    if (path == "-" && !check) {
        print_document(Document::Source, formatted);
        return 0;
    }
    if (formatted == sources.file(file).text()) return 0;
    if (path == "-") {
        say("the standard input is not in standard layout\n");
        return 1;
    }
    if (check) {
        say("{}: not in standard layout; `migc fmt {}` fixes it\n", path, path);
        return 1;
    }
    const auto done = driver::write_script(path, formatted);
    return done ? 0 : refuse(done.error());
}

int format_all(const FormatOptions& options) {
    int exit_code = 0;
    for (const auto& path : options.files) exit_code = std::max(exit_code, format_one(path, options.check));
    return exit_code;
}

// ------------------------------------------------------------------ explain

int list_codes() {
    for (const auto& code : all_codes()) say("{}  {}\n", code.id, code.title);
    return 0;
}

// All of them as docs/checks.md has them; without an id, their titles.
int explain(const std::string& id, bool markdown) {
    if (markdown) print_document(Document::Ready, explanations());
    if (markdown || id.empty()) return markdown ? 0 : list_codes();
    std::vector<std::string> ids;
    for (const auto& code : all_codes()) {
        ids.emplace_back(code.id);
        if (code.id != id) continue;
        print_lines(stdout, fmt::format("{}: {}\n\n{}\n\nRefused:\n\n    {}\n\nAccepted:\n\n    {}\n",
                                        code.id, code.title, code.explanation, code.bad, code.good));
        return 0;
    }
    const auto near = nearest(id, ids);
    tell("there is no finding `{}`{}\n", id, near ? fmt::format("; did you mean `{}`?", *near) : "");
    return 2;
}

// ------------------------------------------------------------------ verbs

// A value as a script would write it, by the name and the type of its slot, or else by the type alone. It is
// empty for what only the steps of the library hand to each other.
std::string sample(const std::string& name, std::string type) {
    constexpr std::pair<std::string_view, std::string_view> samples[] = {
        {"pointer: string", "\"/data/LogLevel\""},
        {"folder: string", "\"/var/lib/data\""},
        {"manifest: path", "\"k8s/web.yaml\""},
        {"body: path", "\"request.json\""},
        {"command: list of string", "[\"redis-cli\", \"ping\"]"},
        {"revision: string", "\"HEAD~1\""},
        {"message: string", "\"the scale-up begins\""},
        {"value: json", "\"debug\""},
        {"count: int", "2"},
        {"workload", "webapi"},
        {"service", "web"},
        {"claim", "data"},
        {"node", "\"node-1\""},
        {"channel", "ops"},
        {"object", "\"configmap/settings\""},
        {"int", "4"},
        {"bool", "true"},
        {"duration", "5m"},
        {"percent", "10%"},
        {"quantity", "20Gi"},
        {"percentile", "p95"},
        {"url", "\"http://web/health\""},
        {"image", "\"cr.example.com/web:1.4\""},
        {"plan", "larger"},
        {"environment", "staging"},
        {"condition", "(replicas of webapi is 4)"},
    };
    for (const std::string_view before : {"consumed ", "new "})
        if (type.starts_with(before)) type.erase(0, before.size());
    for (const std::string& key : {fmt::format("{}: {}", name, type), type})
        for (const auto& [slot, text] : samples)
            if (slot == key) return std::string(text);
    return "";
}

// The signature as it is used, without what is optional: "scale webapi to 4". It is empty if a slot has no
// sample.
std::string usage(const syntax::Signature& signature) {
    std::string result;
    for (const auto& part : signature) {
        if (part.kind == syntax::SignatureKind::Optional) continue;
        const std::string word = part.kind == syntax::SignatureKind::Label
                                     ? part.name.text
                                     : sample(part.name.text, part.type.text);
        if (word.empty()) return "";
        result += (result.empty() ? "" : " ") + word;
    }
    return result;
}

std::string_view owner_of(const ir::RoleInfo& role) {
    return role.of == ir::RoleOf::Probe ? "probe" : role.of == ir::RoleOf::Verb ? "verb" : "probe or verb";
}

// docs/reference/verbs.md: each declaration with its documentation, as it stands in the library.
int verbs_as_markdown() {
    SourceMap sources;
    Diagnostics diagnostics;
    say("# Verbs and probes\n\n`migc verbs --markdown` generates this page from `stdlib/`. A verb changes "
        "something and declares its undo. A probe reads\nsomething, for `verify`, `soak`, `if`, `let` and "
        "`gate`. Each declaration says what migc captures before the step, what it runs,\nwhat changes, and "
        "what undoes it. [The language](language.md) explains how to read declarations.\n");
    const sema::Embedded& library = standard_library();
    for (std::size_t i = 0; i < library.file_count; ++i) {
        const FileId id = sources.add(fmt::format("std/{}.mig", library.files[i].module),
                                      std::string(library.files[i].text));
        const syntax::File file = syntax::parse(sources, id, diagnostics);
        say("\n## {}\n", library.files[i].module);
        // A declaration's own example, in the last line of its documentation, comes before a made one.
        const auto section = [&](const auto& declaration, std::string_view end) {
            std::string text = declaration.documentation, example = usage(declaration.signature);
            if (const auto own = text.find("\nFor example: "); own != std::string::npos)
                text.insert(own, 1, '\n');
            else if (!example.empty())
                text += fmt::format("\n\nFor example: `{}{}`", example, end);
            print_document(Document::Ready, fmt::format("\n### `{}`\n\n{}\n\n```\n{}\n```\n",
                                                        sources.text(declaration.signature_span), text,
                                                        sources.text(declaration.span)));
        };
        for (const auto& verb : file.verbs) section(verb, ";");
        for (const auto& probe : file.probes) section(probe, "");
    }
    say("\n## Roles\n\nYour own declaration can name these after `role` "
        "([the language](language.md#declarations)); `_` stands for an argument.\n\n| `role ..;` | of | |\n| --- | --- | --- |\n");
    for (const ir::RoleInfo& role : ir::roles())
        say("| `{}` | {} | {} |\n", role.form, owner_of(role), role.explanation);
    return diagnostics.has_errors() ? 2 : 0;
}

int list_roles() {
    for (const ir::RoleInfo& role : ir::roles())
        say("role {};\n    of a {}: {}\n", role.form, owner_of(role), role.explanation);
    return 0;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

int list_verbs(const std::string& filter, bool markdown, bool roles) {
    if (markdown) return verbs_as_markdown();
    if (roles) return list_roles();
    SourceMap sources;
    Diagnostics diagnostics;
    const project::Inventory inventory;
    sema::Library library(standard_library(), sources, diagnostics,
                          [](const std::string&, const std::string&) { return std::optional<FileId>(); });
    const ir::Program program = sema::analyse_library(inventory, library, sources, diagnostics);
    print(diagnostics, sources);
    const auto wanted = [&](const std::string& signature) {
        return signature.find(filter) != std::string::npos;
    };
    say("Verbs change something:\n\n");
    for (const auto& verb : program.verbs)
        if (wanted(verb.signature)) say("  {}\n      {}\n", verb.signature, first_line(verb.documentation));
    say("\nProbes read something, for verify, soak, if, let, gate:\n\n");
    for (const auto& probe : program.probes)
        if (wanted(probe.signature))
            say("  {}: {}\n      {}\n", probe.signature, ir::show(probe.type),
                first_line(probe.documentation));
    return diagnostics.has_errors() ? 2 : 0;
}

}  // namespace

void add_ir(CLI::App& command, int& exit_code) {
    auto& [paths, digest] = on_call(command, exit_code, show_ir);
    command.add_option("FILE", paths, "Scripts")->required();
    command.add_flag("--digest", digest,
                     "Print only the change digest, which comments and layout do not alter");
    command.footer("Examples:\n  migc ir deploy.mig\n  migc ir --digest *.mig");
}

void add_fmt(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, format_all);
    command.add_option("FILE", options.files, "Scripts; - formats the standard input to the standard output")
        ->required();
    command.add_flag("--check", options.check,
                     "Change nothing; exit with 1 if a file is not in standard layout");
    command.footer("Examples:\n  migc fmt deploy.mig\n  migc fmt --check examples/*.mig");
}

void add_explain(CLI::App& command, int& exit_code) {
    auto& [code, markdown] = on_call(command, exit_code, explain);
    command.add_option("CODE", code, "For example R001");
    command.add_flag("--markdown", markdown, "Print docs/reference/checks.md");
    command.footer("Example:\n  migc explain R001");
}

void add_verbs(CLI::App& command, int& exit_code) {
    auto& [filter, markdown, roles] = on_call(command, exit_code, list_verbs);
    command.add_option("WORD", filter, "Only those whose form contains this");
    command.add_flag("--markdown", markdown, "Print docs/reference/verbs.md");
    command.add_flag("--roles", roles, "List what a declaration can say behind `role`");
    command.footer("Examples:\n  migc verbs\n  migc verbs terraform\n  migc verbs --roles");
}

}  // namespace migc::cli
