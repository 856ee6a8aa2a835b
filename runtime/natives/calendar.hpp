// Maintenance windows and freezes: local times of a zone, as its people read them from the clock on the wall.
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "compiler/project/inventory.hpp"
#include "runtime/tools/tools.hpp"

namespace migc::runtime::inline natives {

// Whether a window or a freeze is going on at a time.
struct Hour {
    bool within = false;
    Time until = 0;   // within: when it ends. Else when it begins next; 0 if it never does
    std::string now;  // "sat 04:10 in Europe/Berlin", for messages
};

// "sat 02:00-04:00 Europe/Berlin", "mon-fri 22:00-05:00 UTC", "daily 01:00-03:00 UTC". A window that ends
// before it begins ends on the next day. It begins when the clock first shows its begin, and ends when the
// clock then first shows its end: of an hour that clocks show twice it has the first. Where clocks are set
// forward over all of it, it does not take place. The error is a sentence without a full stop.
tl::expected<Hour, std::string> window_at(const std::string& text, Time now);

// "2026-12-20 18:00 to 2027-01-02 06:00 Europe/Berlin", also without the times of day: then the last day is
// frozen, too. A freeze takes in both shows of a time that the clock shows twice.
tl::expected<Hour, std::string> freeze_at(const std::string& text, Time now);

// Why protected environments are not changed now, by migc.yaml; nothing if they may be.
std::optional<std::string> frozen(const project::Inventory& inventory, Time now);

// Why a live run cannot tell what time it is: its clock is more than a minute before the newest time that the
// journal has of a live run; nothing if it can. `kind` is the tools'.
std::optional<std::string> clock_is_behind(const std::string& kind, Time now, Time newest_known);

// "sat 2026-11-28 02:00 in Europe/Berlin".
std::string local_time(Time time, const std::string& zone);

}  // namespace migc::runtime::inline natives
