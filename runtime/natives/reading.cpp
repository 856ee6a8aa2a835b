#include "runtime/natives/reading.hpp"

#include <algorithm>
#include <cctype>

#include "runtime/tools/error_text.hpp"

namespace migc::runtime::inline natives {
namespace {

const Value& nothing() {
    static const Value value;
    return value;
}

// The length of a terminal's control sequence (ESC [ .. letter) at the beginning of a text; 0 if there is
// none.
std::size_t control_sequence(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    const auto end = text.find_first_not_of("0123456789;", 2);
    return end == std::string_view::npos ? text.size() : end + 1;
}

// One line without colours, so that it fits into a message.
std::string first_lines(std::string_view text) {
    constexpr std::size_t longest = 400;
    std::string line;
    while (!text.empty() && line.size() < longest) {
        const std::size_t skipped = control_sequence(text);
        const char c = text.front();
        text.remove_prefix(std::max<std::size_t>(skipped, 1));
        if (skipped != 0) continue;
        if (std::isspace(static_cast<unsigned char>(c)) == 0)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return text.empty() ? line : line + "..";
}

}  // namespace

Reading unknown(std::string reason) {
    return {Value(Unknown{reason}), std::move(reason)};
}

Reading mistaken(std::string reason) {
    return {Value(Unknown{reason}), std::move(reason), true};
}

Reading absent(std::string why) {
    return {Value(Absent{}), std::move(why)};
}

Reading not_yet(std::string why) {
    return {Value(false), std::move(why)};
}

Reading never(std::string why) {
    return {Value(false), std::move(why), true};
}

Reading not_known(std::string reason, bool permanent) {
    return permanent ? mistaken(std::move(reason)) : unknown(std::move(reason));
}

Reading json_reading(const json& value) {
    return {plain(value), {}, false};
}

Reading as_it_is(json value) {
    return {Value(std::make_shared<const json>(std::move(value)))};
}

Reading read_from(const json& object, Reading reading) {
    reading.identity = text_field(object, "/metadata/uid");
    reading.version = text_field(object, "/metadata/resourceVersion");
    if (const std::int64_t generation = int_field(object, "/metadata/generation"); generation > 0)
        reading.revision = std::to_string(generation);
    return reading;
}

Answer well(std::string output) {
    return exited(0, std::move(output));
}

Answer refused(std::string reason) {
    Answer answer = exited(1, {}, std::move(reason));
    answer.refused = true;
    return answer;
}

Answer went_wrong(std::string reason) {
    return exited(1, {}, std::move(reason));
}

Answer left_alone(std::string why) {
    Answer answer = refused(why);
    answer.held = std::move(why);
    return answer;
}

std::string complaint(const std::string& tool, const Answer& answer) {
    if (answer.ending == Ending::NotStarted || answer.ending == Ending::TimedOut)
        return fmt::format("{}: {}", tool, answer.reason.empty() ? "it could not be run" : answer.reason);
    if (answer.ending == Ending::Signalled)
        return fmt::format("{} was ended by signal {}", tool, answer.status);
    const std::string words = first_lines(without_warnings(error_text(answer)));
    if (words.empty()) return fmt::format("{} ended with status {}", tool, answer.status);
    if (words.starts_with(tool + ":")) return words;
    return fmt::format("{}: {}", tool, words);
}

const Value& argument(const Arguments& arguments, std::size_t index) {
    return index < arguments.size() ? arguments[index] : nothing();
}

std::string text_argument(const Arguments& arguments, std::size_t index) {
    const Value& value = argument(arguments, index);
    if (value.is_absent()) return {};
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* resource = value.get_if<ResourceRef>()) return resource->name;
    return show(value);
}

std::int64_t int_argument(const Arguments& arguments, std::size_t index, std::int64_t fallback) {
    const auto* number = argument(arguments, index).get_if<std::int64_t>();
    return number == nullptr ? fallback : *number;
}

bool bool_argument(const Arguments& arguments, std::size_t index) {
    const Value& value = argument(arguments, index);
    const auto* truth = value.get_if<bool>();
    return truth != nullptr ? *truth : !value.is_absent();
}

List list_argument(const Arguments& arguments, std::size_t index) {
    const Value& value = argument(arguments, index);
    if (value.is_absent()) return {};
    if (const auto* list = value.get_if<List>()) return *list;
    return {value};
}

std::vector<std::string> words_of(const List& values) {
    std::vector<std::string> words;
    for (const Value& value : values) words.push_back(show(value));
    return words;
}

json json_argument(const Arguments& arguments, std::size_t index) {
    const auto* data = argument(arguments, index).get_if<Json>();
    return data == nullptr || *data == nullptr ? json() : **data;
}

json as_json(const Value& value) {
    if (value.is_absent()) return {};
    if (const auto* data = value.get_if<Json>()) return *data == nullptr ? json() : **data;
    if (const auto* number = value.get_if<std::int64_t>()) return *number;
    if (const auto* truth = value.get_if<bool>()) return *truth;
    if (const auto* items = value.get_if<List>()) {
        json list = json::array();
        for (const Value& item : *items) list.push_back(as_json(item));
        return list;
    }
    return show(value);
}

Value list_of(const std::vector<std::string>& texts) {
    return List(texts.begin(), texts.end());
}

void append(std::vector<std::string>& words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
}

std::string enumerate(const std::vector<std::string>& items, std::size_t shown) {
    const std::size_t count = std::min(shown, items.size());
    std::string text =
        fmt::format("{}", fmt::join(items.begin(), items.begin() + static_cast<long>(count), ", "));
    if (items.size() > count) text += fmt::format(" and {} more", items.size() - count);
    return text;
}

}  // namespace migc::runtime::inline natives
