// Secrets kept for an undo: the run's key, what the journal has of them, and what a transcript has of a
// Secret.
#include "runtime/evaluate/kept_secrets.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/evaluate/scope.hpp"
#include "runtime/natives/withheld_values.hpp"
#include "runtime/natives/written_by_hand.hpp"
#include "runtime/tools/redaction.hpp"
#include "runtime/tools/secret_objects.hpp"
#include "runtime/trust/sealed_box.hpp"

using namespace migc;
using namespace migc::runtime;
using migc::trust::RunKey;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

// A home of its own for each test, with a project beside it.
struct Home {
    fs::path path;
    Home() {
        std::string name = (fs::temp_directory_path() / "migc-kept-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
        fs::create_directories(path / "project" / ".migc" / "runs" / "run-1");
        ::setenv("XDG_CONFIG_HOME", (path / "config").c_str(), 1);
    }
    ~Home() {
        ::unsetenv("XDG_CONFIG_HOME");
        fs::remove_all(path);
    }
    [[nodiscard]] fs::path keys() const { return path / "config" / "migc" / "run-keys"; }
    [[nodiscard]] fs::path project() const { return path / "project"; }
    [[nodiscard]] fs::path folder() const { return project() / ".migc" / "runs" / "run-1"; }
    [[nodiscard]] std::size_t count() const {
        return fs::exists(keys()) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(keys()),
                                                                           fs::directory_iterator()))
                                  : 0;
    }
};

unsigned mode(const fs::path& path) {
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
}

}  // namespace

TEST_CASE("what is sealed is opened by its key and by no other") {
    const RunKey key = RunKey::make(), other = RunKey::make();
    const std::string sealed = key.seal("old-password");
    CHECK(sealed.find("old") == std::string::npos);
    CHECK(sealed != key.seal("old-password"));
    CHECK(key.open(sealed) == "old-password");
    CHECK(key.open(key.seal("")) == "");
    CHECK_FALSE(other.open(sealed));
    CHECK_FALSE(key.open(""));
    CHECK_FALSE(key.open(sealed.substr(4)));
    CHECK_FALSE(key.open("no base64!"));
    CHECK(key.name() != other.name());
    CHECK(RunKey::of_a_simulation().name() == RunKey::of_a_simulation().name());
}

TEST_CASE("a run's key is a file for its owner only, and is erased") {
    const Home home;
    const RunKey key = RunKey::make();
    const fs::path file = trust::run_key_file(home.keys(), key.name());
    REQUIRE(trust::save_run_key(file, key, "run-1"));
    CHECK(mode(file) == 0600);
    CHECK(mode(home.keys()) == 0700);
    CHECK_FALSE(trust::save_run_key(file, key, "run-1"));  // none is overwritten
    const auto loaded = trust::load_run_key(file);
    REQUIRE(loaded);
    CHECK(loaded->open(key.seal("text")) == "text");
    ::chmod(file.c_str(), 0644);
    CHECK(trust::load_run_key(file).error().find("others may read it") != std::string::npos);
    ::chmod(file.c_str(), 0600);
    CHECK(trust::erase_run_key(file));
    CHECK(trust::erase_run_key(file));
    CHECK_FALSE(fs::exists(file));
    CHECK_FALSE(trust::load_run_key(file));
}

TEST_CASE("one key for a run, found again by a later process, and gone when the run is undone") {
    const Home home;
    KeptSecrets first(home.project(), true);
    first.belongs_to("run-1", home.folder());
    CHECK(home.count() == 0);  // made when it is first needed
    const json form = first.keep("old-password"), another = first.keep("other");
    CHECK(home.count() == 1);
    CHECK(form.dump().find("old-password") == std::string::npos);
    CHECK(is_kept_secret(form));
    CHECK(form.at("key") == another.at("key"));

    KeptSecrets later(home.project(), true);
    later.belongs_to("run-1", home.folder());
    CHECK(later.open(form) == "old-password");
    CHECK(later.keep("third").at("key") == form.at("key"));
    CHECK(home.count() == 1);

    json damaged = form;
    damaged["sealed"] = "AAAA";
    CHECK_FALSE(later.open(damaged));
    later.erase();
    CHECK(home.count() == 0);
    CHECK_FALSE(KeptSecrets(home.project(), true).open(form));
}

TEST_CASE("without a home the key lives as long as the process, and the form says why") {
    const Home home;
    ::unsetenv("XDG_CONFIG_HOME");
    const char* was = std::getenv("HOME");
    const std::string before = was == nullptr ? "" : was;
    ::unsetenv("HOME");
    KeptSecrets here(home.project(), true);
    here.belongs_to("run-1", home.folder());
    const json form = here.keep("old-password");
    CHECK(here.open(form) == "old-password");
    CHECK_FALSE(here.keeper());
    const auto elsewhere = KeptSecrets(home.project(), true).open(form);
    REQUIRE_FALSE(elsewhere);
    CHECK(elsewhere.error().find("HOME") != std::string::npos);
    // A home within the project is none: whoever has the project would have the key.
    ::setenv("HOME", home.project().c_str(), 1);
    CHECK(KeptSecrets(home.project(), true).keeper().error().find("lies in the project") !=
          std::string::npos);
    ::setenv("HOME", before.c_str(), 1);
}

TEST_CASE("another operator is told whose key it takes") {
    const Home home;
    KeptSecrets first(home.project(), true);
    first.belongs_to("run-1", home.folder());
    json form = first.keep("old-password");
    form["by"] = "ann on web1";
    ::setenv("XDG_CONFIG_HOME", (home.path / "other").c_str(), 1);
    const auto opened = KeptSecrets(home.project(), true).open(form);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().find("ann on web1") != std::string::npos);
}

TEST_CASE("a plan makes no key, a simulation none either") {
    const Home home;
    KeptSecrets plan(home.project(), true, KeptSecrets::Use::Planning);
    CHECK(plan.open(plan.keep("old-password")) == "old-password");
    KeptSecrets simulation(home.project(), false);
    const json form = simulation.keep("old-password");
    CHECK(KeptSecrets(home.project(), false).open(form) == "old-password");
    CHECK(plan.keeper());
    CHECK(home.count() == 0);
}

TEST_CASE("a scope gives the journal the kept form of a secret, and takes it back unopened") {
    Scope outer;
    outer.bind("colour", Value("blue"));
    outer.bind_secret("token", Value("canary"), {{"secret", "token"}});
    outer.bind_secret("untold", Value("canary"), nullptr);
    Scope inner(&outer);
    inner.bind_secret("colour", Value("canary"), nullptr);
    CHECK(inner.journal() == json({{"token", {{"secret", "token"}}}}));
    Scope again;
    again.bind_all(inner.journal());
    REQUIRE(again.find("token") != nullptr);
    CHECK(again.find("token")->secret);
    CHECK(again.find("token")->value.is_unknown());
    CHECK(again.journal() == inner.journal());
}

TEST_CASE("what is sealed is not touched where secrets are hidden") {
    Redaction concealment;
    concealment.add("abcd");
    const json form = {{"sealed", "xxabcdxx"}, {"key", "00abcd00"}, {"by", "abcd on web1"}};
    const json hidden = concealment.apply(form);
    CHECK(hidden["sealed"] == form["sealed"]);
    CHECK(hidden["key"] == form["key"]);
    CHECK(hidden["by"] == "(secret) on web1");
}

TEST_CASE("the values of Secrets are in no transcript") {
    const SecretObjects objects;
    const auto secret = [](const std::string& value) {
        return json{
            {"kind", "Secret"},
            {"apiVersion", "v1"},
            {"data", {{"password", value}}},
            {"metadata",
             {{"name", "creds"},
              {"annotations", {{"kubectl.kubernetes.io/last-applied-configuration", value}, {"a", "b"}}}}}};
    };
    const std::string one = objects.hidden(secret("b2xkLXBhc3N3b3Jk").dump());
    CHECK(one.find("b2xkLXBhc3N3b3Jk") == std::string::npos);
    CHECK(json::parse(one)["metadata"]["annotations"] == json({{"a", "b"}}));
    CHECK(one == objects.hidden(secret("b2xkLXBhc3N3b3Jk").dump()));
    CHECK(one != objects.hidden(secret("bmV3").dump()));
    CHECK(one != SecretObjects().hidden(secret("b2xkLXBhc3N3b3Jk").dump()));  // nobody can look a value up
    const json list = {{"kind", "List"}, {"items", {secret("b2xkLXBhc3N3b3Jk"), {{"kind", "Pod"}}}}};
    CHECK(objects.hidden(list.dump()).find("b2xkLXBhc3N3b3Jk") == std::string::npos);
    const std::string other = R"({"kind": "Pod",  "spec": {"volumes": [{"secret": "Secret"}]}})";
    CHECK(objects.hidden(other) == other);
    CHECK(objects.hidden("Secret, but no JSON") == "Secret, but no JSON");
}

TEST_CASE("values take the place of the marks of a form") {
    const json form = {{"kind", "Secret"}, {"data", {{"a", "mark 1"}, {"b", nullptr}}}};
    const auto filled = with_values(form, R"({"a": "b2xk"})");
    REQUIRE(filled);
    CHECK((*filled)["data"]["a"] == "b2xk");
    CHECK((*filled)["data"]["b"].is_null());
    CHECK_FALSE(with_values(form, R"({"c": "b2xk"})"));
    CHECK_FALSE(with_values(form, ""));
    CHECK(with_values({{"metadata", json::object()}}, ""));
}

TEST_CASE("words for bash") {
    CHECK(shell_word("deployment/webapi") == "deployment/webapi");
    CHECK(shell_word("") == "''");
    CHECK(shell_word("a b") == "'a b'");
    CHECK(shell_word("it's $(x)") == "'it'\\''s $(x)'");
    CHECK(shell_word("a\nb'\\") == "$'a\\x0ab\\'\\\\'");
}
