// What the API server says about an object before it keeps it. Not all that it knows: the fields that changes
// are about, as tests/live/api_answers.json has them from a real server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace migc::kubernetes {

struct Refusal {
    std::string pointer;   // JSON pointer of the field; of a field that is missing, where it should be
    std::string why;       // "Required value", in the server's words
    bool is_type = false;  // the value is of another type, or the field is none: nothing else was looked at

    bool of_pods_only = false;  // the object is kept (a stateful set), and then no pod of it can be made

    // "spec.template.spec.containers[0].image"
    [[nodiscard]] std::string field() const;
    [[nodiscard]] bool operator==(const Refusal&) const = default;
};

// Everything that is wrong with an object of that kind ("deployments"); fields that are null are as if they
// were not there. `all_fields` as the server does it where an object is applied: a field that it does not
// know is refused. A patch drops it.
std::vector<Refusal> refusals_of(std::string_view plural, const nlohmann::json& object,
                                 bool all_fields = false);

// What cannot be changed any more, though both objects are right.
std::vector<Refusal> refusals_of_change(std::string_view plural, const nlohmann::json& before,
                                        const nlohmann::json& after);

// Whether the field at the pointer, or what holds it, can only be set when the object is made. Why, or
// nothing.
std::string why_immutable(std::string_view plural, std::string_view pointer);
// What the server writes itself, of every object: a value of ours would be lost at once, or would lie. A
// patch of the whole object is one of these.
bool is_the_servers(std::string_view pointer);

}  // namespace migc::kubernetes
