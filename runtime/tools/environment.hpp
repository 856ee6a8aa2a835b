// What a child sees of the caller's environment, and where its program is found.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline tools {

// Whether a variable of the caller is passed on: homes, locale, proxies, certificates, and what the
// credential plug-ins of kubectl, docker and terraform need. Never what changes what terraform does:
// TF_CLI_ARGS* could approve an apply unasked, TF_WORKSPACE and TF_DATA_DIR lead to another state.
bool passed_on(std::string_view name);

// The "NAME=value" entries that are passed on. `environment` ends with a null pointer.
std::vector<std::string> passed_on(const char* const* environment);

// Names of the caller's variables that concern terraform, so that they can be told.
struct TerraformVariables {
    std::vector<std::string> withheld;  // not passed on: the script says what terraform does
    std::vector<std::string> values;    // TF_VAR_*: passed on, since secrets are in no file
};
TerraformVariables terraform_variables(const char* const* environment);

// `base` with the entries of `added` in place of those of the same name. TF_CLI_ARGS* is left out here too.
std::vector<std::string> merged(std::vector<std::string> base, const std::vector<std::string>& added);

// Finds programs on PATH, each once: what was found first is what every later step runs.
class Programs {
  public:
    // `path`: directories separated by ":". Relative ones are passed over.
    explicit Programs(std::string path) : path_(std::move(path)) {}

    // The program's file; a name with a "/" is one already. The error is a sentence without a full stop.
    tl::expected<std::string, std::string> find(const std::string& name);

    // The program's file with its digest, taken when it is first asked for; nothing if there is none.
    std::optional<ProgramFile> pinned(const std::string& name);
    // A sentence about a pinned program whose file is another one by now; the second of this one only, which
    // costs one look at the file's times.
    std::optional<std::string> changed();
    std::optional<std::string> changed(const std::string& name);

  private:
    struct Pinned {
        ProgramFile file;
        std::string stamp;  // device, inode, size and times: what cannot stay the same when the file changes
    };
    [[nodiscard]] tl::expected<std::string, std::string> search(const std::string& name) const;
    static std::optional<std::string> changed(Pinned& pinned);

    std::string path_;
    std::mutex mutex_;
    std::map<std::string, tl::expected<std::string, std::string>> found_;
    std::map<std::string, Pinned> pinned_;
};

}  // namespace migc::runtime::inline tools
