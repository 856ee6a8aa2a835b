// The image registry, and a simulated docker that builds, tags, pushes and inspects.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/world/simulation.hpp"

namespace migc::runtime::inline world {

std::string repository(const std::string& image) {
    const std::size_t at = image.find('@');
    const std::string name = image.substr(0, at);
    const std::size_t colon = name.rfind(':');
    const bool is_port = colon != std::string::npos && name.find('/', colon) != std::string::npos;
    return colon == std::string::npos || is_port ? name : name.substr(0, colon);
}

namespace {

// "web" is "web:latest".
std::string with_tag(const std::string& image) {
    return image.find('@') != std::string::npos || repository(image) != image ? image : image + ":latest";
}

Answer no_such_image(const std::string& image) {
    return failed("Error response from daemon: No such image: {}\n", with_tag(image));
}

std::optional<std::string> digest_in(const std::map<std::string, std::string>& images,
                                     const std::string& image) {
    const auto found = images.find(with_tag(image));
    if (found != images.end()) return found->second;
    const std::size_t at = image.find('@');
    if (at == std::string::npos) return std::nullopt;
    // By digest: there as long as some tag of the repository, now or earlier, had it.
    for (const auto& [name, digest] : images)
        if (digest == image.substr(at + 1) && repository(name) == repository(image)) return digest;
    return std::nullopt;
}

// Docker finds an image by its id, too.
std::optional<std::string> local_digest(const Simulation& world, const std::string& image) {
    if (image.rfind("sha256:", 0) != 0) return digest_in(world.local_images, image);
    for (const auto& [name, digest] : world.local_images)
        if (digest == image) return digest;
    return std::nullopt;
}

// What the files of a folder hold, so that another content makes another image.
std::string content_below(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator i(folder, error), end; !error && i != end;
         i.increment(error)) {
        files[i->path().lexically_relative(folder).string()] = read_file(i->path(), any_size).value_or("");
    }
    std::string all;
    for (const auto& [name, text] : files) all += fmt::format("\n{} {}", name, sha256(text));
    return all;
}

Answer build(Simulation& world, const std::filesystem::path& directory, const Arguments& arguments) {
    const auto tags = arguments.values("-t --tag");
    if (arguments.words.size() != 1 || tags.empty())
        return unmodelled("docker build without one folder and a --tag");
    const std::string digest =
        "sha256:" + sha256("build of " + arguments.words[0] + content_below(directory / arguments.words[0]));
    for (const std::string& tag : tags) world.local_images[with_tag(tag)] = digest;
    world.acted = true;
    return exited(0, "",
                  fmt::format("writing image {} done\nnaming to {} done\n", digest, with_tag(tags[0])));
}

Answer tag(Simulation& world, const std::string& image, const Arguments& arguments) {
    const auto digest = local_digest(world, image);
    if (!digest) return no_such_image(image);
    world.local_images[with_tag(arguments.words[1])] = *digest;
    world.acted = true;
    return done("");
}

Answer push(Simulation& world, const std::string& given, const Arguments&) {
    const std::string image = with_tag(given);
    const auto digest = digest_in(world.local_images, image);
    if (!digest) return failed("An image does not exist locally with the tag: {}\n", repository(image));
    if (const auto set = set_tag(world, image, *digest); !set)
        return failed("tag invalid: " + set.error() + "\n");
    return done("The push refers to repository [{}]\n{}: digest: {} size: 528\n", repository(image),
                image.substr(repository(image).size() + 1), *digest);
}

Answer pull(Simulation& world, const std::string& given, const Arguments&) {
    const std::string image = with_tag(given);
    const auto digest = digest_in(world.registry, image);
    if (!digest)
        return failed(
            "Error response from daemon: manifest for {} not found: manifest unknown: manifest unknown\n",
            image);
    world.local_images[image] = *digest;
    return done("Digest: {}\nStatus: Downloaded newer image for {}\n{}\n", *digest, image, image);
}

Answer inspect_image(Simulation& world, const std::string& image, const Arguments& arguments) {
    const auto digest = local_digest(world, image);
    if (!digest)
        return exited(1, "[]\n",
                      fmt::format("Error response from daemon: No such image: {}\n", with_tag(image)));
    Object digests = Object::array();
    if (digest_in(world.registry, image) == digest) digests.push_back(repository(image) + "@" + *digest);
    const Object description = {
        {"Id", *digest}, {"RepoTags", Object::array({with_tag(image)})}, {"RepoDigests", digests}};
    const std::string format = arguments.value_or("-f --format", "");
    if (format.empty()) return done_json(Object::array({description}));
    if (format == "{{json .}}") return done_json(description, -1);
    if (format == "{{.Id}}") return done(*digest + "\n");
    if (format == "{{json .RepoDigests}}") return done_json(digests, -1);
    if (format == "{{index .RepoDigests 0}}")
        return digests.empty() ? failed("template parsing error: index out of range: 0\n")
                               : done(digests[0].get<std::string>() + "\n");
    return unmodelled("docker image inspect --format " + format);
}

Answer inspect_manifest(Simulation& world, const std::string& image, const Arguments& arguments) {
    const auto digest = digest_in(world.registry, image);
    if (!digest) return failed("no such manifest: {}\n", with_tag(image));
    const std::string type = "application/vnd.docker.distribution.manifest.v2+json";
    const Object manifest = {{"schemaVersion", 2}, {"mediaType", type}, {"config", {{"digest", *digest}}}};
    if (!arguments.has("-v --verbose")) return done_json(manifest);
    return done_json({{"Ref", with_tag(image)},
                      {"Descriptor", {{"mediaType", type}, {"digest", *digest}, {"size", 528}}},
                      {"SchemaV2Manifest", manifest}});
}

// docker buildx imagetools inspect IMAGE --format '{{json .Manifest}}'
Answer inspect_remote(Simulation& world, const std::string& image, const Arguments& arguments) {
    if (arguments.words.size() != 1)
        return unmodelled("docker buildx imagetools inspect of other than one image");
    const auto digest = digest_in(world.registry, image);
    if (!digest) return failed("ERROR: {}: not found\n", with_tag(image));
    const std::string format = arguments.value_or("--format", "");
    if (format == "{{.Manifest.Digest}}") return done(*digest + "\n");
    if (format != "{{json .Manifest}}")
        return unmodelled("docker buildx imagetools inspect --format " + format);
    return done_json(
        {{"mediaType", "application/vnd.oci.image.manifest.v1+json"}, {"digest", *digest}, {"size", 528}}, 2);
}

Answer remove(Simulation& world, const std::string& image, const Arguments&) {
    if (world.local_images.erase(with_tag(image)) == 0) return no_such_image(image);
    world.acted = true;
    return done("Untagged: {}\n", with_tag(image));
}

// The commands that name images: how many, and what does it with the first.
struct Verb {
    std::string_view name;
    std::size_t images;
    Answer (*run)(Simulation&, const std::string&, const Arguments&);
};

constexpr Verb verbs[] = {{"tag", 2, tag},
                          {"push", 1, push},
                          {"pull", 1, pull},
                          {"image rm", 1, remove},
                          {"image inspect", 1, inspect_image},
                          {"manifest inspect", 1, inspect_manifest},
                          {"buildx imagetools inspect", 1, inspect_remote}};

}  // namespace

// What a tag pointed to before can still be had by its digest.
tl::expected<void, std::string> set_tag(Simulation& world, const std::string& image,
                                        const std::string& digest) {
    const auto before = digest_in(world.registry, image);
    const bool immutable = std::ranges::any_of(
        world.immutable_tags, [&](const Pattern& pattern) { return re2::RE2::FullMatch(image, *pattern); });
    if (immutable && before && *before != digest)
        return tl::unexpected(fmt::format(
            "The image tag '{}' already exists in the '{}' repository and cannot be overwritten because the tag "
            "is immutable.",
            image.substr(repository(image).size() + 1), repository(image)));
    if (before) world.registry[repository(image) + "@" + *before] = *before;
    world.registry[image] = digest;
    world.acted = true;
    return {};
}

Answer docker(Simulation& world, const CommandLine& command, const std::vector<std::string>& list) {
    std::vector<std::string> rest = list;
    std::string verb;
    const auto take_word = [&] {
        if (rest.empty()) return;
        verb += (verb.empty() ? "" : " ") + rest.front();
        rest.erase(rest.begin());
    };
    take_word();
    if (verb == "image" || verb == "manifest" || verb == "buildx") take_word();
    if (verb == "buildx imagetools") take_word();
    const auto arguments =
        Arguments::parse(rest, {"-t --tag -f --format", "-v --verbose -q --quiet --no-prune", false});
    if (!arguments) return unmodelled("docker {} {}", verb, arguments.error());
    if (verb == "build") return build(world, command.directory, *arguments);
    const auto known = std::ranges::find(verbs, verb, &Verb::name);
    if (known == std::end(verbs)) return unmodelled("docker " + verb);
    if (arguments->words.size() != known->images)
        return unmodelled("docker {} of other than {}", verb,
                          known->images == 1 ? "one image" : "two images");
    return known->run(world, arguments->words[0], *arguments);
}

}  // namespace migc::runtime::inline world
