#include "runtime/tools/tools.hpp"

#include "compiler/support/escape.hpp"
#include "compiler/support/failure.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline tools {

namespace {

constexpr const char* no_programs = "no program can be left running here";

bool plain_word(std::string_view word) {
    constexpr std::string_view alphabet =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-";
    return !word.empty() && word.find_first_not_of(alphabet) == std::string_view::npos;
}

std::string with_each(std::string_view text, std::string_view special, std::string_view before) {
    std::string result;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) result += before;
        result += c;
    }
    return result;
}

std::string shown_word(const std::string& word) {
    if (plain_word(word)) return word;
    if (escaped(word) == word) return "'" + with_each(word, "'", "'\\'") + "'";
    // Only this form of quotes understands escapes. Backslashes of the word itself are doubled first.
    return "$'" + escaped(with_each(word, "\\'", "\\")) + "'";
}

}  // namespace

Answer not_started(std::string reason) {
    Answer answer;
    answer.reason = std::move(reason);
    return answer;
}

Answer exited(int status, std::string output, std::string errors) {
    Answer answer;
    answer.ending = Ending::Exited;
    answer.status = status;
    answer.output = std::move(output);
    answer.errors = std::move(errors);
    return answer;
}

Answer cut_off(std::string reason) {
    Answer answer;
    answer.ending = Ending::TimedOut;
    answer.reason = std::move(reason);
    return answer;
}

// What the interfaces answer where their owner has nothing of the kind.

tl::expected<bool, std::string> Tools::running(const std::string&) {
    return failure(no_programs);
}

Answer Tools::stop(const std::string&, std::int64_t) {
    return not_started(no_programs);
}

Answer Host::perform(const ToolCommand& command) {
    return not_started(command.tool + " cannot be run with files here");
}

tl::expected<bool, std::string> Host::running(const std::string&) {
    return failure(no_programs);
}

Answer Host::stop(const std::string&, std::int64_t) {
    return not_started(no_programs);
}

std::string shown(const std::vector<std::string>& argv) {
    std::string line;
    for (const std::string& word : argv) {
        if (!line.empty()) line += ' ';
        line += shown_word(word);
    }
    return line;
}

}  // namespace migc::runtime::inline tools
