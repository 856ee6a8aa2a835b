// Who runs it, as far as this machine can tell; see trust/runner.hpp.
#pragma once

#include <string>
#include <vector>

namespace migc::runtime::inline tools {

struct Runner {
    // Of whoever logged in and of the accounts by which it runs, with their numbers; and of the private keys
    // in their folders.
    std::vector<std::string> names;
    std::vector<std::string> keys;  // those that they could sign with, as migc.yaml writes them
    std::string unknown = {};       // why that cannot be told, as a sentence; empty if it can
};

}  // namespace migc::runtime::inline tools
