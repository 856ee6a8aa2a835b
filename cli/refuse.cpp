#include "cli/refuse.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "compiler/source/escape.hpp"

namespace migc::cli {

int refuse(const std::string& message, int exit_code) {
    fmt::print(stderr, "migc: {}\n", escaped(message, Newlines::Kept));
    return exit_code;
}

}  // namespace migc::cli
