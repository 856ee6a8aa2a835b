#include <algorithm>

#include <fmt/format.h>

#include "runtime/inspect/doctor.hpp"

namespace migc::runtime::inline inspect {
namespace {

const char* word(Health health) {
    return health == Health::Well ? "ok" : health == Health::Note ? "note" : "TROUBLE";
}

}  // namespace

std::string render(const Diagnoses& found) {
    std::size_t width = 0;
    for (const Diagnosis& one : found) width = std::max(width, one.subject.size());
    std::string out;
    for (const Diagnosis& one : found) {
        out += fmt::format("{:<8} {:<{}}  {}\n", word(one.health), one.subject, width, one.text);
        if (!one.mend.empty()) out += fmt::format("{:<8} {:<{}}  -> {}\n", "", "", width, one.mend);
    }
    return out;
}

nlohmann::json to_json(const Diagnoses& found) {
    auto list = nlohmann::json::array();
    for (const Diagnosis& one : found)
        list.push_back({{"health", one.health == Health::Trouble ? "trouble" : word(one.health)},
                        {"subject", one.subject},
                        {"text", one.text},
                        {"mend", one.mend}});
    return list;
}

}  // namespace migc::runtime::inline inspect
