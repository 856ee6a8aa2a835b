#include "stdlib/stdlib.hpp"

#include <iterator>

namespace migc {
namespace {

using sema::DeclarationKind;
using sema::EmbeddedEntry;
using sema::EmbeddedFile;

#include "embedded.inc"

}  // namespace

const sema::Embedded& standard_library() {
    static const sema::Embedded library{embedded_files, std::size(embedded_files), embedded_entries,
                                        std::size(embedded_entries)};
    return library;
}

std::string_view learning_world() {
    return learning_world_text;
}

}  // namespace migc
