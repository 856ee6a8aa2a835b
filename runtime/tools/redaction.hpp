// Secrets kept out of what is shown and written down.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace migc::runtime::inline tools {

class NormalForms;

// A shorter one would be found in everything.
constexpr std::size_t shortest_secret = 4;

// What stands in a secret's place.
constexpr std::string_view instead_of_secret = "(secret)";

// The one place that takes secrets out of texts. Safe to use from several threads; without a secret it costs
// nothing.
class Redaction {
  public:
    Redaction();
    ~Redaction();

    // Whether there is any secret.
    [[nodiscard]] bool any() const { return any_; }

    // A text that from now on is shown nowhere, in no form (see normal_forms.hpp). Shorter ones are passed
    // over.
    void add(const std::string& secret);

    // The text with "(secret)" in the place of each. Done twice it is the same as once.
    [[nodiscard]] std::string apply(std::string text) const;
    // Of every string of a JSON value, names included.
    [[nodiscard]] nlohmann::json apply(const nlohmann::json& value) const;
    // Whether any stands in the text.
    [[nodiscard]] bool finds(std::string_view text) const;

  private:
    [[nodiscard]] std::shared_ptr<const NormalForms> known() const;

    std::atomic<bool> any_ = false;
    mutable std::mutex mutex_;
    std::shared_ptr<const NormalForms> known_;
};

// What this process has come to know as secrets. The first one that is added also keeps the process, and what
// it starts from then on, from leaving its memory behind in a core dump.
Redaction& secrets();

// What a tool says for people, of a command that was given a secret: neither the secret nor a long word that
// could be one in a form which nobody thought of (a digest, an encryption), which becomes "(not kept)".
std::string without_codes(std::string text);

}  // namespace migc::runtime::inline tools
