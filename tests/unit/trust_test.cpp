// Keys, signed files, and who counts as an approver.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/account.hpp"
#include "runtime/trust/approval.hpp"
#include "runtime/trust/evidence.hpp"
#include "runtime/trust/keys.hpp"
#include "runtime/trust/place.hpp"
#include "runtime/trust/runner.hpp"
#include "runtime/trust/secret_digest.hpp"
#include "runtime/trust/statement.hpp"
#include "runtime/trust/times.hpp"

using namespace migc::trust;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr Time hour = 3'600'000;
constexpr Time now = 1'768'010'400'000;
const std::string digest(64, 'a');

const Place somewhere{"test", "blue", "uid-1", "stage-1", false, "", {}};

struct People {
    PrivateKey ops = PrivateKey::make();
    PrivateKey lead = PrivateKey::make();

    [[nodiscard]] Question question(std::int64_t count = 2) const {
        Question asked;
        asked.digest = digest;
        asked.title = "a title";
        asked.run = "2026-01-10-2";
        asked.count = count;
        asked.people = {"ops", "lead"};
        asked.approvers = {{"ops", show(ops.public_key())}, {"lead", show(lead.public_key())}};
        asked.runner = {{"kim"}, {}};
        asked.now = now;
        return asked;
    }
    static std::string approval(const std::string& name, const PrivateKey& key,
                                const std::string& run = digest, Time made = now - hour,
                                Time expires = now + hour) {
        return approval_file({name, run, "a title", "kim@laptop", made, expires}, key);
    }
};

Judgement judge(Question question, std::vector<File> files) {
    question.files = std::move(files);
    return migc::trust::judge(question);
}

bool says(const Judgement& judgement, const std::string& text) {
    INFO(judgement.why);
    return judgement.why.find(text) != std::string::npos;
}

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "migc-trust-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

unsigned mode(const fs::path& path) {
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
}

std::string reason_of(const std::string& text) {
    const auto statement = read_statement("migc-approval", text);
    return statement ? "" : statement.error();
}

}  // namespace

TEST_CASE("two of two people approve a run") {
    const People people;
    const std::vector<File> both = {{"a.json", People::approval("ops", people.ops)},
                                    {"b.json", People::approval("lead", people.lead)}};
    const Judgement judgement = judge(people.question(), both);
    CHECK(judgement.enough);
    CHECK(judgement.why == "approved by lead, ops");
    CHECK(judge(people.question(1), {both.front()}).enough);
    CHECK_FALSE(judge(people.question(), {both.front()}).enough);
    CHECK(says(judge(people.question(), {both.front()}), "1 of 2 approvals, by ops"));
    CHECK_FALSE(judge(people.question(0), {}).enough);  // nobody has to approve: nobody has
    CHECK_FALSE(judge(people.question(-1), both).enough);
}

TEST_CASE("an approval that does not count is refused with its reason") {
    const People people;
    const PrivateKey stranger = PrivateKey::make();
    const std::string lead = People::approval("lead", people.lead);
    const auto judged = [&](const std::string& text) {
        return judge(people.question(), {{"lead.json", lead}, {"x.json", text}});
    };
    const auto refused = [&](const std::string& text, const std::string& reason) {
        const Judgement judgement = judged(text);
        return !judgement.enough && says(judgement, reason);
    };
    REQUIRE(judged(People::approval("ops", people.ops)).enough);
    CHECK(refused(People::approval("ops", people.ops, std::string(64, 'b')), "1 file approves another run"));
    CHECK(refused(People::approval("ops", people.ops, digest, now - 2 * hour, now - hour),
                  "expired 2026-01-10T01:00:00Z"));
    CHECK(refused(People::approval("ops", people.ops, digest, now + hour, now + 2 * hour),
                  "made in the future"));
    CHECK(refused(People::approval("ops", stranger), "another key than that of ops"));
    CHECK(refused(People::approval("mallory", stranger), "mallory is not asked here"));
    CHECK(refused(lead, "lead has approved already"));
    CHECK(refused("", "no JSON object"));
    CHECK(refused("[1]", "no JSON object"));
    CHECK(refused(std::string(100'000, ' '), "larger than 64 KiB"));
    CHECK(refused(std::string(60'000, '['), "nested too deeply"));

    json tampered = json::parse(People::approval("ops", people.ops));
    tampered["expires"] = "2036-01-10T01:00:00Z";
    CHECK(refused(tampered.dump(), "changed after it was signed"));
    json unsigned_one = json::parse(People::approval("ops", people.ops));
    unsigned_one.erase("signature");
    CHECK(refused(unsigned_one.dump(), "not signed"));
    std::string twice = People::approval("ops", people.ops);
    twice.insert(1, "\"name\": \"lead\",");
    CHECK(refused(twice, "names a key twice"));
    // The name in the file is what was signed: a known key does not lend itself to another name.
    CHECK(refused(People::approval("lead", people.ops), "another key than that of lead"));
}

TEST_CASE("who runs it does not count, by no name") {
    const People people;
    Question question = people.question();
    const std::vector<File> both = {{"a", People::approval("ops", people.ops)},
                                    {"b", People::approval("lead", people.lead)}};
    question.runner = {{"ops"}, {}};
    CHECK_FALSE(judge(question, both).enough);
    CHECK(says(judge(question, both), "ops runs it, and so cannot approve it"));
    question.runner = {{"somebody"}, {show(people.ops.public_key())}};
    CHECK(says(judge(question, both), "ops runs it, and so cannot approve it"));
    question.users["ops"] = {"4711", "klee"};
    question.runner = {{"klee"}, {}};
    CHECK(says(judge(question, both), "ops runs it, and so cannot approve it"));
    question.users.clear();
    question.runner = {{"kim"}, {}};
    question.approvers["kim"] = question.approvers["ops"];  // the same key under another name
    CHECK(says(judge(question, both), "ops runs it"));
    question.runner = {};
    question.people.emplace_back("kim");
    const std::vector<File> same_key = {{"a", People::approval("ops", people.ops)},
                                        {"b", People::approval("kim", people.ops)}};
    CHECK_FALSE(judge(question, same_key).enough);
    CHECK(says(judge(question, same_key), "the same key as another approver"));
}

TEST_CASE("an approval is for one run, of the title that was shown") {
    const People people;
    Question question = people.question(1);
    const std::vector<File> one = {{"a", People::approval("ops", people.ops)}};
    const Judgement first = judge(question, one);
    REQUIRE(first.counted.size() == 1);
    // The layout of the file is no matter; two that were signed in one second are two.
    const std::string text = json::parse(one.front().text).dump(7);
    CHECK(judge(question, {{"b", text}}).counted == first.counted);
    CHECK(judge(question, {{"c", People::approval("ops", people.ops)}}).counted != first.counted);

    question.used[first.counted.front()] = {"2026-01-10-1"};
    CHECK(says(judge(question, one), "run 2026-01-10-1 has used it up"));
    question.used[first.counted.front()] = {"2026-01-10-2"};  // the run that goes on
    CHECK(judge(question, one).enough);
    question.used[first.counted.front()] = {"2026-01-10-2", "2026-01-10-3"};
    CHECK_FALSE(judge(question, one).enough);
    question.run.clear();  // a plan
    question.used[first.counted.front()] = {"2026-01-10-2"};
    CHECK_FALSE(judge(question, one).enough);
    question.used.clear();
    question.unknown = "the journal cannot be read";
    CHECK(says(judge(question, one), "the journal cannot be read"));
    CHECK_FALSE(judge(question, one).enough);
    question.unknown.clear();
    question.runner.unknown = "nobody can tell who runs it";
    CHECK_FALSE(judge(question, one).enough);
    question.runner.unknown.clear();

    question.title = "another title";
    CHECK(says(judge(question, one), "it approves `a title`, and this run is `another title`"));
    question.title = "a title";
    CHECK(judge(question, one).enough);
    const std::string without =
        approval_file({"ops", digest, "", "kim@laptop", now - hour, now + hour}, people.ops);
    CHECK(judge(question, {{"d", without}}).enough);  // only a digest was shown
}

TEST_CASE("who runs it is known by the accounts of the process and by the keys in their homes") {
    const Folder folder;
    const PrivateKey key = PrivateKey::make();
    REQUIRE(save_key(folder.path / "keys" / "ops.key", key, std::nullopt));
    const uid_t me = ::getuid();
    const Runner nothing_more = runner_of({std::nullopt, me, me}, {});
    const auto has = [](const std::vector<std::string>& list, const std::string& text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    CHECK(has(nothing_more.names, migc::user_name(me)));
    CHECK(has(nothing_more.names, std::to_string(me)));
    CHECK_FALSE(has(nothing_more.keys, show(key.public_key())));
    const Runner runner = runner_of({std::nullopt, me, me}, {folder.path / "keys"});
    CHECK(has(runner.names, "ops"));
    CHECK(has(runner.keys, show(key.public_key())));
    CHECK(runner.unknown.empty());
    // Renamed, and with a public key beside it that is not its own.
    json text = json::parse(std::ifstream(folder.path / "keys" / "ops.key"));
    text["key"] = show(PrivateKey::make().public_key());
    fs::remove(folder.path / "keys" / "ops.key");
    std::ofstream(folder.path / "keys" / "x.key") << text.dump();
    CHECK(has(runner_of({std::nullopt, me, me}, {folder.path / "keys"}).keys, show(key.public_key())));
    // Nonsense, a pipe, a folder, a link to nowhere: none is waited for.
    std::ofstream(folder.path / "keys" / "y.key") << "[[[";
    REQUIRE(::mkfifo((folder.path / "keys" / "z.key").c_str(), 0600) == 0);
    fs::create_directory(folder.path / "keys" / "w.key");
    fs::create_symlink("/nowhere", folder.path / "keys" / "v.key");
    CHECK(has(runner_of({std::nullopt, me, me}, {folder.path / "keys"}).names, "z"));
    CHECK(runner_of({std::nullopt, me, me}, {"/nonexistent"}).unknown.empty());
    // A link to itself is there, and nobody can read it.
    fs::create_symlink("loop", folder.path / "loop");
    CHECK(runner_of({std::nullopt, me, me}, {folder.path / "loop"}).unknown.find("cannot be found out") !=
          std::string::npos);

    // Who logged in stays who it is, whatever the account became.
    const Runner became = runner_of({uid_t{4711}, me, me}, {});
    CHECK(has(became.names, "4711"));
    CHECK(has(became.names, std::to_string(me)));
    CHECK(Accounts{uid_t{4711}, 0, 0}.who() == 4711);
    CHECK(Accounts{std::nullopt, 1000, 0}.who() == 1000);
    const auto login = [&](const std::string& content) {
        std::ofstream(folder.path / "loginuid", std::ios::trunc) << content;
        return migc::login_user(folder.path / "loginuid");
    };
    CHECK(login("4711") == uid_t{4711});
    CHECK(login("0") == uid_t{0});
    for (const char* nobody : {"4294967295", "", "-1", "x"}) CHECK_FALSE(login(nobody));
    CHECK_FALSE(migc::login_user(folder.path / "none"));
}

TEST_CASE("a place is the same only if all that is known of it is") {
    const Place place{"staging", "blue", "uid-1", "stage-1", false, "default", {{"height", "d1"}}};
    const auto differs = [&](Place then, Place now, const std::string& why) {
        const auto same = same_place(then, now);
        INFO((same ? *same : same.error()));
        return !same && same.error().find(why) != std::string::npos;
    };
    CHECK(same_place(place, place) == std::string());
    CHECK(read_place(to_json(place)).has_value());
    CHECK(same_place(*read_place(to_json(place)), place) == std::string());
    Place other = place;
    other.context = "another-name", other.context_given = true;
    CHECK(same_place(other, place) == std::string());
    other.cluster = "uid-2";
    CHECK(differs(other, place, "UID uid-2, context another-name of --context"));
    other.cluster.clear();
    CHECK(differs(other, place, "could not be told"));
    // Out of reach.
    Place unreached = place;
    unreached.cluster.clear();
    CHECK(same_place(place, unreached).value_or("").find("cannot be compared") != std::string::npos);
    CHECK(differs(other, unreached, "cluster-uid"));
    other.cluster = "uid-1";
    CHECK(differs(other, unreached, "cluster-uid"));
    Place without = place;
    without.cluster.clear(), without.context.clear();
    CHECK(same_place(without, without) == std::string());  // no cluster is used

    other = place, other.name_space.clear();
    CHECK(differs(other, place, "in the namespace none, and staging is the namespace blue"));
    other = place, other.environment = "test";
    CHECK(differs(other, place, "in the environment test"));
    other = place, other.settings["height"] = "d2", other.settings["depth"] = "d3";
    CHECK(differs(other, place, "depth, height"));
    CHECK(differs(place, other, "depth, height"));
    other = place, other.workspace = "scratch";
    CHECK(differs(other, place, "terraform's workspace scratch"));
    Place any = place;
    any.workspace.clear();  // migc.yaml does not say which
    CHECK(same_place(other, any) == std::string());
    for (const char* wrong : {"{}", "[]", R"({"environment": "staging"})",
                              R"({"environment": "staging", "context_given": 1, "settings": {}})"})
        CHECK_FALSE(read_place(json::parse(wrong)));
}

TEST_CASE("a name without a key in migc.yaml cannot approve") {
    const People people;
    Question question = people.question();
    question.approvers.erase("lead");
    CHECK(says(judge(question, {{"a", People::approval("lead", people.lead)}}),
               "migc.yaml has no key of lead"));
}

TEST_CASE("the layout of a signed file is no matter, and its kind is") {
    const People people;
    const std::string text = People::approval("ops", people.ops);
    CHECK(reason_of(json::parse(text).dump()).empty());
    CHECK(reason_of(json::parse(text).dump(7)).empty());
    const std::string evidence =
        evidence_file({"staging", somewhere, {digest}, "live", "2026-01-10-1", "ops", now}, people.ops);
    CHECK_FALSE(reason_of(evidence).empty());
    json renamed = json::parse(evidence);
    renamed["migc-approval"] = renamed["migc-evidence"];
    renamed.erase("migc-evidence");
    CHECK(reason_of(renamed.dump()) == "it was changed after it was signed");
}

TEST_CASE("every byte of a signed file counts") {
    const People people;
    const std::string text = json::parse(People::approval("ops", people.ops)).dump();
    int accepted = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        accepted += judge(people.question(1), {{"x", changed}}).enough ? 1 : 0;
    }
    CHECK(accepted == 0);
}

TEST_CASE("evidence") {
    const People people;
    const Signers signers{people.question().approvers, {}, {{"kim"}, {}}};
    const Evidence given{"staging", somewhere, {digest}, "live", "2026-01-10-1", "ops", now};
    const std::string text = evidence_file(given, people.ops);
    const auto evidence = read_evidence(text, signers);
    REQUIRE(evidence);
    CHECK(evidence->stage == "staging");
    CHECK(same_place(evidence->place, somewhere) == std::string());
    CHECK(evidence->changes == std::vector<std::string>{digest});
    CHECK(evidence->mode == "live");
    CHECK(evidence->passed == now);
    const auto refused = [](const std::string& file, const Signers& by, const std::string& why) {
        const auto read = read_evidence(file, by);
        return !read && read.error().find(why) != std::string::npos;
    };
    CHECK(refused(text, {{}, {}, {}}, "migc.yaml has no key of ops"));
    CHECK(refused(text, {{{"ops", show(people.lead.public_key())}}, {}, {}}, "another key"));
    json tampered = json::parse(text);
    tampered["changes"].push_back(std::string(64, 'b'));
    CHECK(refused(tampered.dump(), signers, "it was changed after it was signed"));
    // Nobody's word about oneself.
    Signers same = signers;
    same.runner.keys = {show(people.ops.public_key())};
    CHECK(refused(text, same, "nobody vouches for oneself"));
    same.runner = {{"ops"}, {}};
    CHECK(refused(text, same, "nobody vouches for oneself"));
    same.runner = {{}, {}, "nobody can tell who runs it"};
    CHECK(refused(text, same, "nobody can tell who runs it"));
    // As an older migc made it.
    const json old = {{"stage", "staging"},
                      {"environment", "staging"},
                      {"changes", {digest}},
                      {"mode", "live"},
                      {"run", "2026-01-10-1"},
                      {"name", "ops"},
                      {"passed", "2026-01-10T02:00:00Z"}};
    CHECK(refused(sign("migc-evidence", old, people.ops).dump(), signers,
                  "does not say where the stage passed"));
}

TEST_CASE("private keys lie in files of their owner") {
    const Folder folder;
    const fs::path file = folder.path / "keys" / "ops.key";
    const PrivateKey key = PrivateKey::make();
    REQUIRE(save_key(file, key, "correct horse"));
    CHECK(mode(file) == 0600);
    CHECK(mode(file.parent_path()) == 0700);
    CHECK_FALSE(save_key(file, key, "correct horse"));  // none is overwritten
    const auto opened = load_key(file, [] { return std::optional<std::string>("correct horse"); });
    REQUIRE(opened);
    CHECK(opened->public_key() == key.public_key());
    CHECK(is_signed(key.public_key(), "text", opened->sign("text")));
    CHECK_FALSE(is_signed(key.public_key(), "texts", opened->sign("text")));
    CHECK(load_key(file, [] { return std::optional<std::string>("wrong"); })
              .error()
              .find("passphrase is wrong") != std::string::npos);
    CHECK_FALSE(load_key(file, {}));
    ::chmod(file.c_str(), 0640);
    CHECK(load_key(file, {}).error().find("others may read it") != std::string::npos);

    const fs::path plain = folder.path / "keys" / "lead.key";
    REQUIRE(save_key(plain, key, std::nullopt));
    CHECK(load_key(plain, {}));
    std::ofstream(plain, std::ios::trunc) << "{\"migc-private-key\": 1, \"plain\": \"AAAA\"}";
    CHECK(load_key(plain, {}).error().find("damaged") != std::string::npos);
    CHECK_FALSE(load_key(folder.path / "none.key", {}));
}

TEST_CASE("public keys and times as text") {
    const PrivateKey key = PrivateKey::make();
    const auto read = parse_key(show(key.public_key()));
    REQUIRE(read);
    CHECK(*read == key.public_key());
    for (const char* wrong : {"", "migc-key:", "migc-key:AAAA", "ssh-ed25519 AAAA"})
        CHECK_FALSE(parse_key(wrong));
    CHECK(written_time(now) == "2026-01-10T02:00:00Z");
    CHECK(read_time("2026-01-10T02:00:00Z") == now);
    for (const char* wrong : {"", "2026-01-10", "2026-01-10T02:00:00Zx", "2026-13-10T02:00:00Z"})
        CHECK_FALSE(read_time(wrong));
}

TEST_CASE("digests of secrets are equal only for the same key, place and value") {
    const Folder folder;
    const auto key = digest_key(folder.path / "a", "shop");
    REQUIRE(key);
    const std::string digest = secret_digest(*key, "web/creds/password", "old-password");
    CHECK(digest == secret_digest(*key, "web/creds/password", "old-password"));
    CHECK(digest.size() == key->name.size() + 1 + 64);
    CHECK(digest != secret_digest(*key, "web/creds/password", "new-password-12920"));
    CHECK(digest != secret_digest(*key, "web/creds/passwor", "dold-password"));
    CHECK(digest != secret_digest(*key, "web/other/password", "old-password"));
    // 16 bits of a digest collide within a thousand values.
    std::set<std::string> seen;
    for (int i = 0; i < 20'000; ++i)
        seen.insert(secret_digest(*key, "web/creds/password", std::to_string(i)));
    CHECK(seen.size() == 20'000);
    // Whoever has the journal and not the key cannot make the digest of a guess.
    const auto other = digest_key(folder.path / "b", "shop");
    REQUIRE(other);
    CHECK(key->name != other->name);
    CHECK(digest.substr(key->name.size()) !=
          secret_digest(*other, "web/creds/password", "old-password").substr(other->name.size()));
    CHECK(digest.substr(key->name.size()) !=
          secret_digest(open_key(), "web/creds/password", "old-password").substr(open_key().name.size()));
}

TEST_CASE("a project's digest key is made once, for its owner only") {
    const Folder folder;
    const auto first = digest_key(folder.path / "digests", "shop");
    const auto again = digest_key(folder.path / "digests", "shop");
    REQUIRE((first && again));
    CHECK(first->bytes == again->bytes);
    CHECK(first->bytes != std::array<unsigned char, 32>{});
    CHECK(mode(folder.path / "digests" / "shop.key") == 0600);
    CHECK(digest_key(folder.path / "digests", "bakery")->bytes != first->bytes);
    // Whatever a project is called, its key lies in that folder.
    REQUIRE(digest_key(folder.path / "digests", "../../other"));
    CHECK_FALSE(fs::exists(folder.path / "other.key"));
    CHECK(std::distance(fs::directory_iterator(folder.path / "digests"), fs::directory_iterator()) == 3);
    fs::permissions(folder.path / "digests" / "shop.key", fs::perms::group_read, fs::perm_options::add);
    CHECK(digest_key(folder.path / "digests", "shop").error().find("chmod 600") != std::string::npos);
    std::ofstream(folder.path / "digests" / "bakery.key") << "short";
    CHECK(digest_key(folder.path / "digests", "bakery").error().find("no key") != std::string::npos);
    // No home, or one that nothing can be written into: no key, and it is said in each digest.
    CHECK(digest_key(fs::path(), "shop")->name == "open");
    CHECK(digest_key(fs::path("/proc/none"), "shop")->name == "open");
}
