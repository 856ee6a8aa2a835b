#include "compiler/driver/review.hpp"

#include <map>
#include <set>
#include <tuple>

#include "compiler/diagnostics/apply.hpp"

namespace migc::driver {

namespace fs = std::filesystem;

namespace {

fs::path canonical(const std::string& name) {
    std::error_code error;
    const fs::path result = fs::weakly_canonical(name, error);
    return error ? fs::path(name) : result;
}

}  // namespace

Fixed fixed(const std::string& path, const Script& script) {
    constexpr int rounds =
        8;  // a fix may uncover another finding; this many in a row would be a mistake of ours
    Fixed result;
    const Script* last = &script;
    for (int i = 0; i < rounds; ++i) {
        AppliedFixes applied =
            apply_fixes(last->sources.file(last->file).text(), last->file, last->diagnostics);
        if (applied.count == 0) break;
        result.count += applied.count;
        result.script = load_script(path, std::move(applied.text), script.found_in);
        last = result.script.get();
    }
    return result;
}

void set_modules_aside(std::vector<Checked>& all) {
    std::map<fs::path, std::string> users;
    for (const auto& one : all)
        for (const FileId id : one.script->used)
            users.emplace(canonical(one.script->sources.file(id).name()), one.path);
    for (auto& one : all) {
        const auto user = users.find(canonical(one.path));
        const bool is_module = one.found && one.script->tree.stages.empty() && user != users.end();
        if (is_module && user->second != one.path) one.with = user->second;
    }
}

std::vector<findings::Finding> collect(std::vector<Checked>& all) {
    std::vector<findings::Finding> result;
    std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, Code, std::string>> seen;
    for (auto& one : all) {
        if (!one.with.empty()) continue;
        const Script& script = *one.script;
        std::map<FileId, std::string> names;  // each is asked of the disk once
        const auto name_of = [&](FileId id) -> const std::string& {
            const auto [known, is_new] = names.try_emplace(id);
            if (is_new && id < script.sources.size())
                known->second = canonical(script.sources.file(id).name()).string();
            return known->second;
        };
        const auto add = [&](const Diagnostic& d, const Silenced* silenced) {
            const std::string& file = name_of(d.span.file);
            if (seen.emplace(file, d.span.begin, d.span.end, d.code, d.message).second)
                result.push_back({&d, &script.sources, "", silenced, false});
            else
                one.repeats |= silenced == nullptr;
        };
        for (const auto& d : script.diagnostics.all()) add(d, nullptr);
        for (const auto& s : script.diagnostics.silenced()) add(s.diagnostic, &s);
    }
    findings::set_fingerprints(result);
    return result;
}

}  // namespace migc::driver
