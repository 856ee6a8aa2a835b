#include "cli/unified_diff.hpp"

#include <sstream>
#include <vector>

#include <dtl/dtl.hpp>
#include <fmt/format.h>

namespace migc::cli {
namespace {

std::vector<std::string> lines(std::string_view text) {
    std::vector<std::string> result;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        result.emplace_back(text.substr(0, end));
        // Such a line is another one than the same with a line break, and `patch` wants it said.
        if (end == std::string_view::npos) result.back() += "\n\\ No newline at end of file";
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return result;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, const std::string& path) {
    if (before == after) return {};
    dtl::Diff<std::string> diff(lines(before), lines(after));
    diff.compose();
    diff.composeUnifiedHunks();
    std::ostringstream out;
    diff.printUnifiedFormat(out);
    return fmt::format("--- {}\n+++ {}\n{}", path, path, out.str());
}

}  // namespace migc::cli
