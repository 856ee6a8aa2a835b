// A person's decision about a step of which nobody else knows how it went.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "compiler/semantics/step_id.hpp"
#include "runtime/journal/journal.hpp"

namespace migc::runtime::inline journal {

struct Decision {
    std::string run;
    semantics::StepId step;
    events::Resolved::Verdict verdict;
    std::string because;
};

// Writes it down; gives the event. The error says which steps are in doubt, if that one is not.
tl::expected<Event, std::string> resolve(Journal& journal, const Decision& decision, std::int64_t now_ms);

}  // namespace migc::runtime::inline journal
