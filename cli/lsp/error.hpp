// What a request is refused with.
#pragma once

#include <string>

namespace migc::lsp {

// JSON-RPC's and the Language Server Protocol's numbers.
constexpr int parse_error = -32700;
constexpr int invalid_request = -32600;
constexpr int unknown_method = -32601;
constexpr int invalid_parameters = -32602;
constexpr int internal_error = -32603;
constexpr int not_initialized = -32002;
constexpr int request_failed = -32803;

struct Error {
    int code = internal_error;
    std::string message;
};

}  // namespace migc::lsp
