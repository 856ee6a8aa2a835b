#include "compiler/ir/labels.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "compiler/support/text.hpp"

namespace migc {
namespace {

bool is_word(std::string_view text, std::string_view others) {
    constexpr std::size_t longest = 63;
    const auto is_end = [](unsigned char c) { return std::isalnum(c) != 0; };
    const auto fits = [&](unsigned char c) {
        return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= longest && is_end(static_cast<unsigned char>(text.front())) &&
           is_end(static_cast<unsigned char>(text.back())) && std::ranges::all_of(text, fits);
}

// "version", "app.kubernetes.io/name".
bool is_key(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return is_word(text, "-_.");
    constexpr std::size_t longest = 253;
    const std::string_view domain = text.substr(0, slash);
    const auto parts = split(domain, '.');
    return domain.size() <= longest && is_word(text.substr(slash + 1), "-_.") &&
           std::ranges::all_of(parts, [](const std::string& part) { return is_word(part, "-"); });
}

std::optional<std::string> mistake_in_label(std::string_view one) {
    const std::size_t sign = one.find('=');
    if (sign == std::string_view::npos)
        return fmt::format("`{}` has no value: labels are written as version=green,track=stable", one);
    const std::string_view key = one.substr(0, sign);
    const std::string_view value = one.substr(sign + 1);
    if (key.empty()) return fmt::format("`{}` has no key: labels are written as version=green", one);
    if (value.empty()) return fmt::format("`{}` has no value: labels are written as version=green", one);
    if (!is_key(key)) return fmt::format("`{}` is no key of a label that Kubernetes allows", key);
    if (!is_word(value, "-_."))
        return fmt::format("`{}` is no value of a label that Kubernetes allows", value);
    return std::nullopt;
}

}  // namespace

std::optional<std::string> mistake_in_labels(std::string_view text) {
    for (const std::string& one : split(text, ','))
        if (auto mistake = mistake_in_label(one)) return mistake;
    return std::nullopt;
}

}  // namespace migc
