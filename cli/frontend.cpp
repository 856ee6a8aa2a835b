#include "cli/frontend.hpp"

#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/print.hpp"
#include "cli/terminal.hpp"
#include "compiler/checks/checks.hpp"
#include "compiler/diagnostics/render.hpp"
#include "compiler/findings/allow.hpp"
#include "compiler/project/named_file.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/source/project_path.hpp"
#include "compiler/syntax/parse.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::cli {

namespace fs = std::filesystem;

namespace {

std::string read_all(std::FILE* in, std::size_t limit) {
    std::string text;
    char buffer[65536];
    for (std::size_t got; text.size() <= limit && (got = std::fread(buffer, 1, sizeof buffer, in)) > 0;)
        text.append(buffer, got);
    return text;
}

// Where a script's files come from: the disk, or the bundle that a journal kept.
class Files {
  public:
    Files() = default;
    explicit Files(const nlohmann::json& bundle) : bundle_(&bundle) {}

    [[nodiscard]] bool are_current() const { return bundle_ == nullptr; }

    // `home`: the folder out of which nothing may lead.
    [[nodiscard]] std::optional<std::string> read(const std::string& path, const fs::path& home) const {
        if (!bundle_) {
            auto text = project_file_content(home, fs::absolute(path), syntax::source_limit);
            return text ? std::optional(std::move(*text)) : std::nullopt;
        }
        const auto& files = bundle_->at("files");
        return files.contains(path) ? std::optional(files.at(path).get<std::string>()) : std::nullopt;
    }

    [[nodiscard]] project::Inventory inventory(const fs::path& folder, Script& script) const {
        if (!bundle_) return project::load_inventory(folder, script.sources, script.diagnostics);
        if (!bundle_->contains("inventory")) {
            project::Inventory without = project::load_inventory("/", script.sources, script.diagnostics);
            without.root = bundle_->at("root").get<std::string>();
            return without;
        }
        const FileId file = script.sources.add(bundle_->at("inventory-name"), bundle_->at("inventory"));
        return project::parse_inventory(file, bundle_->at("root").get<std::string>(), script.sources,
                                        script.diagnostics);
    }

  private:
    const nlohmann::json* bundle_ = nullptr;
};

void analyse(Script& script, const Files& files) {
    const std::string& name = script.sources.file(script.file).name();
    const fs::path folder = name == "-" ? fs::current_path() : fs::absolute(name).parent_path();
    script.inventory = files.inventory(folder, script);
    const fs::path home =
        script.inventory.exists ? script.inventory.root : project::home_of_scripts(folder, script.found_in);
    script.tree = syntax::parse(script.sources, script.file, script.diagnostics);
    // What is no Mig would be reported a second time as unknown names and phrases.
    if (script.diagnostics.has_errors()) return;
    sema::Library library(
        standard_library(), script.sources, script.diagnostics,
        [&](const std::string& path, const std::string& from) -> std::optional<FileId> {
            const std::string full =
                ((from == "-" ? folder : fs::path(from).parent_path()) / path).lexically_normal().string();
            auto text = files.read(full, home);
            if (!text) return {};
            script.used.push_back(script.sources.add(full, std::move(*text)));
            return script.used.back();
        });
    script.program =
        sema::analyse(script.tree, script.inventory, library, script.sources, script.diagnostics);
    const bool sound = !script.diagnostics.has_errors();
    if (sound) {
        for (const auto& problem : ir::verify(script.program))
            script.diagnostics.report(Code::Internal, {script.file, 0, 0}, problem);
        // What has run is not reviewed again: nothing may stand between an operator and the undo.
        if (files.are_current())
            checks::run({script.program, script.inventory, script.sources}, script.diagnostics);
    }
    const bool complete = sound && files.are_current() && !script.program.stages.empty();
    findings::apply_decisions({script.file, script.used, complete}, script.inventory, script.sources,
                              script.diagnostics);
}

std::unique_ptr<Script> load(const std::string& path, std::string text, const Files& files,
                             const fs::path& found_in = {}) {
    auto script = std::make_unique<Script>();
    script->found_in = found_in;
    script->readable = true;
    script->file = script->sources.add(path, std::move(text));
    analyse(*script, files);
    script->diagnostics.sort();
    return script;
}

}  // namespace

namespace {

// Why the links on the way to a file may not be followed; empty if they may. A link of a repository, or of a
// folder that was searched, was made by whoever made that.
std::string led_out(const fs::path& path, const fs::path& found_in) {
    std::error_code error;
    const fs::path lexical = (fs::current_path(error) / path).lexically_normal();
    const fs::path whole = fs::canonical(path, error);
    if (error || whole == lexical) return {};
    const fs::path folder = lexical.parent_path();
    // What a folder's link leads to may call itself a project: it is asked where the link lies.
    for (fs::path link = folder; link.has_relative_path(); link = link.parent_path()) {
        if (!fs::is_symlink(link, error)) continue;
        const fs::path home = project::repository_of(link.parent_path());
        const auto within = home.empty() ? std::nullopt : std::optional(project_path(home, whole));
        if (within && !*within) return "a link leads to it: " + within->error();
    }
    if (found_in.empty() && project::repository_of(folder).empty()) return {};
    const auto below = project_path(project::home_of_scripts(folder, found_in), whole);
    return below ? "" : "a link leads to it: " + below.error();
}

}  // namespace

tl::expected<std::string, std::string> read_file(const std::filesystem::path& path, std::size_t limit,
                                                 const std::filesystem::path& found_in) {
    std::error_code ignored;
    if (path != "-")
        if (std::string why = led_out(path, found_in); !why.empty()) return tl::unexpected(std::move(why));
    const auto status = std::filesystem::status(path, ignored);
    if (std::filesystem::is_directory(status)) return tl::unexpected(std::string("it is a folder"));
    if (path != "-" && std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        return tl::unexpected(std::string("it is no regular file"));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(
        path == "-" ? stdin : std::fopen(path.c_str(), "rb"),
        [](std::FILE* f) { return f == stdin ? 0 : std::fclose(f); });
    if (!in) return tl::unexpected(std::string(std::strerror(errno)));
    std::string text = read_all(in.get(), limit);
    if (std::ferror(in.get())) return tl::unexpected(std::string(std::strerror(errno)));
    return text;
}

fs::path project_root_here() {
    return project_root_of("-");
}

fs::path project_root_of(const std::string& script) {
    SourceMap sources;
    Diagnostics diagnostics;
    const fs::path folder = script == "-" ? fs::current_path() : fs::absolute(script).parent_path();
    return project::load_inventory(folder, sources, diagnostics).root;
}

std::string Script::bundle() const {
    nlohmann::json result = {{"script", sources.file(file).name()},
                             {"text", sources.file(file).text()},
                             {"root", inventory.root.string()}};
    result["files"] = nlohmann::json::object();
    for (const FileId id : used) result["files"][sources.file(id).name()] = sources.file(id).text();
    if (inventory.exists) {
        const auto text = read_file(inventory.root / "migc.yaml", syntax::source_limit);
        result["inventory-name"] = inventory.file_name;
        result["inventory"] = text.value_or("");
    }
    return result.dump();
}

std::unique_ptr<Script> load_bundle(const std::string& bundle) {
    try {
        const nlohmann::json json = nlohmann::json::parse(bundle);
        return load(json.at("script"), json.at("text"), Files(json));
    } catch (const nlohmann::json::exception&) {
        return nullptr;
    }
}

std::unique_ptr<Script> load_script(const std::string& path, std::string text, const fs::path& found_in) {
    return load(path, std::move(text), Files(), found_in);
}

std::unique_ptr<Script> load_script(const std::string& path, const fs::path& found_in) {
    auto text = read_file(path, syntax::source_limit, found_in);
    if (text) return load(path, std::move(*text), Files(), found_in);
    auto script = std::make_unique<Script>();
    script->file = script->sources.add(path, "");
    script->diagnostics.report(Code::Unreadable, {script->file, 0, 0},
                               fmt::format("cannot read the file: {}", text.error()));
    return script;
}

namespace {

// Nobody reads more of one file; who wants all of them wants them for a program.
constexpr std::size_t most_shown = 200;

// Of each file so many, errors before the others, in the order in which they are.
Diagnostics first_of_each_file(const Diagnostics& diagnostics) {
    const auto& all = diagnostics.all();
    std::vector<bool> shown(all.size());
    std::map<FileId, std::size_t> counts;
    for (const bool errors : {true, false})
        for (std::size_t i = 0; i < all.size(); ++i)
            if ((all[i].severity == Severity::Error) == errors)
                shown[i] = counts[all[i].span.file]++ < most_shown;
    Diagnostics first;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (shown[i]) first.all().push_back(all[i]);
    return first;
}

}  // namespace

void print(const Diagnostics& diagnostics, const SourceMap& sources) {
    if (diagnostics.empty()) return;
    const Diagnostics shown = first_of_each_file(diagnostics);
    print_rendered(stderr, render_text(shown, sources, {colour(stderr), unicode()}));
    const std::size_t left_out = diagnostics.all().size() - shown.all().size();
    tell("{}{}\n", summary(diagnostics),
         left_out == 0
             ? ""
             : fmt::format(", {} of which are not shown: of each file the first {} are; `migc check "
                           "--json` has all",
                           left_out, most_shown));
}

void print(const Script& script) {
    print(script.diagnostics, script.sources);
}

void print_errors(const Script& script) {
    if (script.diagnostics.has_errors() || script.diagnostics.empty()) return print(script);
    tell("{}; `migc check` shows {}\n", summary(script.diagnostics),
         script.diagnostics.all().size() == 1 ? "it" : "them");
}

}  // namespace migc::cli
