// Another one who acts in the simulated world while migc does: what they do, where and when; and a ledger of
// what they wrote, which says at the end whether all of it is still there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/tools/tools.hpp"
#include "runtime/world/json.hpp"

namespace migc::runtime::inline world {

enum class Deed : std::uint8_t {
    SetOther,      // another value than migc wants, and than there was
    SetSame,       // the value that migc wants
    SetAgain,      // the value that is there, once more, under another name
    SetUnrelated,  // something else of the same thing
    Delete,
    Remake,     // deletes it and makes it anew as it was: another identity
    Annotate,   // from now on notes each change of the thing on the thing itself, as a controller does
    Stale,      // nothing: the next look shows the world as it was before the last change
    ComeAndGo,  // sets another value and the old one again before anybody looks: that is theirs from then on,
                // where a server keeps who wrote what
    HalfAtATime  // sets something unrelated, and, after migc's next command, another value
};

constexpr Deed deeds[] = {Deed::SetOther,  Deed::SetSame,    Deed::SetAgain, Deed::SetUnrelated,
                          Deed::Delete,    Deed::Remake,     Deed::Annotate, Deed::Stale,
                          Deed::ComeAndGo, Deed::HalfAtATime};

// "set-other", "remake", ...
std::string_view name(Deed deed);

// One thing of the world that can be written, or a field of it.
struct Spot {
    enum class Kind : std::uint8_t { Cluster, Tag, LocalTag, Terraform, Document, File };
    Kind kind = Kind::Cluster;
    std::string in = {};          // Cluster: its name; Terraform: the folder
    std::string plural = {};      // Cluster
    std::string name_space = {};  // Cluster
    std::string name = {};        // of the object; the image; the address; the URL; the path
    std::string pointer = {};     // Cluster, Terraform: the field; empty: all of it

    friend auto operator<=>(const Spot&, const Spot&) = default;
    friend bool operator==(const Spot&, const Spot&) = default;
};

// "deployments/webapi /spec/replicas"
std::string shown(const Spot& place);

// What a command changes, or has changed: absent before or after it.
struct Changed {
    Spot place;
    std::optional<Object> before, after;
};

struct Interference {
    Deed deed = Deed::SetOther;
    std::string text = {};          // as it was written, for messages
    std::string of = {};            // where, as it was written; empty: whatever the command changes
    std::optional<Object> to = {};  // SetOther: that value
    bool after = false;             // the command, or the step; else before it
    bool step = false;              // `command` is a part of a step's text
    std::int64_t later_ms = 0;      // so long after it
    std::string command = {};       // as a fault names it
    std::size_t nth = 1;
};

// Takes " #2" off the end of a command: 1 where there is none, nothing where it is no count.
std::optional<std::size_t> take_count(std::string_view& text);

// DEED [of PLACE] [to VALUE] [DURATION] before|after COMMAND [#N]
//   "set-other before kubectl scale", "set-other 20s after kubectl scale", "delete of configmap/settings
//   after step restart", "set-other of deployment/web /spec/replicas to 7 before kubectl get #3".
// PLACE: KIND/NAME [POINTER], KIND/NAMESPACE/NAME [POINTER], tag IMAGE, terraform ADDRESS [POINTER], web URL,
// file PATH. The error says what is wrong.
tl::expected<Interference, std::string> parse_interference(std::string_view text);

// One write of another one.
struct OthersWrite {
    Deed deed = Deed::SetOther;
    Spot place;
    std::optional<Object> value;  // nothing: it was deleted
    Time time = 0;
    std::size_t commands = 0;         // so many had migc run before it
    bool superseded = false;          // another one wrote there later
    bool looked_at = false;           // migc has read, with the same tool, between it and what overwrote it
    std::string overwritten_by = {};  // the command after which it was not there any more; empty: it is there

    [[nodiscard]] bool stands() const { return overwritten_by.empty(); }
};

// "deployments/webapi /spec/replicas was set to 6 at 2026-01-10T01:00:03Z"
std::string shown(const OthersWrite& write);

}  // namespace migc::runtime::inline world
