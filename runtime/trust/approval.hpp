// Approvals: signed files in which a named person approves one run, for a limited time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "runtime/tools/tools.hpp"
#include "runtime/trust/keys.hpp"

namespace migc::trust {

using runtime::Time;

struct Approval {
    std::string name;     // of the person, as in migc.yaml
    std::string digest;   // of the run
    std::string title;    // of the migration, for people
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
    std::int64_t count = 1;
    std::vector<std::string> people;               // who may approve
    std::map<std::string, std::string> approvers;  // their keys, as in migc.yaml
    std::vector<std::string> runner;               // names of the one who runs it, which do not count
    Time now = 0;
};

struct Judgement {
    bool enough = false;
    std::vector<std::string> approved;  // by whom
    std::string why;  // "approved by lead, ops"; or what is missing, and why which file does not count
};

Judgement judge(const Question& question, const std::vector<File>& files);

}  // namespace migc::trust
