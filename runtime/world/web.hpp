// The web of a simulated world: who answers a request, and what.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

struct WebRequest {
    std::string method;
    std::string url;
    std::vector<std::string> headers;  // "Name: value"
    std::string body;
};

struct WebResponse {
    int status = 0;
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::int64_t latency_ms = 0;
    // When there is none: curl's own exit code and message.
    int failure = 0;
    std::string message = {};

    [[nodiscard]] std::string header(const std::string& name) const;
};

// Changes what an endpoint keeps, but lets no time pass.
WebResponse respond(Simulation& world, const std::optional<Origin>& inside, const WebRequest& request);

// What every registry of the world says of it; nothing if no registry has that address.
std::optional<Answer> registry_answer(Simulation& world, const WebRequest& request, bool with_body);

}  // namespace migc::runtime::inline world
