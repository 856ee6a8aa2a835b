// Requests from inside the cluster: a short-lived pod that is always removed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

// The HTTP statuses that a URL answers with, one per request. The error: the pod could not be run, or a
// request got no answer; that says nothing about the service.
tl::expected<std::vector<std::int64_t>, std::string> ask_from_inside(Host& host, const std::string& url,
                                                                     std::int64_t times);

// The lines of a text that are an HTTP status and nothing else.
std::vector<std::int64_t> statuses_in(std::string_view text);

}  // namespace migc::runtime
