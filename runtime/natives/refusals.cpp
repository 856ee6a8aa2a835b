#include "runtime/natives/refusals.hpp"

#include <array>

#include <re2/re2.h>

namespace migc::runtime::inline natives {
namespace {

// What a tool says on standard error when it refuses, and what it has printed if it had begun all the same.
struct Refusal {
    std::string_view tool;
    const char* errors;
    const char* begun;
};

// terraform compares the plan with the state while it holds the lock, and before it does anything.
constexpr const char* terraform_errors =
    R"((?m)^(?:\x1b\[[0-9;]*m|[^A-Za-z\n])*Error: (?:\x1b\[[0-9;]*m)*)"
    R"((Saved plan is stale|Saved plan does not match the given state|Error acquiring the state lock|)"
    R"(Error locking state|Failed to load "[^"]*" as a plan file|Cannot apply incomplete plan|)"
    R"(Backend initialization required|Required plugins are not installed|)"
    R"(Inconsistent dependency lock file|Unsupported Terraform Core version))";
constexpr const char* terraform_begun =
    R"((?m)^Apply complete!|^[^\n]*: (Creating|Modifying|Destroying|Importing|Removing|Moving)\b|)"
    R"(: (Creation|Modifications|Destruction) complete)";

// A registry checks who pushes, and whether the tag may be moved, before it moves it. Layers that have
// arrived are nothing that anybody sees.
constexpr const char* docker_errors =
    R"((?m)^(Error response from daemon: )?(denied\b|unauthorized\b|authentication required|no basic auth credentials|)"
    R"(tag invalid\b|name invalid\b|manifest invalid\b|No such image\b|)"
    R"(An image does not exist locally with the tag\b|tag does not exist\b)|)"
    R"((?m)^(ERROR: )?Cannot connect to the Docker daemon|)"
    R"(requested access to the resource is denied)";
constexpr const char* docker_begun = R"((?m): digest: sha256:)";

// Without a name, a connection or a certificate nothing was sent.
constexpr const char* curl_errors = R"((?m)^curl: \((3|6|7|35|60)\))";

// The API server's own words, and those of kubectl where it compares before it asks. What may come in the
// middle (a timeout, a connection that was lost, an error inside of the server) is not here.
constexpr const char* kubectl_errors =
    R"(\((Forbidden|NotFound|BadRequest|Invalid|Conflict|AlreadyExists|Unauthorized|MethodNotAllowed|)"
    R"(NotAcceptable|UnsupportedMediaType|RequestEntityTooLarge|Gone)\)|is invalid|is forbidden|)"
    R"(denied the request|Apply failed|no matches for kind|unknown field|error validating|)"
    R"(error: Expected (replicas|resource version) to be|error: no objects passed|Operation cannot be fulfilled)";

constexpr const char* outrun =
    R"(\(Conflict\)|the object has been modified|error: Expected (replicas|resource version) to be)";

constexpr std::array refusals = {
    Refusal{"kubectl", kubectl_errors, nullptr}, Refusal{"terraform", terraform_errors, terraform_begun},
    Refusal{"docker", docker_errors, docker_begun}, Refusal{"curl", curl_errors, nullptr}};

bool matches(const char* expression, const std::string& text) {
    const RE2 pattern(expression, RE2::Quiet);
    return pattern.ok() && RE2::PartialMatch(text, pattern);
}

}  // namespace

bool has_begun(std::string_view tool, const std::string& output) {
    for (const Refusal& refusal : refusals)
        if (refusal.tool == tool) return refusal.begun != nullptr && matches(refusal.begun, output);
    return false;
}

bool was_refused(std::string_view tool, const Answer& answer) {
    if (answer.ending != Ending::Exited || answer.status == 0) return false;
    for (const Refusal& refusal : refusals)
        if (refusal.tool == tool && matches(refusal.errors, answer.errors))
            return !has_begun(tool, answer.output);
    return false;
}

bool was_outrun(const Answer& answer) {
    return matches(outrun, answer.errors);
}

}  // namespace migc::runtime::inline natives
