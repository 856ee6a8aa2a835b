// Approvals: signed files in which a named person approves one run, for a limited time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/tools/runner.hpp"
#include "runtime/tools/tools.hpp"
#include "runtime/trust/keys.hpp"

namespace migc::trust {

using runtime::Time;

struct Approval {
    std::string name;     // of the person, as in migc.yaml
    std::string digest;   // of the run
    std::string title;    // of the migration, as it was shown; empty where only a digest was
    std::string account;  // "kim@laptop": where it was signed
    Time made = 0;
    Time expires = 0;
};

// The text of the file.
std::string approval_file(const Approval& approval, const PrivateKey& key);

// A file that was handed over; its name is for messages.
struct File {
    std::string name;
    std::string text;
};

// What a gate asks.
struct Question {
    std::string digest;  // of the run
    std::string title;   // of its migration
    std::string run;     // its id; empty before it has one
    std::int64_t count = 1;
    std::vector<std::string> people;                        // who may approve
    std::map<std::string, std::string> approvers;           // their keys, as in migc.yaml
    std::map<std::string, std::vector<std::string>> users;  // their accounts, where called otherwise
    runtime::Runner runner;                                 // who runs it, and does not count
    std::map<std::string, std::vector<std::string>> used;   // by an approval's id, the runs that used it up
    std::string unknown;                                    // why that cannot be told; empty if it can
    std::string gone;     // the same of what was signed until a journal that is gone was written last,
    Time gone_since = 0;  // which was then
    Time now = 0;
};

struct Judgement {
    bool enough = false;
    std::vector<std::string> approved;  // by whom
    std::vector<std::string> counted;   // the ids of their approvals
    std::string why;  // "approved by lead, ops"; or what is missing, and why which file does not count
};

Judgement judge(const Question& question, const std::vector<File>& files);

}  // namespace migc::trust
