// Undoing by hand what a run did to files, images, web documents and programs.
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/kubernetes/image_name.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

// That a file still is what a step left; on its input, since sha256sum writes odd names otherwise.
std::string checked_file(const std::string& path, const std::string& digest) {
    const std::string content = digest.substr(0, digest.find(' '));
    return fmt::format("[ \"$(sha256sum < {})\" = {} ]", shell_word(path), shell_word(content + "  -"));
}

}  // namespace

// [file, copy, digest of what is there now]
bool put_back_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const std::filesystem::path root = host.setting("root");
    const std::string path = (root / text_argument(arguments, 0)).string();
    const json copy = json_argument(arguments, 1);
    const std::string now = text_argument(arguments, 2);
    const std::string check = now.empty() ? "" : checked_file(path, now) + " && ";
    if (copy.is_null() || field(copy, "/missing-folders").is_number_integer()) {
        std::string line = check + "rm -- " + shell_word(path);
        std::filesystem::path folder = std::filesystem::path(path).parent_path();
        for (std::int64_t i = int_field(copy, "/missing-folders"); i > 0; --i, folder = folder.parent_path())
            line += " && rmdir -- " + shell_word(folder.string());
        work.type(together(line));
        return true;
    }
    const json& text = field(copy, "/text");
    const std::string mode = fmt::format("{:o}", int_field(copy, "/mode", 0644));
    if (text.is_string()) {
        const std::string kept = shell_word(work.file("copy", text.get<std::string>()));
        work.type(together(fmt::format("{}cp -- {} {} && chmod {} {}", check, kept, shell_word(path), mode,
                                       shell_word(path))));
    } else {
        const std::string kept = shell_word(work.file("base64", text_field(copy, "/base64") + "\n"));
        work.type(together(fmt::format("{}base64 --decode {} > {} && chmod {} {}", check, kept,
                                       shell_word(path), mode, shell_word(path))));
    }
    return true;
}

// [file, what was kept of it, digest of what is there now]
bool kept_back_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const std::string path = path_in_project(host, text_argument(arguments, 0)),
                      now = text_argument(arguments, 2);
    const std::string file = shell_word(path),
                      kept = shell_word(path_in_project(host, text_argument(arguments, 1)));
    const std::string check = now.empty() ? "" : checked_file(path, now) + " && ";
    work.type(together(
        fmt::format("{0}if [ -e {2} ]; then cp -- {2} {1}; else rm -f -- {1}; fi", check, file, kept)));
    return true;
}

// [name, the id that it must have until then or absent, the id that it gets or absent, ..]
bool image_name_by_hand(Host&, const Arguments& arguments, HandWork& work) {
    const std::string name = text_argument(arguments, 0), left = text_argument(arguments, 1),
                      prior = text_argument(arguments, 2);
    if (name.empty() || left.empty()) return false;
    const std::string now = work.command("docker", {"image", "inspect", "--format", "{{.Id}}", name});
    const std::string act = prior.empty() ? work.command("docker", {"image", "rm", "--no-prune", name})
                                          : work.command("docker", {"tag", prior, name});
    work.type(together(fmt::format("[ {} = {} ] && {}", printed_by(now), shell_word(left), act)));
    return true;
}

// [image, digest, what the tag must name until then or absent, ..]
bool retag_by_hand(Host&, const Arguments& arguments, HandWork& work) {
    const std::string image = text_argument(arguments, 0), digest = text_argument(arguments, 1),
                      left = text_argument(arguments, 2);
    const auto name = kubernetes::parse_image(image);
    if (!name || left.empty()) return false;
    if (digest.empty()) {
        work.say(fmt::format(
            "the tag {} was new, and stays; whoever wants it gone removes it in the registry", image));
        return true;
    }
    work.say(fmt::format("the tag {} named {} before; let it name that again, if it still names {}:", image,
                         digest, left));
    work.say("  look: " + work.command("docker", {"buildx", "imagetools", "inspect", image}));
    work.say("  then: " + work.command("docker", {"buildx", "imagetools", "create", "--tag", image,
                                                  name->at_digest(digest)}));
    return true;
}

namespace {

std::string ending_for(const json& content) {
    return text_field(content, "/type").find("json") == std::string::npos ? "text" : "json";
}

// How it is asked, where that is not as anybody would ask it.
std::string terms_in_words(const json& terms) {
    std::string words;
    if (field(terms, "/inside") == true) words += "; it is asked from a pod in the namespace";
    for (const json& header : field(terms, "/headers"))
        if (header.is_string()) words += fmt::format("; with the header {}", header.get<std::string>());
    if (const std::string secret = text_field(terms, "/secret/name"); !secret.empty())
        words +=
            fmt::format("; with the header {} from the file {}", secret, text_field(terms, "/secret/file"));
    return words;
}

}  // namespace

// [address, prior or absent, terms, what this run wrote or absent, in whose terms]. What is the same document
// only its server can tell, so a person looks.
bool http_restore_by_hand(Host&, const Arguments& arguments, HandWork& work) {
    const std::string address = text_argument(arguments, 0);
    const json prior = json_argument(arguments, 1), ours = json_argument(arguments, 3);
    const auto kept = [&](const json& content) {
        return work.file(ending_for(content), text_field(content, "/body"));
    };
    work.say(fmt::format("{} must still hold {}{}:", address,
                         ours.is_null() ? "nothing" : "what is in " + kept(ours),
                         terms_in_words(json_argument(arguments, 2))));
    work.say("  look: " + work.command("curl", {"--include", "--", address}));
    if (prior.is_null()) {
        work.say("  then: " + work.command("curl", {"--fail", "--request", "DELETE", "--header",
                                                    "If-Match: ETAG", "--", address}));
    } else {
        std::vector<std::string> words = {"--fail", "--request", "PUT", "--header",
                                          ours.is_null() ? "If-None-Match: *" : "If-Match: ETAG"};
        if (const std::string type = text_field(prior, "/type"); !type.empty())
            append(words, {"--header", "Content-Type: " + type});
        append(words, {"--data-binary", "@" + kept(prior), "--", address});
        work.say("  then: " + work.command("curl", words));
    }
    if (!ours.is_null())
        work.say("  (ETAG is what the look shows as ETag; without one leave that header out, and be quick)");
    return true;
}

// [log]
bool stop_program_by_hand(Host& host, const Arguments& arguments, HandWork& work) {
    const std::string log = path_in_project(host, text_argument(arguments, 0));
    work.say("by hand: end the program that writes " + log + ", if it still runs:");
    work.say("  look: fuser -v " + shell_word(log));
    return true;
}

}  // namespace migc::runtime::inline natives
