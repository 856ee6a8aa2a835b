// What stands in a lock's file, and what the system says of it. Private to the journal.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "runtime/journal/lock.hpp"

namespace migc::runtime::inline journal {

// Where they lie in `.migc`.
inline constexpr const char* locks_name = "locks";
// A lock's file: its name, with what a file name cannot hold escaped.
std::string lock_file(const std::string& name);

// Who is here and now, of epoch 0.
LockHolder this_holder(const std::string& purpose);
nlohmann::json to_json(const LockHolder& holder);
// Empty of what is no holder.
LockHolder holder_in(const nlohmann::json& json);
// Whether the process is seen to have ended: on another machine nobody here can tell.
bool is_dead(const LockHolder& holder);

struct LockRecord {
    LockHolder holder;
    std::string broken;
    int stops_heard = 0;
};

// Empty where nothing readable stands in it.
LockRecord read_lock_record(int descriptor);
// In place; false if it cannot be written. The record is for people: a lock without one is a lock all the
// same.
bool write_lock_record(int descriptor, const LockRecord& record);

// Whether the system's lock on an open file could be taken.
bool try_system_lock(int descriptor);
// Whether somebody has it, without taking it.
bool is_system_locked(int descriptor);

// Of a file that is open already.
LockState lock_state(int descriptor, const std::string& name);

}  // namespace migc::runtime::inline journal
