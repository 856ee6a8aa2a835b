// migc lsp: the language server on standard input and output.
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/lsp/framing.hpp"
#include "cli/lsp/server.hpp"
#include "cli/print.hpp"

namespace migc::cli {
namespace {

namespace fs = std::filesystem;

constexpr int pause_ms = 150;  // without a key pressed, before findings are shown

// Where the user's caches are; empty if nobody says.
fs::path cache_folder() {
    const auto variable = [](const char* name) -> fs::path {
        const char* value = std::getenv(name);
        return value ? value : "";
    };
    fs::path base = variable("XDG_CACHE_HOME");
    if (!base.is_absolute() && variable("HOME").is_absolute()) base = variable("HOME") / ".cache";
    return base.is_absolute() ? base / "migc" / MIGC_VERSION : fs::path();
}

void send(const std::vector<lsp::Json>& messages) {
    for (const auto& message : messages) {
        const std::string text =
            lsp::framed(message.dump(-1, ' ', false, lsp::Json::error_handler_t::replace));
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
    std::fflush(stdout);
}

// Whether there is something to read within the time; -1 waits for it.
bool wait_for_input(int timeout) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, timeout) != 0;
}

int serve(bool /*stdio*/) {
    // Each edit frees one analysis and makes another of the same size: do not give its memory back in
    // between.
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_TOP_PAD, 16 << 20);
    lsp::Server server(cache_folder());
    lsp::Framing framing;
    while (!server.has_ended()) {
        if (!wait_for_input(server.has_changes() ? pause_ms : -1)) {
            send(server.idle());
            continue;
        }
        char buffer[65536];
        const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;  // the editor is gone
        framing.add({buffer, static_cast<std::size_t>(got)});
        while (const auto message = framing.next()) {
            send(server.receive(*message));
            if (server.has_ended()) break;
        }
        if (framing.broken().empty()) continue;
        tell("migc lsp: {}\n", framing.broken());
        return 2;
    }
    return server.exit_code();
}

}  // namespace

void add_lsp(CLI::App& command, int& exit_code) {
    command.footer("Editors start it themselves; docs/how-to/editors.md says how to set one up.");
    auto& [stdio] = on_call(command, exit_code, serve);
    command.add_flag("--stdio", stdio, "The only way, and the default; accepted since some editors add it");
}

}  // namespace migc::cli
