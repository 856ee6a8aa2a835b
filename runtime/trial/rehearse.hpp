// Does a stage, takes it back, compares what is there with what was declared, and does it again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <tl/expected.hpp>

#include "runtime/session/ready.hpp"

namespace migc::trial {

struct Rehearsed {
    enum class End : std::uint8_t {
        AsDeclared,
        Differs,  // a declaration and what happened
        NotDone,  // the stage, so there was nothing to take back
        Stands,   // the undo left something
    };
    End end = End::AsDeclared;
    int exit_code = 0;  // of the last run or undo
};

// Is told what happens, a line each, while it does.
using Say = std::function<void(const std::string& line)>;

// Of the one stage that the options name, without its gates. Live unless they name a world; leaves the stage
// done.
tl::expected<Rehearsed, session::Refusal> rehearse(session::SessionOptions options, driver::Script& script,
                                                   const Say& say);

}  // namespace migc::trial
