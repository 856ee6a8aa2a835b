// Tags of a registry, read and moved through its own interface, so that images of several platforms keep
// their digest. Where only docker has the credentials, it is asked; it cannot tell the digest of an image of
// several platforms.
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/ownership.hpp"
#include "runtime/natives/private_file.hpp"
#include "runtime/natives/refusals.hpp"
#include "runtime/natives/registry_client.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

// What a tag names.
struct Tagged {
    std::string digest;  // of the manifest; "" if the registry has no such tag
    std::string config;  // of the image's configuration, which is its id here; "" of several platforms
};
using Look = tl::expected<Tagged, std::string>;

bool says_no_such_image(const Answer& answer) {
    return answer.errors.find("no such manifest") != std::string::npos ||
           answer.errors.find("manifest unknown") != std::string::npos;
}

// What docker says of an image with one platform.
Look ask_docker(Host& host, const std::string& image) {
    const Answer answer = host.run("docker", {"manifest", "inspect", "--verbose", image});
    if (!answer.succeeded() && says_no_such_image(answer)) return Tagged{};
    if (!answer.succeeded()) return tl::unexpected(complaint("docker", answer));
    const auto parsed = json::parse(answer.output, nullptr, false);
    if (parsed.is_array())
        return failure(
            "{} has several platforms, and docker does not tell the digest of all of them "
            "together; the registry would, but wants credentials",
            image);
    std::string config = text_field(parsed, "/SchemaV2Manifest/config/digest");
    if (config.empty()) config = text_field(parsed, "/OCIManifest/config/digest");
    Tagged found{text_field(parsed, "/Descriptor/digest"), std::move(config)};
    if (found.digest.empty()) return failure("docker: the answer holds no digest");
    return found;
}

std::string refusal(const RegistryAnswer& answer) {
    const std::string reason = answer.reason();
    return fmt::format("the registry answered {}{}", answer.http.status, reason.empty() ? "" : ": " + reason);
}

Look look_at(Host& host, const std::string& image, const kubernetes::ImageName& name,
             const std::string& method) {
    const RegistryAnswer answer = ask_registry(host, name, method);
    if (answer.needs_docker) return ask_docker(host, image);
    if (!answer.curl.succeeded()) return tl::unexpected(complaint("curl", answer.curl));
    if (answer.http.status == 404) return Tagged{};
    Tagged found{answer.http.header("Docker-Content-Digest"),
                 text_field(json::parse(answer.http.body, nullptr, false), "/config/digest")};
    if (answer.http.status != 200 || found.digest.empty()) return failure("{}: {}", image, refusal(answer));
    return found;
}

// docker moves one platform only, so it is asked first how many there are.
Answer retag_with_docker(Host& host, const std::string& from, const std::string& to) {
    const auto found = ask_docker(host, from);
    if (!found) return refused(found.error());
    if (found->digest.empty()) return refused("the registry has no {} any more", from);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"pull", from}, {"tag", from, to}, {"push", to}}) {
        Answer answer = host.run("docker", command);
        answer.refused = was_refused("docker", answer);
        if (!answer.succeeded() || command.front() == "push") return answer;
    }
    return refused("nothing was pushed");
}

// Why a tag may not be moved: it does not name what it did when that was captured ("": nothing). A look that
// fails is no permission.
std::optional<std::string> moved_meanwhile(Host& host, const std::string& image,
                                           const kubernetes::ImageName& name, const std::string& expected) {
    if (host.setting("overwrite") == "yes") return std::nullopt;
    const Look found = look_at(host, image, name, "HEAD");
    if (!found) return fmt::format("what {} names could not be found out: {}", image, found.error());
    if (found->digest == expected) return std::nullopt;
    const auto told = [](const std::string& digest) { return digest.empty() ? "nothing" : digest; };
    return fmt::format(
        "{} names {} now, and not {} any more: somebody else moved the tag, and it stays as it is", image,
        told(found->digest), told(expected));
}

// The registry's own answer decides; without one, or with that of a server that failed, nobody knows.
Answer outcome_of_put(const RegistryAnswer& put) {
    constexpr int server_failed = 500;
    if (!put.curl.succeeded() && was_refused("curl", put.curl)) return refused(complaint("curl", put.curl));
    if (!put.curl.succeeded()) return cut_off(complaint("curl", put.curl));
    if (put.http.status == 201 || put.http.status == 200) return put.curl;
    if (put.http.status >= server_failed) return cut_off(refusal(put));
    return refused("the tag was not moved: {}", refusal(put));
}

// Into which docker itself writes what it says while it pushes, also when migc has been killed.
std::filesystem::path push_output(Host& host, const std::string& image, const std::string& id) {
    return std::filesystem::path(host.setting("run-folder")) /
           fmt::format("pushed-{}.out", sha256(image + " " + id).substr(0, 16));
}

// "staging: digest: sha256:.. size: 528"; "" if the output has none.
std::string digest_said(const std::string& output) {
    static const RE2 pushed_digest(R"(\bdigest: (sha256:[0-9a-f]{64})\b)");
    std::string digest;
    RE2::PartialMatch(output, pushed_digest, &digest);
    return digest;
}

// The digest that this run's own push has got; "" if it made none.
std::string pushed(Host& host, const std::string& image, const std::string& id) {
    return host.setting("run-folder").empty() ? "" : digest_said(output_so_far(push_output(host, image, id)));
}

// The id of an image that is here; "" if there is none.
tl::expected<std::string, std::string> local_id(Host& host, const std::string& image) {
    const Answer answer = host.run("docker", {"image", "inspect", "--format", "{{.Id}}", image});
    if (!answer.succeeded() && answer.errors.find("No such image") != std::string::npos) return "";
    if (!answer.succeeded()) return tl::unexpected(complaint("docker", answer));
    return answer.output.substr(0, answer.output.find_first_of("\r\n"));
}

// What an inverse does not take back, so as not to destroy what others did, is held.
Answer tag_stays(const Arguments& arguments, std::size_t place_of_back, const std::string& why) {
    return text_argument(arguments, place_of_back) == "back" ? left_alone(why) : refused(why);
}

// What the registry has under the name that is the first argument; else the reading that tells why it is not
// known.
struct FoundImage : Tagged {
    kubernetes::ImageName name;
};
tl::expected<FoundImage, Reading> found_under(Host& host, const Arguments& arguments,
                                              const std::string& method) {
    const std::string image = text_argument(arguments, 0);
    const auto name = kubernetes::parse_image(image);
    if (!name) return tl::unexpected(mistaken(name.error()));
    const Look found = look_at(host, image, *name, method);
    if (!found) return tl::unexpected(unknown(found.error()));
    return FoundImage{*found, *name};
}

Reading no_such(const std::string& image) {
    return absent("the registry has no {}", image);
}

}  // namespace

static Reading image_digest(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const auto found = found_under(host, arguments, "HEAD");
    if (!found) return found.error();
    if (found->digest.empty()) return no_such(image);
    return {Value(found->digest)};
}

// The id, if what the tag names is that image; docker's ids are those of the configuration, or of the
// manifest. Once this run has pushed it, only the manifest that docker told of is that image: another one was
// pushed by somebody else, though the image in it be the same.
static Reading image_content(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0), id = text_argument(arguments, 1);
    const auto found = found_under(host, arguments, "GET");
    if (!found) return found.error();
    if (found->digest.empty()) return no_such(image);
    const std::string own = pushed(host, image, id);
    const bool is_that = own.empty() ? found->digest == id || found->config == id : found->digest == own;
    return written_by_us(host, {Value(is_that ? id : found->digest)}, !own.empty() && is_that);
}

// What the run itself does not know of its push is asked of the registry.
static Reading pushed_digest(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0), id = text_argument(arguments, 1);
    if (const std::string own = pushed(host, image, id); !own.empty()) return {Value(own)};
    const auto found = found_under(host, arguments, "GET");
    if (!found) return found.error();
    if (found->digest != id && found->config != id)
        return unknown("{} does not name the image any more that was pushed", image);
    return {Value(found->digest)};
}

// By digest, from the registry and not from what was said while it was pushed.
static Reading pinned_image(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0), id = text_argument(arguments, 1);
    const auto found = found_under(host, arguments, "GET");
    if (!found) return found.error();
    if (found->digest != id && found->config != id)
        return mistaken("{} does not name the image any more that was pushed: somebody else pushed", image);
    return {Value(found->name.at_digest(found->digest))};
}

static Reading tag_can_name(Host&, const Arguments& arguments) {
    if (!text_argument(arguments, 1).empty()) return {Value(true)};
    return never(
        "the tag {} is new and stays: registries cannot be relied upon to remove one. Nobody "
        "runs it unless something names it; whoever wants it gone removes it there",
        text_argument(arguments, 0));
}

// [image, digest, what the tag must name until then or absent, "back"]
static Answer registry_retag(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0), digest = text_argument(arguments, 1);
    const auto tagged = kubernetes::parse_image(image);
    if (!tagged) return refused(tagged.error());
    kubernetes::ImageName by_digest = *tagged;
    by_digest.reference = digest;
    const RegistryAnswer manifest = ask_registry(host, by_digest, "GET");
    if (!manifest.needs_docker) {
        if (!manifest.curl.succeeded()) return refused(complaint("curl", manifest.curl));
        if (manifest.http.status == 404) return refused("the registry has no {} any more", digest);
        if (manifest.http.status != 200) return refused(refusal(manifest));
    }
    if (const auto moved = moved_meanwhile(host, image, *tagged, text_argument(arguments, 2)))
        return tag_stays(arguments, 3, *moved);
    if (manifest.needs_docker) return retag_with_docker(host, tagged->at_digest(digest), image);
    // As it is, byte for byte: so the digest stays, and with it every platform.
    return outcome_of_put(
        ask_registry(host, *tagged, "PUT", manifest.http.body, manifest.http.header("Content-Type")));
}

static std::string preview_registry_retag(Host&, const Arguments& arguments) {
    const auto name = kubernetes::parse_image(text_argument(arguments, 0));
    if (!name) return {};
    return fmt::format("curl --request PUT {} (the manifest of {})", name->manifest_url(),
                       text_argument(arguments, 1));
}

// [image, its id, what the tag must name until then or absent]
static Answer image_push(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0), id = text_argument(arguments, 1);
    const auto name = kubernetes::parse_image(image);
    if (!name) return refused(name.error());
    const auto here = local_id(host, image);
    if (!here) return refused(here.error());
    if (*here != id)
        return refused("{} is another image here than it was: somebody else gave it the name", image);
    if (const auto moved = moved_meanwhile(host, image, *name, text_argument(arguments, 2)))
        return refused(*moved);
    const std::filesystem::path output = push_output(host, image, id);
    std::error_code error;
    std::filesystem::create_directories(output.parent_path(), error);
    if (error) return refused("{}: {}", host.setting("run-folder"), error.message());
    Answer answer = host.perform({"docker", {"push", image}, {}, output.string(), {}, host.limit_ms()});
    answer.refused = was_refused("docker", answer);
    // One that was cut off may have arrived nevertheless.
    if (!answer.succeeded() && !digest_said(answer.output).empty())
        if (const auto kept = write_private(output, answer.output); !kept)
            answer.errors += "\n" + kept.error();
    return answer;
}

static std::string preview_image_push(Host&, const Arguments& arguments) {
    return shown({"docker", "push", text_argument(arguments, 0)});
}

namespace {

std::vector<std::string> name_command(const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0), id = text_argument(arguments, 2);
    if (id.empty()) return {"image", "rm", "--no-prune", name};
    return {"tag", id, name};
}

}  // namespace

// [name, the id that it must have until then or absent, the id that it gets or absent, "back"]
static Answer image_name(Host& host, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0), expected = text_argument(arguments, 1);
    const auto here = local_id(host, name);
    if (!here) return refused(here.error());
    if (*here != expected && host.setting("overwrite") != "yes")
        return tag_stays(arguments, 3,
                         fmt::format("{} is {} now: somebody else gave the name away, and it stays as it is",
                                     name, here->empty() ? "no image" : *here));
    Answer answer = host.run("docker", name_command(arguments));
    answer.refused = was_refused("docker", answer);
    return answer;
}

static std::string preview_image_name(Host&, const Arguments& arguments) {
    std::vector<std::string> command = name_command(arguments);
    command.insert(command.begin(), "docker");
    return shown(command);
}

const Rows registry_rows([]() -> std::vector<Row> {
    return {
        // [image]: string, or absent
        reads("image-digest", image_digest).of_registry(),
        // [image, id]: the id, a digest, or absent
        reads("image-content", image_content).of_registry(),
        // [image, id]: image by digest
        reads("pinned-image", pinned_image).of_registry(),
        // [image, digest or absent]: bool
        reads("tag-can-name", tag_can_name),
        // [image, id]
        reads("pushed-digest", pushed_digest),
        // [image, digest, what the tag must name until then or absent, "back"]
        does("registry-retag", registry_retag, preview_registry_retag)
            .reaches({Reach::Of::Registry})
            .by_hand(retag_by_hand),
        // [image, id, what the tag must name until then]
        does("image-push", image_push, preview_image_push).reaches({Reach::Of::Registry}),
        // [name, the id that it must have until then or absent, the id that it gets or absent, "back"]
        does("image-name", image_name, preview_image_name)
            .reaches({Reach::Of::LocalImage})
            .by_hand(image_name_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
