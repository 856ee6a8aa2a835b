// Files that come out of terraform: backups of the state, and the kubeconfig in an output.
#include <filesystem>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "compiler/documents/yaml_tree.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/terraform.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;
using Text = tl::expected<std::string, std::string>;

constexpr std::size_t kubeconfig_limit = std::size_t{1} << 20;

// The secret itself: it stays in this file and in the one that it is written to.
Text output_text(Host& host, const std::string& name) {
    const auto outputs = printed_json(host.run("terraform", {"output", "-json"}));
    if (!outputs) return tl::unexpected(outputs.error());
    if (!outputs->contains(name)) return failure("terraform has no output {}", name);
    const json& value = field(outputs->at(name), "/value");
    if (!value.is_string()) return failure("output {} is no text", name);
    return value.get<std::string>();
}

// The part of a list that has a name, as kubeconfigs have them; null if there is none.
json named(const json& list, const std::string& name) {
    for (const json& one : list.is_array() ? list : json::array())
        if (text_field(one, "/name") == name && !name.empty()) return one;
    return nullptr;
}

struct ClusterIdentity {
    std::string server;
    std::string authority;
};

tl::expected<ClusterIdentity, std::string> identity_in(const std::string& kubeconfig) {
    std::optional<json> root;
    if (kubeconfig.size() <= kubeconfig_limit)
        root = documents::yaml_to_json(kubeconfig, documents::Scalars::Texts);
    if (root) {
        const json context = named(field(*root, "/contexts"), text_field(*root, "/current-context"));
        const json cluster = named(field(*root, "/clusters"), text_field(context, "/context/cluster"));
        ClusterIdentity identity{text_field(cluster, "/cluster/server"),
                                 text_field(cluster, "/cluster/certificate-authority-data")};
        if (!identity.server.empty()) return identity;
    }
    return failure("no kubeconfig whose current context leads to a cluster");
}

std::string time_stamp(Time now) {
    return fmt::format("{:%Y%m%d-%H%M%S}", fmt::gmtime(static_cast<std::time_t>(now / 1000)));
}

// One that is there, not what it leads to.
bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

}  // namespace

static Reading fresh_state_backup(Host& host, const Arguments& arguments) {
    const fs::path folder = fs::path(host.setting("root")) / text_argument(arguments, 0);
    const std::string stamp = time_stamp(host.now());
    fs::path path = folder / fmt::format("terraform-{}.tfstate", stamp);
    for (int i = 2; is_there(path); ++i) path = folder / fmt::format("terraform-{}-{}.tfstate", stamp, i);
    return {Value(path.lexically_normal().string())};
}

// Read back: a backup that cannot be read is none.
static Answer write_state_backup(Host& host, const Arguments& arguments) {
    const fs::path file = text_argument(arguments, 0);
    const Answer answer = host.run("terraform", {"state", "pull"});
    const auto state = printed_json(answer);
    if (!state) return refused(answer.succeeded() ? "there is no state to back up" : state.error());
    if (text_field(*state, "/lineage").empty()) return refused("what terraform gave is no state");
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) return refused("{}: {}", file.parent_path().string(), error.message());
    if (const auto written = write_private(file, answer.output, host.setting("root")); !written)
        return refused(written.error());
    const auto back = read_bytes(file);
    if (!back || *back != answer.output)
        return went_wrong(fmt::format("{} does not hold what was written to it", file.string()));
    return well(fmt::format("sha256 {}\n", sha256(*back)));
}

static std::string preview_state_backup(Host& host, const Arguments& arguments) {
    return fmt::format("{}, into {}", shown(host.line_of("terraform", {"state", "pull"})),
                       text_argument(arguments, 0));
}

static Reading private_digest(Host&, const Arguments& arguments) {
    const fs::path file = text_argument(arguments, 0);
    if (!is_there(file)) return absent("{} is not there", file.string());
    const auto bytes = read_bytes(file);
    return bytes ? Reading{Value(sha256(*bytes))} : unknown(bytes.error());
}

static Reading terraform_output_digest(Host& host, const Arguments& arguments) {
    const Text text = output_text(host, text_argument(arguments, 0));
    return text ? Reading{Value(sha256(*text))} : unknown(text.error());
}

static Reading same_cluster(Host& host, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0);
    const fs::path file = text_argument(arguments, 1);
    const Text text = output_text(host, name);
    if (!text) return mistaken(text.error());
    const auto next = identity_in(*text);
    if (!next) return mistaken("output {} holds {}", name, next.error());
    if (!is_there(file)) return {Value(true), fmt::format("{} is not there yet", file.string())};
    const auto bytes = read_bytes(file);
    if (!bytes) return mistaken(bytes.error());
    const auto now = identity_in(*bytes);
    if (!now)
        return mistaken(
            "{} holds {}, so nobody can say whether it is the same cluster; whoever "
            "is sure moves the file away",
            file.string(), now.error());
    if (now->server != next->server)
        return never("output {} leads to {}, {} to {}: another cluster", name, next->server, file.string(),
                     now->server);
    if (now->authority == next->authority) return {Value(true)};
    return never("output {} has another certificate authority for {} than {}: perhaps another cluster", name,
                 next->server, file.string());
}

namespace {

// Why a file with credentials may not be written: it is not what it was ("": there was none).
std::optional<std::string> other_kubeconfig(Host& host, const fs::path& file, const std::string& expected) {
    if (host.setting("overwrite") == "yes") return std::nullopt;
    const auto bytes = is_there(file) ? read_bytes(file) : std::string();
    if (!bytes) return bytes.error();
    if ((is_there(file) ? sha256(*bytes) : "") == expected) return std::nullopt;
    return fmt::format("{} was changed by somebody else meanwhile; nothing is written", file.string());
}

}  // namespace

// The file from before is safe in the run's own folder before it is replaced. [output, file, where that is
// kept, the digest that it must still have or absent]
static Answer write_kubeconfig(Host& host, const Arguments& arguments) {
    const fs::path file = text_argument(arguments, 1), kept = text_argument(arguments, 2);
    const Text text = output_text(host, text_argument(arguments, 0));
    if (!text) return refused(text.error());
    const std::string expected = text_argument(arguments, 3);
    if (is_there(file)) {
        const auto before = read_bytes(file);
        if (!before) return refused(before.error());
        if (const auto written = write_private(kept, *before); !written) return refused(written.error());
    }
    // What is kept is read again: it is what the undo puts back.
    if (auto changed = other_kubeconfig(host, expected.empty() ? file : kept, expected))
        return refused(*changed);
    if (auto changed = other_kubeconfig(host, file, expected)) return refused(*changed);
    const auto written = write_private(file, *text, host.setting("root"));
    return written ? well("") : went_wrong(written.error());
}

static std::string preview_write_kubeconfig(Host& host, const Arguments& arguments) {
    return fmt::format("{}, {} of it into {}", shown(host.line_of("terraform", {"output", "-json"})),
                       text_argument(arguments, 0), text_argument(arguments, 1));
}

// [file, where the one from before is kept, the digest that it was left with]
static Answer write_kept_back(Host& host, const Arguments& arguments) {
    const fs::path file = text_argument(arguments, 0), kept = text_argument(arguments, 1);
    const auto before = is_there(kept) ? read_bytes(kept) : std::string();
    if (!before) return refused(before.error());
    if (auto changed = other_kubeconfig(host, file, text_argument(arguments, 2))) return left_alone(*changed);
    if (!is_there(kept)) {
        std::error_code error;
        fs::remove(file, error);
        return error ? refused("{}: {}", file.string(), error.message()) : well("");
    }
    const auto written = write_private(file, *before, host.setting("root"));
    return written ? well("") : went_wrong(written.error());
}

static std::string preview_write_kept_back(Host&, const Arguments& arguments) {
    const std::string file = text_argument(arguments, 0), kept = text_argument(arguments, 1);
    return is_there(kept) ? fmt::format("copy {} to {}", kept, file) : fmt::format("remove {}", file);
}

const Rows terraform_files_rows([]() -> std::vector<Row> {
    return {
        // [name]: digest
        reads("terraform-output-digest", terraform_output_digest),
        // [folder]: a path that does not exist yet
        reads("fresh-state-backup", fresh_state_backup),
        // [file]
        edits("write-state-backup", write_state_backup, preview_state_backup).reaches({Reach::Of::Nothing}),
        // [file]: digest, or absent
        reads("private-digest", private_digest),
        // [name, file]: bool
        reads("same-cluster", same_cluster),
        // [name, file, kept]
        edits("write-kubeconfig", write_kubeconfig, preview_write_kubeconfig)
            .reaches({Reach::Of::WrittenFile, 1}),
        // [file, kept]
        edits("write-kept-back", write_kept_back, preview_write_kept_back)
            .reaches({Reach::Of::WrittenFile})
            .by_hand(kept_back_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
