// What a person has signed: a JSON object that travels as a file, by any channel.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/trust/keys.hpp"

namespace migc::trust {

constexpr std::size_t largest_statement = std::size_t{64} * 1024;  // bytes

// The content with "key" and "signature" added. The signature is over `kind` and the content with its keys in
// order, so that the layout of the file is no matter, and a statement of one kind is never taken for another.
nlohmann::json sign(const std::string& kind, nlohmann::json content, const PrivateKey& key);

struct Statement {
    nlohmann::json content;  // without "signature"
    PublicKey key;           // whose it is; the signature is its
    std::string id;          // SHA-256 of what is signed: no other statement has it, whatever its layout
};

// Of a file's text. The error: too large, no JSON, keys twice, another kind, no or a wrong signature.
tl::expected<Statement, std::string> read_statement(const std::string& kind, const std::string& text);

}  // namespace migc::trust
