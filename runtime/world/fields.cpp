#include "runtime/world/fields.hpp"

#include <algorithm>

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

Fields::Fields(const YamlNode& node, std::string what, Diagnostics& diagnostics)
    : node_(node.kind == YamlKind::Map ? node : nothing),
      span_(node.span),
      what_(std::move(what)),
      diagnostics_(diagnostics) {
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

void Fields::must_be(const YamlNode& node, const std::string& key, std::string_view called) {
    mistake(node.span, fmt::format("`{}` of {} must be {}", key, what_, called));
}

std::optional<std::string> Fields::scalar(const YamlNode& node, const std::string& key) {
    if (node.kind == YamlKind::Scalar) return node.text;
    must_be(node, key, "a single value");
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
    must_be(*node, key, fmt::format("a whole number from {} to {}", least, most));
    return fallback;
}

bool Fields::flag_or(const std::string& key, bool fallback) {
    const YamlNode* node = take(key);
    if (!node) return fallback;
    if (node->text == "true" || node->text == "false") return node->text == "true";
    must_be(*node, key, "true or false");
    return fallback;
}

std::int64_t Fields::duration_or(const std::string& key, std::int64_t fallback_ms) {
    const YamlNode* node = take(key);
    return node ? duration_of(*node, key) : fallback_ms;
}

std::int64_t Fields::duration_of(const YamlNode& node, const std::string& what) {
    const auto duration =
        node.kind == YamlKind::Scalar ? parse_duration(node.text) : tl::unexpected(std::string());
    if (duration && duration->milliseconds >= 0 && duration->milliseconds <= year_ms)
        return duration->milliseconds;
    mistake(node.span, fmt::format("`{}` must be a duration of at most a year, such as 8s or 5m", what));
    return 0;
}

Pattern Fields::pattern(const std::string& key) {
    const auto written = text(key);
    if (!written) return nullptr;
    auto compiled = std::make_shared<const re2::RE2>(*written, re2::RE2::Quiet);
    if (compiled->ok()) return compiled;
    mistake(node_.find(key)->span,
            fmt::format("`{}` of {} is no regular expression: {}", key, what_, compiled->error()));
    return nullptr;
}

std::optional<std::string> Fields::quantity(const std::string& key) {
    auto written = text(key);
    const auto parsed = written ? parse_quantity(*written) : Quantity{};
    if (parsed && parsed->amount >= 0) return written;
    must_be(*node_.find(key), key, "a quantity, such as 500m or 2Gi");
    return std::nullopt;
}

std::vector<std::string> Fields::texts(const std::string& key) {
    std::vector<std::string> found;
    const YamlNode* node = take(key);
    if (!node) return found;
    if (node->kind == YamlKind::Scalar) return {node->text};
    if (node->kind == YamlKind::Map) must_be(*node, key, "a list");
    if (node->kind == YamlKind::List)
        for (const YamlNode& item : node->children)
            if (const auto text = scalar(item, key)) found.push_back(*text);
    return found;
}

const YamlNode& Fields::container(const std::string& key, YamlKind kind, std::string_view called) {
    const YamlNode* node = take(key);
    if (node && node->kind == kind) return *node;
    if (node) must_be(*node, key, called);
    return nothing;
}

const std::vector<YamlNode>& Fields::list(const std::string& key) {
    return container(key, YamlKind::List, "a list").children;
}

const YamlNode& Fields::map(const std::string& key) {
    return container(key, YamlKind::Map, "a map");
}

std::vector<YamlNode> Fields::one_or_more(const std::string& key) {
    const YamlNode* node = take(key);
    if (!node) return {};
    return node->kind == YamlKind::List ? node->children : std::vector{*node};
}

}  // namespace migc::runtime::inline world
