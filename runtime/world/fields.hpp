// Reading the keys of a world file: each is asked for by name, and what nobody asked for is a mistake.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "runtime/world/cluster.hpp"
#include "runtime/world/document.hpp"

namespace migc::runtime::inline world {

class Fields {
  public:
    // `what` is named in messages: "a workload". A null node has no keys; anything but a map is a mistake.
    Fields(const YamlNode& node, std::string what, Diagnostics& diagnostics);
    // Reports the keys that were not asked for.
    ~Fields();
    Fields(const Fields&) = delete;
    Fields& operator=(const Fields&) = delete;

    // Those of a map below this one.
    Fields below(const YamlNode& node, std::string what) { return {node, std::move(what), diagnostics_}; }

    [[nodiscard]] const YamlNode* take(const std::string& key);
    std::optional<std::string> text(const std::string& key);
    std::string text_or(const std::string& key, std::string fallback);
    std::int64_t number_or(const std::string& key, std::int64_t fallback, std::int64_t least,
                           std::int64_t most);
    bool flag_or(const std::string& key, bool fallback);
    // Milliseconds, at most a year.
    std::int64_t duration_or(const std::string& key, std::int64_t fallback_ms);
    std::int64_t duration_of(const YamlNode& node, const std::string& what);
    Pattern pattern(const std::string& key);
    // A quantity such as 512Mi, checked, as written.
    std::optional<std::string> quantity(const std::string& key);
    // One text, or a list of them.
    std::vector<std::string> texts(const std::string& key);
    // The items of a list, or of a map; none if the key is not there or of another kind (which is reported).
    const std::vector<YamlNode>& list(const std::string& key);
    const YamlNode& map(const std::string& key);
    // The items of a list, or the one thing that stands in its place.
    std::vector<YamlNode> one_or_more(const std::string& key);

    void mistake(const Span& span, const std::string& message);
    // Of all of it.
    void mistake(const std::string& message) { mistake(span_, message); }

  private:
    std::optional<std::string> scalar(const YamlNode& node, const std::string& key);
    const YamlNode& container(const std::string& key, YamlKind kind, std::string_view called);
    void must_be(const YamlNode& node, const std::string& key, std::string_view called);

    const YamlNode& node_;
    Span span_;
    std::string what_;
    Diagnostics& diagnostics_;
    std::vector<std::string> known_;
};

void report_mistake(Diagnostics& diagnostics, const Span& span, const std::string& message);

}  // namespace migc::runtime::inline world
