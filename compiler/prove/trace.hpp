// A schedule told step by step.
#pragma once

#include <string>
#include <vector>

#include "compiler/prove/explore.hpp"

namespace migc::prove {

struct Line {
    using Kind = Remark::Kind;  // all but Result
    Kind kind = Kind::Step;
    std::string text;  // "scale webapi to 4"
    Span span;
    std::string happens;               // what went wrong there, or was decided; empty: all went well
    std::vector<std::string> results;  // "replicas of webapi is 4"
    bool fault = false;
};

// Something that is not as it was.
struct Difference {
    std::string name;  // "replicas of webapi"
    std::string environment;
    std::string now;
    std::string was;
    Span span;  // of the step that changed it
};

struct Trace {
    std::vector<std::string> given;  // what is so from the beginning
    std::vector<Line> lines;
    Ending ending;
    std::vector<Difference> differences;
};

Trace tell(System& system, const Schedule& schedule, Budget budget);

}  // namespace migc::prove
