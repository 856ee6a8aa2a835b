#include "runtime/engine/text.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/tools/concealment.hpp"
#include "runtime/tools/said.hpp"

namespace migc::runtime {
namespace {

std::string shown_argument(const ir::Parameter& parameter, const Value& value) {
    if (parameter.type.kind == ir::TypeKind::Secret) return "(secret)";
    // Of a saved plan its folder, the run's own, says nothing.
    if (parameter.type.kind == ir::TypeKind::Plan)
        return std::filesystem::path(show(value)).filename().string();
    const auto* object = value.get_if<Json>();
    if (object != nullptr && (*object)->is_object()) return "(captured)";  // too long to be read in a phrase
    const bool quoted = parameter.type.kind == ir::TypeKind::String && value.get_if<std::string>() != nullptr;
    return quoted ? fmt::format("\"{}\"", printable(show(value))) : printable(show(value));
}

class PhraseFiller {
  public:
    PhraseFiller(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                 const std::vector<Value>& values)
        : text_(signature), parameters_(parameters), values_(values) {}

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
        result.words += shown_argument(parameters_[index], values_[index]);
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
        std::replace(words.begin(), words.end(), ' ', '-');
        const std::size_t index = find(words);
        const auto* flag = index < values_.size() ? values_[index].get_if<bool>() : nullptr;
        return flag != nullptr && *flag;
    }

    [[nodiscard]] std::size_t find(std::string_view name) const {
        const auto found =
            std::find_if(parameters_.begin(), parameters_.end(),
                         [&](const ir::Parameter& parameter) { return parameter.name == name; });
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
    std::size_t at_ = 0;
};

}  // namespace

std::string phrase(std::string_view signature, const std::vector<ir::Parameter>& parameters,
                   const std::vector<Value>& values) {
    return PhraseFiller(signature, parameters, values).fill();
}

std::string iso_time(Time time) {
    return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(time / 1000)), time % 1000);
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::string show_milliseconds(std::int64_t milliseconds) {
    return show(Value(Duration{milliseconds}));
}

std::string printable(std::string_view text, std::size_t limit) {
    using nlohmann::json;
    // What is cut off could be the rest of a secret, which is then known no more.
    constexpr std::size_t longest_rest = std::size_t{64} << 10;
    std::string shown(text.substr(0, limit));
    if (secrets().any())
        shown = secrets().apply(std::string(text.substr(0, limit + longest_rest))).substr(0, limit);
    // The library's own repair of broken UTF-8: there and back.
    const std::string quoted = json(shown).dump(-1, ' ', false, json::error_handler_t::replace);
    std::string line;
    for (const char c : json::parse(quoted).get<std::string>()) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '\n' || byte == '\t') line += ' ';
        if (byte >= 0x20 && byte != 0x7F) line += c;
    }
    return line;
}

std::optional<std::string> readable(const Value& value) {
    constexpr std::size_t longest = 60;
    const std::string text = show(value);
    if (text.size() > longest || text.find('\n') != std::string::npos) return std::nullopt;
    return printable(text, longest);
}

std::string failure_text(const std::string& tool, const Answer& answer) {
    const std::string words = printable(last_words(said(answer)));
    const std::string tail = words.empty() ? "" : ": " + words;
    // A native is no program that people know: its reason stands for itself.
    const std::string reason = answer.ending == Ending::Exited ? words : printable(answer.reason);
    if (tool == "native" && !reason.empty()) return reason;
    switch (answer.ending) {
        case Ending::Exited:
            return fmt::format("{} exited with {}{}", tool, answer.status, tail);
        case Ending::Signalled:
            return fmt::format("{} was ended by signal {}{}", tool, answer.status, tail);
        case Ending::TimedOut:
            return fmt::format("{} took too long{}", tool,
                               answer.reason.empty() ? tail : ": " + printable(answer.reason));
        case Ending::NotStarted:
            return fmt::format("{} could not be started{}", tool,
                               answer.reason.empty() ? tail : ": " + printable(answer.reason));
    }
    return tool;
}

}  // namespace migc::runtime
