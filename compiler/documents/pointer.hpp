// Where a pointer leads in a tree.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/documents/tree.hpp"

namespace migc::documents {

// One step from a container to its member.
struct Hop {
    const Node* container = nullptr;
    std::size_t index = 0;
    [[nodiscard]] const Member& member() const { return container->members[index]; }
};

// Where a pointer leads.
struct Place {
    std::vector<Hop> hops;
    const Node* node = nullptr;        // the last on the way that is there
    std::vector<std::string> missing;  // the tokens behind it; empty if the pointer leads to `node`
};

tl::expected<std::vector<std::string>, Problem> tokens_of(std::string_view pointer);
tl::expected<Place, Problem> find(const Tree& tree, std::string_view text,
                                  const std::vector<std::string>& tokens);

// A token `key=value`, told apart; nothing for every other one.
struct Picker {
    std::string key;
    std::string value;
};
std::optional<Picker> picker(std::string_view token);
// Whether a map has the picker's value under its key, as text.
bool picks(const Picker& picker, const Node& node);

}  // namespace migc::documents
