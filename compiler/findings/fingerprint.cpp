#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "compiler/findings/report.hpp"
#include "compiler/support/sha256.hpp"

namespace migc::findings {
namespace {

// Each run of blanks as one: layout is no difference.
std::string normalized(std::string_view text) {
    std::string result;
    bool blank = false;
    for (const char c : text) {
        const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!is_blank && blank && !result.empty()) result += ' ';
        if (!is_blank) result += c;
        blank = is_blank;
    }
    return result;
}

// The text that a finding is about; for a mere place the line around it, without a comment at its end.
std::string subject(const Diagnostic& d, const SourceMap& sources) {
    if (d.span.file >= sources.size()) return {};
    if (!d.span.empty()) return normalized(sources.text(d.span));
    const SourceFile& file = sources.file(d.span.file);
    const std::string_view line = file.line(file.position(d.span.begin).line);
    return normalized(line.substr(0, line.find(" #")));
}

}  // namespace

std::string file_of(const Diagnostic& diagnostic, const SourceMap& sources) {
    if (diagnostic.span.file >= sources.size()) return {};
    const std::string& name = sources.file(diagnostic.span.file).name();
    std::error_code error;
    const std::filesystem::path near = std::filesystem::path(name).is_absolute()
                                           ? std::filesystem::proximate(name, error)
                                           : std::filesystem::path(name).lexically_normal();
    return error ? name : near.generic_string();
}

void set_fingerprints(std::vector<Finding>& findings) {
    std::map<std::string, int> seen;
    for (auto& finding : findings) {
        const std::string what = fmt::format("{}\n{}\n{}", info(finding.diagnostic->code).id,
                                             file_of(*finding.diagnostic, *finding.sources),
                                             subject(*finding.diagnostic, *finding.sources));
        const int number = ++seen[what];
        finding.fingerprint = sha256(number == 1 ? what : fmt::format("{}\n{}", what, number));
    }
}

}  // namespace migc::findings
