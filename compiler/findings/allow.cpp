#include "compiler/findings/allow.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/text.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::findings {
namespace {

constexpr std::string_view blanks = " \t\r";

struct Allowed {
    std::string id;
    Span span;
    std::optional<Code> code;  // if it is known and can be silenced
    bool used = false;
};

struct Allow {
    std::vector<Allowed> codes;
    std::string reason;
    Span comment;
    Span reach;  // the statements that it speaks of
};

// R001, and what could be meant to be one.
bool looks_like_code(std::string_view word) {
    const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    return word.size() >= 2 && word.size() <= 6 && std::isalpha(static_cast<unsigned char>(word[0])) &&
           digit(static_cast<unsigned char>(word.back())) && std::ranges::any_of(word, digit);
}

class Reader {
  public:
    Reader(const SourceMap& sources, FileId file)
        : sources_(sources), file_(file), tokens_(syntax::tokenize(sources, file)) {}

    std::vector<Allow> read() const {
        std::vector<Allow> result;
        for (std::size_t i = 0; i < tokens_.size(); ++i)
            if (is_comment(i))
                if (auto allow = parse(sources_, tokens_[i].span)) {
                    allow->reach = reach(i);
                    result.push_back(std::move(*allow));
                }
        return result;
    }

    // `# allow R001, V001: why`. Prose that begins with the word is no allow; `##` is documentation.
    [[nodiscard]] static std::optional<Allow> parse(const SourceMap& sources, Span comment) {
        const std::string_view text = sources.text(comment);
        if (text.starts_with("##")) return std::nullopt;
        const std::string_view words = trimmed(text.substr(text.starts_with("//") ? 2 : 1));
        if (!words.starts_with("allow") || words.size() < 6 ||
            blanks.find(words[5]) == std::string_view::npos)
            return std::nullopt;
        const std::string_view rest = trimmed(words.substr(5));
        const std::size_t colon = rest.find(':');
        Allow result{codes(sources, rest.substr(0, colon), comment), {}, comment, {}};
        if (colon != std::string_view::npos) result.reason = trimmed(rest.substr(colon + 1));
        const bool one_word = result.codes.size() == 1 && colon != std::string_view::npos;
        if (result.codes.empty() || (!one_word && !looks_like_code(result.codes.front().id)))
            return std::nullopt;
        // `# allow R001 because it is so`: the words after the codes are no codes.
        if (colon == std::string_view::npos) {
            const auto prose = std::ranges::find_if(
                result.codes, [](const Allowed& one) { return !looks_like_code(one.id); });
            result.codes.erase(prose, result.codes.end());
        }
        return result;
    }

  private:
    [[nodiscard]] bool is_comment(std::size_t i) const {
        return tokens_[i].kind == syntax::TokenKind::Comment;
    }
    [[nodiscard]] std::uint32_t line(std::size_t i) const { return sources_.begin(tokens_[i].span).line; }

    [[nodiscard]] bool ends_statement(std::size_t i) const {
        const std::string_view text = sources_.text(tokens_[i].span);
        return text == ";" || text == "<" || text == ">";
    }

    [[nodiscard]] static std::vector<Allowed> codes(const SourceMap& sources, std::string_view list,
                                                    Span comment) {
        std::vector<Allowed> result;
        const char* start = sources.text(comment).data();
        for (std::size_t at = 0; (at = list.find_first_not_of(" \t\r,", at)) != std::string_view::npos;) {
            const std::string_view word =
                list.substr(at, std::min(list.find_first_of(" \t\r,", at), list.size()) - at);
            const auto begin = comment.begin + static_cast<std::uint32_t>(word.data() - start);
            const auto code = code_of(word);
            result.push_back({std::string(word),
                              {comment.file, begin, begin + static_cast<std::uint32_t>(word.size())},
                              code && can_be_silenced(*code) ? code : std::nullopt});
            at += word.size();
        }
        return result;
    }

    // From the beginning of the first statement on the line to the end of the last one.
    [[nodiscard]] Span reach(std::size_t comment) const {
        std::size_t first = comment;
        if (comment > 0 && line(comment - 1) == line(comment)) {
            while (first > 0 && line(first - 1) == line(comment)) --first;
            while (first > 0 && !is_comment(first - 1) && !ends_statement(first - 1)) --first;
        } else {
            while (first < tokens_.size() && is_comment(first)) ++first;
        }
        if (first == tokens_.size()) return {file_, 0, 0};
        std::size_t last = first;
        const std::uint32_t on = comment > first ? line(comment) : line(first);
        while (last + 1 < tokens_.size() && !is_comment(last + 1) && line(last + 1) <= on) ++last;
        while (last + 1 < tokens_.size() && !ends_statement(last)) ++last;
        return {file_, tokens_[first].span.begin, tokens_[last].span.end};
    }

    const SourceMap& sources_;
    FileId file_;
    std::vector<syntax::Token> tokens_;
};

// `# allow CODE: why` in a file that is no script (a manifest, migc.yaml, variables), for the values of its
// line or, alone on a line, of the next one. JSON with comments has `//`.
class Foreign {
  public:
    Foreign(const SourceMap& sources, FileId file) : sources_(sources), file_(file) {}

    std::vector<Allow> read() const {
        std::vector<Allow> result;
        const SourceFile& file = sources_.file(file_);
        for (std::uint32_t number = 1; number <= file.line_count(); ++number)
            if (const auto comment = comment_of(number))
                if (auto allow = Reader::parse(sources_, *comment)) {
                    allow->reach = reach(number, comment->begin);
                    result.push_back(std::move(*allow));
                }
        return result;
    }

  private:
    // From the sign on; what stands in quotes may look like one, and then is no allow.
    [[nodiscard]] std::optional<Span> comment_of(std::uint32_t number) const {
        const SourceFile& file = sources_.file(file_);
        const std::string_view line = file.line(number);
        for (const std::string_view sign : {"# allow ", "// allow "}) {
            const std::size_t at = line.find(sign);
            const bool begins = at == 0 || (at != std::string_view::npos &&
                                            blanks.find(line[at - 1]) != std::string_view::npos);
            if (!begins) continue;
            const std::uint32_t begin = file.line_begin(number);
            return Span{file_, begin + static_cast<std::uint32_t>(at),
                        begin + static_cast<std::uint32_t>(line.size())};
        }
        return std::nullopt;
    }

    [[nodiscard]] Span reach(std::uint32_t number, std::uint32_t comment) const {
        const SourceFile& file = sources_.file(file_);
        const auto is_empty = [](std::string_view text) {
            const std::string_view words = trimmed(text);
            return words.empty() || words.starts_with('#') || words.starts_with("//");
        };
        const std::uint32_t begin = file.line_begin(number);
        const bool alone = is_empty(file.text().substr(begin, comment - begin));
        while (alone && number < file.line_count() && is_empty(file.line(number))) ++number;
        return {file_, file.line_begin(number), file.line_begin(number + 1)};
    }

    const SourceMap& sources_;
    FileId file_;
};

std::vector<Allow> allows_of(const SourceMap& sources, FileId file) {
    // To look at tokens takes time, and most scripts allow nothing.
    if (sources.file(file).text().find("allow") == std::string_view::npos) return {};
    return Reader(sources, file).read();
}

void report_impossible(const Allowed& allowed, Diagnostics& diagnostics) {
    const std::string shown = escaped(allowed.id);
    if (code_of(allowed.id)) {
        diagnostics.report(Code::AllowImpossible, allowed.span, fmt::format("{} cannot be allowed", shown),
                           "a script with this error cannot be run, whatever a comment says");
        return;
    }
    auto& d = diagnostics.report(Code::AllowImpossible, allowed.span,
                                 fmt::format("there is no finding `{}`", shown));
    std::vector<std::string> ids;
    for (const auto& code : all_codes()) ids.emplace_back(code.id);
    if (const auto near = nearest(allowed.id, ids)) d.fixes.push_back(write_instead(allowed.span, *near));
    d.note("`migc explain` lists them; this comment suppresses nothing");
}

void report_wrong(const Allow& allow, bool complete, Diagnostics& diagnostics) {
    for (const auto& one : allow.codes) {
        if (!one.code) report_impossible(one, diagnostics);
        const bool proved = one.id.starts_with('N');  // found by a proof only, which may come yet
        if (!one.code || one.used || !complete || proved) continue;
        auto& d = diagnostics.report(
            Code::AllowUnused, one.span, fmt::format("there is no finding {} here to allow", one.id),
            "the comment would silence one that is brought in later; remove it, or put it on the line of "
            "the finding or the line before");
        if (allow.codes.size() == 1) d.fixes.push_back({"remove the comment", {{allow.comment, ""}}, false});
    }
    if (!allow.reason.empty()) return;
    diagnostics.report(Code::AllowWithoutReason, allow.comment,
                       fmt::format("nothing says why {} is allowed here", allow.codes.front().id),
                       fmt::format("write `# allow {}: why`; nobody could tell later whether the reason "
                                   "still holds",
                                   allow.codes.front().id));
}

bool reaches(const Allow& allow, Span span) {
    return span.file == allow.reach.file && span.begin >= allow.reach.begin &&
           span.begin <= allow.reach.end && !allow.reach.empty();
}

// A finding in a script is allowed where it stands; one in another file there, too, or where the script has
// brought it about.
bool speaks_of(const Allow& allow, const Diagnostic& d, const std::set<FileId>& scripts) {
    if (reaches(allow, d.span)) return true;
    return !scripts.contains(d.span.file) && std::ranges::any_of(d.labels, [&](const Label& label) {
        return scripts.contains(label.span.file) && reaches(allow, label.span);
    });
}

std::optional<Silenced> silenced_by(const Diagnostic& d, std::vector<Allow>& allows,
                                    const std::set<FileId>& scripts) {
    for (auto& allow : allows)
        for (auto& one : allow.codes) {
            if (one.code != d.code || !speaks_of(allow, d, scripts)) continue;
            one.used = true;
            return Silenced{{}, allow.reason, allow.comment, true};
        }
    return std::nullopt;
}

// The files besides the scripts that findings point into.
std::set<FileId> other_files(const Diagnostics& diagnostics, const std::set<FileId>& scripts,
                             const SourceMap& sources) {
    std::set<FileId> files;
    for (const Diagnostic& d : diagnostics.all())
        if (!scripts.contains(d.span.file) && d.span.file < sources.size() &&
            !sources.file(d.span.file).name().starts_with("std/"))
            files.insert(d.span.file);
    return files;
}

std::optional<Silenced> decided(Diagnostic& d, const project::Inventory& inventory) {
    for (const auto& level : inventory.checks) {
        if (level.code != d.code) continue;
        if (!level.severity) return Silenced{{}, level.reason, level.span, false};
        d.severity = *level.severity;
    }
    return std::nullopt;
}

// The allows that bear on a script's findings: its own, then those of the files it uses and of others.
struct Decisions {
    std::vector<Allow> allows;
    std::size_t own = 0;
    std::set<FileId> scripts;
};

Decisions decisions(const Scope& scope, const SourceMap& sources, const Diagnostics& diagnostics) {
    Decisions result{allows_of(sources, scope.script), 0, {scope.used.begin(), scope.used.end()}};
    result.own = result.allows.size();
    result.scripts.insert(scope.script);
    for (const FileId file : scope.used)
        for (auto& allow : allows_of(sources, file)) result.allows.push_back(std::move(allow));
    for (const FileId file : other_files(diagnostics, result.scripts, sources))
        if (sources.file(file).text().find("allow") != std::string_view::npos)
            for (auto& allow : Foreign(sources, file).read()) result.allows.push_back(std::move(allow));
    return result;
}

void silence(Decisions& decisions, const project::Inventory& inventory, Diagnostics& diagnostics) {
    if (decisions.allows.empty() && inventory.checks.empty()) return;
    diagnostics.silence([&](Diagnostic& d) -> std::optional<Silenced> {
        auto silenced = silenced_by(d, decisions.allows, decisions.scripts);
        return silenced ? std::move(silenced) : decided(d, inventory);
    });
}

}  // namespace

void apply_decisions(const Scope& scope, const project::Inventory& inventory, const SourceMap& sources,
                     Diagnostics& diagnostics) {
    Decisions known = decisions(scope, sources, diagnostics);
    silence(known, inventory, diagnostics);
    // What a module allows may be a finding of another script that uses it.
    for (std::size_t i = 0; i < known.allows.size(); ++i)
        report_wrong(known.allows[i], scope.complete && i < known.own, diagnostics);
}

void apply_decisions_to_proof(const Scope& scope, const project::Inventory& inventory,
                              const SourceMap& sources, Diagnostics& diagnostics) {
    Decisions known = decisions(scope, sources, diagnostics);
    silence(known, inventory, diagnostics);
}

}  // namespace migc::findings
