// Tags of a registry, read and moved through its own interface, so that images of several platforms keep
// their digest. Where only docker has the credentials, it is asked; it cannot tell the digest of an image of
// several platforms.
#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/natives/registry_client.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

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
        return tl::unexpected(
            fmt::format("{} has several platforms, and docker does not tell the digest of all of them "
                        "together; the registry would, but wants credentials",
                        image));
    std::string config = text_field(parsed, "/SchemaV2Manifest/config/digest");
    if (config.empty()) config = text_field(parsed, "/OCIManifest/config/digest");
    Tagged found{text_field(parsed, "/Descriptor/digest"), std::move(config)};
    if (found.digest.empty()) return tl::unexpected<std::string>("docker: the answer holds no digest");
    return found;
}

std::string refusal(const RegistryAnswer& answer) {
    const std::string reason = answer.reason();
    return fmt::format("the registry answered {}{}", answer.http.status, reason.empty() ? "" : ": " + reason);
}

Look look_at(Host& host, const std::string& image, const ImageName& name, const std::string& method) {
    const RegistryAnswer answer = ask_registry(host, name, method);
    if (answer.needs_docker) return ask_docker(host, image);
    if (!answer.curl.succeeded()) return tl::unexpected(complaint("curl", answer.curl));
    if (answer.http.status == 404) return Tagged{};
    Tagged found{answer.http.header("Docker-Content-Digest"),
                 text_field(json::parse(answer.http.body, nullptr, false), "/config/digest")};
    if (answer.http.status != 200 || found.digest.empty())
        return tl::unexpected(fmt::format("{}: {}", image, refusal(answer)));
    return found;
}

// docker moves one platform only, so it is asked first how many there are.
Answer retag_with_docker(Host& host, const std::string& from, const std::string& to) {
    const auto found = ask_docker(host, from);
    if (!found) return refused(found.error());
    if (found->digest.empty()) return refused(fmt::format("the registry has no {} any more", from));
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"pull", from}, {"tag", from, to}, {"push", to}}) {
        Answer answer = host.run("docker", command);
        if (!answer.succeeded() || command.front() == "push") return answer;
    }
    return refused("nothing was pushed");
}

}  // namespace

Reading image_digest(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const auto name = parse_image(image);
    if (!name) return mistaken(name.error());
    const Look found = look_at(host, image, *name, "HEAD");
    if (!found) return unknown(found.error());
    if (found->digest.empty()) return absent(fmt::format("the registry has no {}", image));
    return {Value(found->digest), {}, false};
}

// The id, if what the tag names is that image; docker's ids are those of the configuration, or of the
// manifest.
Reading image_content(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const std::string id = text_argument(arguments, 1);
    const auto name = parse_image(image);
    if (!name) return mistaken(name.error());
    const Look found = look_at(host, image, *name, "GET");
    if (!found) return unknown(found.error());
    if (found->digest.empty()) return absent(fmt::format("the registry has no {}", image));
    const bool is_that = found->digest == id || found->config == id;
    return {Value(is_that ? id : found->digest), {}, false};
}

// By digest, from the registry and not from what was said while it was pushed.
Reading pinned_image(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const std::string id = text_argument(arguments, 1);
    const auto name = parse_image(image);
    if (!name) return mistaken(name.error());
    const Look found = look_at(host, image, *name, "GET");
    if (!found) return unknown(found.error());
    if (found->digest != id && found->config != id)
        return mistaken(
            fmt::format("{} does not name the image any more that was pushed: somebody else pushed", image));
    return {Value(name->at_digest(found->digest)), {}, false};
}

Reading tag_can_name(Host&, const Arguments& arguments) {
    if (!text_argument(arguments, 1).empty()) return {Value(true), {}, false};
    return {Value(false),
            fmt::format("the tag {} is new and stays: registries cannot be relied upon to remove one. Nobody "
                        "runs it unless something names it; whoever wants it gone removes it there",
                        text_argument(arguments, 0)),
            true};
}

Answer registry_retag(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const std::string digest = text_argument(arguments, 1);
    const auto tagged = parse_image(image);
    if (!tagged) return refused(tagged.error());
    ImageName by_digest = *tagged;
    by_digest.reference = digest;
    const RegistryAnswer manifest = ask_registry(host, by_digest, "GET");
    if (manifest.needs_docker) return retag_with_docker(host, tagged->at_digest(digest), image);
    if (!manifest.curl.succeeded()) return manifest.curl;
    if (manifest.http.status == 404) return refused(fmt::format("the registry has no {} any more", digest));
    if (manifest.http.status != 200) return refused(refusal(manifest));
    // As it is, byte for byte: so the digest stays, and with it every platform.
    const RegistryAnswer put =
        ask_registry(host, *tagged, "PUT", manifest.http.body, manifest.http.header("Content-Type"));
    if (!put.curl.succeeded() || put.http.status == 201 || put.http.status == 200) return put.curl;
    return refused(fmt::format("the tag was not moved: {}", refusal(put)));
}

std::string preview_registry_retag(Host&, const Arguments& arguments) {
    const auto name = parse_image(text_argument(arguments, 0));
    if (!name) return {};
    return fmt::format("curl --request PUT {} (the manifest of {})", name->manifest_url(),
                       text_argument(arguments, 1));
}

}  // namespace migc::runtime
