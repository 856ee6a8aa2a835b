// Writing into lists and maps in brackets: JSON, .tfvars, and the flow style of YAML.
#pragma once

#include <string>
#include <string_view>

#include "compiler/documents/writer.hpp"

namespace migc::documents {

// How a format writes what stands in brackets.
class Notation {
  public:
    virtual ~Notation() = default;
    [[nodiscard]] virtual std::string scalar(const Ordered& value) const = 0;
    // A key with its sign and the blank behind it; `width` is that of the widest key beside it.
    [[nodiscard]] virtual std::string key(const std::string& name, std::size_t width) const = 0;
    // Whether the entries of a map need commas even where each has a line of its own.
    [[nodiscard]] virtual bool commas_in_maps() const = 0;
};

class BracketWriter {
  public:
    BracketWriter(const Notation& notation, const Tree& tree, std::string_view text);

    // A value as it is written in a place that is indented by `indent`; over several lines if the document
    // is.
    [[nodiscard]] std::string rendered(const Ordered& value, const std::string& indent) const;

    // A member behind the last one of a container.
    [[nodiscard]] std::vector<Edit> add(const Node& container, const std::string& key,
                                        const Ordered& value) const;
    [[nodiscard]] std::vector<Edit> erase(const Node& container, std::size_t index) const;

  private:
    [[nodiscard]] std::string inline_form(const Ordered& value) const;
    [[nodiscard]] std::string member(const Node& container, const std::string& key, const Ordered& value,
                                     const std::string& indent) const;
    [[nodiscard]] std::vector<Edit> add_first(const Node& container, const std::string& key,
                                              const Ordered& value) const;
    [[nodiscard]] std::vector<Edit> add_line(const Node& container, const std::string& key,
                                             const Ordered& value) const;
    [[nodiscard]] std::size_t width_in(const Node& container) const;
    [[nodiscard]] std::size_t end_of_line(std::size_t at) const;
    [[nodiscard]] bool breaks(std::size_t begin, std::size_t end) const;
    [[nodiscard]] bool needs_comma(const Node& container) const;

    const Notation& notation_;
    const Tree& tree_;
    std::string_view text_;
    std::string newline_;
    std::string unit_;
    bool one_line_;
};

// The writer of a format in which everything stands in brackets, or needs none.
template <class NotationOfFormat>
class BracketsWriter : public Writer {
  public:
    BracketsWriter(const Tree& tree, std::string_view text) : text_(text), brackets_(notation_, tree, text) {}

    [[nodiscard]] Ordered fitting(const Place&, Ordered value) const override { return value; }
    [[nodiscard]] Edits replace(const Place& place, const Ordered& value) const override {
        const Range range = place.node->range;
        return std::vector<Edit>{
            {range, brackets_.rendered(value, std::string(indentation(text_, range.begin)))}};
    }
    [[nodiscard]] Edits add(const Place& place, const std::string& key, const Ordered& value) const override {
        return brackets_.add(*place.node, key, value);
    }
    [[nodiscard]] Edits erase(const Place& place) const override {
        return brackets_.erase(*place.hops.back().container, place.hops.back().index);
    }

  private:
    std::string_view text_;
    NotationOfFormat notation_;
    BracketWriter brackets_;
};

}  // namespace migc::documents
