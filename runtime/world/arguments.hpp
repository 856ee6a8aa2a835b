// The arguments of a simulated tool, told apart into options and the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "compiler/support/text.hpp"

namespace migc::runtime::inline world {

// The options that a command knows, as space-separated lists: those that take a value and those that do not.
// A switch may be given a value by "=" ("--wait=true").
struct Options {
    std::string_view with_value;
    std::string_view switches;
    bool stop_at_word =
        false;  // the first word ends the options (docker and terraform name their command so)
};

class Arguments {
  public:
    // The error is the option that the command does not know, or one that lacks its value.
    static tl::expected<Arguments, std::string> parse(const std::vector<std::string>& list,
                                                      const Options& options);

    // The last value given under one of the names (space-separated: "-o --output").
    [[nodiscard]] std::optional<std::string> value(std::string_view names) const;
    [[nodiscard]] std::string value_or(std::string_view names, std::string fallback) const;
    [[nodiscard]] std::vector<std::string> values(std::string_view names) const;
    // A switch; "--wait=false" switches it off.
    [[nodiscard]] bool has(std::string_view names) const;

    std::vector<std::string> words;         // what is no option
    std::vector<std::string> after_dashes;  // what follows "--"
    bool dashes = false;                    // whether there was a "--"

  private:
    std::vector<std::pair<std::string, std::string>> given_;
};

// Whether a path is the named one or ends with it: "scripts/check.sh" names "/srv/run-1/scripts/check.sh".
bool names_path(std::string_view name, std::string_view path);

}  // namespace migc::runtime::inline world
