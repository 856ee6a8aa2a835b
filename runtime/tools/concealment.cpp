#include "runtime/tools/concealment.hpp"

#include <algorithm>
#include <sstream>

#include <sodium.h>

namespace migc::runtime {
namespace {

constexpr std::string_view instead = "(secret)";
constexpr std::size_t shortest_line = 16;  // of a secret of several lines

std::string base64(const std::string& text) {
    std::string result(sodium_base64_encoded_len(text.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(result.data(), result.size(), reinterpret_cast<const unsigned char*>(text.data()),
                      text.size(), sodium_base64_VARIANT_ORIGINAL);
    result.resize(result.find('\0'));
    return result;
}

}  // namespace

void Concealment::add_form(std::string text) {
    if (text.size() < shortest_secret || text == instead) return;
    if (std::find(secrets_.begin(), secrets_.end(), text) != secrets_.end()) return;
    const auto place = std::find_if(secrets_.begin(), secrets_.end(),
                                    [&](const std::string& other) { return other.size() < text.size(); });
    secrets_.insert(place, std::move(text));
}

void Concealment::add(const std::string& secret) {
    if (secret.size() < shortest_secret || secret == instead) return;
    const std::lock_guard lock(mutex_);
    add_form(secret);
    add_form(base64(secret));
    if (secret.find('\n') == std::string::npos) return;
    std::istringstream lines(secret);
    for (std::string line; std::getline(lines, line);)
        if (line.size() >= shortest_line) add_form(line);
}

std::string Concealment::apply(std::string text) const {
    const std::lock_guard lock(mutex_);
    for (const std::string& secret : secrets_)
        for (auto at = text.find(secret); at != std::string::npos;
             at = text.find(secret, at + instead.size()))
            text.replace(at, secret.size(), instead);
    return text;
}

nlohmann::json Concealment::apply(const nlohmann::json& value) const {
    if (value.is_string()) return apply(value.get<std::string>());
    if (value.is_array()) {
        auto result = nlohmann::json::array();
        for (const auto& one : value) result.push_back(apply(one));
        return result;
    }
    if (!value.is_object()) return value;
    auto result = nlohmann::json::object();
    // What is sealed shows nothing, and a letter of it replaced would be all of it lost.
    const bool sealed = value.contains("sealed") && value.contains("key");
    for (const auto& [name, one] : value.items())
        result[apply(name)] = sealed && (name == "sealed" || name == "key") ? one : apply(one);
    return result;
}

}  // namespace migc::runtime
