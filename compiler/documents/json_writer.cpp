// Changing JSON.
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

}  // namespace

std::unique_ptr<Writer> json_writer(const Tree& tree, std::string_view text) {
    return std::make_unique<BracketsWriter<JsonNotation>>(tree, text);
}

}  // namespace migc::documents
