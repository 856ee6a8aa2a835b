#include <filesystem>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/support/text.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/terraform.hpp"

namespace migc::runtime::inline natives {
namespace {

// The rest of the line behind `name`; "" if there is none.
std::string line_behind(const std::string& text, const std::string& name) {
    const auto at = text.find(name);
    if (at == std::string::npos) return {};
    const auto begin = text.find_first_not_of(' ', at + name.size());
    if (begin == std::string::npos) return {};
    return std::string(trimmed(text.substr(begin, text.find('\n', begin) - begin)));
}

// Some backends name the lock that is held only beside their complaint, and then describe the one that was
// asked for.
std::string held_lock(const std::string& text) {
    const std::string held = line_behind(text, "already locked: ID="), described = line_behind(text, "ID:");
    const bool known = held.empty() || held == described;
    const std::string& lock = known ? described : held;
    const std::string since = line_behind(text, "Created:");
    const std::string holder =
        known ? fmt::format("by {}{} ({}, lock {})", line_behind(text, "Who:"),
                            since.empty() ? "" : " since " + since, line_behind(text, "Operation:"), lock)
              : fmt::format("(lock {}; terraform does not say by whom)", lock);
    return fmt::format(
        "the state is locked {}: wait until that has ended; if it is dead, `terraform force-unlock {}` is a "
        "person's decision",
        holder, lock);
}

// terraform draws a frame around its messages, in colours.
void remove_frames(std::string& text) {
    for (const char* frame : {"\u2577", "\u2502", "\u2575"})
        for (auto at = text.find(frame); at != std::string::npos; at = text.find(frame, at))
            text.replace(at, std::string_view(frame).size(), " ");
    static const RE2 colours("\x1b\\[[0-9;]*m");
    RE2::GlobalReplace(&text, colours, "");
}

}  // namespace

std::string terraform_complaint(Answer answer) {
    remove_frames(answer.errors);
    if (answer.errors.find("Error acquiring the state lock") != std::string::npos &&
        !line_behind(answer.errors, "Who:").empty())
        return "terraform: " + held_lock(answer.errors);
    // Warnings stand before the error.
    if (const auto error = answer.errors.find("Error: "); error != std::string::npos)
        answer.errors.erase(0, error);
    return complaint("terraform", answer);
}

Answer told_plainly(Answer answer) {
    if (answer.succeeded() || answer.ending != Ending::Exited) return answer;
    const std::string said = terraform_complaint(answer);
    answer.errors = said.starts_with("terraform: ") ? said.substr(11) : said;
    return answer;
}

PrintedJson printed_json(const Answer& answer) {
    if (!answer.succeeded()) return tl::unexpected(terraform_complaint(answer));
    if (answer.truncated) return failure("terraform: the answer is too long to be read");
    auto parsed = json::parse(answer.output, nullptr, false);
    if (!parsed.is_object()) return failure("terraform: the answer is not JSON");
    return parsed;
}

tl::expected<PlanSummary, std::string> read_plan(Host& host, const std::string& file) {
    if (file.empty()) return failure("there is no plan to read");
    const auto plan = printed_json(host.run("terraform", {"show", "-json", file}));
    if (!plan) return tl::unexpected(plan.error());
    return summarize(*plan);
}

PrintedJson shown_state(Host& host) {
    return printed_json(host.run("terraform", {"show", "-json"}));
}

tl::expected<std::string, std::string> selected_workspace(Host& host) {
    const Answer answer = host.run("terraform", {"workspace", "show"});
    if (!answer.succeeded()) return tl::unexpected(terraform_complaint(answer));
    std::string name(trimmed(answer.output));
    if (name.empty()) return failure("terraform does not say which workspace is selected");
    return name;
}

tl::expected<StateIdentity, std::string> state_identity(Host& host) {
    auto workspace = selected_workspace(host);
    if (!workspace) return tl::unexpected(workspace.error());
    const Answer answer = host.run("terraform", {"state", "pull"});
    if (answer.succeeded() && answer.output.find_first_not_of(" \r\n\t") == std::string::npos)
        return StateIdentity{std::move(*workspace), {}, 0};
    const auto state = printed_json(answer);
    if (!state) return tl::unexpected(state.error());
    return StateIdentity{std::move(*workspace), text_field(*state, "/lineage"), int_field(*state, "/serial")};
}

std::optional<std::string> state_left_behind(Host& host) {
    const std::filesystem::path file =
        std::filesystem::path(host.setting("terraform-dir")) / "errored.tfstate";
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return std::nullopt;
    return fmt::format(
        "an apply could not store the state and left it in {}: what really exists may be known only there. A "
        "person compares it and runs `terraform state push errored.tfstate`, then removes the file",
        file.string());
}

}  // namespace migc::runtime::inline natives
