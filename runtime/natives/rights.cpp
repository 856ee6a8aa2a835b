// What the operator may do in the cluster.

#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {

// kubectl says it in a word and by its exit code, and an error ends with the same code as a `no`.
static Reading allowed_to(Host& host, const Arguments& arguments) {
    const std::string action = text_argument(arguments, 0), kind = text_argument(arguments, 1);
    if (action.starts_with('-') || kind.starts_with('-')) return mistaken("an option is no right");
    const Answer answer = host.run("kubectl", {"auth", "can-i", action, kind});
    if (answer.output.starts_with("yes")) return {Value(true)};
    if (answer.output.starts_with("no")) return never("this operator may not {} {} here", action, kind);
    return unknown(complaint("kubectl", answer));
}

const Rows rights_rows([]() -> std::vector<Row> {
    return {
        // [verb, resource]: bool
        reads("allowed-to", allowed_to),
    };
});

}  // namespace migc::runtime::inline natives
