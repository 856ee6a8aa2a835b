#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "compiler/support/text.hpp"
#include "runtime/world/world.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr std::pair<std::string_view, FaultKind> kinds[] = {
    {"fail-before", FaultKind::FailBefore},
    {"fail-after", FaultKind::FailAfter},
    {"timeout-after", FaultKind::TimeoutAfter},
    {"hang", FaultKind::Hang},
    {"garbage", FaultKind::Garbage},
    {"down", FaultKind::Down},
};

}  // namespace

std::string_view name(FaultKind kind) {
    return std::ranges::find(kinds, kind, &std::pair<std::string_view, FaultKind>::second)->first;
}

std::optional<std::size_t> take_count(std::string_view& text) {
    const std::size_t sign = text.rfind('#');
    if (sign == std::string_view::npos || (sign > 0 && text[sign - 1] != ' ')) return 1;
    const auto number = whole_number<std::size_t>(text.substr(sign + 1));
    if (!number || *number == 0) return std::nullopt;
    text = trimmed(text.substr(0, sign));
    return number;
}

tl::expected<Fault, std::string> parse_fault(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return tl::unexpected(fmt::format(
            "`{}` has no colon: a fault is written KIND: COMMAND, as in \"fail-before: kubectl scale\"",
            text));
    Fault fault;
    std::string_view head = trimmed(text.substr(0, colon));
    const std::string_view word = head.substr(0, head.find(' '));
    const std::string_view lasts = trimmed(head.substr(word.size()));
    const auto kind = std::ranges::find(kinds, word, &std::pair<std::string_view, FaultKind>::first);
    if (kind == std::end(kinds))
        return tl::unexpected(fmt::format(
            "`{}` is no kind of fault: fail-before, fail-after, timeout-after, hang, garbage, down", word));
    fault.kind = kind->second;
    if (!lasts.empty()) {
        const auto duration = parse_duration(lasts);
        if (fault.kind != FaultKind::Down || !duration || duration->milliseconds <= 0)
            return tl::unexpected(fmt::format(
                "`{}` does not fit after `{}`: only `down` takes a duration, as in \"down 10m: kubectl\"",
                lasts, word));
        fault.lasts_ms = duration->milliseconds;
    }
    std::string_view command = trimmed(text.substr(colon + 1));
    const auto number = take_count(command);
    if (!number) return tl::unexpected(fmt::format("`{}` does not end in a count such as #2", command));
    fault.nth = *number;
    fault.text = command;
    return fault;
}

}  // namespace migc::runtime::inline world
