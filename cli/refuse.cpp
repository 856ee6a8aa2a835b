#include "cli/refuse.hpp"

#include "cli/print.hpp"

namespace migc::cli {

int refuse(const std::string& message, int exit_code) {
    tell("migc: {}\n", message);
    return exit_code;
}

}  // namespace migc::cli
