// A configuration file: its first byte says the format, the second which place is edited. What was set is
// read again, everything else says what it said before.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "compiler/documents/document.hpp"

using namespace migc::documents;
using nlohmann::json;

namespace {

struct Spot {
    std::vector<std::string> names;
    json value;
};

void collect(const json& value, std::vector<std::string>& names, std::vector<Spot>& spots) {
    constexpr std::size_t enough = 256;
    if (spots.size() > enough) return;
    spots.push_back({names, value});
    if (!value.is_structured()) return;
    for (const auto& [key, inner] : value.items()) {
        names.push_back(key);
        collect(inner, names, spots);
        names.pop_back();
    }
}

// The whole document with the value at one place left out.
json without(json document, const std::vector<std::string>& names) {
    json* at = &document;
    for (const std::string& name : names) at = at->is_array() ? &(*at)[std::stoul(name)] : &(*at)[name];
    *at = nullptr;
    return document;
}

void require(bool holds) {
    if (!holds) std::abort();
}

void check_set(const std::string& text, Format format, const json& document, const Spot& spot,
               const json& value) {
    const std::string pointer = pointer_to(spot.names);
    const auto edited = set(text, format, pointer, value);
    if (!edited) return;
    const auto now = read(edited->text, format, pointer);
    require(now && now->value == edited->value);
    const auto all = read(edited->text, format, "");
    if (all && all->value) require(without(*all->value, spot.names) == without(document, spot.names));
    const auto again = set(edited->text, format, pointer, value);
    require(again && again->text == edited->text);
}

void check_remove(const std::string& text, Format format, const Spot& spot) {
    const std::string pointer = pointer_to(spot.names);
    const auto edited = remove(text, format, pointer);
    if (edited && !edited->empty()) read(*edited, format, pointer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 1 << 14) return 0;
    const auto format = static_cast<Format>(data[0] % 3);
    const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
    for (const char* pointer :
         {"/a", "/kind=ConfigMap/data/a", "/a/b/c", "/l/name=x/size", "/l/0", "/l/1", "~"}) {
        const auto edited = set(text, format, pointer, 1);
        if (edited) require(read(edited->text, format, pointer).has_value());
    }
    const auto document = read(text, format, "");
    if (!document || !document->value) return 0;
    std::vector<Spot> spots;
    std::vector<std::string> names;
    collect(*document->value, names, spots);
    const Spot& spot = spots[data[1] % spots.size()];
    if (spot.names.empty()) return 0;
    for (const json& value : {json("it's \"${x}\": #"), json(5), json(true),
                              json::array({"a", json::object({{"b", 1}})}), spot.value})
        check_set(text, format, *document->value, spot, value);
    check_remove(text, format, spot);
    return 0;
}
