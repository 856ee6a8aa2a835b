// What several layers state is the same in each: a settings file, a ConfigMap, and the variables of a
// manifest. A variable overrides the file: `PIPELINE__Cache__Type` is what stands at /Pipeline/Cache/Type.
#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/checks/settings.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// "/Pipeline/Cache/Type" of a variable's name; empty for one that names no setting.
std::string setting_of(const std::string& variable) {
    if (variable.find("__") == std::string::npos) return "";
    std::string setting = "/" + lower_case(variable);
    for (std::size_t at = 0; (at = setting.find("__", at)) != std::string::npos;) setting.replace(at, 2, "/");
    return setting;
}

// A variable that pods get, as the script leaves it.
struct Variable {
    std::string name;
    const Object* object = nullptr;
    std::string pointer;
    std::string value;
};

std::optional<std::string> scalar(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_boolean() || value.is_number() ? std::optional(value.dump()) : std::nullopt;
}

// Something that is filled in later says nothing by itself.
bool is_plain(const std::string& value) {
    return !value.empty() && std::ranges::none_of(std::array{"${", "{{", "$(", "#{"}, [&](const char* begin) {
        return value.find(begin) != std::string::npos;
    });
}

bool is_same(const std::string& a, const std::string& b) {
    const auto is_truth = [](const std::string& text) {
        return lower_case(text) == "true" || lower_case(text) == "false";
    };
    return a == b || (is_truth(a) && is_truth(b) && lower_case(a) == lower_case(b));
}

// The place at which a settings file has a setting, whatever the case of its letters.
std::optional<std::pair<std::string, std::string>> find_setting(const json& file,
                                                                const std::string& setting) {
    const json* at = &file;
    std::vector<std::string> names;
    for (const std::string& wanted : split(setting.substr(1), '/')) {
        const json* next = nullptr;
        if (at->is_object())
            for (const auto& [key, value] : at->items())
                if (lower_case(key) == wanted) next = &value, names.push_back(key);
        const auto number = at->is_array() ? whole_number<std::size_t>(wanted) : std::nullopt;
        if (number && *number < at->size()) next = &(*at)[*number], names.push_back(wanted);
        if (next == nullptr) return std::nullopt;
        at = next;
    }
    const auto value = scalar(*at);
    if (!value) return std::nullopt;
    return std::pair(documents::pointer_to(names), *value);
}

class Layers : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const StageEvents& course : picture_.timeline.courses())
            for (const Event& event : course.forward) note(course, event);
        if (edits_.empty() && !applies_a_setting()) return;
        variables();
        for (const auto& [setting, all] : by_setting_) compare_with_file(setting, all);
        if (!applied_.empty()) compare_within_pods();
    }

  private:
    struct Touched {
        const Event* event = nullptr;
        const StageEvents* course = nullptr;
    };

    void note(const StageEvents& course, const Event& event) {
        if (course.stage->repeats) return;
        for (const Edit& edit : edits_of(event)) edits_[edit.file].push_back({edit, {&event, &course}});
        const bool applies = event.is_change() && plays(event, ir::Role::Applies);
        for (const ResourceKey& thing : applies ? event.things : std::set<ResourceKey>())
            applied_[thing] = {&event, &course};
    }

    // ------------------------------------------------ the variables of the manifests

    // Whether what is applied has to do with variables that another layer may state, too. Most manifests have
    // not, and then it is of no use to read the others.
    bool applies_a_setting() const {
        return std::ranges::any_of(applied_, [&](const auto& one) {
            const auto& objects = picture_.manifests.declaring(one.first);
            return std::ranges::any_of(objects, [&](const Object* object) {
                const std::string_view text = picture_.manifests.text(object->file).value_or("");
                const auto has = [&](std::string_view sign) { return text.find(sign) != text.npos; };
                return object->thing.is("configmap") || has("__") || has("envFrom");
            });
        });
    }

    void variables() {
        for (const Object* object : picture_.manifests.all()) {
            const json* now = picture_.files.object(*object);
            if (now == nullptr) continue;
            each_setting(object->thing, *now,
                         [&](const std::string& name, const std::string& pointer, const json& value) {
                             add(*object, name, pointer, value);
                         });
        }
    }

    void add(const Object& object, const std::string& name, const std::string& pointer, const json& value) {
        const auto text = scalar(value);
        if (!text || !is_plain(*text)) return;
        if (name == "ASPNETCORE_ENVIRONMENT" || name == "DOTNET_ENVIRONMENT")
            stated_environments_.insert(*text);
        by_name_[name].push_back({name, &object, pointer, *text});
        if (const std::string setting = setting_of(name); !setting.empty())
            by_setting_[setting].push_back({name, &object, pointer, *text});
    }

    // ------------------------------------------------ file and variable

    // The settings files that the script edits, and the one that is for the cluster.
    std::vector<std::string> settings_files() {
        std::set<std::string> files;
        for (const auto& [file, edits] : edits_)
            if (environment_of_settings(file)) files.insert(file);
        std::error_code error;
        if (fs::is_regular_file(picture_.inventory.root / "appsettings.json", error))
            files.insert("appsettings.json");
        for (const auto& environment : environments()) {
            const std::string name = fmt::format("appsettings.{}.json", environment);
            if (fs::is_regular_file(picture_.inventory.root / name, error)) files.insert(name);
        }
        return {files.begin(), files.end()};
    }

    // The one for every environment, which the script leaves as it is: that the cluster has other values is
    // usual, unless the script parts what was the same.
    bool is_for_everywhere(const std::string& path) const {
        return environment_of_settings(path) == "" && !edits_.contains(path);
    }

    bool was_said_by(const std::vector<Variable>& all, const std::string& stated) const {
        return std::ranges::any_of(all, [&](const Variable& one) {
            const json* before = value_at(one.object->json, one.pointer);
            const auto said = before != nullptr ? scalar(*before) : std::nullopt;
            return said && is_same(*said, stated) && !picture_.resources.is_of_one(one.object->file) &&
                   edit_at(one.object->file, one.pointer) != nullptr;
        });
    }

    // Which settings files pods may read: ASPNETCORE_ENVIRONMENT is Production unless a manifest says
    // otherwise.
    std::set<std::string> environments() const {
        if (!stated_environments_.empty()) return stated_environments_;
        return {"Production"};
    }

    void compare_with_file(const std::string& setting, const std::vector<Variable>& all) {
        for (const std::string& path : settings_files()) {
            const json* file = picture_.files.file(path);
            const auto stated = file != nullptr ? find_setting(*file, setting) : std::nullopt;
            if (!stated || !is_plain(stated->second)) continue;
            if (is_for_everywhere(path) && !was_said_by(all, stated->second)) continue;
            // Where one of several variables agrees, the others are of other environments.
            const bool agrees = std::ranges::any_of(
                all, [&](const Variable& one) { return is_same(one.value, stated->second); });
            if (!agrees) differs(path, *stated, all.front());
        }
    }

    void differs(const std::string& path, const std::pair<std::string, std::string>& stated,
                 const Variable& variable) {
        const Touched* by = last_touch(path, stated.first, variable);
        if (by == nullptr) return;
        auto& d = diagnostics_.report(
            Code::LayersDiffer, by->event->step->span,
            fmt::format("{} and {} say different things: the variable wins", path, variable.object->thing));
        d.label(picture_.files.span(path, stated.first),
                fmt::format("the file {} `{}`", edit_at(path, stated.first) != nullptr ? "is to say" : "says",
                            shown(stated.second)));
        const Touched* edit = edit_at(variable.object->file, variable.pointer);
        const bool is_written = value_at(variable.object->json, variable.pointer) != nullptr;
        std::string says = fmt::format("{} {} `{}`", variable.name, edit != nullptr ? "is to be" : "is",
                                       shown(variable.value));
        if (is_written || edit == nullptr)
            d.label(picture_.manifests.span(*variable.object, variable.pointer), std::move(says));
        else if (edit->event->step != by->event->step)
            d.label(edit->event->step->span, std::move(says));
        else
            d.primary_label = std::move(says);
        d.note(
            fmt::format("pods would run with `{}`, whatever the file says; set both, or remove one of them",
                        shown(variable.value)));
    }

    static std::string shown(const std::string& value) {
        return value.size() <= 80 ? value : value.substr(0, 77) + "...";
    }

    // The last edit of a place; a pointer into one of several documents ends the same.
    const Touched* edit_at(const std::string& file, const std::string& pointer) const {
        const auto found = edits_.find(file);
        if (found == edits_.end()) return nullptr;
        const Touched* last = nullptr;
        for (const auto& [edit, touched] : found->second)
            if (edit.pointer == pointer || edit.pointer.ends_with(pointer)) last = &touched;
        return last;
    }

    // What of the script brings the two together: an edit of one of them, else the apply of the variable.
    const Touched* last_touch(const std::string& path, const std::string& pointer,
                              const Variable& variable) const {
        if (const Touched* edit = edit_at(path, pointer)) return edit;
        if (const Touched* edit = edit_at(variable.object->file, variable.pointer)) return edit;
        const auto applied = applied_.find(variable.object->thing);
        return applied == applied_.end() ? nullptr : &applied->second;
    }

    // ------------------------------------------------ variable and variable

    // A container's own variable hides the ConfigMap's of the same name.
    void compare_within_pods() {
        for (const auto& [name, all] : by_name_) {
            std::multimap<const Object*, const Variable*> own;
            for (const Variable& one : all) own.emplace(one.object, &one);
            for (const Variable& shared : all) {
                if (!shared.object->thing.is("configmap")) continue;
                for (const Object* reader : picture_.manifests.readers(shared.object->thing))
                    for (auto [at, end] = own.equal_range(reader); at != end; ++at)
                        if (!is_same(at->second->value, shared.value) && is_hidden_by(shared, *at->second))
                            hides(*at->second, shared);
            }
        }
    }

    // Whether the container that has the variable takes all of the ConfigMap's as variables, too.
    static bool is_hidden_by(const Variable& shared, const Variable& own) {
        const std::string container = own.pointer.substr(0, own.pointer.find("/env/"));
        const json* sources = value_at(own.object->json, container + "/envFrom");
        return sources != nullptr && sources->is_array() &&
               std::ranges::any_of(*sources, [&](const json& source) {
                   return text_field(source, "/configMapRef/name") == shared.object->thing.name() &&
                          text_field(source, "/prefix").empty();
               });
    }

    void hides(const Variable& own, const Variable& shared) {
        const auto applied =
            applied_.find(applied_.contains(shared.object->thing) ? shared.object->thing : own.object->thing);
        if (applied == applied_.end()) return;
        auto& d = diagnostics_.report(Code::LayersDiffer, applied->second.event->step->span,
                                      fmt::format("{} hides what {} says: the container's own variable wins",
                                                  own.object->thing, shared.object->thing));
        d.label(picture_.manifests.span(*own.object, own.pointer),
                fmt::format("{} is `{}` here", own.name, shown(own.value)));
        d.label(picture_.manifests.span(*shared.object, shared.pointer),
                fmt::format("and `{}` here", shown(shared.value)));
        d.note("whoever changes the ConfigMap would believe that it matters; remove one of them");
    }

    std::map<std::string, std::vector<std::pair<Edit, Touched>>> edits_;
    std::map<ResourceKey, Touched> applied_;
    std::map<std::string, std::vector<Variable>> by_setting_, by_name_;
    std::set<std::string> stated_environments_;
};

}  // namespace

std::optional<std::string> environment_of_settings(const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    if (!name.starts_with("appsettings.") || !name.ends_with(".json")) return std::nullopt;
    return name == "appsettings.json" ? "" : name.substr(12, name.size() - 17);
}

void layers(const CheckContext& picture, Diagnostics& diagnostics) {
    Layers(picture, diagnostics).check();
}

}  // namespace migc::checks
