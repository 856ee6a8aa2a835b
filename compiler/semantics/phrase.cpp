#include "compiler/semantics/phrase.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace migc::semantics {
namespace {

std::string shown_argument(const ir::Parameter& parameter, const Value& value, const Shown& shown) {
    if (parameter.type.kind == ir::TypeKind::Secret) return "(secret)";
    // Of a saved plan its folder, the run's own, says nothing.
    if (parameter.type.kind == ir::TypeKind::Plan)
        return std::filesystem::path(show(value)).filename().string();
    const auto* object = value.get_if<Json>();
    if (object != nullptr && (*object)->is_object()) return "(captured)";  // too long to be read in a phrase
    const bool quoted = parameter.type.kind == ir::TypeKind::String && value.get_if<std::string>() != nullptr;
    return quoted ? fmt::format("\"{}\"", shown(value)) : shown(value);
}

class PhraseFiller {
  public:
    PhraseFiller(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                 const std::vector<Value>& values, const Shown& shown)
        : text_(signature), parameters_(parameters), values_(values), shown_(shown) {}

    std::string fill() {
        std::string result = part().words;
        while (!result.empty() && result.back() == ' ') result.pop_back();
        return result;
    }

  private:
    struct Part {
        std::string words;
        bool has_slot = false;
        bool present = true;
    };

    // Up to the end or to the `]` that closes an optional part.
    Part part() {
        Part result;
        while (at_ < text_.size() && text_[at_] != ']') {
            if (text_[at_] == '(') {
                slot(result);
            } else if (text_[at_] == '[') {
                optional_part(result);
            } else {
                word(result, text_[at_++]);
            }
        }
        return result;
    }

    // `(name: type = default)`; a default may hold parentheses of its own.
    void slot(Part& result) {
        const std::size_t begin = ++at_;
        for (int depth = 1; at_ < text_.size() && depth > 0; ++at_)
            depth += text_[at_] == '(' ? 1 : text_[at_] == ')' ? -1 : 0;
        std::string_view name = text_.substr(begin, at_ - begin);
        name = name.substr(0, name.find_first_of(": )"));
        result.has_slot = true;
        const std::size_t index = find(name);
        if (index >= values_.size()) return;
        if (values_[index].is_absent()) result.present = false;
        result.words += shown_argument(parameters_[index], values_[index], shown_);
    }

    void optional_part(Part& result) {
        ++at_;
        const Part inner = part();
        ++at_;
        if (inner.present && (inner.has_slot || is_set(inner.words)))
            for (const char c : inner.words) word(result, c);
    }

    // Words alone are a flag, named after them: [from inside] is from-inside.
    [[nodiscard]] bool is_set(std::string words) const {
        std::ranges::replace(words, ' ', '-');
        const std::size_t index = find(words);
        const auto* flag = index < values_.size() ? values_[index].get_if<bool>() : nullptr;
        return flag != nullptr && *flag;
    }

    [[nodiscard]] std::size_t find(std::string_view name) const {
        const auto found = std::ranges::find_if(
            parameters_, [&](const ir::Parameter& parameter) { return parameter.name == name; });
        return static_cast<std::size_t>(found - parameters_.begin());
    }

    // White space once; an optional part that was left out must not leave two blanks behind.
    static void word(Part& result, char c) {
        const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (blank && (result.words.empty() || result.words.back() == ' ')) return;
        result.words += blank ? ' ' : c;
    }

    std::string_view text_;
    const std::vector<ir::Parameter>& parameters_;
    const std::vector<Value>& values_;
    const Shown& shown_;
    std::size_t at_ = 0;
};

}  // namespace

std::string phrase(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                   const std::vector<Value>& values, const Shown& shown) {
    return PhraseFiller(signature, parameters, values, shown).fill();
}

}  // namespace migc::semantics
