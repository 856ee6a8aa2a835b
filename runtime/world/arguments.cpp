#include "runtime/world/arguments.hpp"

#include <algorithm>

namespace migc::runtime::inline world {

bool names_path(std::string_view name, std::string_view path) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    if (path.size() <= name.size()) return path == name;
    return path.ends_with(name) && path[path.size() - name.size() - 1] == '/';
}

tl::expected<Arguments, std::string> Arguments::parse(const std::vector<std::string>& list,
                                                      const Options& options) {
    Arguments result;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string& word = list[i];
        if (word == "--") {
            result.dashes = true;
            result.after_dashes.assign(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end());
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            if (options.stop_at_word) {
                result.words.assign(list.begin() + static_cast<std::ptrdiff_t>(i), list.end());
                break;
            }
            result.words.push_back(word);
            continue;
        }
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const bool takes_value = listed(options.with_value, name);
        if (!takes_value && !listed(options.switches, name)) return tl::unexpected(name);
        if (equals != std::string::npos)
            result.given_.emplace_back(name, word.substr(equals + 1));
        else if (!takes_value)
            result.given_.emplace_back(name, "true");
        else if (i + 1 < list.size())
            result.given_.emplace_back(name, list[++i]);
        else
            return tl::unexpected(name + " without a value");
    }
    return result;
}

std::optional<std::string> Arguments::value(std::string_view names) const {
    const auto all = values(names);
    return all.empty() ? std::nullopt : std::optional(all.back());
}

std::string Arguments::value_or(std::string_view names, std::string fallback) const {
    return value(names).value_or(std::move(fallback));
}

std::vector<std::string> Arguments::values(std::string_view names) const {
    std::vector<std::string> found;
    for (const auto& [name, value] : given_)
        if (listed(names, name)) found.push_back(value);
    return found;
}

bool Arguments::has(std::string_view names) const {
    return value_or(names, "false") != "false";
}

}  // namespace migc::runtime::inline world
