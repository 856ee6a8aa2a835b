#include "runtime/world/fields.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/ir/value.hpp"
#include "compiler/support/text.hpp"

namespace migc::runtime::inline world {
namespace {

const YamlNode nothing{};

constexpr std::int64_t year_ms = std::int64_t{366} * 24 * 3600 * 1000;

}  // namespace

void report_mistake(Diagnostics& diagnostics, const Span& span, const std::string& message) {
    diagnostics.report(Code::BadWorld, span, "the world file: " + message);
}

std::int64_t duration_of(const YamlNode& node, const std::string& what, Diagnostics& diagnostics) {
    const auto duration =
        node.kind == YamlKind::Scalar ? parse_duration(node.text) : tl::unexpected(std::string());
    if (duration && duration->milliseconds >= 0 && duration->milliseconds <= year_ms)
        return duration->milliseconds;
    report_mistake(diagnostics, node.span,
                   fmt::format("`{}` must be a duration of at most a year, such as 8s or 5m", what));
    return 0;
}

Fields::Fields(const YamlNode& node, std::string what, Diagnostics& diagnostics)
    : node_(node.kind == YamlKind::Map ? node : nothing), what_(std::move(what)), diagnostics_(diagnostics) {
    if (node.kind != YamlKind::Map && node.kind != YamlKind::Null)
        mistake(node.span, what_ + " must be a map of keys and values");
}

Fields::~Fields() {
    for (const auto& [key, value] : node_.entries) {
        if (std::ranges::find(known_, key.text) != known_.end()) continue;
        const auto meant = nearest(key.text, known_);
        mistake(key.span, fmt::format("{} has no key `{}`{}", what_, key.text,
                                      meant ? fmt::format("; did you mean `{}`?", *meant) : ""));
    }
}

void Fields::mistake(const Span& span, const std::string& message) {
    report_mistake(diagnostics_, span, message);
}

const YamlNode* Fields::take(const std::string& key) {
    known_.push_back(key);
    const YamlNode* found = node_.find(key);
    return found && found->kind != YamlKind::Null ? found : nullptr;
}

std::optional<std::string> Fields::scalar(const YamlNode& node, const std::string& key) {
    if (node.kind == YamlKind::Scalar) return node.text;
    mistake(node.span, fmt::format("`{}` of {} must be a single value", key, what_));
    return std::nullopt;
}

std::optional<std::string> Fields::text(const std::string& key) {
    const YamlNode* node = take(key);
    return node ? scalar(*node, key) : std::nullopt;
}

std::string Fields::text_or(const std::string& key, std::string fallback) {
    return text(key).value_or(std::move(fallback));
}

std::int64_t Fields::number_or(const std::string& key, std::int64_t fallback, std::int64_t least,
                               std::int64_t most) {
    const YamlNode* node = take(key);
    if (!node) return fallback;
    const auto value = whole_number(node->text);
    if (value && *value >= least && *value <= most) return *value;
    mistake(node->span,
            fmt::format("`{}` of {} must be a whole number from {} to {}", key, what_, least, most));
    return fallback;
}

bool Fields::flag_or(const std::string& key, bool fallback) {
    const YamlNode* node = take(key);
    if (!node) return fallback;
    if (node->text == "true" || node->text == "false") return node->text == "true";
    mistake(node->span, fmt::format("`{}` of {} must be true or false", key, what_));
    return fallback;
}

std::int64_t Fields::duration_or(const std::string& key, std::int64_t fallback_ms) {
    const YamlNode* node = take(key);
    return node ? duration_of(*node, key, diagnostics_) : fallback_ms;
}

Pattern Fields::pattern(const std::string& key) {
    const YamlNode* node = take(key);
    const auto written = node ? scalar(*node, key) : std::nullopt;
    if (!written) return nullptr;
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_shared<const re2::RE2>(*written, options);
    if (compiled->ok()) return compiled;
    mistake(node->span,
            fmt::format("`{}` of {} is no regular expression: {}", key, what_, compiled->error()));
    return nullptr;
}

std::optional<std::string> Fields::quantity(const std::string& key) {
    const YamlNode* node = take(key);
    const auto written = node ? scalar(*node, key) : std::nullopt;
    if (!written) return std::nullopt;
    const auto parsed = parse_quantity(*written);
    if (parsed && parsed->amount >= 0) return written;
    mistake(node->span, fmt::format("`{}` of {} must be a quantity, such as 500m or 2Gi", key, what_));
    return std::nullopt;
}

std::vector<std::string> Fields::texts(const std::string& key) {
    std::vector<std::string> found;
    const YamlNode* node = take(key);
    if (!node) return found;
    if (node->kind == YamlKind::Scalar) return {node->text};
    if (node->kind == YamlKind::Map)
        mistake(node->span, fmt::format("`{}` of {} must be a list", key, what_));
    if (node->kind == YamlKind::List)
        for (const YamlNode& item : node->children)
            if (const auto text = scalar(item, key)) found.push_back(*text);
    return found;
}

const std::vector<YamlNode>& Fields::list(const std::string& key) {
    const YamlNode* node = take(key);
    if (!node) return nothing.children;
    if (node->kind == YamlKind::List) return node->children;
    mistake(node->span, fmt::format("`{}` of {} must be a list", key, what_));
    return nothing.children;
}

const YamlNode& Fields::map(const std::string& key) {
    const YamlNode* node = take(key);
    if (!node) return nothing;
    if (node->kind == YamlKind::Map) return *node;
    mistake(node->span, fmt::format("`{}` of {} must be a map", key, what_));
    return nothing;
}

}  // namespace migc::runtime::inline world
