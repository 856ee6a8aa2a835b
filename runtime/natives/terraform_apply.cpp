// Saved plans: made with a record of what they were made from, applied once, found again in the state.
#include <fmt/format.h>

#include "runtime/natives/ownership.hpp"
#include "runtime/natives/project_files.hpp"
#include "runtime/natives/refusals.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/saved_plan.hpp"

namespace migc::runtime::inline natives {
namespace {

using Done = tl::expected<void, std::string>;

tl::expected<std::string, std::string> configuration_digest(Host& host) {
    const Reading digest = folder_digest(host, {Value(host.setting("terraform-dir"))});
    if (const auto* no = digest.value.get_if<Unknown>()) return tl::unexpected(no->reason);
    return show(digest.value);
}

tl::expected<PlanOrigin, std::string> present_origin(Host& host) {
    if (auto left = state_left_behind(host)) return tl::unexpected(*left);
    auto configuration = configuration_digest(host);
    if (!configuration) return tl::unexpected(configuration.error());
    auto state = state_identity(host);
    if (!state) return tl::unexpected(state.error());
    return PlanOrigin{*state, std::move(*configuration)};
}

std::vector<std::string> plan_command(const Arguments& arguments) {
    std::vector<std::string> command = {"plan", "-input=false", "-no-color", "-lock-timeout=60s"};
    if (const std::string variables = text_argument(arguments, 1); !variables.empty())
        command.push_back("-var-file=" + variables);
    if (const std::string address = text_argument(arguments, 2); !address.empty())
        append(command, {"-destroy", "-target=" + address});
    command.push_back("-out=" + text_argument(arguments, 0));
    return command;
}

std::vector<std::string> apply_command(const Arguments& arguments) {
    return {"apply", "-input=false", "-no-color", "-lock-timeout=60s", text_argument(arguments, 0)};
}

// As it is run, so that it means the same from every folder.
std::string typed(Host& host, std::vector<std::string> command) {
    command.insert(command.begin(), {"terraform", "-chdir=" + host.setting("terraform-dir")});
    return shown(command);
}

Reading does_not_fit(const std::string& why) {
    return never(why + ": make a new plan, and review that");
}

// terraform says so when it could write the state nowhere but on the terminal.
bool has_lost_state(const Answer& answer) {
    return answer.errors.find("prevented Terraform from writing the updated state") != std::string::npos;
}

// What is destroyed loses what it held, and an undo brings it back empty.
Answer with_losses(const PlanSummary& plan, Answer answer) {
    std::vector<std::string> lost;
    for (const PlannedChange& change : plan.touched)
        if (change.what == "destroy" || change.what == "replace") lost.push_back(change.address);
    if (answer.succeeded() && !lost.empty())
        answer.errors += fmt::format("\nWarning: what {} held is lost; if it is created again, it is empty",
                                     enumerate(lost));
    return answer;
}

// Whoever reads the state after an apply that was cut off sees only what was written down in time.
std::optional<std::string> doubt(const std::string& file, const PlanSummary& plan,
                                 const std::map<std::string, StateEntry>& state) {
    if (progress_of(file) != ApplyProgress::Begun) return std::nullopt;
    const auto missing = not_created(plan, state);
    if (missing.empty()) return std::nullopt;
    return fmt::format(
        "terraform was interrupted while it applied {}: {} may have been created without being written into the "
        "state. A person looks for it at the provider: what is there is imported with `terraform import`, or "
        "removed",
        file, enumerate(missing));
}

Reading as_list(const std::vector<std::string>& facts) {
    return facts.empty() ? absent() : Reading{list_of(facts)};
}

}  // namespace

// [arguments..]: init and the like, with their complaint on one line.
static Answer terraform_run(Host& host, const Arguments& arguments) {
    return told_plainly(host.run("terraform", words_of(arguments)));
}

static std::string preview_terraform_run(Host& host, const Arguments& arguments) {
    return typed(host, words_of(arguments));
}

// What the plan is made from is read first: what changes while terraform plans is then noticed by `fits`.
// Only the workspace can be switched there and back.
static Answer terraform_plan(Host& host, const Arguments& arguments) {
    const auto origin = present_origin(host);
    if (!origin) return refused(origin.error());
    Answer answer = told_plainly(host.run("terraform", plan_command(arguments)));
    if (!answer.succeeded()) return answer;
    const auto workspace = selected_workspace(host);
    if (!workspace) return went_wrong(workspace.error());
    if (*workspace != origin->state.workspace)
        return went_wrong(fmt::format("somebody switched the workspace from {} to {} while terraform planned",
                                      origin->state.workspace, *workspace));
    if (const Done written = write_origin(text_argument(arguments, 0), *origin); !written)
        return went_wrong(written.error());
    return answer;
}

static std::string preview_terraform_plan(Host& host, const Arguments& arguments) {
    return typed(host, plan_command(arguments));
}

static Reading plan_fits(Host& host, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0);
    const auto planned = origin_of(file);
    if (!planned)
        return mistaken(
            "nothing is recorded of how {} was made, so nobody can say whether it is "
            "still what was reviewed: only `plan terraform` makes plans",
            file.empty() ? "the plan" : file);
    if (!is_as_made(file))
        return does_not_fit(fmt::format("{} is not the file any more that was planned and reviewed", file));
    if (progress_of(file) == ApplyProgress::Begun || progress_of(file) == ApplyProgress::EndedWell)
        return does_not_fit(fmt::format("{} was applied before", file));
    const auto now = present_origin(host);
    if (!now) return mistaken(now.error());
    if (now->configuration != planned->configuration)
        return does_not_fit("the configuration was changed after the plan was made");
    if (const auto other = other_state(file, now->state)) return never(*other);
    if (now->state.lineage != planned->state.lineage || now->state.serial != planned->state.serial)
        return does_not_fit(
            fmt::format("somebody applied meanwhile: the plan was made from serial {} of the "
                        "state, which is at {} now",
                        planned->state.serial, now->state.serial));
    return {Value(true)};
}

namespace {

// What terraform did is written into a file by itself, so that it can be read also after migc was killed.
Answer run_apply(Host& host, const Arguments& arguments) {
    const std::string output = output_file_of(text_argument(arguments, 0));
    Answer answer = host.perform({"terraform", apply_command(arguments), {}, output, {}, host.limit_ms()});
    // Before it asks a provider for anything it says so: where it has not, nothing was done.
    answer.refused =
        answer.ending == Ending::Exited && answer.status != 0 && !has_begun("terraform", answer.output);
    return answer;
}

// What is there after an apply that failed in the middle is this plan's, too: it had the lock.
Answer note_what_is_left(Host& host, const std::string& plan, Answer answer) {
    const auto summary = read_plan(host, plan);
    if (!summary) return answer;
    if (const Done left = write_left(host, plan, *summary); !left)
        answer.errors +=
            fmt::format("\nWarning: what the apply left could not be written down: {}", left.error());
    return with_losses(*summary, std::move(answer));
}

}  // namespace

// That it has begun is written down before, that it has ended after: a cut between them is noticed. A plan
// that it has taken back is settled with it, however its own apply was cut off.
static Answer terraform_apply(Host& host, const Arguments& arguments) {
    const std::string plan = text_argument(arguments, 0), taken_back = text_argument(arguments, 1);
    if (const Done begun = write_begun(plan, host.now()); !begun) return refused(begun.error());
    Answer answer = run_apply(host, arguments);
    if (answer.ending == Ending::NotStarted || answer.refused) forget_begun(plan);
    if (answer.ending != Ending::Exited || answer.refused || has_lost_state(answer))
        return told_plainly(std::move(answer));
    if (const Done ended = write_ended(plan, answer.status); !ended) return went_wrong(ended.error());
    if (answer.succeeded() && !taken_back.empty())
        for (const Done& noted : {write_ended(taken_back, 0), write_taken_back(taken_back)})
            if (!noted) return went_wrong(noted.error());
    return told_plainly(note_what_is_left(host, plan, std::move(answer)));
}

static std::string preview_terraform_apply(Host& host, const Arguments& arguments) {
    return typed(host, apply_command(arguments));
}

static Reading planned_facts(Host& host, const Arguments& arguments) {
    const auto plan = read_plan(host, text_argument(arguments, 0));
    return plan ? as_list(facts_of(*plan)) : unknown(plan.error());
}

// Of another state nothing can be said; and what somebody else has changed since is told beside it, so that
// it is not taken for what this plan left.
static Reading present_facts(Host& host, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0);
    const auto plan = read_plan(host, file);
    if (!plan) return unknown(plan.error());
    if (const auto left = state_left_behind(host)) return mistaken(*left);
    const auto now = state_identity(host);
    if (!now) return unknown(now.error());
    if (const auto other = other_state(file, *now)) return mistaken(*other);
    const auto shown = shown_state(host);
    if (!shown) return unknown(shown.error());
    const auto state = entries_of(*shown);
    if (const auto problem = doubt(file, *plan, state)) return mistaken(*problem);
    auto facts = facts_in(*plan, state, progress_of(file) == ApplyProgress::EndedWell);
    for (const std::string& address : changed_since_apply(file, *plan, state))
        facts.push_back(address + " is not as this plan left it");
    return written_by_us(host, as_list(facts), was_accepted(file));
}

const Rows terraform_apply_rows([]() -> std::vector<Row> {
    return {
        // [plan]: bool
        reads("plan-fits", plan_fits),
        // [plan]: list of string, or absent
        reads("planned-facts", planned_facts),
        // [plan]: list of string, or absent
        reads("present-facts", present_facts),
        // [arguments..]
        edits("terraform-run", terraform_run, preview_terraform_run)
            .exclusive()
            .is_its_preview()
            .reaches({Reach::Of::Preparation}),
        // [file, var-file, address to destroy]
        edits("terraform-plan", terraform_plan, preview_terraform_plan)
            .exclusive()
            .is_its_preview()
            .reaches({Reach::Of::Nothing}),
        // [plan]
        edits("terraform-apply", terraform_apply, preview_terraform_apply)
            .exclusive()
            .is_its_preview()
            .reaches({Reach::Of::Infrastructure}),
    };
});

}  // namespace migc::runtime::inline natives
