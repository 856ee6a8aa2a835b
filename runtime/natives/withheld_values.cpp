#include "runtime/natives/withheld_values.hpp"

#include "compiler/support/encoding.hpp"
#include "runtime/natives/live_form.hpp"
#include "runtime/natives/live_objects.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

// The keys whose values would be lost: those that the new form has not, or has with another mark.
json lost_values(const json& prior, const json& wanted, const json& values) {
    json lost = json::object();
    for (const auto& [key, mark] : field(prior, "/data").items()) {
        const bool stays = member(field(wanted, "/data"), key) == mark;
        if (!stays && !member(values, key).is_null()) lost[key] = member(values, key);
    }
    return lost;
}

}  // namespace

bool is_secret_object(const json& object) {
    return text_field(object, "/kind") == "Secret" && text_field(object, "/apiVersion") == "v1";
}

void drop_noted_values(json& object) {
    if (!is_secret_object(object)) return;
    constexpr const char* annotations = "/metadata/annotations";
    if (!field(object, annotations).is_object()) return;
    object[json::json_pointer(annotations)].erase("kubectl.kubernetes.io/last-applied-configuration");
}

void redact_values(Host& host, const json& data) {
    if (!data.is_object()) return;
    for (const auto& item : data.items()) {
        if (!item.value().is_string()) continue;
        const auto& text = item.value().get_ref<const std::string&>();
        host.redact(text);
        host.redact(from_base64(text, Base64::Standard, "\n").value_or(""));
    }
}

tl::expected<json, std::string> with_values(json form, const std::string& values) {
    const json kept = json::parse(values, nullptr, false);
    if (!form.contains("data") || !form["data"].is_object()) return form;
    for (auto& [key, value] : form["data"].items()) {
        if (value.is_null()) continue;
        if (member(kept, key).is_null()) return failure("the value of its key {} was not kept", key);
        value = member(kept, key);
    }
    return form;
}

Reading secret_values(Host& host, const Arguments& arguments) {
    const json prior = json_argument(arguments, 1);
    const json wanted = json_argument(arguments, 2);
    if (!is_secret_object(prior) || field(prior, "/data") == field(wanted, "/data")) return absent();
    const auto handle = object_argument(host, argument(arguments, 0));
    if (!handle) return mistaken(handle.error());
    auto object = fetch(host, *handle);
    if (!object) return unknown(object.error());
    const json values = field(*object, "/data");
    // What was looked at is what is kept, or nothing is.
    const auto form = live_form(host, std::move(*object), prior);
    if (!form) return unknown(form.error());
    if (field(*form, "/data") != field(prior, "/data"))
        return unknown(handle->written() + " was changed while it was looked at");
    redact_values(host, values);
    const json lost = lost_values(prior, wanted, values);
    return lost.empty() ? absent() : Reading{Value(lost.dump())};
}

const Rows withheld_values_rows([]() -> std::vector<Row> {
    return {
        reads("secret-values", secret_values),
    };
});

}  // namespace migc::runtime::inline natives
