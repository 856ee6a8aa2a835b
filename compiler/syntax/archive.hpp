// The declarations of a file as bytes, so that the standard library is parsed when migc is built and not when
// it is used. The bytes are read by the very build that wrote them; they are no format for files.
#pragma once

#include <string>
#include <string_view>

#include "compiler/syntax/tree.hpp"

namespace migc::syntax {

// Of its verbs, probes, resources and tools; all else is left out.
std::string to_bytes(const File& file);

// What to_bytes() was given, in the same build; every span of it is in `id`.
File from_bytes(std::string_view bytes, FileId id);

}  // namespace migc::syntax
