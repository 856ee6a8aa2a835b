#include "compiler/diagnostics/diagnostic.hpp"

#include <algorithm>
#include <tuple>

namespace migc {

std::string_view name(Severity severity) {
    switch (severity) {
        case Severity::Error:
            return "error";
        case Severity::Warning:
            return "warning";
        case Severity::Note:
            return "note";
    }
    return "error";
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
    switch (code) {
        case Code::Unreadable:
        case Code::Syntax:
        case Code::MissingSemicolon:
        case Code::UnknownPhrase:
        case Code::AmbiguousPhrase:
        case Code::UnknownName:
        case Code::Redefined:
        case Code::BadDeclaration:
        case Code::Misplaced:
        case Code::UnknownModule:
        case Code::NothingToDo:
        case Code::TypeMismatch:
        case Code::BadUnit:
        case Code::OutOfRange:
        case Code::UsedUp:
        case Code::BadInventory:
        case Code::BadWorld:
        case Code::AllowWithoutReason:
        case Code::AllowUnused:
        case Code::AllowImpossible:
        case Code::Internal:
            return false;
        default:
            return true;
    }
}

Diagnostic& Diagnostics::report(Code code, Span span, std::string message) {
    all_.push_back({code, info(code).severity, std::move(message), span, {}, {}, {}, {}});
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
