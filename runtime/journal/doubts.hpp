// Which steps of a run nobody knows the fate of, as its events tell it.
#pragma once

#include <string>
#include <vector>

#include "runtime/journal/event.hpp"

namespace migc::runtime {

struct OpenStep {
    std::string stage;
    std::string step;      // "staging/2"
    std::string text;      // "scale webapi to 4"
    std::string message;   // why it is in doubt; empty if it is not looked into yet
    bool inverse = false;  // it is the step's undo that was begun
    bool in_doubt = false;
};

// In the order in which they were begun. A composite that was cut off is none of them: its steps are.
std::vector<OpenStep> open_steps(const std::vector<Event>& events);

}  // namespace migc::runtime
