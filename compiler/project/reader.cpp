#include "compiler/project/reader.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/project/named_file.hpp"
#include "compiler/project/user_config.hpp"
#include "compiler/support/text.hpp"

namespace migc::project {

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, lower_case(text)) != words.end();
}

// What a YAML 1.1 reader takes for a boolean.
std::optional<bool> as_boolean(std::string_view text) {
    if (is_one_of(text, {"true", "yes", "on", "y"})) return true;
    if (is_one_of(text, {"false", "no", "off", "n"})) return false;
    return std::nullopt;
}

bool all_of(std::string_view text, std::string_view allowed) {
    return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// 012 is ten to one YAML reader and twelve to the next; so it is with 0x1F, 1_000 and 1:30.
bool is_doubtful_number(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    constexpr std::string_view digits = "0123456789_";
    if (text.size() < 2 || !all_of(text.substr(0, 1), "0123456789")) return false;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o' || text[1] == 'b'))
        return all_of(text.substr(2), "0123456789abcdefABCDEF_");
    const bool leading_zero = text[0] == '0' && all_of(text, digits);
    const bool separated = text.find_first_of("_:") != std::string_view::npos && all_of(text, "0123456789_:");
    return leading_zero || separated;
}

std::string_view kind_name(YamlKind kind) {
    switch (kind) {
        case YamlKind::Null:
        case YamlKind::Alias:
            return "nothing";
        case YamlKind::Scalar:
            return "one value";
        case YamlKind::List:
            return "a list";
        case YamlKind::Map:
            return "a map";
    }
    return "nothing";
}

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

bool stays_inside(const std::string& path) {
    const auto normal = std::filesystem::path(path).lexically_normal();
    return !normal.is_absolute() && (normal.empty() || *normal.begin() != "..");
}

Diagnostic& Reader::wrong(const YamlNode& node, std::string message) const {
    return diagnostics_.report(Code::BadInventory, node.span, std::move(message));
}

bool Reader::is_map(const YamlNode& node, std::string_view called) const {
    if (node.kind == YamlKind::Map || node.kind == YamlKind::Null) return true;
    wrong(node, fmt::format("{} must be a map, `key: value`, and is {}", called, kind_name(node.kind)));
    return false;
}

bool Reader::is_list(const YamlNode& node, std::string_view called) const {
    if (node.kind == YamlKind::List) return true;
    auto& finding =
        wrong(node, fmt::format("{} must be a list, `[a, b]`, and is {}", called, kind_name(node.kind)));
    if (node.kind == YamlKind::Scalar && !node.quoted)
        finding.fixes.push_back(write_instead(node.span, "[" + node.text + "]"));
    return false;
}

std::optional<std::string> Reader::text(const YamlNode& node, std::string_view called) const {
    auto text = argument(node, called);
    if (!text || !text->starts_with('-')) return text;
    wrong(node, fmt::format("{} begins with `-`, so that a tool would take it for an option", called));
    return std::nullopt;
}

std::optional<std::string> Reader::argument(const YamlNode& node, std::string_view called) const {
    if (node.kind != YamlKind::Scalar)
        wrong(node, fmt::format("{} must be a text and is {}", called, kind_name(node.kind)));
    else if (node.text.empty())
        wrong(node, fmt::format("{} is empty", called));
    else if (has_control_character(node.text))
        wrong(node, fmt::format("{} has a line break or another control character in it", called));
    else
        return node.text;
    return std::nullopt;
}

std::optional<bool> Reader::boolean(const YamlNode& node, std::string_view called) const {
    if (node.kind == YamlKind::Scalar && !node.quoted && (node.text == "true" || node.text == "false"))
        return node.text == "true";
    auto& finding = wrong(node, fmt::format("{} must be `true` or `false`", called));
    if (node.kind != YamlKind::Scalar) return std::nullopt;
    if (const auto meant = as_boolean(node.text)) {
        finding.fixes.push_back(write_instead(node.span, *meant ? "true" : "false"));
        finding.fixes.back().safe = !node.quoted;
    }
    return std::nullopt;
}

std::optional<std::string> Reader::path(const YamlNode& node, std::string_view called) const {
    auto path = text(node, called);
    if (!path || stays_inside(*path)) return path;
    wrong(node, fmt::format("{} leads out of the project's folder", called))
        .notes.emplace_back("it is relative to the folder of migc.yaml, and must stay below it");
    return std::nullopt;
}

std::optional<std::string> Reader::named_file(const YamlNode& node, std::string_view called,
                                              const std::filesystem::path& root) const {
    auto path = text(node, called);
    // Whether a whole path is allowed is asked where it is read: who only checks a script reads none.
    if (!path || path->starts_with('/') || stays_inside(*path) ||
        is_outside_file((root / *path).lexically_normal(), root))
        return path;
    wrong(node, fmt::format("{} leads out of the project's folder", called))
        .notes.push_back(fmt::format("who runs it can allow it: `outside-files: [..]` in {}",
                                     (user_folder() / "config.yaml").string()));
    return std::nullopt;
}

bool Reader::is_word(const YamlNode& node, std::string_view called) const {
    const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
    const bool good = node.kind == YamlKind::Scalar && !node.text.empty() &&
                      std::isalpha(static_cast<unsigned char>(node.text[0])) != 0 &&
                      std::ranges::all_of(node.text, allowed);
    if (good) return true;
    wrong(node, fmt::format("{} must be a word: a letter, then letters, digits and hyphens", called))
        .notes.emplace_back("no script could name it otherwise");
    return false;
}

std::optional<Scalar> Reader::parameter(const YamlNode& node, std::string_view called) const {
    if (node.kind != YamlKind::Scalar) {
        wrong(node, fmt::format("{} must be one value and is {}", called, kind_name(node.kind)));
        return std::nullopt;
    }
    const auto meant = as_boolean(node.text);
    const bool is_clear = node.quoted || node.text == "true" || node.text == "false" ||
                          (!meant && !is_doubtful_number(node.text));
    if (is_clear) return Scalar{node.text, node.span};
    auto& finding =
        wrong(node, fmt::format("`{}` means different things to different readers of YAML", node.text));
    if (meant) finding.fixes.push_back(write_instead(node.span, *meant ? "true" : "false"));
    if (all_of(node.text, "0123456789"))
        finding.fixes.push_back(write_instead(
            node.span, node.text.substr(std::min(node.text.find_first_not_of('0'), node.text.size() - 1))));
    finding.fixes.push_back(write_instead(node.span, "\"" + node.text + "\""));
    return std::nullopt;
}

void Reader::each_key(const YamlNode& map, std::string_view called, const Keys& keys) const {
    for (const auto& [key, value] : map.entries) {
        const auto known =
            std::ranges::find_if(keys, [&name = key.text](const auto& one) { return one.first == name; });
        if (known != keys.end())
            known->second(value);
        else
            report_unknown_key(key, called, keys);
    }
}

void Reader::report_unknown_key(const YamlNode& key, std::string_view called, const Keys& keys) const {
    std::vector<std::string> names;
    for (const auto& [name, read] : keys) names.push_back(name);
    auto& finding = wrong(key, fmt::format("{} has no key `{}`", called, key.text));
    finding.notes.push_back(
        fmt::format("what it says would be ignored; the keys are {}", fmt::join(names, ", ")));
    if (const auto meant = nearest(key.text, names)) finding.fixes.push_back(write_instead(key.span, *meant));
}

}  // namespace migc::project
