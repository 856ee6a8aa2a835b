// Terraform's state is locked while it is changed: two runs at the same time would each overwrite what the
// other did.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/support/find.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;

// A block or an attribute of the configuration, as far as it matters here: words and strings, up to a `{` or
// `=`.
struct Token {
    enum Kind { Word, String, Sign, End } kind = End;
    std::string text;
    std::size_t begin = 0;
    std::size_t end = 0;

    [[nodiscard]] bool is_sign(std::string_view sign) const { return kind == Sign && text == sign; }
};

// The tokens of HCL. What it does not know is a sign; comments, strings and heredocs are gone over.
class Tokens {
  public:
    explicit Tokens(std::string_view text) : text_(text) {}

    Token next() {
        skip();
        const std::size_t begin = at_;
        if (begin >= text_.size()) return {Token::End, "", begin, begin};
        if (text_[at_] == '"') return string();
        if (text_.substr(at_, 2) == "<<") return heredoc();
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        if (at_ > begin) return {Token::Word, std::string(text_.substr(begin, at_ - begin)), begin, at_};
        ++at_;
        return {Token::Sign, std::string(1, text_[begin]), begin, at_};
    }

  private:
    static bool is_word(char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    }

    void skip() {
        for (;;) {
            while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
            const std::string_view rest = text_.substr(std::min(at_, text_.size()));
            if (rest.starts_with("#") || rest.starts_with("//"))
                at_ = std::min(text_.find('\n', at_), text_.size());
            else if (rest.starts_with("/*"))
                at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
            else
                return;
        }
    }

    // Up to the closing quote; `${ .. }` may hold strings of its own.
    Token string() {
        const std::size_t begin = at_++;
        int depth = 0;
        std::string value;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '\\' && at_ + 1 < text_.size()) {
                value += text_[++at_];
                continue;
            }
            if (text_.substr(at_, 2) == "${") ++depth;
            if (c == '}' && depth > 0) --depth;
            if (c == '\n') break;
            if (c == '"' && depth == 0) {
                ++at_;
                break;
            }
            value += c;
        }
        return {Token::String, value, begin, at_};
    }

    Token heredoc() {
        const std::size_t begin = at_;
        at_ += 2;
        if (at_ < text_.size() && text_[at_] == '-') ++at_;
        const std::size_t name_begin = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        const std::string name(text_.substr(name_begin, at_ - name_begin));
        if (name.empty()) return {Token::Sign, "<<", begin, at_};
        while (at_ < text_.size()) {
            const std::size_t line = text_.find('\n', at_);
            if (line == std::string_view::npos) break;
            const std::size_t end = std::min(text_.find('\n', line + 1), text_.size());
            const std::string_view content = text_.substr(line + 1, end - line - 1);
            at_ = end;
            if (trimmed(content) == name) return {Token::String, "", begin, at_};
        }
        at_ = text_.size();
        return {Token::String, "", begin, at_};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

struct Backend {
    std::string kind;                               // "http"
    std::map<std::string, std::string> attributes;  // a text as written, "?" for what is calculated
    std::size_t begin = 0, end = 0;                 // of `backend "http"`
};

// The backend block within a `terraform` block of the file.
std::optional<Backend> backend_of(std::string_view text) {
    Tokens tokens(text);
    int depth = 0, terraform = -1;
    Token before;  // what stands before the current token
    for (Token token = tokens.next(); token.kind != Token::End; token = tokens.next()) {
        const bool opens = token.is_sign("{");
        if (opens && depth == 0 && before.kind == Token::Word && before.text == "terraform")
            terraform = depth;
        if (opens) ++depth;
        if (token.is_sign("}") && --depth <= terraform) terraform = -1;
        const bool is_backend =
            terraform >= 0 && depth == terraform + 1 && token.kind == Token::Word && token.text == "backend";
        if (!is_backend) {
            before = token;
            continue;
        }
        const Token kind = tokens.next();
        if (kind.kind != Token::String || tokens.next().text != "{") return std::nullopt;
        Backend found{kind.text, {}, token.begin, kind.end};
        int inner = 1;
        Token name;
        for (Token each = tokens.next(); each.kind != Token::End && inner > 0; each = tokens.next()) {
            if (each.is_sign("{") || each.is_sign("[")) ++inner;
            if ((each.is_sign("}") || each.is_sign("]")) && --inner == 0) break;
            if (inner == 1 && each.is_sign("=") && name.kind == Token::Word) {
                each = tokens.next();
                const bool is_plain = each.kind == Token::String || each.kind == Token::Word;
                found.attributes[name.text] = is_plain ? each.text : "?";
                if (each.is_sign("{") || each.is_sign("[")) ++inner;
            }
            name = each;
        }
        return found;
    }
    return std::nullopt;
}

// What a backend would need for a lock; empty if it has one. Those that always lock are not named here.
std::string missing_lock(const Backend& backend) {
    const auto has = [&](const char* name) {
        const auto found = backend.attributes.find(name);
        return found != backend.attributes.end() && !found->second.empty() && found->second != "false";
    };
    if (backend.attributes.empty()) return "";  // it is completed when terraform is started
    if (backend.kind == "http" && !has("lock_address")) return "`lock_address`";
    if (backend.kind == "s3" && !has("dynamodb_table") && !has("use_lockfile"))
        return "`use_lockfile = true`";
    if (backend.kind == "consul" && backend.attributes.contains("lock") && !has("lock"))
        return "`lock = true`";
    if (backend.kind == "oss" && !has("tablestore_table")) return "`tablestore_table`";
    return "";
}

std::vector<fs::path> configuration(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".tf") files.push_back(at->path());
    std::ranges::sort(files);
    return files;
}

// The first step of a stage that runs terraform for the environment.
const Event* uses_terraform(const StageEvents& course) {
    return first_of(course.forward, [](const Event& event) { return plays(event, ir::Role::AppliesPlan); });
}

void check_folder(const CheckContext& picture, const StageEvents& course, const Event& apply,
                  Diagnostics& diagnostics) {
    for (const fs::path& path :
         configuration(picture.inventory.root / course.environment->terraform->directory)) {
        const auto text = content(picture.inventory.root, path);
        const auto backend = text ? backend_of(*text) : std::nullopt;
        const std::string missing = backend ? missing_lock(*backend) : "";
        if (missing.empty()) continue;
        const FileId file = picture.sources.add(shown_path(path), *text);
        auto& d = diagnostics.report(
            Code::NoLock, course.stage->repeats ? course.stage->span : apply.step->span,
            fmt::format("nothing locks the state of {} while it is changed", course.stage->environment));
        d.label({file, static_cast<std::uint32_t>(backend->begin), static_cast<std::uint32_t>(backend->end)},
                fmt::format("this backend locks only with {}", missing));
        d.note("somebody else's apply at the same time would overwrite the record of what this one has made");
    }
}

}  // namespace

void backend(const CheckContext& picture, Diagnostics& diagnostics) {
    std::set<std::string> seen;
    for (const StageEvents& course : picture.timeline.courses()) {
        if (course.environment == nullptr || !course.environment->terraform || !picture.inventory.exists)
            continue;
        const Event* apply = uses_terraform(course);
        if (apply != nullptr && seen.insert(course.environment->terraform->directory).second)
            check_folder(picture, course, *apply, diagnostics);
    }
}

}  // namespace migc::checks
