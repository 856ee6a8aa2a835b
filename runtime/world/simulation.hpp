// The whole simulated world as data, and the tools that act on it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/tools/tools.hpp"
#include "runtime/world/arguments.hpp"
#include "runtime/world/cluster.hpp"
#include "runtime/world/json.hpp"

namespace migc::runtime::inline world {

// What a web endpoint answers if a condition holds of the pod that serves the request.
struct WebAnswer {
    PodCondition when;
    int status = 200;
    std::string body;
    std::string redirect;                    // where it leads to; empty: nowhere
    std::vector<std::int64_t> latencies_ms;  // in turn; none: at once
    std::size_t every = 1;                   // only every so many-th request
};

// A document that an endpoint keeps.
struct WebContent {
    std::string type;
    std::string body;
    std::int64_t version = 0;
};

struct WebEndpoint {
    std::string url;           // exactly this, or
    std::string prefix;        // every URL that begins so, or
    Pattern pattern;           // every URL that matches
    std::string method;        // empty: every one
    bool inside_only = false;  // cannot be reached from outside the cluster
    // The service whose ready pods serve it, in turn. Empty: somebody outside every cluster does.
    std::string service;
    std::string context;             // for a request from outside; one from inside goes to its own cluster
    std::string name_space;          // likewise
    std::vector<WebAnswer> answers;  // the first whose condition holds
    std::size_t served = 0;
    std::size_t asked = 0;
    bool keeps = false;  // documents by address, which PUT, POST and DELETE change
    bool etags = true;   // of the documents
    std::map<std::string, WebContent> contents;
    std::int64_t versions = 0;
    std::int64_t created = 0;
};

struct Script : ProgramEnding {
    bool keeps_running = false;  // until it is stopped
};

// A program that a command left running.
struct LeftRunning {
    std::string path;
    Time ends = never;
};

struct TerraformResource {
    std::string address;
    std::string count_from;  // the variable that says how many; empty: one, without an index
    std::string each_from;   // the variable with a list of objects, each with a `name`: one instance for each
    std::string
        nodes_of;  // the cluster whose nodes these are: one per instance, or as many as `node_count` says
    std::string node_cpu = "4";
    std::string node_memory = "16Gi";
    std::map<std::string, Object> attributes;          // constants
    std::map<std::string, std::string> from_variable;  // attribute -> variable
    std::map<std::string, Pattern> from_text;          // attribute -> where its value stands in the var file
    std::vector<std::string> replaced_by;              // attributes that cannot be changed in place
    std::vector<std::string> depends_on;               // addresses; they are not destroyed without this one
    std::string fails;  // creating it fails: "before" it is there, or "halfway", which leaves it tainted
};

struct TerraformOutput {
    Object value;
    std::string from_variable;
    bool sensitive = false;
};

// What one workspace's state holds.
struct TerraformState {
    std::string lineage;
    std::int64_t serial = 0;
    Object instances = Object::object();  // address -> attributes, of what was applied
    Object variables = Object::object();  // with which it was applied
    Object ids = Object::object();        // address -> id
    std::set<std::string> tainted;        // addresses of what was not created to its end
    std::int64_t created = 0;
    std::string locked_by;  // who holds the state's lock; empty: nobody
};

// With the state of the workspace that is selected.
struct TerraformDirectory : TerraformState {
    std::map<std::string, Object> defaults;  // of variables
    std::vector<TerraformResource> resources;
    std::map<std::string, TerraformOutput> outputs;
    std::int64_t duration_ms = 0;  // of an apply that changes something
    std::string workspace = "default";
    std::map<std::string, TerraformState> other_workspaces;
    std::string shares_state_with;  // another directory's name; empty: with none
    bool loses_state = false;       // an apply cannot store the state, and leaves it in errored.tfstate
};

// What git has of the project: only what is described is known.
struct GitRevision {
    std::string commit;                        // 40 hexadecimal digits
    std::map<std::string, std::string> files;  // path in the project -> content
};

struct GitRepository {
    std::map<std::string, GitRevision> revisions;  // by the name that a script uses: "HEAD~1"
    std::vector<std::string> uncommitted;          // files that differ from the last commit
};

struct Simulation {
    Time clock = 0;
    Time deadline = never;                        // of the command that is running
    std::map<std::string, std::int64_t> costs;    // what one call of a tool takes, in milliseconds
    std::map<std::string, std::string> contexts;  // context -> cluster
    std::string current_context;
    std::map<std::string, Cluster> clusters;
    std::vector<WebEndpoint> web;
    std::map<std::string, Script> programs;
    std::map<std::string, LeftRunning> left_running;  // by log
    std::map<std::string, TerraformDirectory> terraform;
    std::optional<GitRepository> git;
    std::map<std::string, std::string> registry;      // image -> digest
    std::map<std::string, std::string> local_images;  // image -> digest
    std::vector<Pattern> immutable_tags;              // images whose tag names one digest for good
    std::vector<std::string> posted;
    // Set by each command that changed something.
    bool acted = false;
    // What others do at a time of their own; see others.hpp.
    std::vector<std::pair<Time, std::function<void()>>> scheduled;

    [[nodiscard]] Time next() const;
    void advance(Time to);
    // Lets time pass while a command runs; false if the command's own limit comes first.
    bool pass(std::int64_t milliseconds);
    // To the next thing that happens by itself, or to that time if it comes first.
    bool pass_to_next(Time latest = never);
    // A program runs so long, and has ended so.
    Answer end(const ProgramEnding& ending);
    [[nodiscard]] std::int64_t changes() const;  // grows with every change in a cluster
};

// How a command ended; of `done`, `failed` and `unmodelled` the text may be a format with its arguments.
Answer done(std::string output);
Answer failed(const std::string& errors);
Answer unmodelled(const std::string& what);
Answer out_of_time();
Answer done_json(const Object& object, int indent = 4);

template <typename First, typename... Rest>
Answer done(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
    return done(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...));
}
template <typename First, typename... Rest>
Answer failed(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
    return failed(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...));
}
template <typename First, typename... Rest>
Answer unmodelled(fmt::format_string<First, Rest...> format, First&& first, Rest&&... rest) {
    return unmodelled(fmt::format(format, std::forward<First>(first), std::forward<Rest>(rest)...));
}

// The tools. Each gets the arguments after the program's name.
Answer kubectl(Simulation& world, const CommandLine& command, const std::vector<std::string>& arguments);
Answer curl(Simulation& world, const CommandLine& command, const std::vector<std::string>& arguments);
Answer docker(Simulation& world, const CommandLine& command, const std::vector<std::string>& arguments);
Answer terraform(Simulation& world, const CommandLine& command, const std::vector<std::string>& arguments);
Answer git(const Simulation& world, const std::vector<std::string>& arguments);
Answer script(Simulation& world, const CommandLine& command);

// Lets a tag name a digest. The error: why the registry refuses.
tl::expected<void, std::string> set_tag(Simulation& world, const std::string& image,
                                        const std::string& digest);
// "web" of "web:1", "web@sha256:..".
std::string repository(const std::string& image);
// From which pod's network a request comes.
struct Origin {
    std::string cluster;
    std::string name_space;
};
Answer curl_from(Simulation& world, const std::optional<Origin>& inside, const std::string& input,
                 const std::vector<std::string>& arguments);

// Makes the state that a directory describes with its default variables; and the nodes that belong to it.
void apply_defaults(Simulation& world, TerraformDirectory& directory);
// Of a state of that name.
std::string lineage_of(const std::string& name);

std::string state_of(const Simulation& world);

}  // namespace migc::runtime::inline world
