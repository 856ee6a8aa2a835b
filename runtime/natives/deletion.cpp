// Deleting one object: exactly the one that was looked at, and until it is gone.
#include <algorithm>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

constexpr std::int64_t longest_wait_ms = 60'000;
constexpr std::int64_t first_pause_ms = 200;
constexpr std::int64_t longest_pause_ms = 2'000;
// A finalizer that is worked on goes within seconds; this long without progress, its controller is not there.
constexpr std::int64_t finalizer_patience_ms = 20'000;

// The server itself refuses if another object has taken the name meanwhile.
std::string options_for(const json& object) {
    return json{{"apiVersion", "v1"},
                {"kind", "DeleteOptions"},
                {"propagationPolicy", "Background"},
                {"preconditions", {{"uid", text_field(object, "/metadata/uid")}}}}
        .dump();
}

// Until it is gone; an answer that tells why not, at the limit.
Answer wait_until_gone(Host& host, const Handle& handle, const std::string& identity) {
    const Time begun = host.now();
    for (std::int64_t pause = first_pause_ms;; pause = std::min(pause * 2, longest_pause_ms)) {
        const auto now = fetch(host, handle);
        if (!now) return refused(now.error());
        if (now->is_null() || text_field(*now, "/metadata/uid") != identity) return well({});
        const std::string held = finalizers_shown(*now);
        const std::int64_t patience = held.empty() ? longest_wait_ms : finalizer_patience_ms;
        if (host.now() - begun >= patience || host.sleep_until(host.now() + pause) == Woken::Interrupted)
            return refused(fmt::format("{} is being deleted, but it is not gone; {}", handle.written(),
                                       held.empty() ? "the cluster says no reason" : held));
    }
}

}  // namespace

Answer object_delete(Host& host, const Arguments& arguments) {
    const auto handle = object_argument(host, argument(arguments, 0));
    if (!handle) return refused(handle.error());
    const auto object = fetch(host, *handle);
    if (!object) return refused(object.error());
    if (object->is_null()) return well(handle->written() + " is already gone");
    const auto collection = collection_of(host, *object);
    if (!collection) return refused(collection.error());
    const std::string address = *collection + "/" + handle->name;
    Answer answer = host.run("kubectl", {"delete", "--raw", address, "-f", "-"}, options_for(*object));
    if (!answer.succeeded()) return answer;
    return wait_until_gone(host, *handle, text_field(*object, "/metadata/uid"));
}

std::string preview_object_delete(Host& host, const Arguments& arguments) {
    const auto handle = object_argument(host, argument(arguments, 0));
    return handle ? "kubectl delete " + handle->written() : std::string();
}

}  // namespace migc::runtime
