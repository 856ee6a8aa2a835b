// Secrets kept out of what is shown and written down.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace migc::runtime {

// A shorter one would be found in everything.
constexpr std::size_t shortest_secret = 4;

// Safe to use from several threads.
class Concealment {
  public:
    // The text itself, its lines (of a key file), and its base64 form. Shorter ones are passed over.
    void add(const std::string& secret);

    // The text with "(secret)" in the place of each.
    [[nodiscard]] std::string apply(std::string text) const;
    // Of every string of a JSON value, names included.
    [[nodiscard]] nlohmann::json apply(const nlohmann::json& value) const;

  private:
    void add_form(std::string text);

    mutable std::mutex mutex_;
    std::vector<std::string> secrets_;  // longest first, so that none is left in part
};

}  // namespace migc::runtime
