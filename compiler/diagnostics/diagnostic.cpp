#include "compiler/diagnostics/diagnostic.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace migc {

std::string_view name(Severity severity) {
    constexpr std::array<std::string_view, 3> names = {"note", "warning", "error"};
    static_assert(names.size() == static_cast<std::size_t>(Severity::Error) + 1);
    return names.at(static_cast<std::size_t>(severity));
}

const std::vector<CodeInfo>& all_codes() {
    static const std::vector<CodeInfo> codes = {
#define MIGC_CODE(name, id, severity, title, explanation, bad, good) \
    {id, Severity::severity, title, explanation, bad, good},
#include "compiler/diagnostics/codes.def"
#undef MIGC_CODE
    };
    return codes;
}

const CodeInfo& info(Code code) {
    return all_codes()[static_cast<std::size_t>(code)];
}

std::optional<Code> code_of(std::string_view id) {
    const auto& codes = all_codes();
    const auto found =
        std::find_if(codes.begin(), codes.end(), [&](const CodeInfo& one) { return one.id == id; });
    if (found == codes.end()) return std::nullopt;
    return static_cast<Code>(found - codes.begin());
}

bool can_be_silenced(Code code) {
    constexpr std::array never = {Code::Unreadable,    Code::Syntax,          Code::MissingSemicolon,
                                  Code::UnknownPhrase, Code::AmbiguousPhrase, Code::UnknownName,
                                  Code::Redefined,     Code::BadDeclaration,  Code::Misplaced,
                                  Code::UnknownModule, Code::NothingToDo,     Code::TypeMismatch,
                                  Code::BadUnit,       Code::OutOfRange,      Code::UsedUp,
                                  Code::BadInventory,  Code::BadWorld,        Code::AllowWithoutReason,
                                  Code::AllowUnused,   Code::AllowImpossible, Code::Internal};
    return std::find(never.begin(), never.end(), code) == never.end();
}

Fix write_instead(Span span, std::string with) {
    return {"write `" + with + "`", {{span, with}}, false};
}

Diagnostic& Diagnostics::report(Code code, Span span, std::string message, std::string note) {
    all_.push_back({code, info(code).severity, std::move(message), span, {}, {}, {}, {}});
    if (!note.empty()) all_.back().notes.push_back(std::move(note));
    return all_.back();
}

bool Diagnostics::has_errors() const {
    return std::any_of(all_.begin(), all_.end(),
                       [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::Error; });
}

void Diagnostics::sort() {
    const auto key = [](const Diagnostic& diagnostic) {
        return std::make_tuple(diagnostic.span.file, diagnostic.span.begin, diagnostic.span.end,
                               info(diagnostic.code).id, std::string_view(diagnostic.message));
    };
    std::stable_sort(all_.begin(), all_.end(),
                     [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
}

}  // namespace migc
