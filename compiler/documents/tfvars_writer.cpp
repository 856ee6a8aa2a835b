// Changing .tfvars files.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "compiler/documents/brackets.hpp"

namespace migc::documents {
namespace {

// `${` and `%{` begin templates; doubled they are text.
std::string quoted(const std::string& value) {
    std::string text = "\"";
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        static constexpr std::string_view special = "\n\r\t\"\\", letters = "nrt\"\\";
        if (const std::size_t known = special.find(c); known != std::string_view::npos) {
            text += {'\\', letters[known]};
        } else if (static_cast<unsigned char>(c) < 0x20) {
            text += fmt::format("\\u{:04x}", static_cast<int>(c));
        } else {
            text += c;
            if ((c == '$' || c == '%') && i + 1 < value.size() && value[i + 1] == '{') text += c;
        }
    }
    return text + '"';
}

bool is_name(const std::string& key) {
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    };
    return !key.empty() && std::isalpha(static_cast<unsigned char>(key[0])) != 0 &&
           std::ranges::all_of(key, fits);
}

class TfvarsNotation final : public Notation {
  public:
    [[nodiscard]] std::string scalar(const Ordered& value) const override {
        return value.is_string() ? quoted(value.get<std::string>()) : value.dump();
    }
    [[nodiscard]] std::string key(const std::string& name, std::size_t width) const override {
        return fmt::format("{:<{}} = ", is_name(name) ? name : quoted(name), width);
    }
    [[nodiscard]] bool commas_in_maps() const override { return false; }
};

class TfvarsWriter final : public BracketsWriter<TfvarsNotation> {
  public:
    using BracketsWriter::BracketsWriter;

    // terraform takes "5" for 5, so it is written as the file has it.
    [[nodiscard]] Ordered fitting(const Place& place, Ordered value) const override {
        const bool is_plain = place.missing.empty() && place.node->kind == Kind::Scalar &&
                              (place.node->value.is_number() || place.node->value.is_boolean());
        if (!is_plain || !value.is_string()) return value;
        const auto plain = Ordered::parse(value.get<std::string>(), nullptr, false);
        const bool same_kind = place.node->value.is_number() ? plain.is_number() : plain.is_boolean();
        return same_kind ? plain : value;
    }

    [[nodiscard]] Edits add(const Place& place, const std::string& key, const Ordered& value) const override {
        const bool is_variable = place.node->style == Style::Body;
        if (is_variable && !is_name(key))
            return tl::unexpected(Problem{fmt::format("`{}` cannot be the name of a variable", key), 0});
        return BracketsWriter::add(place, key, value);
    }
};

}  // namespace

std::unique_ptr<Writer> tfvars_writer(const Tree& tree, std::string_view text) {
    return std::make_unique<TfvarsWriter>(tree, text);
}

}  // namespace migc::documents
