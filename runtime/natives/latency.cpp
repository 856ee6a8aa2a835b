#include "runtime/natives/latency.hpp"

#include <algorithm>
#include <charconv>

#include "compiler/support/failure.hpp"

namespace migc::runtime::inline natives {

tl::expected<int, std::string> percentile_named(const std::string& name) {
    int percent = 0;
    const char* const end = name.data() + name.size();
    const bool is_named = name.starts_with('p') && std::from_chars(name.data() + 1, end, percent).ptr == end;
    if (!is_named || percent < 1 || percent > 99)
        return failure("`{}` is no percentile; one looks like p95 (p1 to p99)", name);
    return percent;
}

double percentile(std::vector<double> values, int percent) {
    if (values.empty()) return 0;
    const std::size_t rank = (values.size() * static_cast<std::size_t>(percent) + 99) / 100;
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
}

}  // namespace migc::runtime::inline natives
