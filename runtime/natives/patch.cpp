// One field of a live object: what it may become, and setting it.
#include <stdexcept>

#include "compiler/kubernetes/validation.hpp"
#include "compiler/support/text.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/natives/versioned.hpp"
#include "runtime/natives/withheld_values.hpp"

namespace migc::runtime::inline natives {
namespace {

struct Wish {
    Handle handle;
    std::string pointer;
    json value;  // null: the field goes
};

tl::expected<Wish, std::string> wish_of(Host& host, const Arguments& arguments) {
    const auto handle = object_argument(host, argument(arguments, 0));
    if (!handle) return tl::unexpected(handle.error());
    Wish wish = {*handle, text_argument(arguments, 1), as_json(argument(arguments, 2))};
    if (!is_pointer(wish.pointer))
        return failure("`{}` is no JSON pointer, such as /data/colour", wish.pointer);
    if (kubernetes::is_the_servers(wish.pointer))
        return failure("{} of {} is written by the cluster itself; it is not for patching",
                       wish.pointer.empty() ? "the whole" : wish.pointer, handle->written());
    return wish;
}

// An autoscaler sets the number of replicas again as soon as it looks.
tl::expected<void, std::string> check_autoscaler(Host& host, const Wish& wish, const json& object) {
    if (wish.pointer != "/spec/replicas") return {};
    const auto autoscalers = list_objects(host, {"hpa"});
    if (!autoscalers) return tl::unexpected(autoscalers.error());
    const std::string name = autoscaler_in(*autoscalers, text_field(object, "/kind"), wish.handle.name);
    if (name.empty()) return {};
    return failure("{} of {} is set by autoscaler {}; `set autoscaling of` changes its range", wish.pointer,
                   wish.handle.written(), name);
}

// A place in a list is one of its elements, or the one behind the last.
bool fits_lists(const json& object, json::json_pointer place) {
    for (; !place.empty(); place.pop_back()) {
        const json& parent = field(object, place.parent_pointer().to_string());
        const bool is_number = place.back() != "-";
        if (parent.is_array() && (!is_number || std::stoul(place.back()) > parent.size())) return false;
    }
    return true;
}

// The object with the field as it is wished; the error: there is no such place.
tl::expected<json, std::string> with_wish(json object, const Wish& wish) {
    const json::json_pointer place(wish.pointer);
    try {
        if (!fits_lists(object, place)) throw std::out_of_range(wish.pointer);
        if (!wish.value.is_null()) {
            object[place] = wish.value;
        } else if (object.contains(place)) {
            json& parent = object[place.parent_pointer()];
            if (parent.is_array())
                parent.erase(std::stoul(place.back()));
            else
                parent.erase(place.back());
        }
    } catch (const std::exception&) {
        return failure(
            "{} has no place {}: what is there is neither a map nor a list with "
            "that element",
            wish.handle.written(), wish.pointer);
    }
    return object;
}

// The resource version makes the server refuse the patch to any other object than the one that it was made
// for.
Planned field_patch(Host& host, const Wish& wish, const json& now) {
    const auto wanted = with_wish(now, wish);
    if (!wanted) return tl::unexpected(wanted.error());
    return merge_patch(host, wish.handle.written(), wish.handle.name_space, field_manager(host),
                       merge_difference(now, *wanted), now);
}

tl::expected<json, std::string> object_to_patch(Host& host, const Wish& wish) {
    auto now = fetch(host, wish.handle);
    if (!now) return tl::unexpected(now.error());
    if (now->is_null()) return tl::unexpected(wish.handle.written() + " does not exist");
    if (const auto free = check_autoscaler(host, wish, *now); !free) return tl::unexpected(free.error());
    return now;
}

}  // namespace

// The server's own defaults, conversions and admission: a wish that it drops is refused here, before anything
// is changed.
static Reading accepted_value(Host& host, const Arguments& arguments) {
    const auto wish = wish_of(host, arguments);
    if (!wish) return mistaken(wish.error());
    const auto now = object_to_patch(host, *wish);
    if (!now) return unknown(now.error());
    auto patch = field_patch(host, *wish, *now);
    if (!patch) return unknown(patch.error());
    patch->arguments.emplace_back("--dry-run=server");
    const Answer answer = host.run("kubectl", patch->arguments, patch->input);
    if (!answer.succeeded()) return not_known(complaint("kubectl", answer), is_refusal(answer));
    auto object = json::parse(answer.output, nullptr, false);
    if (!object.is_object()) return unknown("kubectl: the answer is not JSON");
    drop_noted_values(object);
    const json& becomes = field(object, wish->pointer);
    if (becomes.is_null() && !wish->value.is_null())
        return mistaken("{} knows no field {}: the server drops it", wish->handle.written(), wish->pointer);
    return becomes.is_null() ? absent() : json_reading(becomes);
}

static Answer object_patch(Host& host, const Arguments& arguments) {
    const auto wish = wish_of(host, arguments);
    if (!wish) return refused(wish.error());
    const auto now = object_to_patch(host, *wish);
    if (!now) return refused(now.error());
    // What was captured is the way back: an object that has become another one since is not patched.
    if (resource_version(*now) != text_argument(arguments, 3)) return modified_since_look(wish->handle);
    const auto patch = field_patch(host, *wish, *now);
    return patch ? write_object(host, patch->arguments, patch->input) : refused(patch.error());
}

static Preview preview_object_patch(Host& host, const Arguments& arguments) {
    const auto wish = wish_of(host, arguments);
    const auto now = wish ? fetch(host, wish->handle) : Fetched();
    if (!wish || !now || now->is_null()) return {};
    const auto patch = field_patch(host, *wish, *now);
    return patch ? shown_command(host, patch->arguments, patch->input) : Preview();
}

const Rows patch_rows([]() -> std::vector<Row> {
    return {
        // [object, pointer, value]: json, or absent
        reads("accepted-value", accepted_value).as_written().sees_pointer(1),
        // [object, pointer, value or absent, version]
        does("object-patch", object_patch, preview_object_patch)
            .reaches({Reach::Of::PromisedField, 0, "", 1})
            .by_hand(object_patch_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
