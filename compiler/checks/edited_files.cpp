#include "compiler/checks/edited_files.hpp"

#include <algorithm>
#include <iterator>

#include "compiler/checks/timeline.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/documents/pointer.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_made = 2'000;  // edits: each is a new text, which is read again

// What a container has under a token; null if nothing.
const json* member(const json& container, const std::string& token) {
    if (container.is_object()) return container.contains(token) ? &container[token] : nullptr;
    if (!container.is_array()) return nullptr;
    if (const auto wanted = documents::picker(token)) {
        return first_of(container, [&](const json& one) {
            return one.is_object() && one.contains(wanted->key) &&
                   plain_text(one[wanted->key]) == wanted->value;
        });
    }
    const auto number = whole_number<std::size_t>(token);
    return number && *number < container.size() ? &container[*number] : nullptr;
}

std::string normal(const std::string& path) {
    return fs::path(path).lexically_normal().generic_string();
}

// The text of a file with an edit made. One that cannot be made leaves it as it is, so that what else is
// wrong is found, too.
std::string after(std::string text, const Edit& edit) {
    const auto format = documents::format_of(edit.file);
    if (!format) return text;
    if (edit.removes) return documents::remove(text, *format, edit.pointer).value_or(text);
    auto with = documents::set(text, *format, edit.pointer, *edit.value);
    return with ? std::move(with->text) : text;
}

}  // namespace

const json* value_at(const json& whole, const std::string& pointer) {
    const auto tokens = documents::tokens_of(pointer);
    const json* at = tokens ? &whole : nullptr;
    for (std::size_t i = 0; at != nullptr && i < tokens->size(); ++i) at = member(*at, (*tokens)[i]);
    return at;
}

json in_json(const Value& value) {
    if (const auto* number = value.get_if<std::int64_t>()) return *number;
    if (const auto* truth = value.get_if<bool>()) return *truth;
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* whole = value.get_if<Json>()) return *whole ? **whole : json();
    if (value.is_absent()) return nullptr;
    const auto* list = value.get_if<List>();
    if (list == nullptr) {
        // 0.5 is a number, 20Gi and 5m are texts.
        json number = json::parse(value.get_if<Quantity>() == nullptr ? show(value) : "", nullptr, false);
        return number.is_number() ? number : json(show(value));
    }
    json result = json::array();
    for (const Value& item : *list) result.push_back(in_json(item));
    return result;
}

std::vector<Edit> possible_edits(const Event& event) {
    std::vector<Edit> edits;
    for (const Effect& effect : event.effects) {
        if (effect.probe->role.role != ir::Role::Value) continue;
        const std::string* pointer = text_in(effect.role, 0);
        const std::string* file = text_in(effect.role, 1);
        if (file == nullptr || pointer == nullptr) return {};
        edits.push_back({normal(*file), *pointer, effect.becomes == ir::Becomes::Absent, std::nullopt});
        if (effect.value && !effect.value->is_unknown()) edits.back().value = in_json(*effect.value);
    }
    return edits;
}

std::vector<Edit> edits_of(const Event& event) {
    return event.conditional ? std::vector<Edit>{} : possible_edits(event);
}

void EditedFiles::take(const Event& event) {
    ++now_;
    const auto edits = edits_of(event);
    for (const ResourceKey& thing : event.things) {
        if (thing == ResourceKey::some_file() && !all_lost_) all_lost_ = now_;
        if (thing.of != ResourceKey::Of::File) continue;
        const std::string name = normal(thing.name());
        const auto is_of_it = [&](const Edit& edit) { return edit.file == name; };
        bool is_known = std::ranges::any_of(edits, is_of_it);
        File& file = files_[name];
        for (const Edit& edit : edits) {
            if (!is_of_it(edit)) continue;
            is_known = is_known && (edit.removes || edit.value);
            file.edits.emplace_back(now_, edit);
        }
        if (!is_known && !file.lost) file.lost = now_;
    }
}

bool EditedFiles::is_lost(const File& file, Moment when) const {
    return (all_lost_ && *all_lost_ <= when) || (file.lost && *file.lost <= when);
}

EditedFiles::Version& EditedFiles::on_disk(const std::string& path, File& file) const {
    const auto [entry, is_new] = file.versions.try_emplace(0);
    if (is_new) entry->second.text = content(root_, path);
    return entry->second;
}

EditedFiles::Version& EditedFiles::made(const std::string& path, File& file, Moment when) const {
    on_disk(path, file);
    const auto later = std::partition_point(file.edits.begin(), file.edits.end(),
                                            [&](const auto& edit) { return edit.first <= when; });
    const auto count = static_cast<std::size_t>(later - file.edits.begin());
    const auto& [number, nearest] = *std::prev(file.versions.upper_bound(count));
    const auto [entry, is_new] = file.versions.try_emplace(count);
    if (!is_new) return entry->second;
    auto& text = entry->second.text = nearest.text;
    std::map<std::string_view, std::size_t> last;  // where one place is set again and again, that counts
    for (std::size_t i = number; i < count; ++i) last[file.edits[i].second.pointer] = i;
    for (std::size_t i = number; text && i < count; ++i) {
        const Edit& edit = file.edits[i].second;
        if (i != last[edit.pointer]) continue;
        text = ++made_ <= most_made ? std::optional(after(std::move(*text), edit)) : std::nullopt;
    }
    return entry->second;
}

const json* EditedFiles::file(const std::string& path, Moment when) const {
    const std::string name = normal(path);
    const auto format = documents::format_of(name);
    File& file = files_[name];
    if (is_lost(file, when) || !format) return nullptr;
    Version& version = made(name, file, when);
    if (!version.text) return nullptr;
    if (!version.whole) {
        auto read = documents::read(*version.text, *format, "");
        version.whole = read && read->value ? std::move(*read->value) : json();
    }
    return version.whole->is_null() ? nullptr : &*version.whole;
}

const Object* EditedFiles::version(const Object& object, Moment when) const {
    const auto found = files_.find(object.file);
    const bool is_edited =
        found != files_.end() && !found->second.edits.empty() && found->second.edits.front().first <= when;
    if (found == files_.end() ? is_lost({}, when) : is_lost(found->second, when)) return nullptr;
    if (!is_edited) return &object;  // what nobody edits has been read already
    Version& version = made(object.file, found->second, when);
    if (!version.text) return nullptr;
    if (!version.objects) version.objects = Manifests::objects_of(object.file, *version.text);
    return first_of(*version.objects, [&](const Object& one) {
        return one.thing == object.thing && one.document == object.document;
    });
}

const json* EditedFiles::object(const Object& object, Moment when) const {
    const Object* found = version(object, when);
    return found != nullptr ? &found->json : nullptr;
}

std::optional<documents::Problem> EditedFiles::refusal(const Edit& edit, Moment when) const {
    const auto format = documents::format_of(edit.file);
    if (!format)
        return documents::Problem{"only values of .json, .yaml, .yml and .tfvars files can be edited", 0};
    File& file = files_[edit.file];
    if (is_lost(file, when) || made_ > most_made) return std::nullopt;
    const auto& text = made(edit.file, file, when).text;
    if (!text) return std::nullopt;
    // To try one costs several times as much as to make it, and more in a large file.
    constexpr std::size_t weight = 10, of_one = std::size_t{64} << 10;  // bytes
    made_ += weight * (1 + text->size() / of_one);
    if (edit.removes) {
        const auto without = documents::remove(*text, *format, edit.pointer);
        return without ? std::nullopt : std::optional(without.error());
    }
    if (!edit.value) return documents::why_not_set(*text, *format, edit.pointer);
    const auto with = documents::set(*text, *format, edit.pointer, *edit.value);
    return with ? std::nullopt : std::optional(with.error());
}

Span EditedFiles::span(const std::string& path, const std::string& pointer) const {
    File& file = files_[normal(path)];
    const std::string content = on_disk(normal(path), file).text.value_or("");
    if (!file.id) file.id = sources_.add(shown_path(root_ / path), content);
    const auto format = documents::format_of(path);
    const auto found =
        format ? documents::read(content, *format, pointer) : tl::unexpected(documents::Problem{});
    return found && found->value ? first_line(*file.id, content, found->range) : Span{*file.id, 0, 0};
}

}  // namespace migc::checks
