#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <stdlib.h>

#include "compiler/diagnostics/apply.hpp"
#include "compiler/diagnostics/render.hpp"
#include "compiler/project/git_index.hpp"
#include "compiler/project/inventory.hpp"

using namespace migc;
using namespace migc::project;

namespace {

struct Parsed {
    SourceMap sources;
    Diagnostics diagnostics;
    Inventory inventory;

    explicit Parsed(std::string text) {
        const FileId file = sources.add("migc.yaml", std::move(text));
        inventory = parse_inventory(file, "/project", sources, diagnostics);
    }

    [[nodiscard]] std::string messages() const {
        std::string out;
        for (const Diagnostic& finding : diagnostics.all())
            out += sources.location(finding.span).substr(10) + " " + finding.message + "\n";
        return out;
    }
    [[nodiscard]] std::string fix(std::size_t index = 0) const {
        return diagnostics.all().at(0).fixes.at(index).edits.at(0).replacement;
    }
};

}  // namespace

TEST_CASE("a complete inventory") {
    const Parsed parsed(R"(order: [development, staging, production]
environments:
  development:
  staging:
    context: ionos-staging
    namespace: monadic-pipeline-staging
    kubeconfig: .kube/staging
    terraform: { dir: terraform, var-file: environments/staging.tfvars }
    set: { nodes: 3, image: "012", fast: true }
  production:
    context: ionos-prod
    protected: true
workloads: { webapi: deployment/monadic-pipeline-webapi }
services: { web: service/monadic-pipeline-webapi-service }
notify: { ops: { url-file: .secrets/ops-webhook }, on: [start, in-doubt] }
inside-image: curlimages/curl:8.10.1
checks: { O002: error }
)");
    CHECK(parsed.messages().empty());
    const Inventory& inventory = parsed.inventory;
    CHECK(inventory.exists);
    CHECK(inventory.root == "/project");
    REQUIRE(inventory.environments.size() == 3);
    const Environment* staging = inventory.environment("staging");
    REQUIRE(staging != nullptr);
    CHECK(staging->context == "ionos-staging");
    CHECK(staging->name_space == "monadic-pipeline-staging");
    CHECK(staging->kubeconfig == ".kube/staging");
    CHECK_FALSE(staging->is_protected);
    CHECK(staging->terraform->directory == "terraform");
    CHECK(staging->terraform->var_file == "environments/staging.tfvars");
    CHECK(staging->set.at("nodes").text == "3");
    CHECK(parsed.sources.text(staging->set.at("image").span) == "\"012\"");
    CHECK(parsed.sources.text(staging->span) == "staging");
    CHECK(inventory.environment("production")->is_protected);
    CHECK(inventory.environment("nowhere") == nullptr);
    CHECK(inventory.rank("development") == 0);
    CHECK(inventory.rank("production") == 2);
    CHECK_FALSE(inventory.rank("nowhere"));
    CHECK(inventory.workloads.at("webapi") == "deployment/monadic-pipeline-webapi");
    CHECK(inventory.services.at("web") == "service/monadic-pipeline-webapi-service");
    CHECK(inventory.channels.at(0).name == "ops");
    CHECK(inventory.channels.at(0).url_file == ".secrets/ops-webhook");
    CHECK(inventory.notify_on == std::vector<std::string>{"start", "in-doubt"});
    CHECK(inventory.inside_image == "curlimages/curl:8.10.1");
}

TEST_CASE("an empty file means the defaults") {
    for (const char* text : {"", "# nothing\n", "---\n", "workloads: { a: deployment/a }\n"}) {
        const Parsed parsed(text);
        CHECK(parsed.messages().empty());
        CHECK(parsed.inventory.environments.size() == 3);
        CHECK(parsed.inventory.rank("staging") == 1);
        CHECK(parsed.inventory.environment("production")->is_protected);
    }
}

TEST_CASE("order without environments, environments without order") {
    const Parsed only_order("order: [test, live]\n");
    CHECK(only_order.messages().empty());
    CHECK(only_order.inventory.environment("live") != nullptr);
    CHECK(only_order.inventory.rank("live") == 1);

    const Parsed known("environments: { production: {}, staging: {} }\n");
    CHECK(known.messages().empty());
    CHECK(known.inventory.rank("production") == 1);

    const Parsed unknown("environments: { test: {}, live: {} }\n");
    CHECK(unknown.messages() == "1:17 `order` is missing\n");
    CHECK(unknown.fix() == "order: [test, live]\n");
}

TEST_CASE("unknown keys, with the nearest known one") {
    const Parsed top("enviroments: {}\n");
    CHECK(top.messages() == "1:1 migc.yaml has no key `enviroments`\n");
    CHECK(top.fix() == "environments");
    const Parsed inner("environments:\n  staging:\n    namspace: x\n    context: y\n");
    CHECK(inner.messages() == "3:5 the environment `staging` has no key `namspace`\n");
    CHECK(inner.fix() == "namespace");
    CHECK(inner.inventory.environment("staging")->context == "y");
}

TEST_CASE("duplicate keys, aliases, anchors, tags, second documents") {
    const Parsed twice("workloads:\n  a: deployment/a\n  a: deployment/b\n");
    CHECK(twice.messages() == "3:3 the key `a` is there twice\n");
    CHECK(twice.inventory.workloads.at("a") == "deployment/a");
    CHECK(twice.sources.location(twice.diagnostics.all()[0].labels.at(0).span) == "migc.yaml:2:3");
    CHECK(Parsed("order: &x [a]\n").messages().find("1:8 anchors are not allowed") == 0);
    CHECK(Parsed("order: &x [a]\nworkloads: *x\n").messages().find("2:12 aliases are not allowed") !=
          std::string::npos);
    CHECK(Parsed("inside-image: !!str a\n").messages().find("1:15 tags are not allowed") == 0);
    CHECK(Parsed("order: [a]\n---\norder: [b]\n").messages().find("a second document") != std::string::npos);
    CHECK(Parsed("{[a]: b}\n").messages() == "1:2 a key must be a word\n");
}

TEST_CASE("values that YAML readers take for different things") {
    const Parsed flag("environments: { production: { protected: yes } }\n");
    CHECK(flag.messages() == "1:42 `protected` must be `true` or `false`\n");
    CHECK(flag.inventory.environment("production")->is_protected);
    CHECK(apply_fixes("environments: { production: { protected: yes } }\n", 0, flag.diagnostics).text ==
          "environments: { production: { protected: true } }\n");
    CHECK(Parsed("environments: { a: { protected: \"true\" } }\n").diagnostics.has_errors());
    const Parsed octal("environments: { a: { set: { n: 012 } } }\n");
    CHECK(octal.messages() == "1:32 `012` means different things to different readers of YAML\n");
    CHECK(octal.fix(0) == "12");
    CHECK(octal.fix(1) == "\"012\"");
    for (const char* doubtful : {"yes", "Off", "0x1F", "0o17", "1_000", "1:30", "00", "-012", "True"})
        CHECK(Parsed(std::string("environments: { a: { set: { n: ") + doubtful + " } } }\n")
                  .diagnostics.has_errors());
    for (const char* clear :
         {"0", "12", "-3", "true", "\"yes\"", "0.5", "20Gi", "5m", "0123abc", "a:b", "1.2.3"})
        CHECK(Parsed(std::string("environments: { a: { set: { n: ") + clear + " } } }\n").messages().empty());
}

TEST_CASE("wrong kinds of value") {
    const Parsed order("order: staging\n");
    CHECK(order.messages() == "1:8 `order` must be a list, `[a, b]`, and is one value\n");
    CHECK(order.fix() == "[staging]");
    for (const char* text : {"- a\n",
                             "order: {}\n",
                             "environments: []\n",
                             "environments: { 1a: {} }\n",
                             "environments: { a: b }\n",
                             "environments: { a: { context: [] } }\n",
                             "environments: { a: { context: \"\" } }\n",
                             "environments: { a: { context: -x } }\n",
                             "environments: { a: { namespace: \"a\\nb\" } }\n",
                             "environments: { a: { terraform: { var-file: x } } }\n",
                             "environments: { a: { terraform: { dir: /etc } } }\n",
                             "environments: { a: { terraform: { dir: ../up } } }\n",
                             "environments: { a: { terraform: { dir: t, var-file: ../../x } } }\n",
                             "environments: { a: { set: { n: [1] } } }\n",
                             "environments: { a: { set: { n: } } }\n",
                             "workloads: { a: b }\n",
                             "workloads: { a: b/c/d }\n",
                             "workloads: { a: /b }\n",
                             "services: x\n",
                             "notify: { ops: {} }\n",
                             "notify: { ops: { url: x } }\n",
                             "notify: { on: [strat] }\n",
                             "checks: []\n",
                             "inside-image: {}\n"}) {
        INFO(text);
        CHECK(Parsed(text).diagnostics.has_errors());
    }
    CHECK(Parsed("environments: { a: { terraform: { dir: t/main, var-file: ../x.tfvars } } }\n")
              .messages()
              .empty());
}

TEST_CASE("what answers at an address") {
    const Parsed parsed(
        "services: { web: service/web, shop.example.com: service/web, a.example.com: deployment/a }\n");
    CHECK(parsed.messages().empty());
    CHECK(parsed.inventory.services.at("shop.example.com") == "service/web");
    for (const char* text :
         {"services: { \"https://shop.example.com\": service/web }\n",
          "services: { -x.example.com: service/web }\n", "services: { shop.example.com: web }\n",
          "workloads: { shop.example.com: deployment/web }\n"})
        CHECK(Parsed(text).diagnostics.has_errors());
}

TEST_CASE("an order that names no environment") {
    const Parsed parsed(
        "order: [stagign, production, production]\nenvironments: { staging: {}, production: {} }\n");
    CHECK(parsed.messages() ==
          "1:9 `order` names `stagign`, which is not in `environments`\n1:30 `order` names `production` "
          "twice\n2:17 the environment `staging` has no place in `order`\n");
    CHECK(parsed.fix() == "staging");
    CHECK(parsed.inventory.rank("production") == 0);
}

TEST_CASE("text that is no YAML, and hostile YAML") {
    CHECK(Parsed("order: [a\n").messages().find("this cannot be read") != std::string::npos);
    CHECK(Parsed("a: b: c\n").diagnostics.has_errors());
    CHECK(Parsed(std::string("a: \0b", 5)).diagnostics.has_errors());
    CHECK(Parsed("order: [\xFF]\n").messages() == "1:1 the file is not UTF-8\n");
    CHECK(Parsed(std::string(100000, '[')).messages().find("nested too deeply") != std::string::npos);
    CHECK(Parsed(std::string(200000, '-')).diagnostics.has_errors());
    std::string many = "order: [a";
    for (int i = 0; i < 120000; ++i) many += ",a";
    CHECK(Parsed(many + "]\n").messages().find("too many values") != std::string::npos);
    CHECK(Parsed("\xEF\xBB\xBForder: x\n").messages().find("1:9 `order` must be a list") == 0);
}

TEST_CASE("spans of quoted and block scalars") {
    const Parsed parsed("workloads:\n  a: \"x \\\" y\"\n  b: 'it''s'\n  c: |\n    text\n");
    REQUIRE(parsed.diagnostics.all().size() == 3);
    CHECK(parsed.sources.text(parsed.diagnostics.all()[0].span) == "\"x \\\" y\"");
    CHECK(parsed.sources.text(parsed.diagnostics.all()[1].span) == "'it''s'");
    CHECK_FALSE(render_text(parsed.diagnostics, parsed.sources, {}).empty());
}

TEST_CASE("migc.yaml is found upwards from the script") {
    std::string pattern = (std::filesystem::temp_directory_path() / "migc-project-XXXXXX").string();
    const std::filesystem::path root = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(root / "a/b");
    SourceMap sources;
    Diagnostics diagnostics;
    const Inventory none = load_inventory(root / "a/b", sources, diagnostics);
    CHECK_FALSE(none.exists);
    CHECK(std::filesystem::equivalent(none.root, root / "a/b"));
    CHECK(none.environments.size() == 3);

    std::ofstream(root / "migc.yaml") << "order: [one]\n";
    const Inventory found = load_inventory(root / "a/b", sources, diagnostics);
    CHECK(found.exists);
    CHECK(std::filesystem::equivalent(found.root, root));
    CHECK(found.rank("one") == 0);
    CHECK(diagnostics.empty());

    std::filesystem::create_directory(root / "a/migc.yaml");
    CHECK(load_inventory(root / "a/b", sources, diagnostics).exists);
    CHECK(diagnostics.has_errors());
    std::filesystem::remove_all(root);
}

namespace {

// An index of version 2 as git writes it, with one entry per name.
std::string index_of(const std::vector<std::pair<std::string, std::uint32_t>>& entries,
                     std::uint32_t version = 2) {
    const auto number = [](std::uint32_t value, int length) {
        std::string bytes;
        for (int i = length - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
        return bytes;
    };
    std::string bytes = "DIRC" + number(version, 4) + number(static_cast<std::uint32_t>(entries.size()), 4);
    for (const auto& [name, size] : entries) {
        std::string entry(36, '\0');
        entry += number(size, 4) + std::string(20, 'x') + number(static_cast<std::uint32_t>(name.size()), 2) +
                 name;
        bytes += entry + std::string(8 - entry.size() % 8, '\0');
    }
    return bytes + std::string(20, 'y');
}

// The same of version 4 for names that have nothing in common at their beginnings.
std::string short_index_of(const std::vector<std::pair<std::string, char>>& entries) {
    std::string bytes("DIRC\0\0\0\4\0\0\0", 11);
    bytes += static_cast<char>(entries.size());
    std::size_t before = 0;
    for (const auto& [name, size] : entries) {
        bytes += std::string(39, '\0') + size + std::string(20, 'x') + std::string(2, '\0') +
                 static_cast<char>(before) + name + '\0';
        before = name.size();
    }
    return bytes + std::string(20, 'y');
}

}  // namespace

TEST_CASE("git's index tells which files git knows") {
    const std::filesystem::path root =
        std::filesystem::canonical(std::filesystem::temp_directory_path()) / "migc-index-test";
    std::filesystem::create_directories(root / "k8s");
    std::ofstream(root / "k8s/known.yaml") << "1234";
    std::ofstream(root / "k8s/changed.yaml") << "12345";
    std::ofstream(root / "k8s/new.yaml") << "1";
    const auto bytes = index_of({{"k8s/changed.yaml", 4}, {"k8s/gone.yaml", 4}, {"k8s/known.yaml", 4}});
    const auto index = GitIndex::parse(bytes, root);
    REQUIRE(index);
    CHECK(index->tracking(root / "k8s/known.yaml") == Tracking::Same);
    CHECK(index->tracking(root / "k8s/changed.yaml") == Tracking::Changed);
    CHECK(index->tracking(root / "k8s/new.yaml") == Tracking::Untracked);
    CHECK_FALSE(index->tracking(root / "k8s/gone.yaml"));  // there is nothing that could be read
    CHECK_FALSE(index->tracking("/etc/hostname"));
    CHECK_FALSE(index->tracking(root / "k8s"));

    const auto short_index = GitIndex::parse(short_index_of({{"a.yaml", 1}, {"k8s/known.yaml", 4}}), root);
    REQUIRE(short_index);
    CHECK(short_index->tracking(root / "k8s/known.yaml") == Tracking::Same);
    CHECK(short_index->tracking(root / "k8s/changed.yaml") == Tracking::Untracked);
    // A split index whose other part is not there.
    const auto split = index_of({{"a", 1}})
                           .insert(index_of({{"a", 1}}).size() - 20,
                                   std::string("link\0\0\0\x14", 8) + std::string(20, 'z'));
    CHECK_FALSE(GitIndex::parse(split, root));

    // What is not understood says nothing; whatever the bytes are, nothing is read beyond them.
    CHECK_FALSE(GitIndex::parse("", root));
    CHECK_FALSE(GitIndex::parse(index_of({{"a", 1}}, 4), root));
    for (std::size_t length = 0; length < bytes.size() - 20; ++length)
        (void)GitIndex::parse(bytes.substr(0, length), root);
    std::string broken = bytes;
    broken[8] = '\xff';
    CHECK_FALSE(GitIndex::parse(broken, root));
    std::filesystem::remove_all(root);
}

TEST_CASE("git's index is read in each form that git writes") {
    if (std::system("git --version > /dev/null 2>&1") != 0) {
        WARN("skipped: no git");
        return;
    }
    const std::filesystem::path root =
        std::filesystem::canonical(std::filesystem::temp_directory_path()) / "migc-index-forms-test";
    const auto git = [&](const std::string& arguments) {
        REQUIRE(std::system(fmt::format("git -C {} {} > /dev/null 2>&1", root.string(), arguments).c_str()) ==
                0);
    };
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream(root / name) << text;
    };
    for (const std::string init : {"init", "init --object-format=sha256"})
        for (const std::string form : {"--index-version 2", "--index-version 3", "--index-version 4",
                                       "--split-index", "--index-version 4 --split-index"}) {
            INFO(init << " " << form);
            std::filesystem::remove_all(root);
            std::filesystem::create_directories(root / "k8s");
            git(init);
            for (int i = 0; i < 200; ++i) write(fmt::format("k8s/{}.yaml", i), "1");
            write("k8s/changed.yaml", "1");
            write("k8s/gone.yaml", "1");
            git("add -A");
            git("update-index " + form);
            // What a split index says of its shared part: replaced, deleted, added.
            write("k8s/7.yaml", "12345");
            write("k8s/added.yaml", "12");
            git("add k8s/7.yaml k8s/added.yaml");
            git("rm --cached k8s/gone.yaml");
            write("k8s/changed.yaml", "123");
            write("k8s/new.yaml", "1");
            const auto index = GitIndex::of(root / "k8s");
            REQUIRE(index);
            const auto is = [&](const char* name) { return index->tracking(root / name); };
            CHECK(is("k8s/0.yaml") == Tracking::Same);
            CHECK(is("k8s/199.yaml") == Tracking::Same);
            CHECK(is("k8s/7.yaml") == Tracking::Same);
            CHECK(is("k8s/added.yaml") == Tracking::Same);
            CHECK(is("k8s/changed.yaml") == Tracking::Changed);
            CHECK(is("k8s/gone.yaml") == Tracking::Untracked);
            CHECK(is("k8s/new.yaml") == Tracking::Untracked);
        }
    std::filesystem::remove_all(root);
}

TEST_CASE("which cluster and which workspace an environment is") {
    const Parsed parsed(
        "order: [staging]\nenvironments:\n  staging:\n    cluster-uid: 5f0c1a52\n"
        "    terraform: { dir: terraform, workspace: blue }\n");
    CHECK(parsed.messages().empty());
    CHECK(parsed.inventory.environment("staging")->cluster_uid == "5f0c1a52");
    CHECK(parsed.inventory.environment("staging")->terraform->workspace == "blue");
}

TEST_CASE("approvers, freezes and secrets") {
    const std::string key = "migc-key:" + std::string(43, 'A');
    const Parsed parsed(
        "order: [staging]\nenvironments:\n  staging:\n    secrets:\n      a: { file: .secrets/a }\n"
        "      b: { env: TOKEN }\n      c: { command: [vault, read, -field=token, secret/x] }\napprovers: { ops: \"" +
        key +
        "\" }\nfreezes:\n  - { from: \"2026-12-20\", to: \"2027-01-02 06:00\", zone: Europe/Berlin, why: holidays }\n");
    CHECK(parsed.messages().empty());
    const auto& secrets = parsed.inventory.environment("staging")->secrets;
    CHECK(secrets.at("a").show() == "the file .secrets/a");
    CHECK(secrets.at("b").show() == "the environment variable TOKEN");
    CHECK(secrets.at("c").command == std::vector<std::string>{"vault", "read", "-field=token", "secret/x"});
    CHECK(parsed.inventory.approvers.at("ops") == key);
    CHECK(parsed.inventory.approver_users.empty());
    const Parsed named("approvers: { ops: { key: \"" + key + "\", users: [klee, \"4711\"] } }");
    CHECK(named.messages().empty());
    CHECK(named.inventory.approvers.at("ops") == key);
    CHECK(named.inventory.approver_users.at("ops") == std::vector<std::string>{"klee", "4711"});
    REQUIRE(parsed.inventory.freezes.size() == 1);
    CHECK(parsed.inventory.freezes[0].from == "2026-12-20 00:00");
    CHECK(parsed.inventory.freezes[0].to == "2027-01-02 06:00");
    // By dates the last day is frozen, too: the first minute after it is that of the next day.
    for (const auto& [last, after] : {std::pair("2027-01-02", "2027-01-03 00:00"),
                                      {"2026-12-31", "2027-01-01 00:00"},
                                      {"2028-02-28", "2028-02-29 00:00"}}) {
        const Parsed dates(fmt::format("freezes: [{{ from: 2026-12-20, to: {}, zone: UTC, why: x }}]", last));
        REQUIRE(dates.inventory.freezes.size() == 1);
        CHECK(dates.messages().empty());
        CHECK(dates.inventory.freezes[0].to == after);
    }
    CHECK(Parsed("freezes: [{ from: 2026-12-24, to: 2026-12-24, zone: UTC, why: x }]").messages().empty());
}

TEST_CASE("wrong approvers, freezes and secrets are reported where they stand") {
    CHECK(Parsed("approvers: { ops: ssh-ed25519 }").messages() == "1:19 this is no key of `ops`\n");
    CHECK(Parsed("approvers: { ops: { key: ssh-ed25519 } }").messages() == "1:26 this is no key of `ops`\n");
    CHECK(Parsed("approvers: { ops: { users: [klee] } }").messages() ==
          "1:14 the approver `ops` has no `key`\n");
    CHECK(Parsed("freezes: [{ from: 2026-13-01, to: 2027-01-02, zone: UTC, why: x }]")
              .messages()
              .find("`from` is no time such as") != std::string::npos);
    CHECK(Parsed("freezes: [{ from: 2026-02-30, to: 2027-01-02, zone: UTC, why: x }]")
              .messages()
              .find("`from` is no time such as") != std::string::npos);
    CHECK(Parsed("freezes: [{ from: 2027-01-02, to: 2026-01-02, zone: UTC, why: x }]").messages() ==
          "1:11 the freeze ends before it begins\n");
    CHECK(Parsed("freezes: [{ from: 2026-01-02 }]").messages() ==
          "1:11 a freeze needs `from`, `to`, `zone` and `why`\n");
    const auto secret = [](const std::string& text) {
        return Parsed("order: [staging]\nenvironments: { staging: { secrets: { a: " + text + " } } }")
            .messages();
    };
    CHECK(secret("hunter2").find("must not stand in the file itself") != std::string::npos);
    CHECK(secret("{ file: x, env: Y }").find("needs one of `file`, `env` and `command`") !=
          std::string::npos);
    CHECK(secret("{ }").find("needs one of") != std::string::npos);
    CHECK(secret("{ command: [-x, read] }").find("begins with `-`") != std::string::npos);
    CHECK(secret("{ env: -X }").find("begins with `-`") != std::string::npos);
    CHECK(secret("{ file: -x }").find("begins with `-`") != std::string::npos);
    // Whether a whole path may lie outside is for the user's configuration to say, when it is read.
    CHECK(secret("{ file: /etc/shadow }").empty());
    CHECK(secret("{ file: ../x }").find("leads out of the project's folder") != std::string::npos);
}
