#include "compiler/project/inventory.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/project/defaults.hpp"
#include "compiler/project/reader.hpp"
#include "compiler/semantics/window.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/find.hpp"

namespace migc::project {

namespace {

// One function per key of migc.yaml.
class InventoryReader {
  public:
    InventoryReader(Inventory& inventory, FileId file, Diagnostics& diagnostics)
        : inventory_(inventory), file_(file), read_(diagnostics), diagnostics_(diagnostics) {}

    void read(const YamlNode& root) {
        if (!read_.is_map(root, "migc.yaml")) return;
        read_.each_key(root, "migc.yaml",
                       {{"order", [&](const YamlNode& node) { order_ = &node; }},
                        {"environments", [&](const YamlNode& node) { environments_ = &node; }},
                        {"workloads", [&](const YamlNode& node) { workloads(node); }},
                        {"services", [&](const YamlNode& node) { services(node); }},
                        {"notify", [&](const YamlNode& node) { notify(node); }},
                        {"project", [&](const YamlNode& node) { project_name(node); }},
                        read_.text_key("inside-image", inventory_.inside_image),
                        {"approvers", [&](const YamlNode& node) { approvers(node); }},
                        {"freezes", [&](const YamlNode& node) { freezes(node); }},
                        {"checks", [&](const YamlNode& node) { checks(node); }}});
        if (environments_ != nullptr) environments(*environments_);
        if (order_ != nullptr) order(*order_);
    }

    // What the file leaves to the defaults.
    void complete() {
        if (environments_ == nullptr && inventory_.order.empty()) {
            inventory_.environments = default_environments();
            inventory_.order = default_order();
        } else if (environments_ == nullptr) {
            for (const Scalar& name : inventory_.order) inventory_.environments.push_back(unbound(name));
        } else if (order_ != nullptr) {
            report_unordered();
        } else {
            order_by_default();
        }
    }

  private:
    void environments(const YamlNode& node) {
        if (!read_.is_map(node, "`environments`")) return;
        for (const auto& [name, settings] : node.entries)
            if (read_.is_word(name, "the name of an environment")) environment(name, settings);
    }

    void environment(const YamlNode& name, const YamlNode& settings) {
        const std::string called = fmt::format("the environment `{}`", name.text);
        Environment environment = unbound({name.text, name.span});
        if (read_.is_map(settings, called)) {
            read_.each_key(
                settings, called,
                {read_.text_key("context", environment.context),
                 read_.text_key("cluster-uid", environment.cluster_uid),
                 read_.text_key("namespace", environment.name_space),
                 {"kubeconfig",
                  [&](const YamlNode& node) {
                      environment.kubeconfig = read_.named_file(node, "`kubeconfig`", inventory_.root);
                  }},
                 {"protected", [&](const YamlNode& node) { protection(environment, node); }},
                 {"terraform", [&](const YamlNode& node) { environment.terraform = terraform(node); }},
                 {"set", [&](const YamlNode& node) { set(environment, node); }},
                 {"secrets", [&](const YamlNode& node) { secrets(environment, node); }}});
        }
        inventory_.environments.push_back(std::move(environment));
    }

    // An environment whose protection cannot be read is protected: the mistake must not open it.
    void protection(Environment& environment, const YamlNode& node) {
        environment.is_protected = read_.boolean(node, "`protected`").value_or(true);
    }

    std::optional<TerraformSettings> terraform(const YamlNode& node) {
        if (!read_.is_map(node, "`terraform`")) return std::nullopt;
        TerraformSettings settings;
        const YamlNode* var_file = nullptr;
        bool has_directory = false;
        read_.each_key(node, "`terraform`",
                       {{"dir",
                         [&](const YamlNode& value) {
                             has_directory = true;
                             settings.directory = read_.path(value, "`dir`").value_or("");
                         }},
                        {"var-file", [&](const YamlNode& value) { var_file = &value; }},
                        read_.text_key("workspace", settings.workspace)});
        if (!has_directory) read_.wrong(node, "`terraform` needs `dir`, the folder of the configuration");
        if (settings.directory.empty()) return std::nullopt;
        if (var_file != nullptr) settings.var_file = variables(*var_file, settings.directory);
        return settings;
    }

    std::string variables(const YamlNode& node, const std::string& directory) {
        const auto file = read_.text(node, "`var-file`");
        if (!file) return {};
        if (!file->starts_with('/') && stays_inside(directory + "/" + *file)) return *file;
        read_.wrong(node, "`var-file` leads out of the project's folder")
            .notes.emplace_back("it is relative to `dir`, and must stay below the folder of migc.yaml");
        return {};
    }

    void set(Environment& environment, const YamlNode& node) {
        if (!read_.is_map(node, "`set`")) return;
        for (const auto& [name, value] : node.entries) {
            if (!read_.is_word(name, "the name of a parameter")) continue;
            if (auto scalar = read_.parameter(value, fmt::format("`{}`", name.text)))
                environment.set.emplace(name.text, std::move(*scalar));
        }
    }

    void secrets(Environment& environment, const YamlNode& node) {
        if (!read_.is_map(node, "`secrets`")) return;
        for (const auto& [name, value] : node.entries)
            if (read_.is_word(name, "the name of a parameter"))
                if (auto source = secret(name, value))
                    environment.secrets.emplace(name.text, std::move(*source));
    }

    std::optional<SecretSource> secret(const YamlNode& name, const YamlNode& node) {
        const std::string called = fmt::format("the secret `{}`", name.text);
        if (node.kind == YamlKind::Scalar) {
            auto& d = read_.wrong(node, fmt::format("{} must not stand in the file itself", called));
            d.at_secret = true;
            d.note("say where it is: `{ file: .. }`, `{ env: NAME }` or `{ command: [..] }`");
            return std::nullopt;
        }
        if (!read_.is_map(node, called)) return std::nullopt;
        SecretSource source;
        source.span = name.span;
        int sources = 0;
        read_.each_key(node, called,
                       {{"file",
                         [&](const YamlNode& one) {
                             ++sources,
                                 source.file = read_.named_file(one, "`file`", inventory_.root).value_or("");
                         }},
                        {"env",
                         [&](const YamlNode& one) {
                             ++sources, source.variable = read_.text(one, "`env`").value_or("");
                         }},
                        {"command", [&](const YamlNode& one) { ++sources, source.command = command(one); }}});
        if (sources != 1)
            read_.wrong(name, fmt::format("{} needs one of `file`, `env` and `command`", called));
        const bool complete = !source.file.empty() || !source.variable.empty() || !source.command.empty();
        return sources == 1 && complete ? std::optional(source) : std::nullopt;
    }

    std::vector<std::string> words(const YamlNode& node, std::string_view called) {
        std::vector<std::string> result;
        if (!read_.is_list(node, called)) return result;
        for (const YamlNode& word : node.children)
            if (auto text = read_.text(word, called)) result.push_back(std::move(*text));
        return result;
    }

    // The program, and what it is given: its options are the operator's own.
    std::vector<std::string> command(const YamlNode& node) {
        std::vector<std::string> result;
        if (!read_.is_list(node, "`command`")) return result;
        for (const YamlNode& word : node.children) {
            auto text = result.empty() ? read_.text(word, "`command`") : read_.argument(word, "`command`");
            if (!text) return {};
            result.push_back(std::move(*text));
        }
        return result;
    }

    void approvers(const YamlNode& node) {
        if (!read_.is_map(node, "`approvers`")) return;
        for (const auto& [name, value] : node.entries) {
            if (!read_.is_word(name, "the name of an approver")) continue;
            if (value.kind == YamlKind::Map)
                approver(name, value);
            else
                approver_key(name, value);
        }
    }

    // `kim: { key: "migc-key:..", users: [klee] }`.
    void approver(const YamlNode& name, const YamlNode& node) {
        bool has_key = false;
        read_.each_key(node, fmt::format("the approver `{}`", name.text),
                       {{"key", [&](const YamlNode& key) { has_key = true, approver_key(name, key); }},
                        {"users", [&](const YamlNode& users) {
                             if (auto accounts = words(users, "`users`"); !accounts.empty())
                                 inventory_.approver_users.emplace(name.text, std::move(accounts));
                         }}});
        if (!has_key) read_.wrong(name, fmt::format("the approver `{}` has no `key`", name.text));
    }

    void approver_key(const YamlNode& name, const YamlNode& node) {
        const auto key = read_.text(node, fmt::format("the key of `{}`", name.text));
        if (key && looks_like_key(*key))
            inventory_.approvers.emplace(name.text, *key);
        else if (key)
            read_.wrong(node, fmt::format("this is no key of `{}`", name.text))
                .notes.emplace_back("`migc approver new NAME` makes one and prints the line for this file");
    }

    static bool looks_like_key(std::string_view text) {
        constexpr std::string_view alphabet =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        constexpr std::string_view prefix = "migc-key:";
        return text.starts_with(prefix) && text.size() == prefix.size() + 43 &&
               text.find_first_not_of(alphabet, prefix.size()) == std::string_view::npos;
    }

    void freezes(const YamlNode& node) {
        if (!read_.is_list(node, "`freezes`")) return;
        for (const YamlNode& one : node.children)
            if (read_.is_map(one, "a freeze")) freeze(one);
    }

    // One that cannot be read is reported as an error, so that no run begins in it.
    void freeze(const YamlNode& node) {
        Freeze freeze;
        freeze.span = node.span;
        read_.each_key(
            node, "a freeze",
            {{"from",
              [&](const YamlNode& one) { freeze.from = local_time(one, "`from`", semantics::local_time); }},
             {"to", [&](const YamlNode& one) { freeze.to = local_time(one, "`to`", semantics::local_end); }},
             read_.text_key("zone", freeze.zone),
             read_.text_key("why", freeze.why)});
        if (freeze.from.empty() || freeze.to.empty() || freeze.zone.empty() || freeze.why.empty())
            read_.wrong(node, "a freeze needs `from`, `to`, `zone` and `why`")
                .notes.emplace_back(
                    "for example { from: \"2026-12-20 18:00\", to: \"2027-01-02 06:00\", zone: Europe/Berlin, "
                    "why: \"holidays\" }");
        else if (freeze.from >= freeze.to)
            read_.wrong(node, "the freeze ends before it begins");
        inventory_.freezes.push_back(std::move(freeze));
    }

    // As "2026-12-20 18:00"; "" for what was reported.
    template <typename Parse>
    std::string local_time(const YamlNode& node, std::string_view called, Parse parse) {
        const auto text = read_.text(node, called);
        if (!text) return {};
        if (auto time = parse(*text)) return *std::move(time);
        read_.wrong(node,
                    fmt::format("{} is no time such as \"2026-12-20\" or \"2026-12-20 18:00\"", called));
        return {};
    }

    void order(const YamlNode& node) {
        if (!read_.is_list(node, "`order`")) return;
        for (const YamlNode& name : node.children) {
            if (!read_.is_word(name, "the name of an environment")) continue;
            if (const Scalar* before = in_order(name.text))
                read_.wrong(name, fmt::format("`order` names `{}` twice", name.text))
                    .label(before->span, here_already);
            else if (environments_ == nullptr || inventory_.environment(name.text) != nullptr)
                inventory_.order.push_back({name.text, name.span});
            else
                report_missing_environment(name);
        }
    }

    [[nodiscard]] const Scalar* in_order(std::string_view name) const {
        return first_of(inventory_.order, [&](const Scalar& one) { return one.text == name; });
    }

    // Without a place in the order nobody could tell what must be tested before it.
    void report_unordered() {
        for (const Environment& environment : inventory_.environments)
            if (in_order(environment.name) == nullptr)
                diagnostics_
                    .report(Code::BadInventory, environment.span,
                            fmt::format("the environment `{}` has no place in `order`", environment.name))
                    .notes.emplace_back(
                        "a script could change it before the environment that should test the change");
    }

    void report_missing_environment(const YamlNode& name) {
        auto& finding =
            read_.wrong(name, fmt::format("`order` names `{}`, which is not in `environments`", name.text));
        if (const auto meant = nearest(name.text, names_of(inventory_.environments)))
            finding.fixes.push_back(write_instead(name.span, *meant));
    }

    // The default order, of those of its environments that there are.
    void order_by_default() {
        for (const Scalar& name : default_order())
            if (const Environment* environment = inventory_.environment(name.text))
                inventory_.order.push_back({name.text, environment->span});
        if (inventory_.environments.size() < 2 || inventory_.order.size() == inventory_.environments.size())
            return;
        const Span place = inventory_.environments.front().span;
        const std::string list = fmt::format("{}", fmt::join(names_of(inventory_.environments), ", "));
        auto& finding = diagnostics_.report(Code::BadInventory, place, "`order` is missing");
        finding.notes.push_back(fmt::format("nobody could tell which of {} tests a change for which", list));
        finding.fixes.push_back({"say the order, lower environments first",
                                 {{{file_, 0, 0}, fmt::format("order: [{}]\n", list)}},
                                 false});
    }

    void workloads(const YamlNode& node) { bindings(node, "workloads", "deployment", inventory_.workloads); }
    void services(const YamlNode& node) { bindings(node, "services", "service", inventory_.services); }

    void bindings(const YamlNode& node, std::string_view key, std::string_view kind,
                  std::map<std::string, std::string>& into) {
        if (!read_.is_map(node, fmt::format("`{}`", key))) return;
        for (const auto& [name, target] : node.entries) {
            const std::string called = fmt::format("`{}`", name.text);
            const bool names_it =
                is_host(name, kind) || read_.is_word(name, fmt::format("a name in `{}`", key));
            if (!names_it) continue;
            const auto text = read_.text(target, called);
            if (text && is_object_name(*text, target, called, kind)) into.emplace(name.text, *text);
        }
    }

    // `shop.example.com: service/shop-web` says what answers at an address.
    static bool is_host(const YamlNode& name, std::string_view kind) {
        constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789.-";
        return kind == "service" && name.kind == YamlKind::Scalar &&
               name.text.find('.') != std::string::npos &&
               name.text.find_first_not_of(allowed) == std::string::npos && name.text.front() != '.' &&
               name.text.front() != '-';
    }

    bool is_object_name(const std::string& text, const YamlNode& node, std::string_view called,
                        std::string_view kind) {
        const std::size_t slash = text.find('/');
        const bool one_slash = slash != std::string::npos && text.find('/', slash + 1) == std::string::npos;
        const bool has_space = text.find(' ') != std::string::npos;
        const bool is_option = text.starts_with('-');
        if (one_slash && slash > 0 && slash + 1 < text.size() && !has_space && !is_option) return true;
        auto& finding =
            read_.wrong(node, fmt::format("{} must be a kind and a name, such as `{}/web`", called, kind));
        if (slash == std::string::npos && !has_space && !is_option)
            finding.fixes.push_back(write_instead(node.span, fmt::format("{}/{}", kind, text)));
        return false;
    }

    void notify(const YamlNode& node) {
        if (!read_.is_map(node, "`notify`")) return;
        for (const auto& [name, value] : node.entries) {
            if (name.text == "on")
                occasions(value);
            else if (read_.is_word(name, "the name of a channel"))
                channel(name, value);
        }
    }

    void channel(const YamlNode& name, const YamlNode& node) {
        const std::string called = fmt::format("the channel `{}`", name.text);
        if (!read_.is_map(node, called)) return;
        std::optional<std::string> url_file;
        bool has_key = false;
        read_.each_key(node, called, {{"url-file", [&](const YamlNode& value) {
                                           has_key = true;
                                           url_file = read_.named_file(value, "`url-file`", inventory_.root);
                                       }}});
        if (!has_key)
            read_.wrong(name,
                        fmt::format("{} needs `url-file`, a file with the address that it posts to", called));
        if (url_file) inventory_.channels.push_back({name.text, *url_file});
    }

    void occasions(const YamlNode& node) {
        static const std::vector<std::string> known = {"start", "hold", "undo", "in-doubt", "done"};
        if (!read_.is_list(node, "`on`")) return;
        for (const YamlNode& one : node.children) {
            const auto name = read_.text(one, "what `on` lists");
            if (!name) continue;
            if (std::ranges::find(known, *name) != known.end()) {
                inventory_.notify_on.push_back(*name);
                continue;
            }
            auto& finding = read_.wrong(one, fmt::format("migc sends no message about `{}`", *name));
            finding.notes.push_back(fmt::format("`on` lists some of {}", fmt::join(known, ", ")));
            if (const auto meant = nearest(*name, known))
                finding.fixes.push_back(write_instead(one.span, *meant));
        }
    }

    // Servers show it beside what the project's runs have written.
    void project_name(const YamlNode& node) {
        const std::string name = read_.text(node, "`project`").value_or("");
        constexpr std::string_view allowed =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
        if (name.size() <= 60 && name.find_first_not_of(allowed) == std::string::npos)
            inventory_.project = name;
        else
            diagnostics_.report(
                Code::BadInventory, node.span,
                "the name of a project is at most 60 letters, digits, dots, hyphens and underscores");
    }

    void checks(const YamlNode& node) {
        if (!read_.is_map(node, "`checks`")) return;
        for (const auto& [name, value] : node.entries)
            if (const auto code = silenceable(name)) level(name, *code, value);
    }

    std::optional<Code> silenceable(const YamlNode& name) {
        const auto code = code_of(name.text);
        if (code && can_be_silenced(*code)) return code;
        if (code) {
            read_.wrong(name, fmt::format("the severity of {} cannot be set", name.text))
                .notes.emplace_back(
                    "it makes a script impossible to run, or says that a finding is allowed wrongly");
            return std::nullopt;
        }
        auto& finding = read_.wrong(name, fmt::format("there is no finding `{}`", name.text));
        std::vector<std::string> ids;
        for (std::size_t i = 0; i < all_codes().size(); ++i)
            if (can_be_silenced(static_cast<Code>(i))) ids.emplace_back(all_codes()[i].id);
        if (const auto meant = nearest(name.text, ids))
            finding.fixes.push_back(write_instead(name.span, *meant));
        return std::nullopt;
    }

    // `error`, `warning`, or `{ off: "why" }`.
    void level(const YamlNode& name, Code code, const YamlNode& node) {
        constexpr std::string_view form = "it is `error`, `warning`, or `{ off: \"why\" }`";
        const std::string called = fmt::format("`{}`", name.text);
        if (node.kind == YamlKind::Map) {
            std::optional<std::string> reason;
            read_.each_key(node, called,
                           {{"off", [&](const YamlNode& why) { reason = read_.text(why, "`off`"); }}});
            if (reason && reason->find_first_not_of(" \t\n") != std::string::npos)
                inventory_.checks.push_back({code, std::nullopt, *reason, name.span});
            else if (reason)
                off_without_reason(node);
            return;
        }
        if (node.kind == YamlKind::Scalar && node.text == "off")
            off_without_reason(node);
        else if (node.kind == YamlKind::Scalar && (node.text == "error" || node.text == "warning"))
            inventory_.checks.push_back(
                {code, node.text == "error" ? Severity::Error : Severity::Warning, "", name.span});
        else
            read_.wrong(node, fmt::format("what is said of {} is no severity", called))
                .notes.emplace_back(form);
    }

    void off_without_reason(const YamlNode& node) {
        read_.wrong(node, "a check that is off needs a reason: `{ off: \"why\" }`")
            .notes.emplace_back("nobody could tell later whether the reason still holds");
    }

    Inventory& inventory_;
    FileId file_;
    Reader read_;
    Diagnostics& diagnostics_;
    const YamlNode* environments_ = nullptr;
    const YamlNode* order_ = nullptr;
};

}  // namespace

std::string SecretSource::show() const {
    if (!file.empty()) return "the file " + file;
    if (!variable.empty()) return "the environment variable " + variable;
    return "the command " + (command.empty() ? std::string() : command.front());
}

const Environment* Inventory::environment(std::string_view name) const {
    return first_of(environments, [&](const Environment& one) { return one.name == name; });
}

std::optional<std::size_t> Inventory::rank(std::string_view name) const {
    const Scalar* found = first_of(order, [&](const Scalar& one) { return one.text == name; });
    return found == nullptr ? std::nullopt : std::optional<std::size_t>(found - order.data());
}

Inventory parse_inventory(FileId file, const std::filesystem::path& root, const SourceMap& sources,
                          Diagnostics& diagnostics) {
    Inventory inventory;
    inventory.exists = true;
    inventory.root = root;
    inventory.file_name = sources.file(file).name();
    InventoryReader reader(inventory, file, diagnostics);
    std::optional<YamlNode> tree;
    if (is_utf8(sources.file(file).text()))
        tree = read_yaml(file, sources, diagnostics);
    else
        diagnostics.report(Code::BadInventory, {file, 0, 0}, "the file is not UTF-8");
    if (tree) reader.read(*tree);
    reader.complete();
    return inventory;
}

}  // namespace migc::project
