// What a proof has to know of the runtime, which it does not include.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"

namespace migc::prove {

// What tells afterwards that a native's work is this run's.
enum class Footprint {
    None,
    File,    // it writes a file of the project in a way that says so
    Server,  // it writes once, and the API server keeps that under the run's name
};

struct Facts {
    std::map<std::string, Value> parameters;  // of the script, as the command line gives them
    // A text of migc.yaml as a value of that type; the error is a sentence for people.
    std::function<tl::expected<Value, std::string>(const ir::Type&, std::string_view)> parse;
    std::function<Footprint(std::string_view native)> footprint;
};

}  // namespace migc::prove
