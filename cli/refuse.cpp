#include "cli/refuse.hpp"

#include "cli/print.hpp"

namespace migc::cli {

int refuse(const std::string& message, int exit_code) {
    tell("migc: {}\n", message);
    return exit_code;
}

int refuse(const session::Refusal& refusal) {
    if (!refusal.in_lines) return refuse(refusal.message, refusal.exit_code);
    print_lines(stderr, "migc: " + refusal.message + (refusal.message.ends_with('\n') ? "" : "\n"));
    return refusal.exit_code;
}

int written(const tl::expected<std::string, std::string>& note) {
    if (!note) return refuse(note.error());
    if (!note->empty()) tell("{}\n", *note);
    return 0;
}

}  // namespace migc::cli
