// How changes are written in a format: as the edits that make them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/documents/pointer.hpp"

namespace migc::documents {

// Each function gives the edits of the text, or why there can be none.
class Writer {
  public:
    using Edits = tl::expected<std::vector<Edit>, Problem>;
    virtual ~Writer() = default;
    // The value as the place wants it: a string where only strings stand.
    [[nodiscard]] virtual Ordered fitting(const Place& place, Ordered value) const = 0;
    // In place of a node's bytes; `place` leads to it.
    [[nodiscard]] virtual Edits replace(const Place& place, const Ordered& value) const = 0;
    // Behind the last member of a list or map; `place` leads to it.
    [[nodiscard]] virtual Edits add(const Place& place, const std::string& key,
                                    const Ordered& value) const = 0;
    // The last hop's member goes.
    [[nodiscard]] virtual Edits erase(const Place& place) const = 0;
};

std::unique_ptr<Writer> json_writer(const Tree& tree, std::string_view text);
std::unique_ptr<Writer> yaml_writer(const Tree& tree, std::string_view text);
std::unique_ptr<Writer> tfvars_writer(const Tree& tree, std::string_view text);

}  // namespace migc::documents
