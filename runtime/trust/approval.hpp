// Approvals: signed files in which a named person approves one run, for a limited time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/tools/natives.hpp"
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
using File = runtime::Approvals::File;

// What a gate asks of what the run was given. Who runs it does not count.
struct Question : runtime::Approvals {
    std::int64_t count = 1;
    std::vector<std::string> people;                        // who may approve
    std::map<std::string, std::string> approvers;           // their keys, as in migc.yaml
    std::map<std::string, std::vector<std::string>> users;  // their accounts, where called otherwise
    Time now = 0;
};

struct Judgement {
    bool enough = false;
    std::vector<std::string> approved;  // by whom
    std::vector<std::string> counted;   // the ids of their approvals
    std::string why;  // "approved by lead, ops"; or what is missing, and why which file does not count
};

Judgement judge(const Question& question);

}  // namespace migc::trust
