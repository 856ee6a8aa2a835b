// What an object is applied under: only to the very one that was looked at.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "runtime/natives/kubernetes.hpp"

namespace migc::runtime::inline natives {

// A version that no object ever has: the server makes the object if there is none, and refuses if there is
// one.
constexpr const char* version_of_none = "1";

// The manifest's text with a version, and a UID unless it is empty, in its metadata: the server then refuses
// to apply it to anything else. Everything else stays as it stands in the file. The error, for people: the
// text says another version or UID itself, or is written so that there is no place for one.
tl::expected<std::string, std::string> with_precondition(const Document& document, const std::string& version,
                                                         const std::string& uid);

}  // namespace migc::runtime::inline natives
