// Jobs that are started by hand from a cron job.
#include <filesystem>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/rollout.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

constexpr std::int64_t pause_ms = 1'000;
constexpr std::int64_t usual_limit_ms = std::int64_t{10} * 60'000;
constexpr std::size_t longest_prefix = 40;  // names of jobs have at most 63 characters

struct Job {
    std::string cron_job;
    std::string name;
    [[nodiscard]] std::string written() const { return "job/" + name; }
};

bool is_of(const json& job, const std::string& cron_job) {
    return text_field(job, "/metadata/ownerReferences/0/name") == cron_job;
}

// The last line that the job's pods wrote, with the pod's own trouble before it.
std::string last_words(Host& host, const Job& job) {
    const auto pods = list_objects(host, {"pods", "-l", "job-name=" + job.name});
    if (!pods || pods->empty()) return {};
    const json& pod = pods->back();
    const Answer log = host.run("kubectl", {"logs", name_of(pod), "--tail=1"});
    std::string line = log.succeeded() ? log.output : "";
    while (!line.empty() && line.back() == '\n') line.pop_back();
    const std::string trouble = pod_trouble(pod).text;
    return fmt::format("{}{}{}", trouble, trouble.empty() || line.empty() ? "" : ": ", line);
}

Answer failed(Host& host, const Job& job, const json& object) {
    const std::string words = last_words(host, job);
    return refused("job {} failed: {}{}{}; it is left there to be looked at", job.name,
                   text_field(condition(object, "Failed"), "/reason"), words.empty() ? "" : "; ", words);
}

void remove(Host& host, const Job& job) {
    host.run("kubectl", {"delete", job.written(), "--ignore-not-found", "--wait=false"});
}

// What keeps the job's pods from ever starting; empty if nothing does.
std::string permanent(Host& host, const Job& job) {
    const auto pods = list_objects(host, {"pods", "-l", "job-name=" + job.name});
    if (!pods) return {};
    for (const json& pod : *pods)
        if (PodTrouble trouble = pod_trouble(pod); trouble.permanent) return trouble.text;
    return {};
}

std::optional<Answer> look(Host& host, const Job& job) {
    const auto object = get_object(host, job.written());
    if (!object) return std::nullopt;
    if (object->is_null())
        return cut_off(fmt::format("job {} was deleted by somebody while it was waited for", job.name));
    if (holds(*object, "Failed")) return failed(host, job, *object);
    if (holds(*object, "Complete")) {
        const std::string words = last_words(host, job);
        remove(host, job);
        return well(words + "\n");
    }
    const std::string trouble = permanent(host, job);
    if (trouble.empty()) return std::nullopt;
    remove(host, job);
    return refused("job {} cannot start, so it was removed again: {}", job.name, trouble);
}

Answer wait_for(Host& host, const Job& job) {
    const std::int64_t limit = host.limit_ms() > 0 ? host.limit_ms() : usual_limit_ms;
    const Time deadline = host.now() + limit;
    while (host.now() < deadline) {
        if (auto answer = look(host, job)) return *answer;
        host.sleep_until(std::min(deadline, host.now() + pause_ms));
    }
    return cut_off(fmt::format("job {} was not through within {}, and may go on", job.name,
                               show(Value(Duration{limit}))));
}

// As the API server wants names; anything else would mean something else to kubectl.
bool is_name(const std::string& text) {
    return text.size() <= 253 && RE2::FullMatch(text, "[a-z0-9]([-a-z0-9.]*[a-z0-9])?");
}

}  // namespace

// Captured before the job is made, so that a second try meets the first one's job and starts no other.
static Reading job_name(Host& host, const Arguments& arguments) {
    const std::string cron_job = text_argument(arguments, 0);
    const std::string run = std::filesystem::path(host.setting("run-folder")).filename().string();
    const std::string moment = fmt::format("{} {} {}", host.now(), run, cron_job);
    return {
        Value(fmt::format("{}-migc-{}", cron_job.substr(0, longest_prefix), sha256(moment).substr(0, 10))),
        {},
        false};
}

static Answer run_job(Host& host, const Arguments& arguments) {
    const Job job = {text_argument(arguments, 0), text_argument(arguments, 1)};
    if (!is_name(job.cron_job))
        return not_started(fmt::format("`{}` is no name of a cron job", job.cron_job));
    const Answer made =
        host.run("kubectl", {"create", "job", job.name, "--from=cronjob/" + job.cron_job, "-o", "name"});
    if (!made.succeeded()) {
        // The answer may have got lost on the way, or an earlier try has made it.
        const auto object = get_object(host, job.written());
        if (!object) return cut_off(object.error());
        if (object->is_null() || !is_of(*object, job.cron_job))
            return not_started(complaint("kubectl", made));
    }
    return wait_for(host, job);
}

static Preview preview_run_job(Host& host, const Arguments& arguments) {
    return shown_command(host, {"create", "job", text_argument(arguments, 1),
                                "--from=cronjob/" + text_argument(arguments, 0)});
}

const Rows jobs_rows([]() -> std::vector<Row> {
    return {
        // [cron job]: a name that no job has
        reads("new-job-name", job_name),
        // [cron job, name]
        does("run-job", run_job, preview_run_job).reaches({Reach::Of::AnyObject}),
    };
});

}  // namespace migc::runtime::inline natives
