// file: URIs and paths.
#pragma once

#include <string>
#include <string_view>

namespace migc::lsp {

// "file:///srv/a%20b.mig" -> "/srv/a b.mig"; what is no file: URI stays as it is.
std::string path_of(std::string_view uri);

// The reverse; what is no absolute path stays as it is.
std::string uri_of(std::string_view path);

}  // namespace migc::lsp
