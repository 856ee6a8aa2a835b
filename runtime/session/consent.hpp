// What a script would execute of its project: shown, asked for, and told where nobody has allowed it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/journal/event.hpp"
#include "runtime/session/session.hpp"

namespace migc::session {

// Whether a script may say what is done, or looked at, with this user's rights: without a migc.yaml, which
// speaks for its folder, it must be the user's like one. The error says whose it is, and what to do.
tl::expected<void, std::string> is_the_users(const Script& script);

// What a run, an undo, or one that goes on is done with, and the options made ready to act. A live one only
// where what it may execute of the project is allowed, by `--allow-tools`, the user's configuration, what
// `earlier` events of the same run say was allowed, or a person who is asked: then the options allow it, and
// `consent` is for the journal. The error says what it is about, and what to do.
tl::expected<runtime::RunOptions, Refusal> agreed_options(SessionOptions& options, const Script& script,
                                                          const std::vector<runtime::Event>* earlier);

// After a plan or a look: which programs were not run, and how to allow them, in lines. Empty if there are
// none.
std::string not_read(const Session& session);

}  // namespace migc::session
