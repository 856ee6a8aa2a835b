// The world as the planned steps will have left it, so far as a plan can tell: what a later step reads there.
//
// Readings go on being made by the probes and natives that a run uses. Between them and the outside stands
// this: a file that an earlier step edits is edited in a scratch copy and read from there; an object that an
// earlier step changes is answered as that step will leave it; and whatever an earlier step may influence
// without the plan being able to tell how is not asked at all: it is known after that step. When in doubt it
// is.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/evaluate/evaluate.hpp"
#include "runtime/plan/commands.hpp"

namespace migc::runtime::inline plans {

// Whether that is said of what a plan leaves to the run: "known after step 6", or "not read: helm is run as
// the project says" where nobody has allowed that.
bool is_left_open(std::string_view reason);
// The reason, if a value is left to the run; else "".
std::string known_after(const Value& value);

// The same names with "(known after step 6)" in place of what is not known, to be shown; or another text. The
// given ones stay behind it.
Scope with_known_after(const Scope& names, std::string_view instead = {});

// What a planned step declares to have changed, as it then reads; Unknown where only the run can tell.
struct Declared {
    std::string phrase;  // "replicas of webapi"
    Value value;
};

class Foreseen final : public Foresight, private ForwardingTools {
  public:
    using Natives = std::function<const NativeEntry*(std::string_view)>;
    // Steps in the order in which they are planned, from 1; 0 stands for none.
    using Number = std::size_t;

    // What a step may have changed, so that it is not known any more.
    struct Key {
        enum class Of : std::uint8_t {
            Any,         // after every step but those that only read
            Everything,  // after a program of the project: it may have done anything
            File,        // what is in the project's files; without a name: in all of them
            Nodes,       // of a cluster
            Cluster,     // every object of a cluster
            Busy,  // what controllers make of a cluster's or a namespace's objects: pods, events, endpoints
            Evicted,  // the pods of a cluster's node: workloads that nobody touched have another status then
            Object,
            Promise,
            Image,  // docker's own; without a name: all of them
            Registry,
            Terraform,  // by folder
            Prepared,   // what an `init` of a folder leaves open
            Git,
            Outside,  // what answers over the network
        };
        Of of = Of::Any;
        std::string name = {};
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    using Of = Key::Of;
    using Keys = std::set<Key>;

    // An object of a cluster that an earlier step changes.
    struct Thing {
        nlohmann::json form;  // null: it is not there
        Number written = 0;
        bool applied = false;                // it is as the server said that the last apply would leave it
        std::map<std::string, Number> open;  // by JSON pointer: what only the run can tell; "": all of it
    };
    // A file of the project that an earlier step edits.
    struct Edited {
        Number by = 0;
        std::optional<std::string> content;  // nothing: the step removes it
        bool executable = false;
    };
    struct Promise {
        Value value;
        Number by = 0;
    };
    // What the steps so far have left.
    struct State {
        std::map<std::string, Thing> things;  // by "CLUSTER NAMESPACE TYPE/NAME"
        std::map<Key, Number> open;
        std::map<std::string, Edited> files;
        std::map<std::string, Promise> promises;  // what effects declare, by environment and phrase
    };

    Foreseen(Tools& tools, std::filesystem::path root, Natives natives);
    ~Foreseen() override;
    Foreseen(const Foreseen&) = delete;
    Foreseen& operator=(const Foreseen&) = delete;

    // What steps read through while they are planned: nothing of it changes the outside.
    Tools& tools() { return *this; }
    // From now on steps of this stage are planned. The environment's root is moved to the scratch copy and
    // back while something is read there.
    void enter(StageEnvironment& environment, const std::string& stage);

    Reading read(const ir::Probe& probe, const Scope& names, const std::string& phrase,
                 const std::function<Reading()>& live) override;
    [[nodiscard]] bool leaves_open(const Value& value) const override { return !known_after(value).empty(); }

    // A step is planned, and from here on counts as done. `names` are those of the verb, captures included;
    // what is not known among them is Unknown.
    void done(const std::string& step, const ir::Verb& verb, const Scope& names, Evaluator& evaluator,
              const std::vector<Declared>& declared);
    // Numbers a step that changes nothing that is read, so that what it yields can be known after it.
    Value yield(const std::string& step);

    [[nodiscard]] const State& state() const { return state_; }
    void go_back_to(State state) { state_ = std::move(state); }
    // What is not in `after` as it is in `before`.
    static Keys touched(const State& before, const State& after);
    // These become what they are in another state.
    void take(const Keys& keys, const State& from);
    // Only the run can tell any more what these are: known after the step.
    void unsettle(const Keys& keys, const std::string& step);

    // The identities of the objects that were looked at as they are, and that no step had changed, since the
    // last call: "deployment/webapi" -> its UID.
    std::map<std::string, std::string> take_identities();

  private:
    class Deed;

    // What is being read, while it is read.
    struct Look {
        Sight sight;
        std::string about;                // the first argument, as text: the image of a registry
        std::vector<std::string> fields;  // which fields of an object count; {""}: all of them
        Number withheld = 0;
        bool is_secret = false;  // nothing is asked for it
        std::string not_read;    // why nothing is known, of what is no step's doing
    };

    Number begin(const std::string& step);
    [[nodiscard]] std::string label(Number number) const;
    [[nodiscard]] Number number_of(const Value& value) const;
    [[nodiscard]] Value unknown_after(Number number) const;
    [[nodiscard]] Number open(const Key& key) const;
    void set_open(const Key& key, Number number);

    [[nodiscard]] Look look_at(const ir::Probe& probe, const Scope& names) const;
    [[nodiscard]] std::vector<std::string> paths_of(const ir::Probe& probe, const Scope& names) const;
    [[nodiscard]] Number open_files(const std::vector<std::string>& paths) const;
    [[nodiscard]] bool is_edited(const std::vector<std::string>& paths) const;
    // The project's files at these paths as the steps so far leave them, in the scratch copy; false if they
    // cannot be had.
    bool lay_out(const std::vector<std::string>& paths);
    [[nodiscard]] std::string relative(const std::string& path) const;
    Reading in_scratch(const std::vector<std::string>& paths, const std::function<Reading()>& read);
    [[nodiscard]] std::string without_scratch(std::string text) const;

    // As tools.
    Answer run(const CommandLine& command) override;
    std::unique_ptr<Watch> watch(const CommandLine&) override { return nullptr; }
    Answer stop(const std::string& log, std::int64_t grace_ms) override { return Tools::stop(log, grace_ms); }
    [[nodiscard]] bool concurrent() const override { return false; }

    // The last step that may have influenced what the command answers, where the plan cannot tell how.
    Answer kubectl(const CommandLine& command);
    Answer get_object(const CommandLine& command, const KubectlWords& call);
    Answer get_list(const CommandLine& command, const KubectlWords& call);
    Answer dry_apply(const CommandLine& command, const KubectlWords& call);
    Answer dry_patch(const CommandLine& command, const KubectlWords& call);
    Answer terraform(const CommandLine& command);
    Answer withhold(Number number);
    Answer live(const CommandLine& command);
    Answer live_unless(Number after, const CommandLine& command);
    Answer noted(Answer answer);
    Answer mended_by_then(Answer answer);
    [[nodiscard]] std::string thing_name(const KubectlWords& call, const std::string& target) const;
    [[nodiscard]] Number open_in(const Thing& thing, const std::vector<std::string>& fields,
                                 bool bookkeeping) const;
    [[nodiscard]] std::string cluster() const;
    [[nodiscard]] Number cluster_open() const;
    [[nodiscard]] Number busy() const;
    // Null where no step has changed it.
    [[nodiscard]] const Thing* thing_at(const std::string& name) const;
    [[nodiscard]] Number any_step() const { return open({Of::Any}); }

    std::filesystem::path root_;
    Natives natives_;
    std::filesystem::path scratch_;   // empty until something is edited
    std::set<std::string> laid_out_;  // what was copied there
    std::set<std::string> overlaid_;  // what is there as a step has left it
    StageEnvironment* environment_ = nullptr;
    std::string stage_;
    std::vector<std::pair<std::string, std::string>> steps_;  // stage and step, by number - 1
    State state_;
    Look look_;
    std::map<std::vector<std::string>, Answer> asked_;  // what kubectl was asked to get
    struct DryRun {
        std::string input;
        nlohmann::json form;
    };
    std::map<std::string, DryRun> dry_runs_;  // by thing: what the server said that an apply would leave
    std::map<std::string, std::string> identities_;
};

}  // namespace migc::runtime::inline plans
