// Saved plans: made with a record of what they were made from, applied once, found again in the state.
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>

#include "compiler/source/sha256.hpp"
#include "runtime/natives/entries.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/terraform.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;
using Done = tl::expected<void, std::string>;

// Beside the plan: what it was made from, and how far its apply has come.
std::string record_file(const std::string& plan) {
    return plan + ".json";
}
std::string progress_file(const std::string& plan) {
    return plan + ".apply";
}

tl::expected<std::string, std::string> configuration_digest(Host& host) {
    const Reading digest = folder_digest(host, {Value(host.setting("terraform-dir"))});
    if (const auto* no = digest.value.get_if<Unknown>()) return tl::unexpected(no->reason);
    return show(digest.value);
}

// "" where there is none: a replayed run makes no plan file.
std::string file_digest(const std::string& path) {
    const auto bytes = read_bytes(path);
    return bytes ? sha256(*bytes) : std::string();
}

// What a plan is made from.
struct Origin {
    StateIdentity state;
    std::string configuration;
};

tl::expected<Origin, std::string> present_origin(Host& host) {
    if (auto left = state_left_behind(host)) return tl::unexpected(*left);
    auto configuration = configuration_digest(host);
    if (!configuration) return tl::unexpected(configuration.error());
    auto state = state_identity(host);
    if (!state) return tl::unexpected(state.error());
    return Origin{*state, std::move(*configuration)};
}

Done write_record(const std::string& plan, const Origin& origin) {
    ::chmod(plan.c_str(), 0600);  // terraform leaves it readable, with every secret of the state in it
    return write_private(record_file(plan), json{{"lineage", origin.state.lineage},
                                                 {"serial", origin.state.serial},
                                                 {"configuration", origin.configuration},
                                                 {"plan", file_digest(plan)}}
                                                .dump());
}

json read_json(const std::string& path) {
    const auto text = read_bytes(path);
    return text ? json::parse(*text, nullptr, false) : json();
}

std::vector<std::string> plan_command(const Arguments& arguments) {
    std::vector<std::string> command = {"plan", "-input=false", "-no-color", "-lock-timeout=60s"};
    if (const std::string variables = text_argument(arguments, 1); !variables.empty())
        command.push_back("-var-file=" + variables);
    if (const std::string address = text_argument(arguments, 2); !address.empty())
        command.insert(command.end(), {"-destroy", "-target=" + address});
    command.push_back("-out=" + text_argument(arguments, 0));
    return command;
}

std::vector<std::string> apply_command(const Arguments& arguments) {
    return {"apply", "-input=false", "-no-color", "-lock-timeout=60s", text_argument(arguments, 0)};
}

std::string typed(std::vector<std::string> command) {
    command.insert(command.begin(), "terraform");
    return shown(command);
}

Reading does_not_fit(std::string why) {
    return {Value(false), why + ": make a new plan, and review that", true};
}

// terraform says so when it could write the state nowhere but on the terminal.
bool has_lost_state(const Answer& answer) {
    return answer.errors.find("prevented Terraform from writing the updated state") != std::string::npos;
}

enum class Progress { NotBegun, Begun, Ended, EndedWell };

Progress progress_of(const std::string& plan) {
    const json progress = read_json(progress_file(plan));
    if (progress.is_null()) return Progress::NotBegun;
    if (!field(progress, "/status").is_number_integer()) return Progress::Begun;
    return int_field(progress, "/status") == 0 ? Progress::EndedWell : Progress::Ended;
}

Done write_ended(const std::string& plan, int status) {
    return write_private(progress_file(plan), json{{"status", status}}.dump());
}

// What is destroyed loses what it held, and an undo brings it back empty.
Answer with_losses(Host& host, const std::string& file, Answer answer) {
    const auto plan = answer.succeeded() ? read_plan(host, file) : PlanSummary{};
    std::vector<std::string> lost;
    for (const PlannedChange& change : plan ? plan->touched : std::vector<PlannedChange>{})
        if (change.what == "destroy" || change.what == "replace") lost.push_back(change.address);
    if (!lost.empty())
        answer.errors += fmt::format("\nWarning: what {} held is lost; if it is created again, it is empty",
                                     enumerate(lost));
    return answer;
}

// Whoever reads the state after an apply that was cut off sees only what was written down in time.
std::optional<std::string> doubt(const std::string& file, const PlanSummary& plan,
                                 const std::map<std::string, StateEntry>& state) {
    if (progress_of(file) != Progress::Begun) return std::nullopt;
    const auto missing = not_created(plan, state);
    if (missing.empty()) return std::nullopt;
    return fmt::format(
        "terraform was cut off while it applied {}: {} may have been created without being written into the "
        "state. A person looks for it at the provider: what is there is imported with `terraform import`, or "
        "removed",
        file, enumerate(missing));
}

Reading as_list(const std::vector<std::string>& facts) {
    if (facts.empty()) return absent();
    List list;
    for (const std::string& fact : facts) list.emplace_back(fact);
    return {Value(std::move(list)), {}, false};
}

}  // namespace

// [arguments..]: init and the like, with their complaint on one line.
Answer terraform_run(Host& host, const Arguments& arguments) {
    std::vector<std::string> command;
    for (const Value& one : arguments) command.push_back(show(one));
    return told_plainly(host.run("terraform", command));
}

std::string preview_terraform_run(Host&, const Arguments& arguments) {
    std::vector<std::string> command;
    for (const Value& one : arguments) command.push_back(show(one));
    return typed(command);
}

// What the plan is made from is read first: what changes while terraform plans is then noticed by `fits`.
Answer terraform_plan(Host& host, const Arguments& arguments) {
    const auto origin = present_origin(host);
    if (!origin) return refused(origin.error());
    Answer answer = told_plainly(host.run("terraform", plan_command(arguments)));
    if (!answer.succeeded()) return answer;
    if (const Done written = write_record(text_argument(arguments, 0), *origin); !written)
        return refused(written.error());
    return answer;
}

std::string preview_terraform_plan(Host&, const Arguments& arguments) {
    return typed(plan_command(arguments));
}

Reading plan_fits(Host& host, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0);
    const json record = read_json(record_file(file));
    if (!record.is_object())
        return mistaken(
            fmt::format("nothing is recorded of how {} was made, so nobody can say whether it is "
                        "still what was reviewed: only `plan terraform` makes plans",
                        file.empty() ? "the plan" : file));
    if (file_digest(file) != text_field(record, "/plan"))
        return does_not_fit(fmt::format("{} is not the file any more that was planned and reviewed", file));
    if (progress_of(file) == Progress::Begun || progress_of(file) == Progress::EndedWell)
        return does_not_fit(fmt::format("{} was applied before", file));
    const auto now = present_origin(host);
    if (!now) return mistaken(now.error());
    if (now->configuration != text_field(record, "/configuration"))
        return does_not_fit("the configuration was changed after the plan was made");
    const StateIdentity planned{text_field(record, "/lineage"), int_field(record, "/serial")};
    if (now->state.lineage != planned.lineage && !planned.lineage.empty())
        return does_not_fit(fmt::format("the plan was made for another state (lineage {}, now it is {})",
                                        planned.lineage, now->state.lineage));
    if (now->state != planned)
        return does_not_fit(
            fmt::format("somebody applied meanwhile: the plan was made from serial {} of the "
                        "state, which is at {} now",
                        planned.serial, now->state.serial));
    return {Value(true), {}, false};
}

// That it has begun is written down before, that it has ended after: a cut between them is noticed. A plan
// that it has taken back is settled with it, however its own apply was cut off.
Answer terraform_apply(Host& host, const Arguments& arguments) {
    const std::string plan = text_argument(arguments, 0), taken_back = text_argument(arguments, 1);
    if (const Done begun = write_private(progress_file(plan), json{{"begun", host.now()}}.dump()); !begun)
        return refused(begun.error());
    Answer answer = host.run("terraform", apply_command(arguments));
    if (answer.ending == Ending::NotStarted) {
        std::error_code ignored;
        std::filesystem::remove(progress_file(plan), ignored);
    }
    if (answer.ending != Ending::Exited || has_lost_state(answer)) return told_plainly(std::move(answer));
    if (const Done ended = write_ended(plan, answer.status); !ended) return refused(ended.error());
    if (answer.succeeded() && !taken_back.empty())
        if (const Done ended = write_ended(taken_back, 0); !ended) return refused(ended.error());
    return told_plainly(with_losses(host, plan, std::move(answer)));
}

std::string preview_terraform_apply(Host&, const Arguments& arguments) {
    return typed(apply_command(arguments));
}

Reading planned_facts(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, text_argument(arguments, 0));
    return plan ? as_list(facts_of(*plan)) : unknown(plan.error());
}

Reading present_facts(Host& host, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0);
    const auto plan = read_plan(host, file);
    if (!plan) return unknown(plan.error());
    if (const auto left = state_left_behind(host)) return mistaken(*left);
    const auto shown = shown_state(host);
    if (!shown) return unknown(shown.error());
    const auto state = entries_of(*shown);
    if (const auto problem = doubt(file, *plan, state)) return mistaken(*problem);
    return as_list(facts_in(*plan, state, progress_of(file) == Progress::EndedWell));
}

}  // namespace migc::runtime
