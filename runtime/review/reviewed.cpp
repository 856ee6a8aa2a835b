#include "runtime/review/reviewed.hpp"

#include <set>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/evaluate/text.hpp"

namespace migc::runtime::inline reviews {
namespace {

using nlohmann::json;

std::string digest_of(const json& parts) {
    return sha256(parts.dump(-1, ' ', false, json::error_handler_t::replace));
}

// Settings without what differs from machine to machine.
json settings_of(const StageEnvironment& environment) {
    auto result = json::object();
    const std::string root = environment.setting("root") + "/";
    for (const auto& [key, value] : environment.settings) {
        if (key == "root" || key == "run-folder" || key == "stage-began" || key == "context-given") continue;
        result[key] = value.starts_with(root) ? value.substr(root.size()) : value;
    }
    return result;
}

json stage_parts(const BoundStage& bound, const project::Inventory& inventory) {
    const StageEnvironment& environment = *bound.environment;
    json parts = encode(environment.journal());
    auto secrets = json::object();
    if (const auto* entry = inventory.environment(environment.name))
        for (const auto& [name, source] : entry->secrets) secrets[name] = source.show();
    return {{"stage", bound.stage->name},
            {"environment", environment.name},
            {"protected", environment.is_protected},
            {"settings", settings_of(environment)},
            {"values", parts.at("parameters")},
            {"secrets", std::move(secrets)}};
}

json tool_parts(const ir::Program& program, const std::filesystem::path& root, Tools& tools) {
    auto parts = json::object();
    for (const ir::Tool& tool : program.tools) {
        const auto file = pin(tool, root, tools);
        const bool is_path = tool.program.find('/') != std::string::npos;
        if (file)
            parts[tool.name] = {{"program", is_path ? tool.program : file->path}, {"digest", file->digest}};
    }
    return parts;
}

json freezes_of(const project::Inventory& inventory) {
    auto freezes = json::array();
    for (const auto& freeze : inventory.freezes)
        freezes.push_back(fmt::format("{} to {} {}: {}", freeze.from, freeze.to, freeze.zone, freeze.why));
    return freezes;
}

std::string shown_json(const json& value) {
    if (value.is_null()) return "nothing";
    const std::string text = value.is_string() ? value.get<std::string>()
                                               : value.dump(-1, ' ', false, json::error_handler_t::replace);
    return escaped(printable(text, 80));
}

const json& member(const json& object, const std::string& key) {
    static const json nothing;
    return object.is_object() && object.contains(key) ? object.at(key) : nothing;
}

std::set<std::string> keys_of(const json& one, const json& other) {
    std::set<std::string> keys;
    for (const json* object : {&one, &other})
        if (object->is_object())
            for (const auto& [key, value] : object->items()) keys.insert(key);
    return keys;
}

void compare_files(const json& before, const json& now, std::vector<std::string>& out) {
    for (const std::string& path : keys_of(before, now)) {
        const json &was = member(before, path), &is = member(now, path);
        if (was == is) continue;
        const char* what = was.is_null() ? "is new" : is.is_null() ? "is gone" : "was changed";
        out.push_back(fmt::format("the file {} {}", escaped(path), what));
    }
}

void compare_members(const std::string& where, const json& before, const json& now,
                     std::vector<std::string>& out) {
    for (const std::string& key : keys_of(before, now))
        if (const json& was = member(before, key), &is = member(now, key); was != is)
            out.push_back(
                fmt::format("{}{} was {} and is {}", where, escaped(key), shown_json(was), shown_json(is)));
}

// By a member that names each: stages, steps, effects.
const json& with(const json& list, const char* key, const json& value) {
    static const json nothing;
    if (list.is_array())
        for (const json& one : list)
            if (member(one, key) == value) return one;
    return nothing;
}

void compare_stages(const json& before, const json& now, std::vector<std::string>& out) {
    for (const json& stage : now.is_array() ? now : json::array()) {
        const json& was = with(before, "stage", member(stage, "stage"));
        const std::string name = shown_json(member(stage, "stage"));
        if (was.is_null()) {
            out.push_back(fmt::format("the stage {} is not in the plan", name));
            continue;
        }
        for (const char* part : {"environment", "protected"})
            if (member(was, part) != member(stage, part))
                out.push_back(fmt::format("{}: {} was {} and is {}", name, part,
                                          shown_json(member(was, part)), shown_json(member(stage, part))));
        compare_members(name + ": the setting ", member(was, "settings"), member(stage, "settings"), out);
        compare_members(name + ": the value of ", member(was, "values"), member(stage, "values"), out);
        compare_members(name + ": the source of ", member(was, "secrets"), member(stage, "secrets"), out);
    }
    for (const json& stage : before.is_array() ? before : json::array())
        if (with(now, "stage", member(stage, "stage")).is_null())
            out.push_back(
                fmt::format("the stage {} of the plan is not run", shown_json(member(stage, "stage"))));
}

void compare_tools(const json& before, const json& now, std::vector<std::string>& out) {
    for (const std::string& name : keys_of(before, now)) {
        const json &was = member(before, name), &is = member(now, name);
        if (was == is) continue;
        const json &old_path = member(was, "program"), &new_path = member(is, "program");
        if (old_path != new_path)
            out.push_back(fmt::format("the tool {} was {} and is {}", escaped(name), shown_json(old_path),
                                      shown_json(new_path)));
        else
            out.push_back(fmt::format("the tool {} ({}) is another program than it was", escaped(name),
                                      shown_json(new_path)));
    }
}

}  // namespace

std::optional<ProgramFile> pin(const ir::Tool& tool, const std::filesystem::path& root, Tools& tools) {
    if (tool.program.empty() || tool.name == "program") return std::nullopt;
    if (tool.program.find('/') == std::string::npos) return tools.program_file(tool.program);
    return tools.program_file((std::filesystem::absolute(root) / tool.program).lexically_normal().string());
}

std::string Reviewed::change_digest() const {
    return digest_of(change);
}

std::string Reviewed::run_digest() const {
    json all = run;
    all["change"] = change_digest();
    return digest_of(all);
}

json Reviewed::journal() const {
    return {
        {"change", change_digest()}, {"run", run_digest()}, {"parts", {{"change", change}, {"run", run}}}};
}

Reviewed review(const ir::Program& program, const std::vector<BoundStage>& stages,
                const project::Inventory& inventory, Inputs& inputs, Tools& tools) {
    Reviewed result;
    result.change = {{"program", ir::change_digest(program)}, {"files", inputs.digests()}};
    auto parts = json::array();
    for (const BoundStage& bound : stages) parts.push_back(stage_parts(bound, inventory));
    result.run = {{"stages", std::move(parts)},
                  {"tools", tool_parts(program, inventory.root, tools)},
                  {"title", program.migration ? program.migration->title : ""},
                  {"approvers", inventory.approvers},
                  {"approver_users", inventory.approver_users},
                  {"freezes", freezes_of(inventory)},
                  {"mode", tools.kind()}};
    return result;
}

std::vector<std::string> drift(const json& plan, const Reviewed& now) {
    const json &parts = member(plan, "parts"), &change = member(parts, "change"), &run = member(parts, "run");
    std::vector<std::string> out;
    if (member(change, "program") != now.change.at("program"))
        out.emplace_back("the script, or a file that it uses, says something else");
    compare_files(member(change, "files"), now.change.at("files"), out);
    compare_stages(member(run, "stages"), now.run.at("stages"), out);
    compare_tools(member(run, "tools"), now.run.at("tools"), out);
    compare_members("the key of the approver ", member(run, "approvers"), now.run.at("approvers"), out);
    compare_members("the accounts of the approver ", member(run, "approver_users"),
                    now.run.at("approver_users"), out);
    if (const json& title = member(run, "title"); title != now.run.at("title"))
        out.push_back(fmt::format("the migration was called {} and is called {}", shown_json(title),
                                  shown_json(now.run.at("title"))));
    if (member(run, "freezes") != now.run.at("freezes"))
        out.emplace_back("the freezes in migc.yaml are others");
    if (member(run, "mode") != now.run.at("mode"))
        out.push_back(fmt::format("the plan is of a {} world, and this is a {} one",
                                  shown_json(member(run, "mode")), shown_json(now.run.at("mode"))));
    if (out.empty() && member(plan, "run") != now.run_digest())
        out.emplace_back("the digests in the plan do not fit to its parts: it was edited");
    return out;
}

std::optional<std::string> refusal(const RunOptions& options, const Reviewed& now) {
    const std::string change = now.change_digest(), run = now.run_digest();
    if (options.plan)
        if (const auto drifted = drift(*options.plan, now); !drifted.empty())
            return fmt::format("nothing is begun: this is not what the plan says:\n  {}",
                               fmt::join(drifted, "\n  "));
    if (options.expect.empty()) return std::nullopt;
    if (!is_short_digest(options.expect))
        return fmt::format("--expect wants a digest as `migc plan` prints it, at least {} of its characters",
                           short_digest_size);
    if (change.starts_with(options.expect) || run.starts_with(options.expect)) return std::nullopt;
    return fmt::format(
        "nothing is begun: this is not what was reviewed. Expected is {}, but the change digest is {} and the run "
        "digest is {}. `migc plan --save FILE` and `migc run --plan FILE` say what differs",
        options.expect, short_digest(change), short_digest(run));
}

}  // namespace migc::runtime::inline reviews
