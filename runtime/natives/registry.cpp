// Tags of a registry, read and moved through its own interface (the OCI distribution API), so that images of
// several platforms keep their digest. Where the registry wants credentials, docker, which has them, is
// asked; it cannot tell the digest of an image of several platforms.
#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/http_answer.hpp"
#include "runtime/natives/image_name.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

using nlohmann::json;

constexpr const char* manifest_types =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

// Where the registry wants credentials, or its name means something to docker only (a proxy, a mirror). Any
// other failure is one: docker says "no such manifest" even where it could not speak to the registry.
bool needs_docker(const Answer& answer, const HttpAnswer& said) {
    constexpr int host_not_resolved = 6;
    if (answer.succeeded()) return said.status == 401 || said.status == 403;
    return answer.ending == Ending::Exited && answer.status == host_not_resolved;
}

bool says_no_such_image(const Answer& answer) {
    return answer.errors.find("no such manifest") != std::string::npos ||
           answer.errors.find("manifest unknown") != std::string::npos;
}

// What docker says of an image with one platform; null if the registry has no such image.
tl::expected<json, std::string> ask_docker(Host& host, const std::string& image) {
    const Answer answer = host.run("docker", {"manifest", "inspect", "--verbose", image});
    if (!answer.succeeded() && says_no_such_image(answer)) return json();
    if (!answer.succeeded()) return tl::unexpected(complaint("docker", answer));
    auto parsed = json::parse(answer.output, nullptr, false);
    if (parsed.is_array())
        return tl::unexpected(
            fmt::format("{} has several platforms, and docker does not tell the digest of all of them "
                        "together; the registry would, but wants credentials",
                        image));
    if (text_field(parsed, "/Descriptor/digest").empty())
        return tl::unexpected<std::string>("docker: the answer holds no digest");
    return parsed;
}

Reading digest_from_docker(Host& host, const std::string& image) {
    const auto found = ask_docker(host, image);
    if (!found) return unknown(found.error());
    if (found->is_null()) return absent(fmt::format("the registry has no {}", image));
    return json_reading(field(*found, "/Descriptor/digest"));
}

Reading digest_from_answer(const HttpAnswer& answer, const std::string& image) {
    if (answer.status == 404) return absent(fmt::format("the registry has no {}", image));
    std::string digest = answer.header("Docker-Content-Digest");
    if (answer.status != 200 || digest.empty())
        return unknown(fmt::format("the registry answered {} for {}", answer.status, image));
    return {Value(std::move(digest)), {}, false};
}

// docker moves one platform only, so it is asked first how many there are.
Answer retag_with_docker(Host& host, const std::string& from, const std::string& to) {
    const auto found = ask_docker(host, from);
    if (!found) return refused(found.error());
    if (found->is_null()) return refused(fmt::format("the registry has no {} any more", from));
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"pull", from}, {"tag", from, to}, {"push", to}}) {
        Answer answer = host.run("docker", command);
        if (!answer.succeeded() || command.front() == "push") return answer;
    }
    return refused("nothing was pushed");
}

Answer put_manifest(Host& host, const std::string& url, const HttpAnswer& manifest) {
    Answer answer =
        host.run("curl",
                 {"--max-time", "30", "--include", "--request", "PUT", "--header",
                  "Content-Type: " + manifest.header("Content-Type"), "--data-binary", "@-", "--", url},
                 manifest.body);
    if (!answer.succeeded()) return answer;
    const HttpAnswer said = parse_http(answer.output);
    if (said.status == 201 || said.status == 200) return answer;
    return refused(fmt::format("the registry did not take the tag: it answered {}", said.status));
}

}  // namespace

Reading image_digest(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const auto name = parse_image(image);
    if (!name) return mistaken(name.error());
    const Answer answer = host.run(
        "curl", {"--max-time", "10", "--head", "--header", manifest_types, "--", name->manifest_url()});
    const HttpAnswer said = parse_http(answer.output);
    if (needs_docker(answer, said)) return digest_from_docker(host, image);
    return answer.succeeded() ? digest_from_answer(said, image) : unknown(complaint("curl", answer));
}

Answer registry_retag(Host& host, const Arguments& arguments) {
    const std::string image = text_argument(arguments, 0);
    const std::string digest = text_argument(arguments, 1);
    const auto tagged = parse_image(image);
    if (!tagged) return refused(tagged.error());
    ImageName by_digest = *tagged;
    by_digest.reference = digest;
    const Answer answer = host.run("curl", {"--max-time", "30", "--include", "--header", manifest_types, "--",
                                            by_digest.manifest_url()});
    const HttpAnswer manifest = parse_http(answer.output);
    if (needs_docker(answer, manifest)) return retag_with_docker(host, tagged->at_digest(digest), image);
    if (!answer.succeeded()) return answer;
    if (manifest.status != 200)
        return refused(
            fmt::format("the registry has no {} any more: it answered {}", digest, manifest.status));
    return put_manifest(host, tagged->manifest_url(), manifest);
}

std::string preview_registry_retag(Host&, const Arguments& arguments) {
    const auto name = parse_image(text_argument(arguments, 0));
    if (!name) return {};
    return fmt::format("curl --request PUT {} (the manifest of {})", name->manifest_url(),
                       text_argument(arguments, 1));
}

}  // namespace migc::runtime
