// migc.yaml: what differs between environments and is no part of the change.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/source/source.hpp"

namespace migc::project {

// A scalar of migc.yaml with its place, so that a finding can point into the file.
struct Scalar {
    std::string text;
    Span span;
};

struct TerraformSettings {
    std::string directory;  // relative to the root
    std::string var_file;   // relative to the directory; may be empty
    std::string workspace;  // that must be selected there; empty: whichever is

    // The variables' file, relative to the root; empty if there is none.
    [[nodiscard]] std::string variables() const { return var_file.empty() ? "" : directory + "/" + var_file; }
};

// Where the value of a parameter of type `secret` comes from; one of the three.
struct SecretSource {
    std::string file;                  // relative to the root
    std::string variable;              // of migc's own environment
    std::vector<std::string> command;  // prints it; run without a shell
    Span span;

    [[nodiscard]] std::string show() const;  // "the file .secrets/token"
};

// A time in which protected environments are not changed. Local times of its zone: "2026-12-20 18:00".
struct Freeze {
    std::string from;
    std::string to;  // the first minute in which changes are possible again
    std::string zone;
    std::string why;
    Span span;
};

struct Environment {
    std::string name;
    std::optional<std::string> context;  // kubectl context
    // Which cluster it is, whatever the context is called: the UID of its namespace kube-system.
    std::optional<std::string> cluster_uid;
    std::optional<std::string> name_space;  // kubernetes namespace
    std::optional<std::string> kubeconfig;  // path relative to the root
    bool is_protected = false;
    std::optional<TerraformSettings> terraform;
    std::map<std::string, Scalar> set;  // values of script parameters
    std::map<std::string, SecretSource> secrets;
    Span span;  // of the name; empty where there is no migc.yaml
};

struct Channel {
    std::string name;
    std::string url_file;  // relative to the root; its content is a secret
};

// An entry of `checks`: what becomes of the findings of one code.
struct CheckLevel {
    Code code;
    std::optional<Severity> severity;  // nothing: off
    std::string reason;                // why it is off
    Span span;                         // of the code
};

struct Inventory {
    bool exists = false;         // whether a migc.yaml was found
    std::filesystem::path root;  // the folder of migc.yaml, else of the script
    std::string file_name;       // as shown in messages
    std::vector<Scalar> order;   // lower environments first
    std::vector<Environment> environments;
    std::map<std::string, std::string> workloads;  // webapi -> deployment/monadic-pipeline-webapi
    std::map<std::string, std::string> services;   // web -> service/monadic-pipeline-webapi-service
    std::vector<Channel> channels;
    std::vector<std::string> notify_on;  // start, hold, undo, in-doubt, done: what every channel is told of
    std::vector<CheckLevel> checks;
    std::map<std::string, std::string> approvers;  // a person's name -> "migc-key:.."
    // The accounts of a person, where they are called otherwise.
    std::map<std::string, std::vector<std::string>> approver_users;
    std::vector<Freeze> freezes;
    std::string project;       // its name, the same in every clone; empty: that of the folder
    std::string inside_image;  // image of the pod that answers `from inside`; empty: the default

    [[nodiscard]] const Environment* environment(std::string_view name) const;
    // 0 for the lowest; nullopt for a name that `order` does not have.
    [[nodiscard]] std::optional<std::size_t> rank(std::string_view name) const;
};

// Finds migc.yaml upwards from the script's folder and reads it. Without one: order development, staging,
// production, three environments without bindings, and `production` protected.
// What is wrong in the file (unknown keys with the nearest known one, duplicate keys, aliases, wrong kinds of
// value, an order that names no environment) is reported into `diagnostics`; what is right is still returned.
Inventory load_inventory(const std::filesystem::path& script_folder, SourceMap& sources,
                         Diagnostics& diagnostics);

// The same from text that is already in the source map; for tests and fuzzing.
Inventory parse_inventory(FileId file, const std::filesystem::path& root, const SourceMap& sources,
                          Diagnostics& diagnostics);

}  // namespace migc::project
