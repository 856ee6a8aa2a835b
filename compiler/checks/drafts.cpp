#include "compiler/checks/drafts.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>

#include "compiler/documents/document.hpp"
#include "compiler/documents/pointer.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a container has under a token; null if nothing.
const json* member(const json& container, const std::string& token) {
    if (container.is_object()) return container.contains(token) ? &container[token] : nullptr;
    if (!container.is_array()) return nullptr;
    if (const auto wanted = documents::picker(token)) {
        const auto picked = std::find_if(container.begin(), container.end(), [&](const json& one) {
            const auto found = one.is_object() ? one.find(wanted->key) : one.end();
            return one.is_object() && found != one.end() &&
                   (found->is_string() ? found->get<std::string>() : found->dump()) == wanted->value;
        });
        return picked == container.end() ? nullptr : &*picked;
    }
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    const bool is_number = error == std::errc() && end == token.data() + token.size();
    return is_number && number < container.size() ? &container[number] : nullptr;
}

// A container's member that is there, or that an edit may make; null where there can be none.
json* member_to_set(json& container, const std::string& token) {
    if (container.is_null()) container = json::object();
    if (container.is_object()) return &container[token];
    if (container.is_array() && token == "-") return &container.emplace_back();
    return const_cast<json*>(member(container, token));
}

// Whether an edit could be made.
bool make(json& whole, const Edit& edit) {
    const auto tokens = documents::tokens_of(edit.pointer);
    if (!tokens) return false;
    if (edit.removes) {
        if (tokens->empty()) return false;
        const auto cut = edit.pointer.rfind('/');
        auto* container = const_cast<json*>(value_at(whole, edit.pointer.substr(0, cut)));
        const json* gone = container != nullptr ? member(*container, tokens->back()) : nullptr;
        if (gone == nullptr) return true;
        if (container->is_object()) container->erase(tokens->back());
        if (container->is_array()) container->erase(container->begin() + (gone - &(*container)[0]));
        return true;
    }
    json* at = &whole;
    for (const std::string& token : *tokens)
        if (at = member_to_set(*at, token); at == nullptr) return false;
    *at = *edit.value;
    return true;
}

std::string normal(const std::string& path) {
    return fs::path(path).lexically_normal().generic_string();
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
    if (const auto* whole = value.get_if<Json>()) return *whole ? **whole : json();
    if (value.is_absent()) return nullptr;
    const auto* list = value.get_if<List>();
    if (list == nullptr) return show(value);
    json result = json::array();
    for (const Value& item : *list) result.push_back(in_json(item));
    return result;
}

std::optional<Edit> edit_of(const Event& event) {
    const Effect* effect = effect_on(event, ir::Role::Value);
    if (event.act != Act::Change || event.conditional || effect == nullptr) return std::nullopt;
    const std::string* pointer = text_in(effect->role, 0);
    const std::string* file = text_in(effect->role, 1);
    if (file == nullptr || pointer == nullptr) return std::nullopt;
    Edit edit{normal(*file), *pointer, effect->becomes == ir::Becomes::Absent, std::nullopt};
    if (effect->value && !effect->value->is_unknown()) edit.value = in_json(*effect->value);
    return edit;
}

void Drafts::take(const Event& event) {
    if (event.act != Act::Change) return;
    if (auto edit = edit_of(event)) {
        Draft& draft = drafts_[edit->file];
        draft.known = draft.known && (edit->removes || edit->value);
        if (draft.known) draft.edits.push_back(std::move(*edit));
        return;
    }
    for (const Thing& thing : event.things) {
        if (thing == "file ?") all_unknown_ = true;
        if (thing.starts_with("file ")) drafts_[normal(thing.substr(5))].known = false;
    }
}

const std::string& Drafts::text(const std::string& path, Draft& draft) {
    if (!draft.text) draft.text = content(root_, path).value_or("");
    return *draft.text;
}

const json* Drafts::file(const std::string& path) {
    const auto format = documents::format_of(path);
    Draft& draft = drafts_[normal(path)];
    if (!draft.known || all_unknown_ || !format) return nullptr;
    if (!draft.value) {
        const auto whole = documents::read(text(path, draft), *format, "");
        draft.value = whole && whole->value ? *whole->value : json();
    }
    for (; draft.known && draft.made < draft.edits.size(); ++draft.made)
        draft.known = make(*draft.value, draft.edits[draft.made]);
    return draft.known && !draft.value->is_null() ? &*draft.value : nullptr;
}

const json* Drafts::object(const Object& object) {
    // What nobody edits has been read already.
    const auto draft = drafts_.find(object.file);
    const bool is_edited = draft != drafts_.end() && (!draft->second.known || !draft->second.edits.empty());
    if (!is_edited && !all_unknown_) return &object.json;
    const json* whole = file(object.file);
    if (whole == nullptr) return nullptr;
    const json* found = whole;
    if (whole->is_array()) found = object.document < whole->size() ? &(*whole)[object.document] : nullptr;
    return found != nullptr && found->is_object() ? found : nullptr;
}

Span Drafts::span(const std::string& path, const std::string& pointer) {
    Draft& draft = drafts_[normal(path)];
    const std::string& content = text(path, draft);
    std::error_code error;
    const fs::path shown = fs::proximate(root_ / path, error);
    if (!draft.id) draft.id = sources_.add(error ? path : shown.string(), content);
    const auto format = documents::format_of(path);
    if (!format) return {*draft.id, 0, 0};
    const auto found = documents::read(content, *format, pointer);
    if (!found || !found->value) return {*draft.id, 0, 0};
    const std::size_t end = std::min(found->range.end, documents::line_end(content, found->range.begin));
    return {*draft.id, static_cast<std::uint32_t>(found->range.begin), static_cast<std::uint32_t>(end)};
}

}  // namespace migc::checks
