// Small questions to several things of a kind.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace migc {

// The first element for which `fits` holds; null if it holds for none.
template <typename Range, typename Fits>
auto first_of(Range& range, Fits fits) -> decltype(&*range.begin()) {
    const auto found = std::find_if(range.begin(), range.end(), fits);
    return found == range.end() ? nullptr : &*found;
}

// What each is called.
template <typename Range>
std::vector<std::string> names_of(const Range& range) {
    std::vector<std::string> names;
    names.reserve(range.size());
    for (const auto& one : range) names.push_back(one.name);
    return names;
}

}  // namespace migc
