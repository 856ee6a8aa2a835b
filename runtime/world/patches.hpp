// How the API server merges what it is sent into what it has.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "runtime/world/json.hpp"

namespace migc::runtime::inline world {

// Server-side apply: what `applied` says, over what is live; what `before` said and `applied` does not is
// taken away.
Object merged(const Object& live, const Object& before, const Object& applied, const std::string& field = {});

// The object after a patch of that type: "merge", "strategic", "json". The error is what the server says of a
// patch that does not fit, in kubectl's words.
tl::expected<Object, std::string> patched(const Object& live, const std::string& type,
                                          const std::string& patch);

}  // namespace migc::runtime::inline world
