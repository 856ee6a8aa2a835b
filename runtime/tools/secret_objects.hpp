// Secrets of a cluster in what kubectl answers: hidden before anything is written down.
#pragma once

#include <array>
#include <string>

namespace migc::runtime::inline tools {

// Stands for the values of Secrets in one record: the same value gives the same stand-in, another one
// another, and nobody can find a value from its stand-in once the record is closed.
class SecretObjects {
  public:
    SecretObjects();
    // The answer with a stand-in for each value of each Secret in it, lists included, and without kubectl's
    // own note of what was last applied. What is no JSON, and what holds no Secret, is not touched.
    [[nodiscard]] std::string hidden(const std::string& answer) const;

  private:
    std::array<unsigned char, 32> key_{};
};

}  // namespace migc::runtime::inline tools
