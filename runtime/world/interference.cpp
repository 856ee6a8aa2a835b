#include "runtime/world/interference.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compiler/ir/value.hpp"
#include "compiler/support/text.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr std::pair<std::string_view, Deed> deed_names[] = {
    {"set-other", Deed::SetOther},         {"set-same", Deed::SetSame}, {"set-again", Deed::SetAgain},
    {"set-unrelated", Deed::SetUnrelated}, {"delete", Deed::Delete},    {"remake", Deed::Remake},
    {"annotate", Deed::Annotate},          {"stale", Deed::Stale},      {"come-and-go", Deed::ComeAndGo},
    {"half-at-a-time", Deed::HalfAtATime},
};

using Error = tl::unexpected<std::string>;

std::string_view take_word(std::string_view& text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find(' '));
    text = trimmed(text.substr(word.size()));
    return word;
}

// Takes a duration off the end.
std::optional<std::int64_t> take_duration(std::string_view& text) {
    const std::string_view last = text.substr(text.rfind(' ') + 1);
    const auto duration = parse_duration(last);
    if (!duration) return std::nullopt;
    text = trimmed(text.substr(0, text.size() - last.size()));
    return duration->milliseconds;
}

struct When {
    std::size_t begins = std::string_view::npos;
    bool after = false;
};

// The first "before" or "after" that stands by itself.
When find_when(std::string_view text) {
    const std::string padded = " " + std::string(text) + " ";
    const std::size_t before = padded.find(" before "), after = padded.find(" after ");
    const std::size_t first = std::min(before, after);
    return {first, after < before};
}

// What stands between the deed and the moment.
tl::expected<void, std::string> read_middle(std::string_view middle, Interference& result) {
    const std::string padded = " " + std::string(middle) + " ";
    if (const std::size_t to = padded.rfind(" to "); to != std::string::npos) {
        std::string_view value = trimmed(std::string_view(padded).substr(to + 4));
        // "to 7 20s after": the last word is the duration.
        if (value.find(' ') != std::string_view::npos) result.later_ms = take_duration(value).value_or(0);
        if (value.empty()) return Error("there is no value after `to`");
        result.to = json_or_text(value);
        middle = middle.substr(0, to == 0 ? 0 : to - 1);
    }
    middle = trimmed(middle);
    if (middle.empty()) return {};
    if (!result.to) result.later_ms = take_duration(middle).value_or(0);
    if (middle.empty()) return {};
    if (take_word(middle) != "of" || middle.empty())
        return Error(
            "what stands between what is done and `before` or `after` is `of PLACE`, `to VALUE`, or how long "
            "after it, as in \"set-other of deployment/web /spec/replicas to 7 20s after kubectl scale\"");
    result.of = middle;
    return {};
}

}  // namespace

std::string_view name(Deed deed) {
    return std::ranges::find_if(deed_names, [&](const auto& one) { return one.second == deed; })->first;
}

tl::expected<Interference, std::string> parse_interference(std::string_view text) {
    Interference result;
    result.text = text;
    std::string_view rest = text;
    const std::string_view deed = take_word(rest);
    const auto known = std::ranges::find_if(deed_names, [&](const auto& one) { return one.first == deed; });
    if (known == std::end(deed_names))
        return Error(
            fmt::format("`{}` is nothing that another one does: set-other, set-same, set-again, "
                        "set-unrelated, delete, remake, annotate, stale, come-and-go, half-at-a-time",
                        deed));
    result.deed = known->second;
    const When when = find_when(rest);
    if (when.begins == std::string_view::npos)
        return Error(fmt::format(
            "`{}` does not say when: write `before COMMAND` or `after COMMAND`, as in \"set-other "
            "before kubectl scale\"",
            text));
    result.after = when.after;
    const std::string_view word = when.after ? "after" : "before";
    if (auto read = read_middle(rest.substr(0, when.begins), result); !read) return Error(read.error());
    if (result.later_ms != 0 && !result.after)
        return Error(fmt::format("`{}`: a duration goes with `after`", text));
    if (result.to && result.deed != Deed::SetOther)
        return Error(fmt::format("`{}`: only `set-other` takes a value", text));
    std::string_view command = trimmed(rest.substr(std::min(rest.size(), when.begins + word.size())));
    const auto number = take_count(command);
    if (!number) return Error(fmt::format("`{}` does not end in a count such as #2", command));
    result.nth = *number;
    if (command.starts_with("step ")) {
        result.step = true;
        command = trimmed(command.substr(5));
        if (result.of.empty() && result.deed != Deed::Stale)
            return Error(
                fmt::format("`{}`: a step does not say what is changed, so name it with `of`, as in "
                            "\"set-other of file k8s/web.yaml before step set value\"",
                            text));
    }
    if (command.empty()) return Error(fmt::format("`{}` names no command after `{}`", text, word));
    result.command = command;
    return result;
}

std::string shown(const Spot& place) {
    const std::string pointer = place.pointer.empty() ? "" : " " + place.pointer;
    switch (place.kind) {
        case Spot::Kind::Cluster:
            return fmt::format("{}/{}{}", place.plural, place.name, pointer);
        case Spot::Kind::Tag:
            return fmt::format("tag {}", place.name);
        case Spot::Kind::LocalTag:
            return "the tag " + place.name + " here";
        case Spot::Kind::Terraform:
            return fmt::format("terraform {}{}", place.name, pointer);
        case Spot::Kind::Document:
            return place.name;
        case Spot::Kind::File:
            break;
    }
    return "file " + place.name;
}

std::string shown(const OthersWrite& write) {
    constexpr std::size_t most = 60;
    std::string value = write.value ? printed(*write.value, -1) : "";
    if (value.size() > most) value = value.substr(0, most) + "..";
    return fmt::format("{} was {} at {}", shown(write.place),
                       !write.value                 ? "deleted"
                       : write.deed == Deed::Remake ? "made anew"
                                                    : "set to " + value,
                       timestamp(write.time));
}

}  // namespace migc::runtime::inline world
