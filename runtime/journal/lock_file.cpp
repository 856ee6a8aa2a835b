#include "runtime/journal/lock_file.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"
#include "compiler/support/read_file.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/tools/live.hpp"

namespace migc::runtime::inline journal {
namespace {

// A record and its reasons fit into it; longer reasons are cut.
constexpr std::size_t record_limit = 4096;
constexpr std::size_t reason_limit = 1000;

// Locks of the open file and not of the process, so that they go with the descriptor to whoever inherits it;
// and, other than with flock(2), one may ask for them without taking them.
struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

std::int64_t age_ms(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return 0;
    const std::int64_t age =
        system_now() - status.st_mtim.tv_sec * std::int64_t{1000} - status.st_mtim.tv_nsec / 1'000'000;
    return std::max<std::int64_t>(age, 0);  // a clock that was put back is no sign of silence
}

}  // namespace

std::string lock_file(const std::string& name) {
    std::string file;
    for (const char c : name)
        file += c == '/' || c == '.' || c == '%' ? fmt::format("%{:02X}", c) : std::string(1, c);
    return file;
}

LockHolder this_holder(const std::string& purpose) {
    return {purpose, "", operator_name(), host_name(), ::getpid(), system_now(), 0};
}

nlohmann::json to_json(const LockHolder& holder) {
    return {{"purpose", holder.purpose.substr(0, reason_limit)},
            {"run", holder.run},
            {"user", holder.user},
            {"host", holder.host},
            {"pid", holder.pid},
            {"since", holder.since_ms},
            {"epoch", holder.epoch}};
}

LockHolder holder_in(const nlohmann::json& json) {
    try {
        return {json.value("purpose", ""),
                json.value("run", ""),
                json.value("user", ""),
                json.value("host", ""),
                json.value("pid", 0),
                json.value("since", std::int64_t{0}),
                json.value("epoch", std::uint64_t{0})};
    } catch (const nlohmann::json::exception&) {
        return {};
    }
}

bool is_dead(const LockHolder& holder) {
    return holder.pid > 0 && holder.host == host_name() && ::kill(holder.pid, 0) != 0 && errno == ESRCH;
}

LockRecord read_lock_record(int descriptor) {
    const auto json =
        nlohmann::json::parse(descriptor_content(descriptor, record_limit).value_or(""), nullptr, false);
    try {
        return {holder_in(json), json.value("broken", ""), json.value("stops", 0)};
    } catch (const nlohmann::json::exception&) {
        return {};
    }
}

bool write_lock_record(int descriptor, const LockRecord& record) {
    nlohmann::json json = to_json(record.holder);
    json["broken"] = record.broken.substr(0, reason_limit);
    json["stops"] = record.stops_heard;
    return overwrite(descriptor, json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
}

bool try_system_lock(int descriptor) {
    struct flock lock = whole_file();
    return ::fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
}

bool is_system_locked(int descriptor) {
    struct flock lock = whole_file();
    return ::fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

LockState lock_state(int descriptor, const std::string& name) {
    const LockRecord record = read_lock_record(descriptor);
    LockState state{name,          LockCondition::Free, record.holder, age_ms(descriptor),
                    record.broken, record.stops_heard};
    if (!is_system_locked(descriptor)) return state;
    if (is_dead(record.holder))
        state.condition = LockCondition::Orphaned;
    else
        state.condition =
            state.heartbeat_age_ms > heartbeat_limit_ms ? LockCondition::Silent : LockCondition::Held;
    return state;
}

}  // namespace migc::runtime::inline journal
