#include "runtime/engine/recorder.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline engine {
namespace {

// Tools say what they like: bytes that are no UTF-8 would make the event unwritable.
nlohmann::json repaired(const nlohmann::json& body) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return text.find(replacement) == std::string::npos ? body : nlohmann::json::parse(text);
}

bool is_outcome(const Event& event) {
    return event.kind() == EventKind::Outcome || event.kind() == EventKind::UndoOutcome;
}

}  // namespace

Recorder::Recorder(Journal& journal, Tools& tools, Listener listener)
    : journal_(journal), tools_(tools), listener_(std::move(listener)) {}

// Without what must not be shown. Its values are of the types they were of: only texts are another's.
Event Recorder::event_of(const Event::Body& body, Reason why) const {
    Event event{tools_.now(), body, why};
    const nlohmann::json whole = encode(body);
    const nlohmann::json shown = secrets().apply(repaired(whole));
    if (shown != whole) event.body = decode(name(event.kind()), shown).value();
    return event;
}

bool Recorder::record(const Event::Body& body, Reason why) {
    return write(event_of(body, why), Writing::Unsynced);
}

bool Recorder::end(const events::RunEnded& body) {
    return write(event_of(body), Writing::Last);
}

bool Recorder::flush() {
    const std::lock_guard lock(mutex_);
    if (untold_.empty() || !trusted_) return trusted_;
    if (const auto synced = journal_.sync(); !synced) distrust(synced.error());
    if (trusted_) announce_waiting();
    return trusted_;
}

void Recorder::tell(const Event::Body& body) {
    const std::lock_guard lock(mutex_);
    const Event event = event_of(body);
    if (untold_.empty())
        announce(event);
    else
        untold_.push_back(event);
}

bool Recorder::write(const Event& event, Writing how) {
    const std::lock_guard lock(mutex_);
    if (const auto lost = trusted_ && lost_ ? lost_() : std::nullopt) {
        failure_ = *lost + "; another run may be at work by now, so nothing more is done";
        trusted_ = false;
    }
    if (!trusted_) {
        untold_.clear();
        return false;
    }
    const auto written =
        how == Writing::Unsynced ? journal_.append_unsynced(run_, event) : journal_.end_run(run_, event);
    if (!written) distrust(written.error());
    if (!trusted_) return false;
    untold_.push_back(event);
    if (how != Writing::Unsynced) announce_waiting();
    return true;
}

// What is written but may not be durable is never told.
void Recorder::distrust(const std::string& error) {
    failure_ = "the journal is not to be trusted: " + error;
    trusted_ = false;
    lost_outcome_ = lost_outcome_ || std::any_of(untold_.begin(), untold_.end(), is_outcome);
    untold_.clear();
}

void Recorder::announce_waiting() {
    const std::vector<Event> events = std::exchange(untold_, {});
    for (const Event& event : events) announce(event);
}

void Recorder::announce(const Event& event) {
    if (listener_) listener_(event);
}

}  // namespace migc::runtime::inline engine
