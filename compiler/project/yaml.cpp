#include "compiler/project/yaml.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace migc::project {

namespace {

using documents::YamlFault;

void report(const YamlFault& fault, Diagnostics& diagnostics) {
    auto& finding = diagnostics.report(Code::BadInventory, fault.span, fault.message);
    if (fault.of != YamlFault::Of::Duplicate) return;
    finding.label(fault.first, here_already);
    finding.notes.emplace_back("YAML readers differ in which of the two they take; keep one of them");
}

void report_unreadable(Span place, const std::string& why, Diagnostics& diagnostics) {
    diagnostics.report(Code::BadInventory, place, fmt::format("this cannot be read: {}", why));
}

}  // namespace

std::optional<YamlNode> read_yaml(FileId file, const SourceMap& sources, Diagnostics& diagnostics) {
    const std::string_view text = sources.file(file).text();
    auto read = documents::read_yaml_text(text, {}, file);
    if (read.documents.empty() && !read.problem) return std::nullopt;
    if (!read.documents.empty())
        for (const YamlFault& fault : documents::take_faults(read.documents.front()))
            report(fault, diagnostics);
    if (read.documents.size() > 1) {
        report_unreadable(read.documents[1].mark, "a second document begins here; only one is read",
                          diagnostics);
        return std::nullopt;
    }
    if (!read.problem) return std::move(read.documents.front());
    const auto at = static_cast<std::uint32_t>(read.problem->offset);
    const auto end = static_cast<std::uint32_t>(std::min(read.problem->offset + 1, text.size()));
    report_unreadable({file, at, end}, read.problem->message, diagnostics);
    return std::nullopt;
}

}  // namespace migc::project
