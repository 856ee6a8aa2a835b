#include "compiler/ir/labels.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace migc {
namespace {

bool is_word(std::string_view text, std::string_view others) {
    constexpr std::size_t longest = 63;
    const auto is_end = [](unsigned char c) { return std::isalnum(c) != 0; };
    const auto fits = [&](unsigned char c) {
        return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= longest && is_end(static_cast<unsigned char>(text.front())) &&
           is_end(static_cast<unsigned char>(text.back())) && std::all_of(text.begin(), text.end(), fits);
}

// "version", "app.kubernetes.io/name".
bool is_key(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return is_word(text, "-_.");
    constexpr std::size_t longest = 253;
    const std::string_view domain = text.substr(0, slash);
    for (std::size_t at = 0; at <= domain.size();) {
        const std::size_t end = std::min(domain.find('.', at), domain.size());
        if (!is_word(domain.substr(at, end - at), "-")) return false;
        at = end + 1;
    }
    return domain.size() <= longest && is_word(text.substr(slash + 1), "-_.");
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
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        if (auto mistake = mistake_in_label(text.substr(at, end - at))) return mistake;
        at = end + 1;
    }
    return std::nullopt;
}

}  // namespace migc
