// Events as tests write them: the JSON that a journal would have.
#pragma once

#include <stdexcept>

#include "runtime/journal/event.hpp"

inline migc::runtime::Event event_of(migc::runtime::EventKind kind, std::int64_t time_ms,
                                     const nlohmann::json& body, migc::Reason why = migc::Reason::None) {
    auto decoded = migc::runtime::decode(name(kind), body.is_null() ? nlohmann::json::object() : body);
    if (!decoded) throw std::invalid_argument(decoded.error());
    return {time_ms, std::move(*decoded), why};
}

inline nlohmann::json json_of(const migc::runtime::Event& event) {
    return migc::runtime::encode(event.body);
}
