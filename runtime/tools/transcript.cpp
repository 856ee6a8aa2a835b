#include "runtime/tools/transcript.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/support/encoding.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/tools/output_file.hpp"

namespace migc::runtime::inline tools {

namespace {

using nlohmann::json;

constexpr int transcript_version = 1;
constexpr std::array<const char*, 4> ending_names = {"exited", "signalled", "timed-out", "not-started"};

std::string digest(const std::string& text) {
    return text.empty() ? std::string() : sha256(text);
}

json text_or_bytes(const std::string& text) {
    return is_utf8(text) ? json(text) : json{{"base64", base64(text)}};
}

// Reads one transcript. What nlohmann-json throws for a wrong type stays in here.
class Reader {
  public:
    // The error is what is wrong with the line.
    tl::expected<void, std::string> line(const json& object) {
        try {
            return entry(object);
        } catch (const json::exception&) {
            return failure("a key is missing or of the wrong type");
        }
    }

    tl::expected<Transcript, std::string> finish() {
        if (!begun_) return failure("it has no line with \"migc-transcript\"");
        for (const auto& [id, key] : watch_order_) transcript_.watches[key].push_back(watches_[id]);
        return std::move(transcript_);
    }

  private:
    tl::expected<void, std::string> entry(const json& object) {
        if (object.contains("migc-transcript")) return header(object);
        if (!begun_) return failure("it is not a transcript of migc");
        if (object.contains("run")) return run(object);
        if (object.contains("watch")) {
            watch_order_.emplace_back(object.at("id").get<int>(), key(object, "watch"));
        } else if (object.contains("news")) {
            watches_[object.at("news").get<int>()].news.push_back(object.at("at").get<Time>());
        } else if (object.contains("ended")) {
            RecordedWatch& watch = watches_[object.at("ended").get<int>()];
            watch.ended = true;
            watch.ended_at = object.at("at").get<Time>();
        }
        return {};
    }

    tl::expected<void, std::string> header(const json& object) {
        if (object.at("migc-transcript").get<int>() != transcript_version)
            return failure("it was written by another version of migc; record it again");
        transcript_.begun = object.at("begun").get<Time>();
        begun_ = true;
        return {};
    }

    tl::expected<void, std::string> run(const json& object) {
        const auto ending = std::ranges::find(ending_names, object.at("ending").get<std::string>());
        if (ending == ending_names.end()) return failure("its \"ending\" is none that exists");
        Answer answer;
        answer.ending = static_cast<Ending>(ending - ending_names.begin());
        answer.status = object.at("status").get<int>();
        answer.truncated = object.at("truncated").get<bool>();
        answer.reason = object.at("reason").get<std::string>();
        answer.took_ms = object.at("took").get<std::int64_t>();
        auto output = text(object.at("output"));
        auto errors = text(object.at("errors"));
        if (!output || !errors) return tl::unexpected(output ? errors.error() : output.error());
        answer.output = std::move(*output);
        answer.errors = std::move(*errors);
        transcript_.answers[key(object, "run")].push_back(std::move(answer));
        return {};
    }

    static tl::expected<std::string, std::string> text(const json& value) {
        if (!value.is_object()) return value.get<std::string>();
        if (auto bytes = from_base64(value.at("base64").get<std::string>())) return std::move(*bytes);
        return failure("its base64 is damaged");
    }

    static CommandKey key(const json& object, const char* kind) {
        CommandKey result;
        for (const json& word : object.at(kind))
            result.argv.push_back(without_made_up_names(text(word).value_or("")));
        result.input = object.at("input").get<std::string>();
        return result;
    }

    Transcript transcript_;
    bool begun_ = false;
    std::vector<std::pair<int, CommandKey>> watch_order_;
    std::map<int, RecordedWatch> watches_;
};

json argv_line(const char* kind, const CommandKey& key, Time at) {
    json words = json::array();
    for (const std::string& word : key.argv) words.push_back(text_or_bytes(word));
    return {{kind, std::move(words)}, {"input", key.input}, {"at", at}};
}

}  // namespace

std::string replaced(std::string word, const Normalisation& normalisation) {
    if (normalisation.text.empty()) return word;
    for (std::size_t at = 0; (at = word.find(normalisation.text, at)) != std::string::npos;
         at += normalisation.name.size()) {
        word.replace(at, normalisation.text.size(), normalisation.name);
    }
    return word;
}

std::string without_made_up_names(std::string text) {
    static const re2::RE2 made_up(R"((\bmigc(?:-[a-z]+)?)-[0-9a-f]{10}\b)");
    re2::RE2::GlobalReplace(&text, made_up, "\\1-*");
    // Which run writes, when it has pods restarted, and how long ago it began to look, is another at each
    // run.
    static const re2::RE2 manager(R"(^(--field-manager=migc):\d{4}-\d{2}-\d{2}-\d+(?:-[0-9a-f]+)?$)");
    static const re2::RE2 restarted(R"re(("kubectl\.kubernetes\.io/restartedAt":")[^"]*")re");
    static const re2::RE2 since(R"(^(--since=)\d+s$)");
    re2::RE2::GlobalReplace(&text, manager, "\\1");
    re2::RE2::GlobalReplace(&text, since, "\\1*");
    re2::RE2::GlobalReplace(&text, restarted, "\\1*\"");
    return text;
}

std::string as_written_by(std::string answer, const std::string& manager) {
    static const re2::RE2 name(R"(\bmigc:\d{4}-\d{2}-\d{2}-\d+-[0-9a-f]{6}\b)");
    if (!manager.empty()) re2::RE2::GlobalReplace(&answer, name, manager);
    return answer;
}

std::string manager_of(const CommandLine& command) {
    constexpr std::string_view option = "--field-manager=";
    for (const std::string& word : command.argv)
        if (word.starts_with(std::string(option) + "migc:")) return word.substr(option.size());
    return {};
}

CommandKey key_of(const CommandLine& command, const std::vector<Normalisation>& normalised) {
    CommandKey key{command.argv, command.input_file.empty()
                                     ? digest(command.input)
                                     : digest_of_file(command.input_file).value_or("unreadable")};
    for (std::string& word : key.argv) {
        for (const Normalisation& normalisation : normalised) word = replaced(std::move(word), normalisation);
        word = without_made_up_names(std::move(word));
    }
    return key;
}

json header_line(Time begun) {
    return {{"migc-transcript", transcript_version}, {"begun", begun}};
}

json run_line(const CommandKey& key, const Answer& answer, Time at) {
    json line = argv_line("run", key, at);
    line["took"] = answer.took_ms;
    line["ending"] = ending_names[static_cast<std::size_t>(answer.ending)];
    line["status"] = answer.status;
    line["output"] = text_or_bytes(answer.output);
    line["errors"] = text_or_bytes(answer.errors);
    line["truncated"] = answer.truncated;
    line["reason"] = answer.reason;
    return line;
}

json watch_line(const CommandKey& key, int id, Time at) {
    json line = argv_line("watch", key, at);
    line["id"] = id;
    return line;
}

json watched_line(const char* what, int id, Time at) {
    return {{what, id}, {"at", at}};
}

tl::expected<Transcript, std::string> read_transcript(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return failure("{} cannot be read", file.string());
    Reader reader;
    int number = 0;
    for (std::string text; std::getline(stream, text);) {
        ++number;
        const bool cut_off = stream.eof();  // its line break is missing
        const json object = json::parse(text, nullptr, false);
        if (object.is_discarded() && cut_off) break;
        const auto read = object.is_object() ? reader.line(object) : failure("it is not a JSON object");
        if (!read) return failure("{}:{}: {}", file.string(), number, read.error());
    }
    return reader.finish().map_error(
        [&](const std::string& why) { return fmt::format("{}: {}", file.string(), why); });
}

}  // namespace migc::runtime::inline tools
