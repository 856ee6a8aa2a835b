// Secrets in what tools say.
#include "runtime/tools/redaction.hpp"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <functional>
#include <map>
#include <random>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>

using namespace migc::runtime;
using nlohmann::json;
using namespace std::string_literals;

namespace {

using Encoder = std::function<std::string(const std::string&)>;

std::string each(const std::string& text, const std::function<std::string(unsigned char)>& one) {
    std::string result;
    for (const char c : text) result += one(static_cast<unsigned char>(c));
    return result;
}

bool plain(unsigned char c) {
    return std::isalnum(c) != 0;
}

std::string base64(const std::string& text, const std::string& last_two = "+/", bool padded = true) {
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last_two;
    std::string result;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        unsigned bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0);
        for (std::size_t k = 0; k < 4; ++k) {
            const bool is_there = i + k <= text.size();
            if (is_there) result += alphabet[bits >> (18 - 6 * k) & 63];
            if (!is_there && padded) result += '=';
        }
    }
    return result;
}

std::string wrapped(const std::string& text, std::size_t columns, const std::string& end = "\n") {
    std::string result;
    for (std::size_t i = 0; i < text.size(); i += columns)
        result += (i == 0 ? "" : end) + text.substr(i, columns);
    return result;
}

std::string hexdump(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); i += 16) {
        result += fmt::format("{:08x}:", i);
        std::string letters;
        for (std::size_t k = i; k < i + 16; ++k) {
            if (k % 2 == 0) result += ' ';
            if (k >= text.size()) {
                result += "  ";
                continue;
            }
            result += fmt::format("{:02x}", static_cast<unsigned char>(text[k]));
            letters += std::isprint(static_cast<unsigned char>(text[k])) != 0 ? text[k] : '.';
        }
        result += "  " + letters + "\n";
    }
    return result;
}

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

// Other letters than before, where there are any.
std::string swapped(std::string text) {
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        c = static_cast<char>(std::isupper(byte) != 0 ? std::tolower(byte) : std::toupper(byte));
    }
    return text;
}

std::string json_text(const std::string& text) {
    return json(text).dump();
}

const std::map<std::string, Encoder>& encoders() {
    static const std::map<std::string, Encoder> all = {
        {"itself", [](const auto& s) { return s; }},
        {"upper case", upper},
        {"the other case", swapped},
        {"URL",
         [](const auto& s) {
             return each(s, [](auto c) {
                 return plain(c) ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
             });
         }},
        {"URL, all of it",
         [](const auto& s) { return each(s, [](auto c) { return fmt::format("%{:02x}", c); }); }},
        {"form",
         [](const auto& s) {
             return each(s, [](auto c) {
                 return c == ' '   ? "+"s
                        : plain(c) ? std::string(1, static_cast<char>(c))
                                   : fmt::format("%{:02X}", c);
             });
         }},
        {"URL twice",
         [](const auto& s) { return each(s, [](auto c) { return fmt::format("%25{:02x}", c); }); }},
        {"JSON", json_text},
        {"JSON, slashes",
         [](const auto& s) {
             return each(s, [](auto c) {
                 return c == '/'                ? "\\/"s
                        : c == '"' || c == '\\' ? std::string("\\") + static_cast<char>(c)
                                                : std::string(1, static_cast<char>(c));
             });
         }},
        {"JSON, all of it",
         [](const auto& s) { return each(s, [](auto c) { return fmt::format("\\u{:04x}", c); }); }},
        {"JSON in JSON", [](const auto& s) { return json_text(json_text(s)); }},
        {"JSON in JSON in JSON", [](const auto& s) { return json_text(json_text(json_text(s))); }},
        {"C", [](const auto& s) { return each(s, [](auto c) { return fmt::format("\\x{:02X}", c); }); }},
        {"octal", [](const auto& s) { return each(s, [](auto c) { return fmt::format("\\{:03o}", c); }); }},
        {"shell",
         [](const auto& s) {
             return each(s, [](auto c) {
                 return plain(c) ? std::string(1, static_cast<char>(c))
                                 : std::string("\\") + static_cast<char>(c);
             });
         }},
        {"shell quotes",
         [](const auto& s) {
             return "'" +
                    each(s,
                         [](auto c) { return c == '\'' ? "'\\''"s : std::string(1, static_cast<char>(c)); }) +
                    "'";
         }},
        {"HTML",
         [](const auto& s) {
             return each(s, [](auto c) {
                 return c == '&'    ? "&amp;"s
                        : c == '<'  ? "&lt;"s
                        : c == '"'  ? "&quot;"s
                        : c == '\'' ? "&#39;"s
                                    : std::string(1, static_cast<char>(c));
             });
         }},
        {"entities", [](const auto& s) { return each(s, [](auto c) { return fmt::format("&#{};", c); }); }},
        {"entities in hex",
         [](const auto& s) { return each(s, [](auto c) { return fmt::format("&#x{:X};", c); }); }},
        {"quoted-printable",
         [](const auto& s) { return each(s, [](auto c) { return fmt::format("={:02X}", c); }); }},
        {"hex", [](const auto& s) { return each(s, [](auto c) { return fmt::format("{:02x}", c); }); }},
        {"HEX", [](const auto& s) { return each(s, [](auto c) { return fmt::format("{:02X}", c); }); }},
        {"hex:", [](const auto& s) { return each(s, [](auto c) { return fmt::format("{:02x}:", c); }); }},
        {"hex ", [](const auto& s) { return each(s, [](auto c) { return fmt::format("{:02x} ", c); }); }},
        {"0x, ", [](const auto& s) { return each(s, [](auto c) { return fmt::format("0x{:02x}, ", c); }); }},
        {"xxd", hexdump},
        {"xxd behind words", [](const auto& s) { return "it says " + hexdump("password: " + s); }},
        {"xxd on one line",
         [](const auto& s) {
             std::string text = "it says " + hexdump("be 1234 ab: " + s + " and more, and more");
             std::replace(text.begin(), text.end(), '\n', ' ');
             return text;
         }},
        {"xxd, later", [](const auto& s) { return hexdump("in a file: " + s + " and more\n"); }},
        {"base64", [](const auto& s) { return base64(s); }},
        {"base64, 1 before", [](const auto& s) { return base64("u" + s); }},
        {"base64, 2 before", [](const auto& s) { return base64("u:" + s); }},
        {"base64 in a document",
         [](const auto& s) { return base64(R"({"user": "kim", "password": )" + json_text(s) + "}"); }},
        {"base64, unpadded", [](const auto& s) { return base64("user:" + s, "+/", false); }},
        {"base64url", [](const auto& s) { return base64("user:" + s + "\xff\xfe", "-_", false); }},
        {"base64 twice", [](const auto& s) { return base64(R"({"auth": ")" + base64("user:" + s) + "\"}"); }},
        {"base64 of base64", [](const auto& s) { return base64(base64(s)); }},
        {"base64, 76 columns",
         [](const auto& s) {
             return wrapped(base64("some words before that it becomes long, and longer: " + s), 76);
         }},
        {"base64, 64 columns",
         [](const auto& s) {
             return wrapped(base64("some words before that it becomes long, and: " + s), 64, "\r\n    ");
         }},
        {"base64 in a URL",
         [](const auto& s) {
             return each(base64("u:" + s), [](auto c) {
                 return plain(c) ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
             });
         }},
        {"base64 of UTF-16",
         [](const auto& s) {
             return base64(each(s, [](auto c) { return std::string{static_cast<char>(c), '\0'}; }));
         }},
        {"over lines", [](const auto& s) { return wrapped(s, 3); }},
        {"letter by letter", [](const auto& s) { return wrapped(s, 1, " "); }},
        {"coloured", [](const auto& s) { return wrapped(s, 2, "\x1b[1;31m"); }},
        {"a link", [](const auto& s) { return wrapped(s, 4, "\x1b]8;;http://x\x07"); }},
        {"invisible characters", [](const auto& s) { return wrapped(s, 2, "\xE2\x80\x8B"); }},
    };
    return all;
}

// What must not be left of it: four of its characters in a row, as they are or coded.
bool is_hidden(const Redaction& concealment, const std::string& text) {
    const std::string shown = concealment.apply("before:\n" + text + "\n:after");
    if (shown.find("(secret)") == std::string::npos) return false;
    const bool again = concealment.apply(shown) == shown;
    return again && shown.starts_with("before:\n") && shown.ends_with("\n:after");
}

// The first and the last four letters of what was coded are gone.
bool is_gone(const Redaction& concealment, const std::string& text) {
    const std::string shown = concealment.apply(text);
    const std::string middle = text.substr(text.size() / 3, std::max<std::size_t>(4, text.size() / 3));
    return shown.find("(secret)") != std::string::npos && shown.find(middle) == std::string::npos;
}

}  // namespace

TEST_CASE("a secret is replaced wherever it stands") {
    Redaction concealment;
    CHECK(concealment.apply("nothing known"s) == "nothing known");
    concealment.add("hunter2x");
    CHECK(concealment.apply("pw=hunter2x;hunter2xhunter2x"s) == "pw=(secret);(secret)(secret)");
    CHECK(concealment.apply(json{{"a", {"hunter2x", 4, nullptr}}, {"hunter2x", true}}) ==
          (json{{"a", {"(secret)", 4, nullptr}}, {"(secret)", true}}));
    CHECK(concealment.finds("a Hunter2X"));
    CHECK(!concealment.finds("a hunter"));
}

TEST_CASE("its base64 and its lines, too") {
    Redaction concealment;
    concealment.add("user:hunter2x");
    CHECK(concealment.apply("Basic dXNlcjpodW50ZXIyeA=="s) == "Basic (secret)");
    concealment.add("-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\n-----END KEY-----");
    CHECK(concealment.apply("read AAAABBBBCCCCDDDDEEEE!"s) == "read (secret)!");
}

TEST_CASE("a longer secret is replaced before one that it begins with") {
    Redaction concealment;
    concealment.add("token");
    concealment.add("token-and-more");
    CHECK(concealment.apply("token-and-more token"s) == "(secret) (secret)");
}

TEST_CASE("what is too short to be a secret stays") {
    Redaction concealment;
    concealment.add("");
    concealment.add("abc");
    concealment.add("(secret)");
    CHECK(concealment.apply("abc (secret)"s) == "abc (secret)");
}

TEST_CASE("a secret that is part of what stands in its place") {
    Redaction concealment;
    for (const char* secret : {"secret", "(secret", "cret)", "ecre"}) concealment.add(secret);
    CHECK(concealment.apply("a secret and a (secret) and Secret"s) ==
          "a (secret) and a (secret) and (secret)");
    CHECK(concealment.apply(concealment.apply("a secret"s)) == "a (secret)");
    concealment.add("a (secret) b");
    CHECK(concealment.apply("x a (secret) b y"s) == "x (secret) y");
}

TEST_CASE("overlapping secrets become one") {
    Redaction concealment;
    concealment.add("aaaaaaaa");
    concealment.add("aaaabbbb");
    CHECK(concealment.apply("aaaaaaaabbbb."s) == "(secret).");
}

TEST_CASE("every form of every secret") {
    const std::vector<std::string> given = {
        "hunter2x",
        "Tr0ub4dor&3",
        "correct horse battery staple",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "p@ss/w0rd+with=odd&signs<\"'\\>",
        "postgres://app:s3cr3t%2Fpw@db.example.com:5432/app?sslmode=require",
        "C:\\new%20folder\\u0041bc&amp;x",
        "g\xC3\xBC\xC3\x9F"
        "e an \xF0\x9F\x98\x80 alle",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END PRIVATE KEY-----",
    };
    for (const std::string& secret : given) {
        Redaction concealment;
        concealment.add(secret);
        for (const auto& [name, encode] : encoders()) {
            INFO(secret << " as " << name << ": " << encode(secret) << "\n -> "
                        << concealment.apply(encode(secret)));
            CHECK(is_hidden(concealment, encode(secret)));
            // Of a dump the lines without anything of it stay.
            const bool has_others = name == "xxd, later" || name == "xxd on one line";
            CHECK((is_gone(concealment, encode(secret)) || has_others));
        }
    }
}

TEST_CASE("random secrets in every form") {
    std::mt19937 random(4);  // NOLINT(cert-msc51-cpp): the same ones each time
    const std::string signs =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+=!@#$%^&*()~";
    for (int round = 0; round < 300; ++round) {
        std::string secret;
        const std::size_t size = 6 + random() % 50;
        while (secret.size() < size) secret += signs[random() % signs.size()];
        Redaction concealment;
        concealment.add(secret);
        for (const auto& [name, encode] : encoders()) {
            INFO(secret << " as " << name << ": " << encode(secret) << "\n -> "
                        << concealment.apply(encode(secret)));
            CHECK(is_hidden(concealment, encode(secret)));
        }
    }
}

TEST_CASE("short secrets are found where they are meant") {
    Redaction concealment;
    concealment.add("1234");
    concealment.add("true");
    CHECK(concealment.apply("pin=1234, x1234y, 12:34, 11 23 41, 51 234"s) ==
          "pin=(secret), x(secret)y, 12:34, 11 23 41, 51 234");
    CHECK(concealment.apply("TRUE untrue TrueType, tr\nue"s) == "(secret) un(secret) TrueType, (secret)");
    CHECK(concealment.apply("MTIzNA== dHJ1ZQ=="s) == "(secret) (secret)");
}

TEST_CASE("letters with accents, and of other alphabets, in capitals") {
    const std::vector<std::pair<std::string, std::string>> given = {
        {"Batterieé3", "BATTERIEÉ3"}, {"früh-größer7", "FRÜH-GRÖSSER7"}, {"žluťoučký", "ŽLUŤOUČKÝ"},
        {"łódź-ąęń", "ŁÓDŹ-ĄĘŃ"},     {"ÿ-naïve-œuf", "Ÿ-NAÏVE-ŒUF"},    {"κωδικός", "ΚΩΔΙΚΌΣ"},
        {"άέήίόύώ", "ΆΈΉΊΌΎΏ"},       {"пароль-ёжик", "ПАРОЛЬ-ЁЖИК"},    {"ґїє-пароль", "ҐЇЄ-ПАРОЛЬ"},
        {"µ-meter-99", "Μ-METER-99"}, {"çöğü-şifre", "ÇÖĞÜ-ŞIFRE"}};
    for (const auto& [secret, capitals] : given) {
        for (const auto& [one, other] : {std::pair(secret, capitals), std::pair(capitals, secret)}) {
            Redaction concealment;
            concealment.add(one);
            INFO(one << " as " << other);
            CHECK(concealment.apply("a " + other + ": é") == "a (secret): é");
            CHECK(concealment.apply("é\n" + wrapped(other, 1, "\n") + "\nÉ") == "é\n(secret)\nÉ");
        }
    }
    Redaction concealment;
    concealment.add("Batterieé3");
    CHECK(concealment.apply("BATTERIEÈ3"s) == "BATTERIEÈ3");
}

TEST_CASE("what is no secret stays as it is") {
    Redaction concealment;
    concealment.add("correct horse battery staple");
    concealment.add("ghp_16C7e42F292c6912E7710c838347Ae178B4a");
    for (const std::string text :
         {"error: deployment \"webapi\" exceeded its progress deadline\n  at 12:34:56 (100%25)\n",
          "00000000: 7468 6520 7175 6963 6b20 6272 6f77 6e20  the quick brown \n",
          "dGhlIHF1aWNrIGJyb3duIGZveA== \\u0041 &amp; \x1b[31mred\x1b[0m =3D"})
        CHECK(concealment.apply(text) == text);
}

TEST_CASE("the time is linear, whatever the text") {
    Redaction concealment;
    concealment.add("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    concealment.add(std::string(4000, 'k') + "\n" + std::string(4000, 'l'));
    constexpr std::size_t size = 1 << 20;
    for (const std::string& part :
         {"a"s, "k"s, "a2tr"s, " "s, "%25"s, "\\\\\\\\"s, "&amp;"s, "\x1b]"s, "=3D%5c&"s, "0x"s,
          "0000: 61\n"s, "0000: 61 "s, "00000000 "s, "é"s, "00000000: 61  a "s, "(secret)"s}) {
        std::string text;
        while (text.size() < size) text += part;
        const std::clock_t begin = std::clock();
        (void)concealment.apply(text);
        const auto seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        INFO(part << ": " << seconds << " s");
        CHECK(seconds < 5);
    }
    std::string text(size, 'x');
    text.replace(size / 2, 32, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    CHECK(concealment.apply(text).size() == size - 32 + 8);
}

TEST_CASE("what a tool says with a secret in hand is kept without what could be one") {
    CHECK(without_codes("denied: 9f86d081884c7d659a2feaa0c55ad015 of /srv/app/deploy-7d9f8b6c5-x2x4z") ==
          "denied: (not kept) of /srv/app/deploy-7d9f8b6c5-x2x4z");
    CHECK(without_codes("FailedCreatePodSandBox: unauthorized: incorrect username or password (401)") ==
          "FailedCreatePodSandBox: unauthorized: incorrect username or password (401)");
}

TEST_CASE("with the first secret core dumps end") {
    Redaction concealment;
    concealment.add("hunter2x");
    rlimit limit{};
    CHECK(::getrlimit(RLIMIT_CORE, &limit) == 0);
    CHECK(limit.rlim_max <= 1);
    CHECK(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}
