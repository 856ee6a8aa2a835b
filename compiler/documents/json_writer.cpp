// Changing JSON.
#include <fmt/format.h>

#include "compiler/documents/brackets.hpp"

namespace migc::documents {
namespace {

class JsonNotation final : public Notation {
  public:
    [[nodiscard]] std::string scalar(const Ordered& value) const override { return value.dump(); }
    [[nodiscard]] std::string key(const std::string& name, std::size_t) const override {
        return Ordered(name).dump() + ": ";
    }
    [[nodiscard]] bool commas_in_maps() const override { return true; }
};

class JsonWriter final : public Writer {
  public:
    JsonWriter(const Tree& tree, std::string_view text) : text_(text), brackets_(notation_, tree, text) {}

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
    JsonNotation notation_;
    BracketWriter brackets_;
};

}  // namespace

std::unique_ptr<Writer> json_writer(const Tree& tree, std::string_view text) {
    return std::make_unique<JsonWriter>(tree, text);
}

}  // namespace migc::documents
