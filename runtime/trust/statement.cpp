#include "runtime/trust/statement.hpp"

#include <set>
#include <vector>

#include <fmt/format.h>

#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/sha256.hpp"

namespace migc::trust {
namespace {

using nlohmann::json;

constexpr int deepest = 8;

std::string message_of(const std::string& kind, const json& content) {
    return fmt::format("{}\n{}", kind, content.dump(-1, ' ', true));
}

// Two readers could read different things in an object that names a key twice.
tl::expected<json, std::string> parse(const std::string& text) {
    bool twice = false, too_deep = false;
    std::vector<std::set<std::string>> keys;
    const auto look = [&](int depth, json::parse_event_t event, json& value) {
        too_deep = too_deep || depth > deepest;
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
            twice = true;
        return !too_deep;
    };
    json result = json::parse(text, look, false);
    if (too_deep) return failure("it is nested too deeply");
    if (!result.is_object()) return failure("it is no JSON object");
    if (twice) return failure("it names a key twice");
    return result;
}

}  // namespace

json sign(const std::string& kind, json content, const PrivateKey& key) {
    content[kind] = 1;
    content["key"] = show(key.public_key());
    const std::string signature = key.sign(message_of(kind, content));
    content["signature"] = signature;
    return content;
}

tl::expected<Statement, std::string> read_statement(const std::string& kind, const std::string& text) {
    if (text.size() > largest_statement) return failure("it is larger than {} KiB", largest_statement / 1024);
    auto content = parse(text);
    if (!content) return failure(content.error());
    if (!content->contains(kind)) return failure("it has no \"{}\"", kind);
    if (content->at(kind) != 1) return failure("it was made by a newer migc");
    const std::string signature = text_of(*content, "signature");
    const auto key = parse_key(text_of(*content, "key"));
    if (!key || signature.empty()) return failure("it is not signed");
    content->erase("signature");
    const std::string message = message_of(kind, *content);
    if (!is_signed(*key, message, signature)) return failure("it was changed after it was signed");
    return Statement{std::move(*content), *key, sha256(message)};
}

}  // namespace migc::trust
