// migc approver, approve, evidence: keys of people, and what they sign with them.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/print.hpp"
#include "compiler/driver/files.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/session/ready.hpp"
#include "runtime/session/signatures.hpp"
#include "runtime/tools/live.hpp"
#include "runtime/trust/evidence.hpp"
#include "runtime/trust/private_folder.hpp"
#include "runtime/trust/times.hpp"

namespace migc::cli {
namespace {

using trust::PrivateKey;

constexpr const char* default_validity = "72h";
constexpr std::size_t longest_passphrase = 1024;

struct SigningOptions {
    std::string what;  // a plan's file, a digest, a run
    std::string name;
    std::string valid;  // empty: it has no end
    std::string out;
    std::string stage;
    std::string passphrase_file;
    bool no_passphrase = false;
};

// A line from the terminal, not shown while it is typed; nothing where there is no terminal.
std::optional<std::string> ask_passphrase(const std::string& question) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> terminal(std::fopen("/dev/tty", "r+"), std::fclose);
    if (!terminal) return std::nullopt;
    const int descriptor = ::fileno(terminal.get());
    termios before{};
    if (::tcgetattr(descriptor, &before) != 0) return std::nullopt;
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(descriptor, TCSAFLUSH, &silent);
    std::fputs(question.c_str(), terminal.get());
    std::fflush(terminal.get());
    std::string line(longest_passphrase, '\0');
    const bool read = std::fgets(line.data(), static_cast<int>(line.size()), terminal.get()) != nullptr;
    ::tcsetattr(descriptor, TCSAFLUSH, &before);
    std::fputs("\n", terminal.get());
    line.resize(line.find_first_of(std::string_view("\n\0", 2)));
    return read && !line.empty() ? std::optional(line) : std::nullopt;
}

std::optional<std::string> passphrase(const SigningOptions& options) {
    if (options.passphrase_file.empty())
        return ask_passphrase(fmt::format("passphrase of the key {}: ", options.name));
    auto text = driver::read_named(options.passphrase_file, longest_passphrase);
    if (!text) return std::nullopt;
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    return text->empty() ? std::nullopt : std::optional(*text);
}

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= 64 &&
           std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

// A name becomes a file's: none leads elsewhere.
constexpr const char* what_a_name_is = "a name has letters, digits and hyphens, and begins with a letter";

int new_approver(const SigningOptions& options) {
    if (!is_name(options.name)) return refuse(what_a_name_is);
    if (trust::keys_folder().empty())
        return refuse("there is no home folder in which the private key could lie");
    std::optional<std::string> words;
    if (!options.no_passphrase) {
        words = passphrase(options);
        if (!words)
            return refuse(
                "no passphrase was given; --passphrase-file names a file with it, --no-passphrase makes a "
                "key that whoever reads its file can use");
    }
    const PrivateKey key = PrivateKey::make();
    const auto file = trust::key_file(options.name);
    if (const auto saved = trust::save_key(file, key, words); !saved) return refuse(saved.error());
    say("the private key is in {}, for its owner only\nfor migc.yaml:\n\napprovers:\n  {}: \"{}\"\n",
        file.string(), options.name, trust::show(key.public_key()));
    return 0;
}

tl::expected<PrivateKey, std::string> own_key(const SigningOptions& options) {
    if (!is_name(options.name)) return tl::unexpected(fmt::format("--as: {}", what_a_name_is));
    return trust::load_key(trust::key_file(options.name), [&] { return passphrase(options); });
}

struct Approved {
    std::string digest;
    std::string title;
};

tl::expected<Approved, std::string> what_is_approved(const std::string& what) {
    if (is_digest(what)) return Approved{what, ""};
    const auto plan = session::read_plan(what);
    if (!plan) return tl::unexpected(plan.error());
    return Approved{plan->at("digests").at("run").get<std::string>(), plan->value("title", "")};
}

// By now; the error says how to write it.
tl::expected<runtime::Time, std::string> end_of_validity(const std::string& valid) {
    const auto duration = parse_duration(valid);
    if (duration && duration->milliseconds > 0) return runtime::system_now() + duration->milliseconds;
    return tl::unexpected(fmt::format("--valid {}: write for example 72h", valid));
}

int approve(const SigningOptions& options) {
    const auto until = end_of_validity(options.valid);
    if (!until) return refuse(until.error());
    const auto approved = what_is_approved(options.what);
    if (!approved) return refuse(approved.error());
    const auto key = own_key(options);
    if (!key) return refuse(key.error());
    const trust::Approval approval{options.name,          approved->digest,
                                   approved->title,       runtime::operator_here(),
                                   runtime::system_now(), *until};
    const std::string out =
        options.out.empty() ? fmt::format("approval-{}-{}.json", options.name, short_digest(approved->digest))
                            : options.out;
    if (const int code = written(driver::write_output(out, trust::approval_file(approval, *key))); code != 0)
        return code;
    say("{} approves the run {}{} until {}: {}\n", options.name, short_digest(approved->digest),
        approved->title.empty() ? "" : fmt::format(" ({})", approved->title),
        trust::written_time(approval.expires), out);
    return 0;
}

struct Passing {
    runtime::events::StageEnded stage;
    runtime::Time time;
};

// The last time the stage passed.
std::optional<Passing> passing(const std::vector<runtime::Event>& events, const std::string& stage) {
    std::optional<Passing> found;
    for (const auto& event : events) {
        const auto* ended = event.as<runtime::events::StageEnded>();
        if (ended == nullptr || ended->stage != stage) continue;
        found.reset();
        if (ended->result == Outcome::Done && !ended->changes.empty()) found = {*ended, event.time_ms};
    }
    return found;
}

int export_evidence(const SigningOptions& options) {
    const auto found = session::find_run(options.what);
    if (!found) return refuse(found.error());
    const runtime::RunSummary& run = found->about;
    const auto events = found->journal->events(run.id);
    if (!events) return refuse(events.error());
    const auto passed = passing(*events, options.stage);
    if (!passed)
        return refuse(
            fmt::format("the stage {} has not passed in run {}, or is undone", options.stage, run.id));
    // Whoever signs it answers for it; but not without a word where nothing else does.
    if (!found->doubt.empty()) {
        if (trust::key_place(found->root, "journals")) return refuse(found->doubt);
        tell("note: {}\n", found->doubt);
    }
    const auto until =
        options.valid.empty() ? tl::expected<runtime::Time, std::string>(0) : end_of_validity(options.valid);
    if (!until) return refuse(until.error());
    const auto key = own_key(options);
    if (!key) return refuse(key.error());
    const auto place = trust::read_place(passed->stage.place);
    if (!place)
        return refuse(
            fmt::format("run {} does not say where {} passed, as an older migc wrote it; run the stage again",
                        run.id, options.stage));
    const trust::Evidence evidence{options.stage, *place,       passed->stage.changes, run.mode,
                                   run.id,        options.name, passed->time,          *until};
    const std::string out =
        options.out.empty() ? fmt::format("evidence-{}-{}.json", options.stage, run.id) : options.out;
    if (const int code = written(driver::write_output(out, trust::evidence_file(evidence, *key))); code != 0)
        return code;
    say("{} says that {} passed in run {}: {}\n", options.name, options.stage, run.id, out);
    return 0;
}

void add_signing_options(CLI::App& command, SigningOptions& options) {
    command.add_option("--as", options.name, "Whose key signs")->required();
    command.add_option("--out", options.out, "The file to write");
    command.add_option("--passphrase-file", options.passphrase_file, "A file with the key's passphrase");
}

}  // namespace

void add_approver(CLI::App& command, int& exit_code) {
    command.require_subcommand(1);
    auto* make = command.add_subcommand("new", "Make a key pair; the private key stays in the home folder");
    auto& [options] = on_call(*make, exit_code, new_approver);
    make->add_option("NAME", options.name, "The person's name, as in migc.yaml")->required();
    make->add_option("--passphrase-file", options.passphrase_file, "A file with the passphrase to be");
    make->add_flag("--no-passphrase", options.no_passphrase, "Do not encrypt the private key");
    command.footer("Example:\n  migc approver new kim");
}

void add_approve(CLI::App& command, int& exit_code) {
    auto& [options] = on_call(command, exit_code, approve);
    command.add_option("PLAN", options.what, "A file of `migc plan --save`, or a run digest")->required();
    options.valid = default_validity;
    command.add_option("--valid", options.valid, "How long it holds")->capture_default_str();
    add_signing_options(command, options);
    command.footer(
        "The file that it writes goes to whoever runs it, by any channel: `migc run --approval FILE`.\n\n"
        "Examples:\n  migc approve plan.json --as kim\n  migc approve plan.json --as kim --valid 8h");
}

void add_evidence(CLI::App& command, int& exit_code) {
    command.require_subcommand(1);
    auto* one = command.add_subcommand("export", "Write a signed file from the journal");
    auto& [options] = on_call(*one, exit_code, export_evidence);
    add_run_argument(*one, options.what)->required();
    one->add_option("--stage", options.stage, "The stage that passed")->required();
    one->add_option("--valid", options.valid, "How long it holds; without it, for good");
    add_signing_options(*one, options);
    command.footer("Example:\n  migc evidence export last --stage staging --as ci --valid 72h");
}

}  // namespace migc::cli
