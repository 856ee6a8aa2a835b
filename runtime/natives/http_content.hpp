// What requests carry, and what addresses hold.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/natives/http_request.hpp"

namespace migc::runtime::inline natives {

// What a request carries: {"type": "application/json", "body": ".."}; null for nothing. Two arguments from
// `first` on: a file, a JSON value; a JSON text is one, too. The error: not both, an unreadable file, no
// JSON.
tl::expected<nlohmann::json, std::string> content_in(const Arguments& arguments, std::size_t first);

// Puts it into the request, with its type unless the request names one itself.
void give_content(HttpRequest& request, const nlohmann::json& content);

// What an address holds: {"type": .., "body": .., "etag": ..}; null if there is nothing (404, 410). The
// error: it could not be found out, or is no text that can be kept and put back.
tl::expected<nlohmann::json, std::string> resource_at(Host& host, HttpRequest request);

// What a content says, in the terms of another: where both are JSON objects, the fields that the other has;
// a server may add some of its own. Null of null.
nlohmann::json form_of(const nlohmann::json& content, const nlohmann::json& like);

// Whether "Name: value" is the header of that name.
bool is_header(const std::string& header, const std::string& name);

// UTF-8 without NUL.
bool is_text(const std::string& bytes);

// " (to ADDRESS)" where the answer leads somewhere else.
std::string led_to(const std::string& redirect);

}  // namespace migc::runtime::inline natives
