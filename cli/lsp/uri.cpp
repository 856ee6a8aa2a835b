#include "cli/lsp/uri.hpp"

#include <charconv>

#include "compiler/support/outside_text.hpp"

namespace migc::lsp {

namespace {

constexpr std::string_view scheme = "file://";

}  // namespace

std::string path_of(std::string_view uri) {
    if (!uri.starts_with(scheme)) return std::string(uri);
    uri.remove_prefix(scheme.size());
    std::string path;
    for (std::size_t i = 0; i < uri.size(); ++i) {
        unsigned code = 0;
        const char* digits = uri.data() + i + 1;
        const bool is_escape = uri[i] == '%' && i + 2 < uri.size() &&
                               std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2;
        path += is_escape ? static_cast<char>(code) : uri[i];
        if (is_escape) i += 2;
    }
    return path;
}

std::string uri_of(std::string_view path) {
    if (!path.starts_with('/')) return std::string(path);
    return std::string(scheme) + outside_text(path, Sink::UriPath);
}

}  // namespace migc::lsp
