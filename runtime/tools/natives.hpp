// Natives: what a verb or a probe does where arguments and JSON cannot say it (`do native NAME`,
// `read native NAME [..]`). They reach the outside only through the host, that is, through the declared
// tools.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/value.hpp"
#include "compiler/project/inventory.hpp"
#include "runtime/tools/runner.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// What a probe answered, and why it is not yet what one waits for.
struct Reading {
    Value value;  // Unknown where it could not be found out
    std::string why =
        {};  // for people: "1 of 4 pods ready; webapi-7f-x: image cannot be pulled"; may be empty
    bool permanent =
        false;  // waiting cannot help any more: `verify` fails at once with `why`; of true: for good
    // Who last wrote what was read, where it was asked for (the setting "writers" is "yes") and the server
    // keeps it: a field manager's name, as the setting "manager" is ours. Empty: not known.
    std::string writer = {};
    // Which thing it was that was read, where its server tells: one that was deleted and made anew has the
    // same name and another identity (a UID). Empty: not known.
    std::string identity = {};
    // How often what is asked of that thing has changed, as its server counts (an object's generation).
    // Empty: not known.
    std::string revision = {};
    // Another text after each write to that thing, whoever wrote what (its resourceVersion). Empty: not
    // known.
    std::string version = {};
};

// For semantics::argument_value.
inline const Value* value_in(const Reading& reading) {
    return &reading.value;
}

// A command of a declared tool, with more to say about its streams and its limit than `Host::run` takes.
struct ToolCommand {
    std::string tool;
    std::vector<std::string> arguments;
    std::string input_file;  // this and the next two: as in CommandLine; absolute paths
    std::string output_file;
    std::string log;
    std::int64_t within_ms = 0;  // the longest it may take; 0: as long as the tool may
};

// What people have signed for a run.
struct Approvals {
    struct File {
        std::string name;  // for messages
        std::string text;
    };
    std::string digest;       // of the run
    std::string title;        // of the migration
    std::string run;          // its id; empty before it has one
    std::vector<File> files;  // as they were handed over, not yet judged
    Runner runner;
    // The runs that have used an approval up, by its id; and why that cannot be told, if it cannot.
    std::map<std::string, std::vector<std::string>> used;
    std::string unknown;
    // The same of those that were signed until a journal was written last that lay here and is gone.
    std::string gone;
    Time gone_since = 0;
    std::string note;  // what whoever relies on it is to know; empty: nothing
};

// What the engine lends to a native.
class Host {
  public:
    virtual ~Host() = default;
    // Runs a declared tool: its program and its own arguments (context, namespace) come first.
    virtual Answer run(const std::string& tool, const std::vector<std::string>& arguments,
                       const std::string& input = {}) = 0;
    // The whole command line that `run` would run, for people.
    virtual std::vector<std::string> line_of(const std::string& tool,
                                             const std::vector<std::string>& arguments) {
        std::vector<std::string> line = {tool};
        line.insert(line.end(), arguments.begin(), arguments.end());
        return line;
    }
    virtual Answer perform(const ToolCommand& command);
    // Of programs that go on running, as in Tools.
    virtual tl::expected<bool, std::string> running(const std::string& log);
    virtual Answer stop(const std::string& log, std::int64_t grace_ms);
    // The longest that this step may take, in milliseconds; 0 where neither the step nor its verb says it.
    virtual std::int64_t limit_ms() { return 0; }
    // From now on nothing that is shown or written down has this text (a server may send back what it was
    // sent).
    virtual void redact(const std::string& /*secret*/) {}
    virtual Time now() = 0;
    // As in Tools.
    virtual Time steady() { return now(); }
    virtual Approvals approvals() { return {}; }
    // Told the ids of the approvals that have opened a gate.
    virtual void approved_by(const std::vector<std::string>& /*approvals*/) {}
    // The newest time of a live run in the journal: a clock that is before it is wrong. 0: none is known.
    virtual Time newest_known() { return 0; }
    // A native that has written or removed a file of the project tells it, by the whole path.
    virtual void wrote_file(const std::string& /*path*/) {}
    virtual WakeReason sleep_until(Time deadline) = 0;
    // A setting of the running stage: "context", "namespace", "environment", "root", "run-folder",
    // "stage-began", ...; "" if unset. "changed-workloads": those that the stage has changed, one a line.
    virtual std::string setting(std::string_view name) = 0;
    // As the tools want it: "deployment/webapi".
    virtual std::string written(const ResourceRef& resource) = 0;
    virtual const project::Inventory& inventory() = 0;
    // "live", "simulated", "replayed".
    virtual std::string kind() = 0;
};

using Arguments = std::vector<Value>;
// Read only: a native probe never changes anything.
using NativeProbe = std::function<Reading(Host&, const Arguments&)>;
// Changes something; the answer tells how it went, as if one tool had been run.
using NativeAction = std::function<Answer(Host&, const Arguments&)>;
// A command that is planned: its words, the program first, and which object is on its standard input.
struct PlannedCommand {
    std::vector<std::string> argv;
    std::string object = {};  // "configmap/settings"; empty where there is none
};
// What an action would run, for plans and intents: as one could type it, or words; and the commands of it.
struct Preview {
    std::string text;  // empty if there is nothing to tell
    std::vector<PlannedCommand> commands;

    Preview() = default;
    Preview(std::string words, std::vector<PlannedCommand> planned = {})
        : text(std::move(words)), commands(std::move(planned)) {}
};
using NativePreview = std::function<Preview(Host&, const Arguments&)>;

// How far an action reaches: what depends on it is known to a plan only once it has run.
struct Reach {
    enum class Of : std::uint8_t {
        Anything,  // files of the project, too
        Nothing,
        EditedFile,     // a file that the action edits as its arguments say, so that it can be done in a copy
        WrittenFile,    // one whose new content only the run knows
        AppliedObject,  // what a manifest declares, by its handle
        DeletedObject,  // this and the following: of an object
        Field,          // `pointer`; "" is all of it
        FieldSet,       // `pointer`, which becomes the value
        PromisedField,  // the one that the value names, as the verb's effect declares it
        Image,          // the value is the container's name, and the next argument the image
        Selector,       // the value is its labels
        Schedulable,    // the value says whether
        Autoscaler,     // of a workload
        Evicted,        // the pods of a node
        Pods,           // what runs in the cluster, and no object
        AnyObject,      // objects, registries and what answers over the network
        LocalImage,
        Registry,
        Outside,         // what answers over the network
        Preparation,     // of terraform's folder
        Infrastructure,  // terraform's
    };
    Of of = Of::Anything;
    std::size_t subject = 0;  // which argument says what is changed
    std::string_view pointer = {};
    std::size_t value =
        0;  // which argument says what it becomes, or names a file where the subject is absent
};

// What a probe looks at, for plans.
struct Sight {
    std::vector<std::string_view> fields = {""};  // of objects, as JSON pointers; "" is all of them
    std::optional<std::size_t> pointer = {};      // which argument names the field
    bool bookkeeping = true;                      // what the cluster itself writes counts, too
    bool registry = false;
    bool terraform_folder = false;
    bool work_tree = false;  // of git, so that a copy of its files will not do
};

// Where the lines go that a person types in place of a native, and what one needs to write them. Nothing is
// asked of anybody.
class HandWork {
  public:
    virtual ~HandWork() = default;
    // A line that does its work as it is typed, wherever that is.
    virtual void type(const std::string& line) = 0;
    // Words, in a line that a shell passes over.
    virtual void say(const std::string& words) = 0;
    // A command of a declared tool, with the tool's own arguments, quoted for a shell.
    virtual std::string command(const std::string& tool, const std::vector<std::string>& arguments) = 0;
    // Keeps a text beside the lines, for its owner only. The file's whole name.
    virtual std::string file(const std::string& ending, const std::string& content) = 0;
    // What the change that is taken back has left of its first effect; absent if that is not known.
    virtual Value left() = 0;
    // What the change has captured under a name; absent if it has nothing of that name.
    virtual Value captured(const std::string& name) = 0;
    // How the secret that an argument of the native stands for comes back: words for people.
    virtual std::string who_has_the_secret() = 0;
};

// Writes the lines; false where there are none, and words must do. Arguments that only the cluster could tell
// are absent.
using ByHand = bool (*)(Host&, const Arguments&, HandWork&);

struct NativeEntry {
    std::string_view name;  // "pods-ready"
    NativeProbe probe;      // one of both is set
    NativeAction action;
    NativePreview preview;
    bool edits_files = false;   // an action that writes files of the project, where only migc works meanwhile
    bool reads_inputs = false;  // its paths are files that were reviewed: it reads the run's own copies
    // An action whose answer is that of the only command by which it changes anything: what refuses that
    // command refuses the whole.
    bool one_write = false;
    // An action that is no more than the command line that its preview shows.
    bool is_its_preview = false;
    // An action that writes elsewhere, too, and keeps everybody else out there while it does (terraform's
    // lock): what it did before it failed is its own.
    bool exclusive = false;
    Reach reach = {};
    Sight sight = {};
    ByHand by_hand = nullptr;  // of an action that an inverse may run
};

}  // namespace migc::runtime::inline tools
