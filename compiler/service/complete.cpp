#include "compiler/service/complete.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/sema/analyse.hpp"
#include "compiler/service/context.hpp"
#include "compiler/support/text.hpp"
#include "compiler/syntax/parse.hpp"

namespace migc::service {

using sema::DeclarationKind;
using syntax::SignatureKind;
using syntax::SignaturePart;

Phrases::Phrases(const sema::Embedded& library) {
    Diagnostics ignored;  // the library is tested
    for (std::size_t i = 0; i < library.file_count; ++i) {
        const auto& file = library.files[i];
        const FileId id = sources.add(fmt::format("std/{}.mig", file.module), std::string(file.text));
        modules.push_back(
            {fmt::format("std.{}", file.module), file.always, syntax::parse(sources, id, ignored)});
    }
}

namespace {

struct Keyword {
    std::string_view label;
    std::string_view snippet;
};

constexpr std::array top_words = {
    Keyword{"migration", "migration \"${1:title}\" <\n    reason \"${2:why}\";\n>\n"},
    Keyword{"use", "use ${1:std.canary};"},
    Keyword{"param", "param ${1:name}: ${2:int} = ${3:4};"},
    Keyword{"let", "let ${1:name} = ${2:value};"},
    Keyword{"require", "require ${1:condition};"},
    Keyword{"always", "always ${1:condition};"},
    Keyword{"never", "never ${1:condition};"},
    Keyword{"stage", "stage ${1:staging} <\n    $0\n> on failure undo;"},
    Keyword{"verb", "verb ${1:words} <\n    do ${2:tool} [$0];\n    undo none because \"${3:why}\";\n>"},
    Keyword{"probe", "probe ${1:words}: ${2:string} <\n    read ${3:tool} [$0];\n>"},
    Keyword{"resource", "resource ${1:name};"},
    Keyword{"tool", "tool ${1:name} < program \"${1:name}\"; >"},
};
constexpr std::array behind_stage_words = {
    Keyword{"on failure undo", "on failure undo;"},
    Keyword{"on failure", "on failure < undo; $0>"},
    Keyword{"throughout", "throughout ${1:condition} on failure undo;"},
};
constexpr std::array step_words = {
    Keyword{"verify", "verify ${1:condition} within ${2:5m};"},
    Keyword{"soak", "soak ${1:1h} while ${2:condition};"},
    Keyword{"let", "let ${1:name} = ${2:value};"},
    Keyword{"if", "if ${1:condition} <\n    $0\n>"},
    Keyword{"for", "for ${1:name} in ${2:list} <\n    $0\n>"},
    Keyword{"parallel", "parallel <\n    $0\n>"},
};
constexpr std::array stage_words = {Keyword{"gate", "gate ${1:condition};"}};
constexpr std::array failure_words = {
    Keyword{"undo", "undo;"},
    Keyword{"undo all", "undo all;"},
    Keyword{"hold", "hold;"},
};
constexpr std::array verb_words = {
    Keyword{"needs", "needs ${1:condition};"},
    Keyword{"capture", "capture ${1:prior} = ${2:probe};"},
    Keyword{"effect", "effect ${1:probe} becomes ${2:value};"},
    Keyword{"role", "role ${1:form};"},
    Keyword{"do", "do ${1:tool} [$0];"},
    Keyword{"steps", "steps <\n    $0\n>"},
    Keyword{"result", "result ${1:value};"},
    Keyword{"within", "within ${1:5m};"},
    Keyword{"undo", "undo ${1:phrase};"},
    Keyword{"undo none because", "undo none because \"${1:why}\";"},
    Keyword{"undo by caller", "undo by caller;"},
    Keyword{"irreversible because", "irreversible because \"${1:why}\";"},
};
constexpr std::array probe_words = {
    Keyword{"read", "read ${1:tool} [$0];"},
    Keyword{"watch", "watch ${1:tool} [$0];"},
    Keyword{"role", "role ${1:form};"},
    Keyword{"depends", "depends ${1:probe};"},
    Keyword{"converges", "converges ${1:condition};"},
    Keyword{"within", "within ${1:5m};"},
};
constexpr std::array tool_words = {
    Keyword{"program", "program \"${1:name}\";"},
    Keyword{"arguments", "arguments [$0];"},
    Keyword{"environment", "environment [$0];"},
    Keyword{"within", "within ${1:5m};"},
};
constexpr std::array migration_words = {
    Keyword{"reason", "reason \"${1:why}\";"},
    Keyword{"ticket", "ticket \"${1:id}\";"},
};
constexpr std::array clause_words = {
    Keyword{"within", "within ${1:5m}"},
    Keyword{"retry", "retry ${1:3} every ${2:10s}"},
    Keyword{"as", "as ${1:name}"},
    Keyword{"undo", "undo ${1:phrase}"},
    Keyword{"undo none because", "undo none because \"${1:why}\""},
    Keyword{"irreversible because", "irreversible because \"${1:why}\""},
};
constexpr std::array undo_words = {
    Keyword{"none because", "none because \"${1:why}\""},
    Keyword{"by caller", "by caller"},
};
constexpr std::array comparison_words = {
    Keyword{"is", "is"},
    Keyword{"is not", "is not"},
    Keyword{"is absent", "is absent"},
    Keyword{"below", "below"},
    Keyword{"above", "above"},
    Keyword{"at least", "at least"},
    Keyword{"at most", "at most"},
    Keyword{"matches", "matches \"${1:regular expression}\""},
    Keyword{"contains", "contains"},
    Keyword{"one of", "one of [$1]"},
    Keyword{"and", "and"},
    Keyword{"or", "or"},
    Keyword{"within", "within ${1:5m}"},
};
constexpr std::string_view type_words =
    "int,string,bool,duration,percent,quantity,url,path,image,json,plan,secret,list of ${1:string},"
    "condition,environment,workload,service";

// A phrase can be left off at any of its parts.
using Rest = std::vector<const SignaturePart*>;

// What follows in a signature behind what has been written of it: the parts that must, and for each optional
// group that may begin here, its parts.
class Follower {
  public:
    explicit Follower(const std::vector<Element>& written) : written_(written) {}

    std::vector<Rest> follow(const syntax::Signature& signature) {
        for (const auto& part : signature) parts_.push_back(&part);
        walk(0, 0);
        return std::move(found_);
    }

  private:
    void walk(std::size_t part, std::size_t at) {
        if (++tries_ > 1'000) return;
        if (at == written_.size()) offer(part);
        if (part == parts_.size() || at == written_.size()) return;
        const SignaturePart& p = *parts_[part];
        if (p.kind == SignatureKind::Optional) {
            // Within: the group's parts stand in place of the group.
            const auto before = parts_;
            parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(part));
            std::size_t to = part;
            for (const auto& inner : p.parts)
                parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(to++), &inner);
            walk(part, at);
            parts_ = before;
            walk(part + 1, at);
        } else if (p.kind == SignatureKind::Slot ||
                   (written_[at].is_word && written_[at].text == p.name.text)) {
            walk(part + 1, at + 1);
        }
    }

    void offer(std::size_t part) {
        Rest rest;
        for (std::size_t i = part; i < parts_.size(); ++i)
            if (parts_[i]->kind != SignatureKind::Optional) rest.push_back(parts_[i]);
        found_.push_back(std::move(rest));
        for (; part < parts_.size() && parts_[part]->kind == SignatureKind::Optional; ++part) {
            Rest group;
            for (const auto& inner : parts_[part]->parts)
                if (inner.kind != SignatureKind::Optional) group.push_back(&inner);
            found_.push_back(std::move(group));
        }
    }

    const std::vector<Element>& written_;
    std::vector<const SignaturePart*> parts_;
    std::vector<Rest> found_;
    std::size_t tries_ = 0;
};

std::string snippet_of(const SignaturePart& part, int number) {
    if (part.kind == SignatureKind::Label) return part.name.text;
    constexpr std::array quoted = {"string", "path", "new path", "url", "image"};
    const bool is_quoted = std::find(quoted.begin(), quoted.end(), part.type.text) != quoted.end();
    const bool is_condition = part.type.text == "condition";
    const std::string_view form = is_quoted ? "\"${{{}:{}}}\"" : is_condition ? "(${{{}:{}}})" : "${{{}:{}}}";
    return fmt::format(fmt::runtime(form), number, part.name.text);
}

class Completer {
  public:
    Completer(const Analysis& analysis, const Phrases& library, std::uint32_t offset)
        : analysis_(analysis), library_(library), offset_(offset), context_(context_at(analysis, offset)) {}

    Completions result() {
        result_.replaced = context_.prefix;
        if (context_.is_text) return std::move(result_);
        if (context_.words.empty())
            statement();
        else if (!header())
            phrase();
        return std::move(result_);
    }

  private:
    template <typename Words>
    void keywords(const Words& words) {
        for (const auto& k : words)
            result_.items.push_back(
                {CompletionKind::Keyword, std::string(k.label), "", "", std::string(k.snippet)});
    }
    void value(CompletionKind kind, const std::string& text, std::string detail) {
        result_.items.push_back({kind, text, std::move(detail), "", text});
    }

    void statement() {
        switch (context_.block) {
            case Block::Top:
                if (context_.behind_stage) keywords(behind_stage_words);
                return keywords(top_words);
            case Block::Verb:
                return keywords(verb_words);
            case Block::Probe:
                return keywords(probe_words);
            case Block::Tool:
                return keywords(tool_words);
            case Block::Migration:
                return keywords(migration_words);
            case Block::Stage:
                keywords(stage_words);
                break;
            case Block::Failure:
                keywords(failure_words);
                break;
            case Block::Steps:
                break;
        }
        keywords(step_words);
        phrases(DeclarationKind::Verb);
    }

    // The items whose words are no phrases. Whether this is one.
    bool header() {
        const auto& words = context_.words;
        const std::string& head = words.front();
        const std::string& last = words.back();
        if (head == "stage") {
            stage_header(last);
        } else if (head == "on") {
            if (last == "on") value(CompletionKind::Keyword, "failure", "");
            if (last == "failure") keywords(failure_words);
        } else if (head == "use") {
            if (last == "use")
                for (const auto& module : library_.modules)
                    if (!module.always) value(CompletionKind::Value, module.name, "module");
        } else if (last == ":") {
            types();
        } else {
            return head == "param" && last != "=";
        }
        return true;
    }

    void stage_header(const std::string& last) {
        if (last == "stage" || last == "in") return environments();
        if (last == "repeats") {
            for (const auto& stage : analysis_.tree().stages)
                if (stage.span.end < offset_) value(CompletionKind::Name, stage.name.text, "stage");
            return;
        }
        for (const char* word : {"in", "repeats"}) value(CompletionKind::Keyword, word, "");
    }

    void types() {
        for (const std::string& type : split(type_words, ','))
            result_.items.push_back(
                {CompletionKind::Value, type.substr(0, type.find(" $")), "type", "", type});
    }

    void environments() {
        for (const auto& e : analysis_.inventory().environments)
            value(CompletionKind::Value, e.name, "environment");
    }

    void phrase() {
        const std::string by = context_.introduced.value_or("");
        if (by == "as" || by == "because") return;
        if (by == "within" || by == "retry" || by == "soak") return names("");
        const bool is_declaration = context_.block == Block::Verb || context_.block == Block::Probe;
        if (by == "undo") keywords(undo_words);
        const bool is_verb = by == "undo" || (by.empty() && !is_declaration);
        if (context_.phrase.empty() && !is_verb) names("");
        phrases(is_verb ? DeclarationKind::Verb : DeclarationKind::Probe);
    }

    // ------------------------------------------------------------------ phrases

    void phrases(DeclarationKind kind) {
        const auto& uses = analysis_.tree().uses;
        for (const auto& module : library_.modules) {
            const bool is_used = std::any_of(uses.begin(), uses.end(), [&](const syntax::Use& use) {
                return !use.is_path && use.module == module.name;
            });
            if (!module.always && !is_used) continue;
            if (kind == DeclarationKind::Verb)
                for (const auto& verb : module.file.verbs) add(verb, kind, library_.sources);
            else
                for (const auto& probe : module.file.probes) add(probe, kind, library_.sources);
        }
        for (const auto* own : analysis_.own())
            if (own->is(kind)) add(own->common(), kind, analysis_.sources());
        if (complete_ && kind == DeclarationKind::Verb) keywords(clause_words);
        if (complete_ && kind == DeclarationKind::Probe) keywords(comparison_words);
        if (kind == DeclarationKind::Probe && context_.phrase.size() == 1 && !complete_)
            keywords(comparison_words);  // behind a name
        for (const auto& type : slot_types_) values(type);
    }

    void add(const syntax::Declared& declaration, DeclarationKind kind, const SourceMap& sources) {
        for (const Rest& rest : Follower(context_.phrase).follow(declaration.signature)) {
            if (rest.empty()) {
                complete_ = !context_.phrase.empty();
                continue;
            }
            if (rest.front()->kind == SignatureKind::Slot) {
                const std::string& type = rest.front()->type.text;
                if (std::find(slot_types_.begin(), slot_types_.end(), type) == slot_types_.end())
                    slot_types_.push_back(type);
                continue;
            }
            const bool is_statement =
                kind == DeclarationKind::Verb && context_.phrase.empty() && !context_.introduced;
            result_.items.push_back({CompletionKind::Phrase, label(rest),
                                     std::string(sources.text(declaration.signature_span)),
                                     fmt::format("{}\n\n```mig\n{}\n```", declaration.documentation,
                                                 sources.text(declaration.span)),
                                     snippet(rest, is_statement)});
        }
    }

    static std::string label(const Rest& rest) {
        std::string result;
        for (const SignaturePart* part : rest)
            result += (result.empty() ? "" : " ") +
                      (part->kind == SignatureKind::Label ? part->name.text : "(" + part->name.text + ")");
        return result;
    }

    [[nodiscard]] std::string snippet(const Rest& rest, bool is_statement) const {
        std::string result;
        int number = 0;
        for (const SignaturePart* part : rest) {
            if (part->kind == SignatureKind::Slot) ++number;
            result += (result.empty() ? "" : " ") + snippet_of(*part, number);
        }
        return result + (is_statement && context_.ends_line ? ";" : "");
    }

    // ------------------------------------------------------------------ values

    void values(const std::string& type) {
        const auto& inventory = analysis_.inventory();
        if (type.ends_with("workload"))
            for (const auto& [name, written] : inventory.workloads)
                value(CompletionKind::Value, name, written);
        if (type.ends_with("service"))
            for (const auto& [name, written] : inventory.services)
                if (name.find('.') == std::string::npos) value(CompletionKind::Value, name, written);
        if (type.ends_with("channel"))
            for (const auto& channel : inventory.channels)
                value(CompletionKind::Value, channel.name, "channel");
        if (type == "environment") environments();
        if (type == "bool")
            for (const char* word : {"true", "false"}) value(CompletionKind::Value, word, "bool");
        names(type);
    }

    // The innermost block around a place; the whole file if there is none.
    [[nodiscard]] Span block_around(std::uint32_t at) const {
        std::vector<std::uint32_t> open;
        const std::uint32_t size = static_cast<std::uint32_t>(analysis_.sources().file(0).text().size());
        for (const auto& token : analysis_.tokens()) {
            const std::string_view text = analysis_.sources().text(token.span);
            if (token.kind != syntax::TokenKind::Punctuation) continue;
            if (text == "<") open.push_back(token.span.begin);
            if (text != ">" || open.empty()) continue;
            if (open.back() < at && at < token.span.end) return {0, open.back(), token.span.end};
            open.pop_back();
        }
        while (!open.empty() && open.back() >= at) open.pop_back();
        return {0, open.empty() ? 0 : open.back(), size};
    }

    [[nodiscard]] bool is_visible(const sema::Definition& d) const {
        if (d.kind != sema::DefinitionKind::Name || d.span.file != analysis_.file()) return false;
        if (d.span.begin > offset_) return false;
        // Parameters are seen in the body of their declaration.
        const auto within = [&](const auto& declaration) {
            return declaration.signature_span.begin <= d.span.begin &&
                   d.span.end <= declaration.signature_span.end;
        };
        const auto& tree = analysis_.tree();
        for (const auto& verb : tree.verbs)
            if (within(verb)) return offset_ <= verb.span.end;
        for (const auto& probe : tree.probes)
            if (within(probe)) return offset_ <= probe.span.end;
        const Span block = block_around(d.span.begin);
        return block.begin <= offset_ && offset_ <= block.end;
    }

    // Those that can be seen from here; first the ones of the type that is wanted.
    void names(const std::string& type) {
        if (names_given_) return;
        names_given_ = true;
        std::vector<const sema::Definition*> visible;
        for (const auto& d : analysis_.symbols().definitions)
            if (is_visible(d)) visible.push_back(&d);
        std::stable_partition(visible.begin(), visible.end(),
                              [&](const sema::Definition* d) { return d->type == type; });
        for (const auto* d : visible) value(CompletionKind::Name, d->name, d->type);
        const bool is_declaration =
            context_.block == Block::Verb || context_.block == Block::Probe || context_.block == Block::Tool;
        if (!is_declaration) return;
        for (const auto& [name, setting] : sema::settings())
            value(CompletionKind::Name, std::string(name), ir::show(setting));
    }

    const Analysis& analysis_;
    const Phrases& library_;
    std::uint32_t offset_;
    Context context_;
    Completions result_;
    std::vector<std::string> slot_types_;
    bool complete_ = false;  // what is written is a phrase already
    bool names_given_ = false;
};

}  // namespace

Completions complete(const Analysis& analysis, const Phrases& library, std::uint32_t offset) {
    return Completer(analysis, library, offset).result();
}

}  // namespace migc::service
