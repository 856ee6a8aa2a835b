#include "runtime/tools/normal_forms.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include <nlohmann/json.hpp>

#include "compiler/support/encoding.hpp"
#include "runtime/tools/decoders.hpp"

namespace migc::runtime::inline tools {
namespace {

using View = NormalForms::View;
using Fold = NormalForms::Fold;

constexpr std::array<Fold, 4> folds = {Fold::Nothing, Fold::Case, Fold::Blanks, Fold::Letters};

// Of so many letters and digits no text has the same ones by accident; fewer are looked for more narrowly.
constexpr std::size_t strong = 8;
constexpr std::size_t strong_code = 9;  // of base64, whose letters are any
constexpr std::size_t shortest = 4;
constexpr std::size_t shortest_line = 16;  // of a secret of several lines
constexpr int deepest = 3;                 // layers of encodings

// A text is searched in portions that overlap: a secret that is spread over more than this is not found.
constexpr std::size_t at_once = std::size_t{512} << 10;
constexpr std::size_t overlap = std::size_t{128} << 10;

constexpr std::uint64_t base = 0x9E3779B97F4A7C15;  // of the rolling digest
constexpr std::size_t kinds_of_ends = std::size_t{1} << 16;

std::size_t kind_of_end(std::uint64_t end) {
    return (end * base) >> 48U;
}

bool is_alnum(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_of_code(char c) {
    return is_alnum(c) || std::string_view("+/-_=").find(c) != std::string_view::npos;
}

// The character as it is compared; nothing if it is left out.
std::optional<char> folded(char c, Fold fold) {
    const auto byte = static_cast<unsigned char>(c);
    if (fold == Fold::Nothing) return c;
    if (byte <= 0x20 || byte == 0x7F) return std::nullopt;
    if (fold == Fold::Case) {
        if (c == '-') return '+';  // the other alphabet of base64
        return c == '_' ? '/' : c;
    }
    if (byte >= 0x80) return c;
    if (fold == Fold::Letters && !is_alnum(c)) return std::nullopt;
    if (std::string_view("'\"\\+").find(c) != std::string_view::npos) return std::nullopt;
    return static_cast<char>(std::tolower(byte));
}

// The small letter of a capital one of Latin (with accents), Greek and Cyrillic, of which UTF-8 has two
// bytes.
std::uint32_t small_letter(std::uint32_t code) {
    const auto within = [&](std::uint32_t first, std::uint32_t last) {
        return code >= first && code <= last;
    };
    // Capital, small, capital, small: the capital ones are even, or odd.
    if (within(0x100, 0x12F) || within(0x132, 0x137) || within(0x14A, 0x177)) return code | 1U;
    if (within(0x460, 0x481) || within(0x48A, 0x4BF) || within(0x4D0, 0x52F)) return code | 1U;
    if (within(0x139, 0x148) || within(0x179, 0x17E) || within(0x4C1, 0x4CE)) return code + code % 2;
    if (within(0xC0, 0xDE) && code != 0xD7) return code + 0x20;
    if (within(0x391, 0x3AB) || within(0x410, 0x42F)) return code + 0x20;
    if (within(0x400, 0x40F)) return code + 0x50;
    if (within(0x388, 0x38A)) return code + 0x25;
    // The sign micro; y with diaeresis; alpha, omicron, upsilon, omega with tonos; sigma at the end of a
    // word.
    constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 7> others = {{{0xB5, 0x3BC},
                                                                                {0x178, 0xFF},
                                                                                {0x386, 0x3AC},
                                                                                {0x38C, 0x3CC},
                                                                                {0x38E, 0x3CD},
                                                                                {0x38F, 0x3CE},
                                                                                {0x3C2, 0x3C3}}};
    for (const auto& [capital, small] : others)
        if (code == capital) return small;
    return code;
}

// What is left of a view, and where each character of it stands there.
struct Folded {
    std::string text;
    std::vector<std::uint32_t> at;

    // The letter of two bytes that is now complete at the end, if it is one, in small. Something may stand
    // between its bytes in the view, so this looks at what is left.
    void lower_last() {
        if (text.size() < 2) return;
        char& lead = text[text.size() - 2];
        char& last = text.back();
        const auto high = static_cast<unsigned char>(lead);
        const auto low = static_cast<unsigned char>(last);
        if (high < 0xC2 || high > 0xD4 || low < 0x80 || low > 0xBF) return;
        const std::uint32_t code = (high & 0x1FU) << 6U | (low & 0x3FU);
        const bool sharp_s = code == 0xDF;  // in capitals SS
        const std::uint32_t small = small_letter(code);
        lead = sharp_s ? 's' : static_cast<char>(0xC0U | small >> 6U);
        last = sharp_s ? 's' : static_cast<char>(0x80U | (small & 0x3FU));
    }
};

Folded fold_view(std::string_view text, Fold fold) {
    Folded result;
    result.text.reserve(text.size());
    result.at.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const bool may_be_control = static_cast<unsigned char>(text[i]) >= 0xC2 || text[i] == 0x1B;
        if (const std::size_t end = may_be_control && fold != Fold::Nothing ? after_control(text, i) : i;
            end > i) {
            i = end;
            continue;
        }
        if (const auto c = folded(text[i], fold)) {
            result.text += *c;
            result.at.push_back(static_cast<std::uint32_t>(i));
            const bool ends_letter = static_cast<unsigned char>(*c) >= 0x80;
            if (ends_letter && (fold == Fold::Blanks || fold == Fold::Letters)) result.lower_last();
        }
        ++i;
    }
    return result;
}

// The base64 of whatever has the text behind so many bytes and goes on after it: what is the same of all.
std::string base64_within(std::string_view text, std::size_t before) {
    const std::string whole = base64(std::string(before, '\0').append(text));
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t last = (before + text.size()) * 8 / 6;
    return first < last ? whole.substr(first, last - first) : "";
}

// As Windows has texts.
std::string wide(std::string_view text) {
    std::string result;
    for (const char c : text) result += {c, '\0'};
    return result;
}

// UTF-8 that was taken for Latin-1, as tools do that escape byte by byte.
std::string misread(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) result += static_cast<char>(0xC0U | byte >> 6U);
        result += static_cast<char>(byte >= 0x80 ? 0x80U | (byte & 0x3FU) : byte);
    }
    return result;
}

// As it stands in a JSON document, which may then be encoded as a whole.
std::vector<std::string> as_written(std::string_view text) {
    std::vector<std::string> forms = {std::string(text)};
    for (const bool ascii : {false, true}) {
        const std::string quoted =
            nlohmann::json(std::string(text)).dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
        std::string inner = quoted.substr(1, quoted.size() - 2);
        if (std::find(forms.begin(), forms.end(), inner) == forms.end()) forms.push_back(std::move(inner));
    }
    return forms;
}

std::uint64_t digest_of(std::string_view text) {
    std::uint64_t digest = 0;
    for (const char c : text) digest = digest * base + static_cast<unsigned char>(c) + 1;
    return digest;
}

std::uint64_t end_of(std::string_view text, std::size_t size) {
    std::uint64_t end = 0;
    for (const char c : text.substr(text.size() - size)) end = end << 8U | static_cast<unsigned char>(c);
    return end;
}

// base to each power.
std::vector<std::uint64_t> powers(std::size_t count) {
    std::vector<std::uint64_t> result = {1};
    while (result.size() <= count) result.push_back(result.back() * base);
    return result;
}

// In order; those that overlap become one.
std::vector<Span> united(std::vector<Span> spans) {
    std::sort(spans.begin(), spans.end(), [](Span a, Span b) { return a.begin < b.begin; });
    std::vector<Span> result;
    for (const Span& span : spans) {
        if (!result.empty() && span.begin < result.back().end)
            result.back().end = std::max(result.back().end, span.end);
        else
            result.push_back(span);
    }
    return result;
}

// Most that are found one after the other overlap.
void put(std::vector<Span>& spans, Span span) {
    if (!spans.empty() && span.begin >= spans.back().begin && span.begin < spans.back().end)
        spans.back().end = std::max(spans.back().end, span.end);
    else
        spans.push_back(span);
}

// The word of a code around it.
void widen(std::string_view text, std::size_t& first, std::size_t& last) {
    while (first > 0 && is_of_code(text[first - 1])) --first;
    while (last + 1 < text.size() && is_of_code(text[last + 1])) ++last;
}

}  // namespace

void NormalForms::Index::add(const std::string& text, bool delimited, bool coded) {
    const bool is_long = text.size() >= strong;
    const std::uint64_t end = end_of(text, is_long ? strong : shortest);
    std::vector<Pattern>& same = (is_long ? long_ones : short_ones)[end];
    const std::uint64_t digest = digest_of(text);
    const auto is_it = [&](const Pattern& one) { return one.length == text.size() && one.digest == digest; };
    if (std::any_of(same.begin(), same.end(), is_it)) return;
    same.push_back({text.size(), digest, delimited, coded});
    seen.resize(kinds_of_ends);
    seen[kind_of_end(end)] = true;
}

void NormalForms::add_pattern(Fold fold, std::string_view text, bool delimited, bool coded) {
    const std::string folded_text = fold_view(text, fold).text;
    if (folded_text.size() < shortest) return;
    longest_ = std::max(longest_, folded_text.size());
    patterns_.at(static_cast<std::size_t>(fold)).add(folded_text, delimited, coded);
}

void NormalForms::add_base64(std::string_view text, int depth) {
    for (const std::size_t before : {0, 1, 2}) {
        const std::string code = base64_within(text, before);
        const bool is_strong = fold_view(code, Fold::Letters).text.size() >= strong_code;
        add_pattern(is_strong ? Fold::Letters : Fold::Case, code, false, true);
        // A Kubernetes Secret has in base64 what may hold base64 itself.
        if (depth > 1) add_base64(code, depth - 1);
    }
}

void NormalForms::add_text(std::string_view text) {
    const bool by_letters = fold_view(text, Fold::Letters).text.size() >= strong;
    add_pattern(Fold::Nothing, text);
    const bool is_weak = !by_letters && fold_view(text, Fold::Blanks).text.size() < strong;
    add_pattern(by_letters ? Fold::Letters : Fold::Blanks, text, is_weak);
    add_pattern(by_letters ? Fold::Letters : Fold::Blanks, misread(text), is_weak);
    add_pattern(Fold::Letters, hexadecimal(text));
    for (const std::string& form : as_written(text)) add_base64(form, 2);
    add_base64(wide(text), 1);
}

void NormalForms::add(std::string_view secret) {
    if (secret.size() < shortest) return;
    add_text(secret);
    if (secret.find('\n') == std::string_view::npos) return;
    for (std::size_t begin = 0; begin < secret.size();) {
        const std::size_t end = std::min(secret.find('\n', begin), secret.size());
        if (end - begin >= shortest_line) add_text(secret.substr(begin, end - begin));
        begin = end + 1;
    }
}

void NormalForms::scan(const View& view, Fold fold, std::vector<Span>& found) const {
    const Index& index = patterns_.at(static_cast<std::size_t>(fold));
    if (index.seen.empty()) return;
    const auto [text, at] = fold_view(view.bytes, fold);
    static const std::vector<std::uint64_t> power = powers(at_once + overlap);
    std::vector<std::uint64_t> digests(text.size() + 1);
    std::uint64_t last = 0;
    std::size_t coded_end = 0;  // of the last word that was taken as a whole
    const auto compare = [&, &at = at](const std::vector<Pattern>& patterns, std::size_t end) {
        for (const Pattern& one : patterns) {
            if (one.length > end || one.length >= power.size()) continue;
            if (digests[end] - digests[end - one.length] * power[one.length] != one.digest) continue;
            std::size_t first = at[end - one.length];
            std::size_t final = at[end - 1];
            const bool within_word = (first > 0 && is_alnum(view.bytes[first - 1])) ||
                                     (final + 1 < view.bytes.size() && is_alnum(view.bytes[final + 1]));
            if (one.delimited && within_word) continue;
            if (one.coded && final < coded_end) continue;
            if (one.coded) {
                widen(view.bytes, first, final);
                coded_end = final + 1;
            }
            put(found, {view.places[first].begin, view.places[final].end});
        }
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        digests[i + 1] = digests[i] * base + byte + 1;
        last = last << 8U | byte;
        const auto look_up = [&](const auto& ends, std::uint64_t end) {
            if (!index.seen[kind_of_end(end)]) return;
            if (const auto known = ends.find(end); known != ends.end()) compare(known->second, i + 1);
        };
        if (i + 1 >= strong) look_up(index.long_ones, last);
        if (i + 1 >= shortest && !index.short_ones.empty()) look_up(index.short_ones, last & 0xFFFFFFFFU);
    }
}

// The view, and each that comes of it by taking off one more layer. The third layer is only that of the same
// kind again, as in JSON in JSON in JSON.
void NormalForms::look(const View& view, int depth, char last, std::vector<Span>& found) const {
    for (const Fold fold : folds) scan(view, fold, found);
    if (depth == deepest) return;
    for (const Decoder& decoder : decoders()) {
        if (depth + 1 == deepest && decoder.lead != last) continue;
        if (view.bytes.find(decoder.lead) == std::string::npos) continue;
        if (const auto decoded = decoder.decode(view)) look(*decoded, depth + 1, decoder.lead, found);
    }
}

std::vector<Span> NormalForms::find(std::string_view text) const {
    std::vector<Span> found;
    if (longest_ == 0) return found;
    for (std::size_t begin = 0;; begin += at_once) {
        const std::string_view part = text.substr(begin, at_once + overlap);
        View view;
        view.bytes = part;
        view.places.reserve(part.size());
        for (std::size_t i = 0; i < part.size(); ++i) view.places.push_back({begin + i, begin + i + 1});
        look(view, 0, '\0', found);
        if (text.size() - begin <= at_once + overlap) break;
    }
    return united(std::move(found));
}

}  // namespace migc::runtime::inline tools
