// What travels as files: saved plans, approvals, evidence.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/project/inventory.hpp"
#include "runtime/evaluate/options.hpp"
#include "runtime/journal/journal.hpp"

namespace migc::session {

// What `migc plan --save` writes, mode 0600: it tells what runs where. Gives a note of what it replaces.
tl::expected<std::string, std::string> write_plan(const std::string& path, const nlohmann::json& plan,
                                                  const std::string& script);
// The error is a sentence without a full stop: no such file, no plan, its digests do not fit to its parts or
// its title not to what they cover.
tl::expected<nlohmann::json, std::string> read_plan(const std::string& path);

// Whether what was named on the command line can be read, and is a signed file at all: what it says is for
// the gates to judge. An approval may be given while the run is under way: it need not be there yet. The
// error is a sentence, with the option and the file.
tl::expected<void, std::string> look_at_signed_files(const std::vector<std::string>& files,
                                                     const char* option, bool may_come_later);

// The approvals in `files` and in .migc/approvals, as they are now; one that cannot be read stands there
// without text. With who runs it, and what the journal says of approvals that were used.
runtime::Approvals given_approvals(const std::filesystem::path& root, const std::vector<std::string>& files);

// The newest time that is known of a live run here, by the journal if there is one, or by one that is gone;
// 0 if there is none.
runtime::Time newest_known(const std::filesystem::path& root, runtime::Journal* journal);
runtime::Time newest_known(const std::filesystem::path& root);

// Answers whether a stage has passed with one of these change digests, where it is: from the journal's runs
// of the same mode, from `files` and from .migc/evidence.
decltype(runtime::RunOptions::evidence) evidence_of(const std::filesystem::path& root,
                                                    const std::vector<std::string>& files,
                                                    const project::Inventory& inventory,
                                                    const std::string& mode);

}  // namespace migc::session
