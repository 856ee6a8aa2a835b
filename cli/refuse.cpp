#include "cli/refuse.hpp"

#include "cli/print.hpp"

namespace migc::cli {

int refuse(const std::string& message, int exit_code) {
    tell("migc: {}\n", message);
    return exit_code;
}

int refuse_in_lines(const std::string& message, int exit_code) {
    print_lines(stderr, "migc: " + message + (message.ends_with('\n') ? "" : "\n"));
    return exit_code;
}

}  // namespace migc::cli
