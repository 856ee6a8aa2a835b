#include "runtime/tools/secret_objects.hpp"

#include <cstdlib>

#include <nlohmann/json.hpp>
#include <sodium.h>

#include "compiler/support/encoding.hpp"

namespace migc::runtime::inline tools {
namespace {

using nlohmann::json;
using Key = std::array<unsigned char, 32>;

static_assert(crypto_generichash_KEYBYTES == 32);

std::string stand_in(const Key& key, const std::string& value) {
    constexpr std::size_t bytes = 16;
    std::array<unsigned char, bytes> digest{};
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(value.data()),
                       value.size(), key.data(), key.size());
    return "(secret) " + hexadecimal(as_text(digest));
}

bool hide_in(json& object, const Key& key) {
    if (!object.is_object()) return false;
    bool any = false;
    if (object.contains("items") && object["items"].is_array())
        for (json& item : object["items"]) any = hide_in(item, key) || any;
    if (object.value("kind", json()) != "Secret") return any;
    for (const char* part : {"data", "stringData"}) {
        if (!object.contains(part) || !object[part].is_object()) continue;
        for (auto& [name, value] : object[part].items()) {
            if (!value.is_string()) continue;
            const std::string hidden = stand_in(key, value.get<std::string>());
            value = std::string_view(part) == "data" ? base64(hidden) : hidden;
        }
    }
    if (object.contains("metadata") && object["metadata"].is_object() &&
        object["metadata"].contains("annotations") && object["metadata"]["annotations"].is_object())
        object["metadata"]["annotations"].erase("kubectl.kubernetes.io/last-applied-configuration");
    return true;
}

}  // namespace

SecretObjects::SecretObjects() {
    if (sodium_init() < 0) std::abort();  // without random numbers nothing can be hidden
    randombytes_buf(key_.data(), key_.size());
}

std::string SecretObjects::hidden(const std::string& answer) const {
    // Most answers hold none, and are not read for it.
    if (answer.find("Secret") == std::string::npos) return answer;
    json object = json::parse(answer, nullptr, false);
    return hide_in(object, key_) ? object.dump(-1, ' ', false, json::error_handler_t::replace) : answer;
}

}  // namespace migc::runtime::inline tools
