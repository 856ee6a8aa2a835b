#include "runtime/engine/recorder.hpp"

#include <string_view>

#include "runtime/planted.hpp"

namespace migc::runtime {
namespace {

// Tools say what they like: bytes that are no UTF-8 would make the event unwritable.
nlohmann::json repaired(const nlohmann::json& body) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return text.find(replacement) == std::string::npos ? body : nlohmann::json::parse(text);
}

}  // namespace

Recorder::Recorder(Journal& journal, Tools& tools, Listener listener)
    : journal_(journal), tools_(tools), listener_(std::move(listener)) {}

bool Recorder::record(EventKind kind, const nlohmann::json& body) {
    return write({kind, tools_.now(), concealment_.apply(repaired(body))}, false);
}

bool Recorder::end(const nlohmann::json& body) {
    return write({EventKind::RunEnded, tools_.now(), concealment_.apply(repaired(body))}, true);
}

void Recorder::tell(EventKind kind, const nlohmann::json& body) {
    const std::lock_guard lock(mutex_);
    announce({kind, tools_.now(), concealment_.apply(repaired(body))});
}

bool Recorder::write(const Event& event, bool last) {
    const std::lock_guard lock(mutex_);
    if (const auto lost = trusted_ && lost_ ? lost_() : std::nullopt) {
        failure_ = *lost + "; another run may be at work by now, so nothing more is done";
        trusted_ = false;
    }
    if (trusted_) {
        const auto written = last ? journal_.end_run(run_, event) : journal_.append(run_, event);
        if (!written) {
            failure_ = "the journal is not to be trusted: " + written.error();
            trusted_ = planted("go-on-without-journal");
        }
    }
    if (trusted_) announce(event);
    return trusted_;
}

void Recorder::announce(const Event& event) {
    if (listener_) listener_(event);
}

}  // namespace migc::runtime
