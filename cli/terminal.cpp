#include "cli/terminal.hpp"

#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace migc::cli {
namespace {

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

}  // namespace

bool is_terminal(std::FILE* stream) {
    return ::isatty(::fileno(stream)) == 1 && variable("TERM") != "dumb";
}

bool colour(std::FILE* stream) {
    return is_terminal(stream) && variable("NO_COLOR").empty();
}

}  // namespace migc::cli
