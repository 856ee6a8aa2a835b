#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {

Reading script_succeeds(Host& host, const Arguments& arguments) {
    std::vector<std::string> command = {text_argument(arguments, 0)};
    if (command.front().find('/') == std::string::npos) command.front().insert(0, "./");  // never one on PATH
    for (const Value& value : list_argument(arguments, 1)) command.push_back(show(value));
    const Answer answer = host.run("program", command);
    if (answer.ending != Ending::Exited) return unknown(complaint(command.front(), answer));
    if (answer.status == 0) return {Value(true), {}, false};
    return {Value(false), fmt::format("{} (exit code {})", complaint(command.front(), answer), answer.status),
            false};
}

}  // namespace migc::runtime
