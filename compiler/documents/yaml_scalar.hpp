// Plain YAML scalars: what they mean, and which texts may be written without quotes.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace migc::documents {

// By the core schema: null, true, false, numbers, else the text.
nlohmann::json meaning_of_plain(std::string_view text);

// Why readers differ in what a plain scalar means (`yes`, `012`); empty if they do not.
std::string ambiguity_of_plain(std::string_view text);

// What it means where readers do not differ, else the text.
nlohmann::json value_of_plain(std::string_view text);

// Whether every reader takes this text, written without quotes, for this string.
bool may_be_plain(std::string_view text, bool in_brackets);

}  // namespace migc::documents
