#include "compiler/findings/baseline.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

namespace migc::findings {

using Json = nlohmann::ordered_json;

tl::expected<std::vector<BaselineEntry>, std::string> read_baseline(std::string_view text) {
    try {
        const Json baseline = Json::parse(text);
        if (baseline.at("version") != 1)
            return tl::unexpected(std::string("it is of a version that this migc does not know"));
        std::vector<BaselineEntry> result;
        for (const auto& one : baseline.at("findings"))
            result.push_back({one.at("fingerprint"), one.at("code"), one.at("file"), one.at("message")});
        return result;
    } catch (const Json::exception&) {
        return tl::unexpected(std::string("it is no baseline that `migc check --write-baseline` wrote"));
    }
}

std::string write_baseline(const std::vector<Finding>& findings) {
    std::vector<BaselineEntry> entries;
    for (const auto& finding : findings)
        if (!finding.silenced && can_be_silenced(finding.diagnostic->code))
            entries.push_back({finding.fingerprint, std::string(info(finding.diagnostic->code).id),
                               file_of(*finding.diagnostic, *finding.sources), finding.diagnostic->message});
    std::ranges::sort(entries, [](const BaselineEntry& a, const BaselineEntry& b) {
        return std::tie(a.file, a.code, a.fingerprint) < std::tie(b.file, b.code, b.fingerprint);
    });
    Json list = Json::array();
    for (const auto& e : entries)
        list.push_back(
            {{"fingerprint", e.fingerprint}, {"code", e.code}, {"file", e.file}, {"message", e.message}});
    const Json baseline = {{"version", 1}, {"findings", std::move(list)}};
    return baseline.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<BaselineEntry> apply_baseline(const std::vector<BaselineEntry>& baseline,
                                          const std::set<std::string>& checked,
                                          std::vector<Finding>& findings) {
    std::map<std::string, bool> found;
    for (const auto& entry : baseline) found[entry.fingerprint] = false;
    for (auto& finding : findings) {
        const auto entry = found.find(finding.fingerprint);
        if (entry == found.end() || finding.silenced || !can_be_silenced(finding.diagnostic->code)) continue;
        finding.known = entry->second = true;
    }
    std::vector<BaselineEntry> gone;
    for (const auto& entry : baseline) {
        std::error_code error;
        const bool told = checked.contains(entry.file) || !std::filesystem::exists(entry.file, error);
        if (told && !found[entry.fingerprint]) gone.push_back(entry);
    }
    return gone;
}

}  // namespace migc::findings
