#include "compiler/driver/script.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/checks/checks.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/findings/allow.hpp"
#include "compiler/project/named_file.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/syntax/parse.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::driver {

namespace fs = std::filesystem;

namespace {

// Where a script's files come from: the disk, or the bundle that a journal kept.
class Files {
  public:
    Files() = default;
    explicit Files(const nlohmann::json& bundle) : bundle_(&bundle) {}

    [[nodiscard]] bool are_current() const { return bundle_ == nullptr; }

    [[nodiscard]] std::optional<std::string> read(const std::string& path, const fs::path& home) const {
        if (!bundle_) {
            auto text = project_file_content(home, fs::absolute(path), syntax::source_limit);
            return text ? std::optional(std::move(*text)) : std::nullopt;
        }
        const auto& files = bundle_->at("files");
        return files.contains(path) ? std::optional(files.at(path).get<std::string>()) : std::nullopt;
    }

    [[nodiscard]] project::Inventory inventory(Script& script) const {
        if (!bundle_) return project::load_inventory(script.folder(), script.sources, script.diagnostics);
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
    script.inventory = files.inventory(script);
    script.tree = syntax::parse(script.sources, script.file, script.diagnostics);
    // What is no Mig would be reported a second time as unknown names and phrases.
    if (script.diagnostics.has_errors()) return;
    script.bind(standard_library(),
                [&](const std::string& path, const fs::path& home) { return files.read(path, home); });
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
    script->has_file = path != "-";
    script->readable = true;
    script->file = script->sources.add(path, std::move(text));
    analyse(*script, files);
    script->diagnostics.sort();
    return script;
}

void bind_text(Script& script, std::string text, const sema::Embedded& standard) {
    script.file = script.sources.add("script.mig", std::move(text));
    script.tree = syntax::parse(script.sources, script.file, script.diagnostics);
    if (!script.diagnostics.has_errors())
        script.bind(standard, [](const auto&, const auto&) { return std::optional<std::string>(); });
}

}  // namespace

fs::path Script::folder() const {
    return has_file ? fs::absolute(sources.file(file).name()).parent_path() : fs::current_path();
}

void Script::bind(const sema::Embedded& standard, const ReadFile& read, sema::Symbols* symbols) {
    const fs::path home = inventory.exists ? inventory.root : project::home_of_scripts(folder(), found_in);
    library = std::make_unique<sema::Library>(
        standard, sources, diagnostics,
        // Called while the script is lowered, and not after.
        [this, &read, home](const std::string& path, const std::string& from) -> std::optional<FileId> {
            const bool is_file = has_file || from != sources.file(file).name();
            const fs::path beside = is_file ? fs::path(from).parent_path() : folder();
            const std::string full = (beside / path).lexically_normal().string();
            auto text = read(full, home);
            if (!text) return {};
            used.push_back(sources.add(full, std::move(*text)));
            return used.back();
        });
    program = sema::analyse(tree, inventory, *library, sources, diagnostics, symbols);
}

bool Script::is_sound() const {
    const auto& all = diagnostics.all();
    return std::none_of(all.begin(), all.end(), [](const Diagnostic& one) {
        return one.severity == Severity::Error && !can_be_silenced(one.code);
    });
}

std::string Script::bundle() const {
    nlohmann::json result = {{"script", sources.file(file).name()},
                             {"text", sources.file(file).text()},
                             {"root", inventory.root.string()}};
    result["files"] = nlohmann::json::object();
    for (const FileId id : used) result["files"][sources.file(id).name()] = sources.file(id).text();
    if (inventory.exists) {
        const auto text = read_named(inventory.root / "migc.yaml", syntax::source_limit);
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
    auto text = read_named(path, syntax::source_limit, found_in);
    if (text) return load(path, std::move(*text), Files(), found_in);
    auto script = std::make_unique<Script>();
    script->file = script->sources.add(path, "");
    script->diagnostics.report(Code::Unreadable, {script->file, 0, 0},
                               fmt::format("cannot read the file: {}", text.error()));
    return script;
}

std::unique_ptr<Script> load_text(std::string text, project::Inventory inventory,
                                  const sema::Embedded& standard) {
    auto script = std::make_unique<Script>();
    script->inventory = std::move(inventory);
    bind_text(*script, std::move(text), standard);
    return script;
}

std::unique_ptr<Script> load_text(std::string text, const fs::path& folder) {
    auto script = std::make_unique<Script>();
    script->inventory = project::load_inventory(folder, script->sources, script->diagnostics);
    bind_text(*script, std::move(text), standard_library());
    return script;
}

std::unique_ptr<Script> no_script() {
    auto script = std::make_unique<Script>();
    script->file = script->sources.add("no script", "");
    script->inventory = project::load_inventory(fs::current_path(), script->sources, script->diagnostics);
    return script;
}

}  // namespace migc::driver
