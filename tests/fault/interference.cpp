// Somebody else acts while a verb does: interference [--long | --alone | --list | --case
// VERB/DEED/MOMENT/FAULT] [--known FILE]
//
// Each verb of the standard library that has an effect, with each thing that another one can do to what it
// changes, at each moment of the step and of its undo, alone and with one fault of the tools beside it: all
// with --long, else 1,000 of them, always the same. What the others wrote is kept in a ledger. None of it may
// be gone at the end, unless it was there when the step looked and the script says what is to be; and what is
// called done, undone or already must be so. Each violation is told with the --case that shows it again.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/driver/script.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/sema/library.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/world/world.hpp"
#include "tests/unit/events.hpp"
#include "tests/unit/fakes.hpp"

namespace {

namespace fs = std::filesystem;
using namespace migc;
using namespace migc::runtime;
using Leaves = std::map<std::string, nlohmann::json>;

constexpr const char* world_text = R"(
contexts: [c]
current-context: c
clusters:
  c:
    nodes: { node-1: {}, node-2: {} }
    namespaces:
      staging:
        configmaps: { settings: { colour: blue, taste: sweet } }
        claims: { data: { size: 1Gi, expandable: true }, empty: { size: 1Gi } }
        workloads:
          webapi: { image: "registry.example.com/webapi:1.0", replicas: 2, labels: { app: web, version: blue } }
          green: { image: "registry.example.com/webapi:1.1", replicas: 1, labels: { app: web, version: green } }
          store: { kind: statefulset, image: "registry.example.com/webapi:1.0" }
          scaled: { image: "registry.example.com/webapi:1.0", replicas: 2 }
        services: { web: { selector: { app: web, version: blue } } }
        autoscalers: { scaled: { min: 1, max: 3 } }
registry:
  "registry.example.com/webapi:1.0": one
  "registry.example.com/webapi:1.1": two
  "registry.example.com/webapi:1.2": three
  "cr.example.org/web:staging": four
  "cr.example.org/web:next": five
  "cr.example.org/web:spare": six
web:
  - url-prefix: "http://store.example.com/items"
    keeps: { "http://store.example.com/items/a": '{"x":1,"y":2}' }
terraform:
  terraform:
    variables: { node_count: 3 }
    resources: [{ address: pool.main, count-from: node_count }]
git:
  revisions:
    HEAD: { files: { "k8s/base.yaml": "data: { a: new }\n" } }
    HEAD~1: { commit: 0123456789012345678901234567890123456789, files: { "k8s/base.yaml": "data: { a: old }\n" } }
)";

const std::map<std::string, std::string> project_files = {
    {"migc.yaml",
     "order: [staging]\nenvironments:\n  staging: { context: c, namespace: staging, terraform: { dir: terraform, "
     "var-file: s.tfvars } }\nworkloads: { store: statefulset/store }\n"},
    {"k8s/settings.yaml",
     "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { colour: red, taste: sweet }\n"},
    {"k8s/new.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fresh }\ndata: { a: b }\n"},
    {"k8s/web.yaml",
     "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: webapi }\nspec:\n  replicas: 3\n  selector: { "
     "matchLabels: { app: web, version: blue } }\n  template:\n    metadata: { labels: { app: web, version: blue } }\n  "
     "  spec: { containers: [{ name: webapi, image: \"registry.example.com/webapi:1.1\" }] }\n"},
    {"k8s/base.yaml", "data: { a: new }\n"},
    {"settings.yaml", "colour: blue\nworkers: 2\n"},
    {"settings.json", "{\n  \"Features\": { \"Cache\": false },\n  \"Workers\": 2\n}\n"},
    {"terraform/s.tfvars", "node_count = 3\n"},
    {"app/Dockerfile", "FROM scratch\n"},
    {"body.json", "{\"x\": 5}\n"},
};

struct Verb {
    const char* name;
    const char* steps;      // of the stage, before the last verification
    const char* step;       // what the text of the one in question begins with
    const char* file = "";  // the project's file that it changes, if it is one
    // Whether whoever keeps it takes a write on a condition. Docker, registries and folders do not: what is
    // written between the last look and the write is lost, and no tool can know of it.
    bool conditional = true;
};

// Left out: `start program` and `copy .. into` change what belongs to the run, or to a pod, and not what
// others write.
constexpr Verb verbs[] = {
    {"scale", "scale webapi to 4;", "scale"},
    {"restart", "restart webapi;", "restart"},
    {"set-autoscaling", "set autoscaling of scaled to \"2..5\";", "set autoscaling"},
    {"roll-back",
     "set image of webapi to \"registry.example.com/webapi:1.1\"; verify pods ready; roll back webapi;",
     "roll back"},
    {"switch-service", "switch service web to \"version=green\";", "switch service"},
    {"set-image", "set image of webapi to \"registry.example.com/webapi:1.1\";", "set image"},
    {"set-image-of-a-set", "set image of store to \"registry.example.com/webapi:1.1\";", "set image"},
    {"apply", "apply \"k8s/settings.yaml\";", "apply object"},
    {"apply-new", "apply \"k8s/new.yaml\";", "apply object"},
    {"apply-workload", "apply \"k8s/web.yaml\";", "apply object"},
    {"patch", "patch object \"configmap/settings\" at \"/data/colour\" to \"green\";", "patch object"},
    {"patch-new", "patch object \"configmap/settings\" at \"/data/shape\" to \"round\";", "patch object"},
    {"delete-object", "delete object \"configmap/settings\";", "delete object"},
    {"delete-objects", "delete objects of \"k8s/settings.yaml\";", "delete object"},
    {"cordon", "cordon \"node-2\";", "cordon"},
    {"uncordon", "cordon \"node-2\"; uncordon \"node-2\";", "uncordon"},
    {"drain", "drain \"node-2\";", "cordon"},
    {"grow-volume", "grow volume data to 2Gi;", "grow volume"},
    {"delete-claim", "delete claim empty;", "delete claim"},
    {"tag",
     "build image \"cr.example.org/web:built\" from \"app\"; tag image \"cr.example.org/web:built\" to "
     "\"cr.example.org/web:staging\";",
     "tag image", "", false},
    {"push",
     "build image \"cr.example.org/web:staging\" from \"app\"; push image \"cr.example.org/web:staging\";",
     "push image", "", false},
    {"move-tag",
     "let next = digest of image \"cr.example.org/web:next\"; move tag \"cr.example.org/web:staging\" to digest next;",
     "move tag", "", false},
    {"set-value", "set value of \"settings.yaml\" at \"/workers\" to 4;", "set value", "settings.yaml"},
    {"remove-value", "remove value of \"settings.yaml\" at \"/workers\";", "remove value", "settings.yaml"},
    {"set-flag", "set flag \"Cache\" in \"settings.json\" to true;", "set value", "settings.json"},
    {"restore", "restore \"k8s/base.yaml\" from \"HEAD~1\";", "restore file", "k8s/base.yaml"},
    {"set-variable", "set variable \"node_count\" to 5;", "set value", "terraform/s.tfvars"},
    {"http-put", "http put \"http://store.example.com/items/a\" with body \"body.json\";", "http put"},
    {"http-put-new", "http put \"http://store.example.com/items/b\" with body \"body.json\";", "http put"},
    {"http-delete", "http delete \"http://store.example.com/items/a\";", "http delete"},
    {"terraform-apply", "set variable \"node_count\" to 5; plan terraform as p; apply p;", "apply "},
    {"terraform-destroy", "destroy \"pool.main[2]\";", "apply "},
};

enum class Moment {
    BeforeCapture,  // before the step looks at anything
    BeforeAct,      // after its captures, before its tool is called
    AtWrite,        // right before the command that changes something; the native's own look is behind it
    AfterAct,       // right behind that command, before the step looks
    Waiting,        // while something is waited for afterwards
    BeforeEnd,      // after the last verification, before the stage ends
    BeforeUndo,     // before anything of the undo
    BeforeUndoAct,  // after the undo's look, before its tool is called
    AtUndoWrite,    // right before the undo's changing command
    AfterUndo,      // behind it, before its look
};
constexpr std::pair<Moment, const char*> moments[] = {
    {Moment::BeforeCapture, "before-capture"},
    {Moment::BeforeAct, "before-act"},
    {Moment::AtWrite, "at-write"},
    {Moment::AfterAct, "after-act"},
    {Moment::Waiting, "waiting"},
    {Moment::BeforeEnd, "before-end"},
    {Moment::BeforeUndo, "before-undo"},
    {Moment::BeforeUndoAct, "before-undo-act"},
    {Moment::AtUndoWrite, "at-undo-write"},
    {Moment::AfterUndo, "after-undo"},
};

struct WithFault {
    const char* name;
    std::optional<FaultKind> kind;
    bool in_undo = false;
};
constexpr WithFault with_faults[] = {
    {"alone", {}},
    {"fail-before", FaultKind::FailBefore},
    {"fail-after", FaultKind::FailAfter},
    {"timeout-after", FaultKind::TimeoutAfter},
    {"hang", FaultKind::Hang},
    {"garbage", FaultKind::Garbage},
    {"down", FaultKind::Down},
    {"undo-fail-before", FaultKind::FailBefore, true},
    {"undo-fail-after", FaultKind::FailAfter, true},
    {"undo-timeout-after", FaultKind::TimeoutAfter, true},
    {"undo-hang", FaultKind::Hang, true},
    {"undo-garbage", FaultKind::Garbage, true},
    {"undo-down", FaultKind::Down, true},
};

struct Case {
    std::size_t verb = 0;
    Deed deed = Deed::SetOther;
    std::size_t moment = 0, fault = 0;

    [[nodiscard]] Moment when() const { return moments[moment].first; }
    [[nodiscard]] std::string text() const {
        return fmt::format("{}/{}/{}/{}", verbs[verb].name, name(deed), moments[moment].second,
                           with_faults[fault].name);
    }
};

// The project on the disk, as it is before each case.
class Folder {
  public:
    Folder() {
        std::string made = (fs::temp_directory_path() / "interference-XXXXXX").string();
        if (::mkdtemp(made.data()) == nullptr) std::abort();
        path_ = made;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    [[nodiscard]] std::string content(const std::string& file) const {
        return read_file(path_ / file, std::uintmax_t{1} << 20).value_or("");
    }
    void reset() const {
        std::error_code ignored;
        fs::remove_all(path_ / ".migc", ignored);
        for (const auto& [name, text] : project_files) {
            fs::create_directories((path_ / name).parent_path());
            if (content(name) != text)
                std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << text;
        }
    }

  private:
    fs::path path_;
};

using Compiled = driver::Script;

std::unique_ptr<Compiled> compiled(const Verb& verb, const fs::path& root) {
    return driver::load_text(
        fmt::format("stage staging < {} verify exists webapi; > on failure undo;\n", verb.steps), root);
}

void flatten(const nlohmann::json& json, const std::string& path, Leaves& leaves) {
    if (!json.is_object()) {
        leaves[path] = json;
        return;
    }
    for (const auto& [key, value] : json.items()) flatten(value, path + "/" + key, leaves);
}

nlohmann::json at(const Leaves& leaves, const std::string& path) {
    const auto found = leaves.find(path);
    return found == leaves.end() ? nlohmann::json() : found->second;
}

std::set<std::string> differing(const Leaves& a, const Leaves& b) {
    std::set<std::string> result;
    for (const auto& [path, value] : a)
        if (at(b, path) != value) result.insert(path);
    for (const auto& [path, value] : b)
        if (at(a, path) != value) result.insert(path);
    return result;
}

// What the verb does when nobody else is there.
struct Plain {
    Changed forward;
    Leaves before, after;
    std::set<std::string> changes;  // leaves
};

// Watches a run, and lets somebody else act when it comes to the moment.
class Trial final : public Tools {
  public:
    Trial(const Compiled& what, const Verb& verb, const Folder& folder, const Plain* plain, const Case* one)
        : what_(what), verb_(verb), folder_(folder), plain_(plain), one_(one) {
        folder.reset();
        SourceMap sources;
        Diagnostics diagnostics;
        auto loaded = load_world(sources.add("world", world_text), sources, diagnostics);
        if (!loaded) {
            fmt::print("the world is wrong: {}\n", loaded.error());
            for (const auto& found : diagnostics.all()) fmt::print("  {}\n", found.message);
            std::exit(2);
        }
        world_ = std::move(*loaded);
        world_->stand_in(folder.path());
        if (one != nullptr && one->deed == Deed::Stale) world_->keep_memory();
        before = leaves();
    }

    void go() {
        run_result = engine().run();
        run_leaves = leaves();
        if (!lost().empty()) lost_in_run = lost();
        if (run_result.result != Outcome::Undone && run_result.result != Outcome::Refused) {
            moment(Moment::BeforeUndo);
            undo_result = engine().undo("run-1");
        }
        end_leaves = leaves();
    }

    Leaves leaves() const {
        Leaves result;
        auto state = nlohmann::json::parse(world_->state());
        for (auto& cluster : state["clusters"]) {
            cluster.erase("running");
            // How large a volume is by now is the cluster's doing.
            for (auto& object : cluster["objects"]) object.erase("capacity");
        }
        flatten(state, "", result);
        for (const auto& [name, text] : project_files) result["/files/" + name] = folder_.content(name);
        return result;
    }

    // Of the others' writes those that are gone, though nobody may have them gone.
    [[nodiscard]] std::vector<std::string> lost() const {
        std::vector<std::string> result;
        for (const OthersWrite& write : world_->ledger()) {
            if (write.superseded || write.stands()) continue;
            // Whoever restarts last has restarted it: nothing of the one before is lost.
            if (write.place.pointer == "/spec/template/metadata/annotations") continue;
            if (write.deed == Deed::Remake && std::string_view(verb_.step) == "restart") continue;
            // What a controller notes on an object is gone with the object of whoever made it.
            if (write.deed == Deed::Annotate && std::string_view(verb_.name) == "apply-new") continue;
            // It was there when the step looked, and the script says what is to be.
            const bool early = one_->when() == Moment::BeforeCapture && write.commands <= captured_;
            if ((early || (write.value && seen_.contains(*write.value))) && !back_) continue;
            // So it is if somebody wrote that once more before the step acted. After `roll back` it is what
            // was rolled back.
            const bool again = write.deed == Deed::SetAgain || write.deed == Deed::ComeAndGo;
            const bool rolled = std::string_view(verb_.name) == "roll-back";
            if (again && one_->when() <= Moment::AtWrite && (!back_ || rolled)) continue;
            result.push_back(fmt::format("{}; gone since `{}`", shown(write), write.overwritten_by));
        }
        return result;
    }

    Answer run(const CommandLine& command) override {
        const bool writes = looks_for_write_ && touches(command);
        if (writes) at_write(command);
        const std::size_t before_it = world_->acted().size();
        Answer answer = world_->run(command);
        acted = acted || (writes && world_->acted().size() > before_it);
        if (verbose) tell(command, answer);
        if (writes) moment(undoing_ ? Moment::AfterUndo : Moment::AfterAct);
        // Events are told once they are durable, which may be after the end's look: this is before it.
        if (is_last_check_) moment(Moment::BeforeEnd);
        return answer;
    }
    std::unique_ptr<Watch> watch(const CommandLine& command) override {
        waits();
        return world_->watch(command);
    }
    std::unique_ptr<Watch> watch_all() override { return world_->watch_all(); }
    tl::expected<bool, std::string> running(const std::string& log) override { return world_->running(log); }
    Answer stop(const std::string& log, std::int64_t grace_ms) override {
        return world_->stop(log, grace_ms);
    }
    // A file is edited without a command: that it has been is noticed by what comes next.
    Time now() override {
        if (looks_for_write_ && *verb_.file != '\0' && folder_.content(verb_.file) != content_) {
            looks_for_write_ = false;
            acted = true;
            moment(undoing_ ? Moment::AfterUndo : Moment::AfterAct);
        }
        return world_->now();
    }
    WakeReason sleep_until(Time deadline) override {
        waits();
        return world_->sleep_until(deadline);
    }
    [[nodiscard]] bool concurrent() const override { return false; }
    [[nodiscard]] std::string kind() const override { return "simulated"; }

    RunResult run_result;
    std::optional<RunResult> undo_result;
    Leaves before, run_leaves, end_leaves;
    std::vector<std::string> lost_in_run;
    std::vector<std::string> wrong;  // as it was noticed on the way
    bool happened = false;           // the other one could do it
    bool came_to_it = false;
    bool acted = false;  // whether the step, or its undo, has changed anything
    [[nodiscard]] bool intended() const { return !target_.empty(); }
    std::optional<Changed> forward;  // what the step changed
    bool verbose = false;
    Leaves origin;  // of those that others wrote before the capture

  private:
    Engine engine() {
        return Engine(what_.program, what_.inventory, *this, journal_,
                      [this](const Event& event) { on(event); }, {});
    }

    static std::string text_of(const Event& event) { return json_of(event).value("text", ""); }
    static std::string step_of(const Event& event) { return json_of(event).value("step", ""); }

    bool is_target(const Event& event) const {
        return text_of(event).starts_with(verb_.step) || (!target_.empty() && step_of(event) == target_);
    }

    void on(const Event& event) {
        if (verbose && event.kind() != EventKind::Waiting)
            fmt::print(
                "    {} {}\n", name(event.kind()),
                json_of(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 400));
        switch (event.kind()) {
            case EventKind::StepBegun:
                is_last_check_ = text_of(event).starts_with("verify exists");
                if (target_.empty() && is_target(event)) {
                    moment(Moment::BeforeCapture);
                    captured_ = world_->commands().size();
                }
                return;
            case EventKind::Intent:
                if (!target_.empty() || !is_target(event)) return;
                target_ = step_of(event);
                note_what_was_seen(event);
                begin_write(false);
                return moment(Moment::BeforeAct);
            case EventKind::Outcome:
                if (json_of(event).value("result", "") == "already" && text_of(event).starts_with(verb_.step))
                    check_already();
                if (step_of(event) == target_) looks_for_write_ = false;
                return;
            case EventKind::UndoBegun:
                if (!undo_result) moment(Moment::BeforeUndo);
                return;
            case EventKind::UndoIntent:
                if (step_of(event) != target_) return;
                begin_write(true);
                return moment(Moment::BeforeUndoAct);
            case EventKind::UndoOutcome:
                if (step_of(event) == target_) looks_for_write_ = false;
                return;
            default:
                return;
        }
    }

    void begin_write(bool undo) {
        undoing_ = undo;
        looks_for_write_ = true;
        content_ = *verb_.file == '\0' ? "" : folder_.content(verb_.file);
    }

    // Whether it is the command that changes what the step is about.
    bool touches(const CommandLine& command) {
        const auto changes = world_->would_change(command);
        if (changes.empty()) return false;
        if (plain_ == nullptr && !undoing_ && !forward) forward = telling(changes);
        return true;
    }

    static Changed telling(const std::vector<Changed>& changes) {
        const auto weight = [](const Changed& one) {
            const bool scalar = one.after && !one.after->is_structured();
            const bool derived = one.place.plural == "nodes" && one.place.pointer == "/spec/taints";
            return (one.place.pointer.starts_with("/metadata") || derived ? 2 : 0) +
                   (scalar || one.place.pointer.empty() ? 0 : 1);
        };
        return *std::min_element(changes.begin(), changes.end(),
                                 [&](const Changed& a, const Changed& b) { return weight(a) < weight(b); });
    }

    void at_write(const CommandLine& command) {
        looks_for_write_ = false;
        moment(undoing_ ? Moment::AtUndoWrite : Moment::AtWrite);
        if (one_ == nullptr) return;
        const WithFault& fault = with_faults[one_->fault];
        if (!fault.kind || fault.in_undo != undoing_ || injected_) return;
        injected_ = true;
        Fault armed;
        armed.kind = *fault.kind;
        armed.text = shown(command.argv);
        world_->inject(armed);
    }

    void waits() {
        if (!target_.empty() && !undoing_ && !looks_for_write_) moment(Moment::Waiting);
    }

    void moment(Moment now) {
        if (one_ == nullptr || came_to_it || one_->when() != now) return;
        came_to_it = true;
        Changed where = plain_->forward;
        if (now >= Moment::BeforeUndo) std::swap(where.before, where.after);
        const Leaves was = leaves();
        const auto done = world_->act_as_other(one_->deed, where);
        happened = done.has_value();
        if (verbose)
            fmt::print("    >>> {} {}: {}\n", name(one_->deed), shown(where.place), done ? "" : done.error());
        if (now != Moment::BeforeCapture) return;
        before_capture_ = was;
        const Leaves is = leaves();
        for (const std::string& path : differing(was, is)) origin[path] = at(is, path);
    }

    // What is to be brought back is what the step found, and not what was there before the other one.
    void note_what_was_seen(const Event& event) {
        if (before_capture_.empty()) return;
        const Leaves now = leaves();
        for (const std::string& path : differing(before_capture_, now)) origin[path] = at(now, path);
        Leaves values;
        for (const char* part : {"before", "captures"}) flatten(json_of(event).at(part), part, values);
        for (const auto& [path, value] : values) seen_.insert(value);
    }

    void check_already() {
        if (plain_ == nullptr) return;
        const Leaves now = leaves();
        for (const std::string& path : plain_->changes)
            if (at(now, path) != at(plain_->after, path)) {
                wrong.push_back(fmt::format("called already so, and {} is {}", path, at(now, path).dump()));
                return;
            }
    }

    static void tell(const CommandLine& command, const Answer& answer) {
        fmt::print("  $ {}\n", shown(command.argv).substr(0, 300));
        if (!answer.succeeded())
            fmt::print("    -> {} {}\n", answer.status, (answer.errors + answer.reason).substr(0, 300));
    }

    const Compiled& what_;
    const Verb& verb_;
    const Folder& folder_;
    const Plain* plain_;
    const Case* one_;
    std::unique_ptr<World> world_;
    fakes::FakeJournal journal_;
    std::string target_, content_;
    Leaves before_capture_;
    std::set<nlohmann::json> seen_;
    std::size_t captured_ = 0;
    bool is_last_check_ = false, looks_for_write_ = false, undoing_ = false, injected_ = false, back_ = false;

  public:
    // From now on nothing of what others wrote may be gone: all is said to be as it was.
    void all_is_back() { back_ = true; }
};

class Campaign {
  public:
    int prepare() {
        for (const Verb& verb : verbs) {
            folder_.reset();
            scripts_.push_back(compiled(verb, folder_.path()));
            const auto& all = scripts_.back()->diagnostics.all();
            for (const auto& found : all)
                if (found.severity == Severity::Error) return complain(verb, found.message);
            Trial plain(*scripts_.back(), verb, folder_, nullptr, nullptr);
            plain.go();
            if (plain.run_result.result != Outcome::Done)
                return complain(verb, "without others: " + word(plain.run_result.result) + " " +
                                          plain.run_result.message);
            Plain kept{{}, plain.before, plain.run_leaves, differing(plain.before, plain.run_leaves)};
            if (*verb.file != '\0') {
                kept.forward.place.kind = Spot::Kind::File;
                kept.forward.place.name = verb.file;
                kept.forward.before = at(plain.before, std::string("/files/") + verb.file);
                kept.forward.after = at(plain.run_leaves, std::string("/files/") + verb.file);
            } else if (plain.forward) {
                kept.forward = *plain.forward;
            } else {
                return complain(verb, "its changing command was not found");
            }
            if (plain.undo_result && plain.undo_result->exit_code == 0 && plain.end_leaves != plain.before)
                return complain(verb, "without others its undo does not bring back what was there");
            plain_.push_back(std::move(kept));
        }
        return 0;
    }

    void list() const {
        for (std::size_t i = 0; i < std::size(verbs); ++i)
            fmt::print("{:<20} {}\n", verbs[i].name, shown(plain_[i].forward.place));
    }

    int run(bool thorough, bool only_alone) {
        std::vector<Case> all = cases();
        if (only_alone) std::erase_if(all, [](const Case& one) { return one.fault != 0; });
        if (!thorough && !only_alone) {
            std::mt19937 random(13);
            std::shuffle(all.begin(), all.end(), random);
            constexpr std::size_t sampled = 1000;
            // Some cannot come about: they are not counted, and the next one is tried.
            for (std::size_t i = 0; i < all.size() && tried_ < sampled; ++i) check(all[i], false);
        } else {
            for (const Case& one : all) check(one, false);
        }
        report();
        fmt::print("{} violations are not among the known gaps\n", unexpected_);
        return unexpected_ == 0 ? 0 : 1;
    }

    // The gaps that are known, a case or a VERB/DEED a line: what is among them is told, and fails nothing.
    void know(const fs::path& file) {
        std::ifstream lines(file);
        for (std::string line; std::getline(lines, line);)
            if (!line.empty() && line.front() != '#') known_.insert(line);
    }

    int one(const std::string& text) {
        for (const Case& one : cases())
            if (one.text() == text) {
                check(one, true);
                report();
                return lost_ + wrong_ == 0 ? 0 : 1;
            }
        fmt::print("there is no case {}\n", text);
        return 2;
    }

  private:
    static int complain(const Verb& verb, const std::string& what) {
        fmt::print("{}: {}\n", verb.name, what);
        return 2;
    }

    // The second half comes after a command of migc's, which may be its last look: nobody can know of it
    // then.
    static bool can_be_seen(const Case& one) {
        const bool at_write = one.when() == Moment::AtWrite || one.when() == Moment::AtUndoWrite;
        const bool before = one.when() == Moment::BeforeAct || one.when() == Moment::BeforeUndoAct;
        if (!verbs[one.verb].conditional && (at_write || (before && one.deed == Deed::HalfAtATime)))
            return false;
        // `kubectl drain` cordons a node whatever it is: who uncordons it right before has no say.
        if (std::string_view(verbs[one.verb].name) == "drain" && one.deed == Deed::HalfAtATime &&
            one.when() == Moment::AfterAct)
            return false;
        return one.deed != Deed::HalfAtATime ||
               (one.when() != Moment::BeforeEnd && one.when() != Moment::AfterUndo);
    }

    static std::vector<Case> cases() {
        std::vector<Case> all;
        for (std::size_t verb = 0; verb < std::size(verbs); ++verb)
            for (const Deed deed : deeds)
                for (std::size_t moment = 0; moment < std::size(moments); ++moment)
                    for (std::size_t fault = 0; fault < std::size(with_faults); ++fault)
                        if (const Case one{verb, deed, moment, fault}; can_be_seen(one)) all.push_back(one);
        return all;
    }

    void check(const Case& one, bool verbose) {
        Trial trial(*scripts_[one.verb], verbs[one.verb], folder_, &plain_[one.verb], &one);
        trial.verbose = verbose;
        trial.go();
        if (!trial.happened) {
            ++idle_;
            if (verbose) fmt::print("it did not come about\n");
            return;
        }
        ++tried_;
        const RunResult& last = trial.undo_result ? *trial.undo_result : trial.run_result;
        ++ends_[trial.run_result.result == Outcome::Done && last.result == Outcome::Undone
                    ? "done and undone"
                    : word(last.result)];
        const auto wrong = wrong_results(one, trial);
        // What is called undone is as it was before: with what others had written by then.
        if (last.result == Outcome::Undone) trial.all_is_back();
        auto lost = trial.lost();
        lost.insert(lost.end(), trial.lost_in_run.begin(), trial.lost_in_run.end());
        lost_ += lost.empty() ? 0 : 1;
        wrong_ += wrong.empty() ? 0 : 1;
        if (verbose)
            fmt::print(
                "run: {} ({}) {}\nundo: {}\n", word(trial.run_result.result), trial.run_result.exit_code,
                trial.run_result.message,
                trial.undo_result ? word(trial.undo_result->result) + " " + trial.undo_result->message : "");
        if (lost.empty() && wrong.empty()) return;
        const std::string text = one.text();
        const std::string what = text.substr(0, text.find('/', text.find('/') + 1));
        const bool is_known = known_.contains(what) || known_.contains(text);
        unexpected_ += is_known ? 0 : 1;
        fmt::print("--case {}{}\n", text, is_known ? "   (known)" : "");
        if (!lost.empty()) fmt::print("    lost: {}\n", lost.front());
        if (!wrong.empty()) fmt::print("    wrong: {}\n", wrong.front());
        ++by_verb_[verbs[one.verb].name];
    }

    // What is said of the change is true of the world when it is said.
    std::vector<std::string> wrong_results(const Case& one, const Trial& trial) const {
        const Plain& plain = plain_[one.verb];
        std::vector<std::string> wrong = trial.wrong;
        const auto compare = [&](const char* said, const Leaves& is, const Leaves& should) {
            for (const std::string& path : plain.changes) {
                const bool given = said[0] == 'u' && trial.origin.contains(path);
                const nlohmann::json wanted = given ? trial.origin.at(path) : at(should, path);
                if (at(is, path) != wanted)
                    return wrong.push_back(fmt::format("called {}, and {} is {}, not {}", said, path,
                                                       at(is, path).dump().substr(0, 120),
                                                       wanted.dump().substr(0, 120)));
            }
        };
        // What others do to a thing that this run has left alone makes nothing wrong of `undone`.
        const bool left_alone = !trial.intended() || (!trial.acted && one.when() >= Moment::AfterAct);
        if (trial.run_result.result == Outcome::Done) compare("done", trial.run_leaves, plain.after);
        if (left_alone) return wrong;
        if (trial.run_result.result == Outcome::Undone) compare("undone", trial.end_leaves, plain.before);
        if (trial.undo_result && trial.undo_result->result == Outcome::Undone)
            compare("undone", trial.end_leaves, plain.before);
        return wrong;
    }

    void report() const {
        const auto count = [&](const char* end) {
            const auto found = ends_.find(end);
            return found == ends_.end() ? 0 : found->second;
        };
        fmt::print(
            "interference: {} cases, {} lost writes, {} wrong results; done and undone {}, undone {}, held {}, in "
            "doubt {}, undo failed {}, refused {}; {} could not come about\n",
            tried_, lost_, wrong_, count("done and undone"), count("undone"), count("held"),
            count("in-doubt"), count("undo-failed"), count("refused"), idle_);
        for (const auto& [verb, number] : by_verb_) fmt::print("  {}: {} violations\n", verb, number);
    }

    Folder folder_;
    std::vector<std::unique_ptr<Compiled>> scripts_;
    std::vector<Plain> plain_;
    std::map<std::string, int> ends_, by_verb_;
    std::set<std::string> known_;  // what is known not to hold yet
    std::size_t tried_ = 0, idle_ = 0, lost_ = 0, wrong_ = 0, unexpected_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string first = argc > 1 ? argv[1] : "", second = argc > 2 ? argv[2] : "";
    Campaign campaign;
    for (int i = 1; i + 1 < argc; ++i)
        if (std::string(argv[i]) == "--known") campaign.know(argv[i + 1]);
    if (const int problem = campaign.prepare(); problem != 0) return problem;
    if (first == "--list") return campaign.list(), 0;
    if (first == "--case") return campaign.one(second);
    return campaign.run(first == "--long", first == "--alone");
}
