// Single files, into containers and out of them.
#include <filesystem>

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/backup.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/pod_path.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

bool is_missing(const Answer& answer) {
    return answer.ending == Ending::Exited &&
           answer.errors.find("No such file or directory") != std::string::npos;
}

struct Target {
    PodPlace place;
    std::string path;
};

// Of [.., path, workload, container or absent]; permanent where waiting cannot mend it.
tl::expected<Target, NoPlace> target_of(Host& host, const Arguments& arguments, std::size_t index) {
    const auto path = pod_path(text_argument(arguments, index));
    if (!path || *path == "/") return tl::unexpected(NoPlace{path ? "`/` is no file" : path.error(), true});
    const auto place =
        find_place(host, argument(arguments, index + 1), text_argument(arguments, index + 2), Choice::Only);
    if (!place) return tl::unexpected(place.error());
    return Target{*place, *path};
}

std::string folder_of(const std::string& path) {
    return fs::path(path).parent_path().string();
}

std::string name_in(const std::string& path) {
    return fs::path(path).filename().string();
}

// Below the folder of the file, which must be there: a file is put into no folder that nobody made.
Answer put(Host& host, const Target& target, const std::string& file) {
    const auto content = read_bytes(file);
    if (!content) return not_started(content.error());
    std::error_code error;
    const auto mode = static_cast<unsigned>(fs::status(file, error).permissions()) & 0777U;
    const auto archive = write_archive({{name_in(target.path), false, mode, *content}}, false);
    if (!archive) return refused(archive.error());
    const std::vector<std::string> command = {"tar", "xf", "-", "-o", "-C", folder_of(target.path)};
    return exec_outcome(target.place, command,
                        host.run("kubectl", exec_arguments(target.place, command, true), *archive));
}

}  // namespace

// [path, workload, container or absent]
static Reading pod_file_digest(Host& host, const Arguments& arguments) {
    const auto target = target_of(host, arguments, 0);
    if (!target) return not_known(target.error().why, target.error().permanent);
    const std::vector<std::string> command = {"cat", target->path};
    const Answer answer = host.run("kubectl", exec_arguments(target->place, command));
    if (answer.succeeded() && answer.truncated)
        return mistaken(target->path + " is too large to be read whole");
    if (answer.succeeded()) return {Value("sha256:" + sha256(answer.output))};
    if (is_missing(answer)) return absent(target->path + " does not exist");
    return not_known(exec_problem(target->place, command, answer), lacks_program(answer));
}

// [file]
static Reading local_file_digest(Host&, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0);
    std::error_code error;
    if (!fs::exists(file, error) && !error) return absent(file + " does not exist");
    const auto content = read_bytes(file);
    return content ? Reading{Value("sha256:" + sha256(*content))} : mistaken(content.error());
}

// [path, workload, container or absent, archive]: nothing is written where there is no such file.
static Answer write_kept_file(Host& host, const Arguments& arguments) {
    const auto target = target_of(host, arguments, 0);
    if (!target) return not_started(target.error().why);
    const Reading there = pod_file_digest(host, arguments);
    if (there.value.is_unknown()) return refused(there.why);
    if (there.value.is_absent()) return well("");
    return archive_path(host, target->place, target->path, text_argument(arguments, 3), false);
}

// [file, path, workload, container or absent]
static Answer put_pod_file(Host& host, const Arguments& arguments) {
    const auto target = target_of(host, arguments, 1);
    return target ? put(host, *target, text_argument(arguments, 0)) : not_started(target.error().why);
}

// [archive, path, workload, container or absent]: the file that was kept, or none if none was there.
static Answer restore_pod_file(Host& host, const Arguments& arguments) {
    const auto target = target_of(host, arguments, 1);
    if (!target) return not_started(target.error().why);
    const std::string kept = text_argument(arguments, 0);
    std::error_code error;
    if (fs::exists(kept, error)) return extract_archive(host, target->place, kept);
    return remove_entries(host, target->place, {{entry_of(target->path), false, 0, {}}});
}

// [path, workload, container or absent, file]
static Answer write_pod_file(Host& host, const Arguments& arguments) {
    const auto target = target_of(host, arguments, 0);
    if (!target) return not_started(target.error().why);
    const std::string file = text_argument(arguments, 3), part = file + ".part";
    std::error_code error;
    fs::create_directories(fs::path(file).parent_path(), error);
    const std::vector<std::string> command = {"cat", target->path};
    const Answer answer = exec_outcome(
        target->place, command,
        host.perform({"kubectl", exec_arguments(target->place, command), {}, part, {}, host.limit_ms()}));
    if (!answer.succeeded()) return answer;
    if (const auto named = name_without_loss(part, file); !named) return refused(named.error());
    return well(fmt::format("sha256:{}\n", answer.output_digest));
}

static Preview preview_put_pod_file(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 1));
    const auto name = workload_argument(host, argument(arguments, 2));
    if (!path || !name) return {};
    return shown_command(host,
                         {"exec", name->written, "-i", "--", "tar", "xf", "-", "-o", "-C", folder_of(*path)});
}

static Preview preview_write_pod_file(Host& host, const Arguments& arguments) {
    const auto path = pod_path(text_argument(arguments, 0));
    const auto name = workload_argument(host, argument(arguments, 1));
    return path && name ? shown_command(host, {"exec", name->written, "--", "cat", *path}) : Preview();
}

const Rows pod_files_rows([]() -> std::vector<Row> {
    return {
        reads("pod-file-digest", pod_file_digest),
        // [file]: string, or absent
        reads("local-file-digest", local_file_digest),
        // [path, workload, container or absent, archive]
        edits("write-kept-file", write_kept_file, preview_write_pod_file)
            .reaches({Reach::Of::WrittenFile, 3, "", 2}),
        // [file, path, workload, container or absent]
        does("put-pod-file", put_pod_file, preview_put_pod_file).reaches({Reach::Of::Pods}),
        // [archive, path, workload, container or absent]
        does("restore-pod-file", restore_pod_file, preview_put_pod_file)
            .reaches({Reach::Of::Pods})
            .by_hand(pod_file_by_hand),
        // [path, workload, container or absent, file]
        edits("write-pod-file", write_pod_file, preview_write_pod_file)
            .reaches({Reach::Of::WrittenFile, 3, "", 2}),
    };
});

}  // namespace migc::runtime::inline natives
