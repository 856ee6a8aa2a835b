#include "compiler/checks/drafts.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>

#include "compiler/documents/document.hpp"
#include "compiler/documents/pointer.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::optional<std::string> content(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > documents::size_limit) return {};
    std::ifstream stream(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    return stream ? std::optional(std::move(text)) : std::nullopt;
}

const std::string* text_argument(const Event& event, std::size_t number) {
    const bool known = event.arguments.size() > number && event.arguments[number];
    return known ? event.arguments[number]->get_if<std::string>() : nullptr;
}

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
    if (event.act != Act::Change || event.verb == nullptr || event.conditional) return std::nullopt;
    const bool sets = event.verb->signature.starts_with("set value of (file: path) at ");
    const bool removes = event.verb->signature.starts_with("remove value of (file: path) at ");
    const std::string* file = text_argument(event, 0);
    const std::string* pointer = text_argument(event, 1);
    if ((!sets && !removes) || file == nullptr || pointer == nullptr) return std::nullopt;
    Edit edit{normal(*file), *pointer, removes, std::nullopt};
    if (sets && event.arguments.size() > 2 && event.arguments[2] && !event.arguments[2]->is_unknown())
        edit.value = in_json(*event.arguments[2]);
    return edit;
}

Drafts::Draft& Drafts::draft(const std::string& path) {
    const auto [entry, is_new] = drafts_.try_emplace(path);
    Draft& one = entry->second;
    if (!is_new) return one;
    auto text = documents::format_of(path) ? content(root_ / path) : std::nullopt;
    one.known = text && !all_unknown_;
    one.original = text.value_or("");
    one.text = one.original;
    return one;
}

void Drafts::take(const Event& event) {
    if (event.act != Act::Change) return;
    if (const auto edit = edit_of(event)) {
        Draft& one = draft(edit->file);
        if (!one.known) return;
        const auto format = *documents::format_of(edit->file);
        one.parsed.reset();
        if (edit->removes) {
            const auto left = documents::remove(one.text, format, edit->pointer);
            one.known = left.has_value();
            if (left) one.text = *left;
            return;
        }
        const auto edited = edit->value ? documents::set(one.text, format, edit->pointer, *edit->value)
                                        : tl::expected<documents::Edited, documents::Problem>(
                                              tl::unexpected(documents::Problem{"known when it runs", 0}));
        one.known = edited.has_value();
        if (edited) one.text = edited->text;
        return;
    }
    for (const Thing& thing : event.things) {
        if (thing == "file ?") {
            all_unknown_ = true;
            for (auto& [path, one] : drafts_) one.known = false;
        } else if (thing.starts_with("file ")) {
            draft(normal(thing.substr(5))).known = false;
        }
    }
}

const json* Drafts::file(const std::string& path) {
    Draft& one = draft(normal(path));
    if (!one.known) return nullptr;
    if (!one.parsed) {
        const auto whole = documents::read(one.text, *documents::format_of(path), "");
        one.parsed = whole && whole->value ? *whole->value : json();
    }
    return one.parsed->is_null() ? nullptr : &*one.parsed;
}

const json* Drafts::object(const Object& object) {
    const json* whole = file(object.file);
    if (whole == nullptr) return nullptr;
    const json* found = whole;
    if (whole->is_array()) found = object.document < whole->size() ? &(*whole)[object.document] : nullptr;
    return found != nullptr && found->is_object() ? found : nullptr;
}

Span Drafts::span(const std::string& path, const std::string& pointer) {
    Draft& one = draft(normal(path));
    std::error_code error;
    const fs::path shown = fs::proximate(root_ / path, error);
    if (!one.id) one.id = sources_.add(error ? path : shown.string(), one.original);
    const auto format = documents::format_of(path);
    const auto found =
        format ? documents::read(one.original, *format, pointer)
               : tl::expected<documents::Lookup, documents::Problem>(tl::unexpected(documents::Problem{}));
    if (!found || !found->value) return {*one.id, 0, 0};
    const std::size_t end = std::min(found->range.end, documents::line_end(one.original, found->range.begin));
    return {*one.id, static_cast<std::uint32_t>(found->range.begin), static_cast<std::uint32_t>(end)};
}

}  // namespace migc::checks
