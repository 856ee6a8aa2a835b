#include "runtime/natives/ownership.hpp"

#include "runtime/natives/private_file.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/tools/output_file.hpp"

namespace migc::runtime::inline natives {

Reading written_by_us(Host& host, Reading reading, bool proven) {
    if (proven && host.setting("writers") == "yes") reading.writer = host.setting("manager");
    return reading;
}

std::string output_so_far(const std::filesystem::path& file) {
    if (auto whole = read_bytes(file)) return std::move(*whole);
    std::string text;
    for (const std::filesystem::path& begun : unfinished_outputs(file))
        if (const auto part = read_bytes(begun)) text += *part;
    return text;
}

}  // namespace migc::runtime::inline natives
