// Labels as a selector of Kubernetes takes them: "version=green,track=stable".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace migc {

// What is wrong with a text that is to name labels with their values, in a sentence; nothing if it is well.
std::optional<std::string> mistake_in_labels(std::string_view text);

}  // namespace migc
