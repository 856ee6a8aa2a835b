// What each tool says when it refuses a command as a whole.
#include <array>

#include <re2/re2.h>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {
namespace {

struct Refusal {
    std::string_view tool;
    const char* said;  // searched for on standard error
};

// Only what a tool says before it has changed anything. What may come in the middle (a timeout, a connection
// that was lost, an error inside of a server) is not here.
constexpr std::array refusals = {
    Refusal{
        "kubectl",
        R"(\((Forbidden|NotFound|BadRequest|Invalid|Conflict|AlreadyExists|Unauthorized|MethodNotAllowed|)"
        R"(NotAcceptable|UnsupportedMediaType|RequestEntityTooLarge|Gone)\)|is invalid|is forbidden|)"
        R"(denied the request|Apply failed|no matches for kind|unknown field|error validating|)"
        R"(error: Expected (replicas|resource version) to be|error: no objects passed)"},
    Refusal{"terraform", "Saved plan is stale|Error acquiring the state lock|Saved plan does not match"},
};

constexpr const char* outrun =
    R"(\(Conflict\)|the object has been modified|error: Expected (replicas|resource version) to be)";

bool says(const Answer& answer, const char* pattern) {
    return RE2::PartialMatch(answer.errors, RE2(pattern));
}

}  // namespace

bool was_refused(std::string_view tool, const Answer& answer) {
    if (answer.ending != Ending::Exited || answer.status == 0) return false;
    for (const Refusal& one : refusals)
        if (one.tool == tool) return says(answer, one.said);
    return false;
}

bool was_outrun(const Answer& answer) {
    return says(answer, outrun);
}

}  // namespace migc::runtime
