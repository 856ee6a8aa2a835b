#include "runtime/tools/redaction.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>

#include "runtime/tools/normal_forms.hpp"

namespace migc::runtime::inline tools {
namespace {

constexpr std::string_view instead = instead_of_secret;
constexpr std::string_view code_instead = "(not kept)";
constexpr std::size_t longest_word = 15;  // of letters and digits, in which no code of a secret has room

// What was put there before is not taken for a secret again.
bool is_instead(std::string_view text, Span span) {
    const std::size_t begin = span.begin < instead.size() ? 0 : span.begin - instead.size() + 1;
    for (std::size_t at = text.find(instead, begin); at <= span.begin; at = text.find(instead, at + 1))
        if (span.end <= at + instead.size()) return true;
    return false;
}

// Digits, or more capital letters than words have that are written together (FailedCreatePodSandBox).
bool is_code(std::string_view word) {
    const auto count = [&](int (*is)(int)) {
        return std::count_if(word.begin(), word.end(),
                             [&](char c) { return is(static_cast<unsigned char>(c)) != 0; });
    };
    const auto digits = count(std::isdigit);
    const auto capitals = count(std::isupper);
    const auto size = static_cast<std::ptrdiff_t>(word.size());
    return digits > 0 || 3 * capitals > size;
}

// From now on nothing of this process's memory comes into a core dump, nor does any other process of the user
// read it; what it starts leaves no core dump either.
void forbid_core_dumps() {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // Of this process that is all. A program that it starts is dumpable again, but keeps the limit; and where
    // dumps are handed to a program (systemd-coredump), a limit of 1 keeps them from it, 0 does not: core(5).
    const rlimit none = {1, 1};
    ::setrlimit(RLIMIT_CORE, &none);
}

bool is_of_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

Redaction::Redaction() = default;
Redaction::~Redaction() = default;

void Redaction::add(const std::string& secret) {
    if (secret.size() < shortest_secret || secret == instead) return;
    const std::lock_guard lock(mutex_);
    auto more = known_ ? std::make_shared<NormalForms>(*known_) : std::make_shared<NormalForms>();
    more->add(secret);
    known_ = std::move(more);
    if (!any_.exchange(true)) forbid_core_dumps();
}

std::shared_ptr<const NormalForms> Redaction::known() const {
    if (!any_) return nullptr;
    const std::lock_guard lock(mutex_);
    return known_;
}

std::string Redaction::apply(std::string text) const {
    const auto forms = known();
    if (!forms || text.size() < shortest_secret) return text;
    std::vector<Span> spans = forms->find(text);
    std::erase_if(spans, [&](Span span) { return is_instead(text, span); });
    if (spans.empty()) return text;
    std::string result;
    std::size_t done = 0;
    for (const Span& span : spans) {
        result.append(text, done, span.begin - done).append(instead);
        done = span.end;
    }
    return result.append(text, done);
}

bool Redaction::finds(std::string_view text) const {
    const auto forms = known();
    return forms && !forms->find(text).empty();
}

nlohmann::json Redaction::apply(const nlohmann::json& value) const {
    if (!any_) return value;
    if (value.is_string()) return apply(value.get<std::string>());
    if (value.is_array()) {
        auto result = nlohmann::json::array();
        for (const auto& one : value) result.push_back(apply(one));
        return result;
    }
    if (!value.is_object()) return value;
    auto result = nlohmann::json::object();
    // What is sealed shows nothing, and a letter of it replaced would be all of it lost.
    const bool sealed = value.contains("sealed") && value.contains("key");
    for (const auto& [name, one] : value.items())
        result[apply(name)] = sealed && (name == "sealed" || name == "key") ? one : apply(one);
    return result;
}

Redaction& secrets() {
    static Redaction all;
    return all;
}

std::string without_codes(std::string text) {
    text = secrets().apply(std::move(text));
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = static_cast<std::size_t>(
            std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_of_word) -
            text.begin());
        const std::string_view word = std::string_view(text).substr(at, end - at);
        if (word.size() > longest_word && is_code(word))
            result += code_instead;
        else
            result += word;
        at = end;
        if (at < text.size()) result += text[at++];
    }
    return result;
}

}  // namespace migc::runtime::inline tools
