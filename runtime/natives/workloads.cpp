// Probes over what a workload declares: images, configuration, autoscaler.
#include <set>

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/natives/field_owner.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

// The workload that the first argument names; what stands in the way of it is a reading already.
tl::expected<json, Reading> named_workload(Host& host, const Arguments& arguments) {
    const auto name = workload_argument(host, argument(arguments, 0));
    if (!name) return tl::unexpected(unknown(name.error()));
    auto workload = get_object(host, name->written);
    if (!workload) return tl::unexpected(unknown(workload.error()));
    if (workload->is_null()) return tl::unexpected(absent(text_argument(arguments, 0) + " does not exist"));
    return std::move(*workload);
}

// "configmap/web", "secret/web-tls": what containers read into their environment, and what is mounted.
std::set<std::string> configuration_sources(const json& pods) {
    std::set<std::string> sources;
    const auto add = [&](const json& source, const char* configmap, const char* secret) {
        for (const auto& [type, pointer] : {std::pair("configmap/", configmap), std::pair("secret/", secret)})
            if (const std::string name = text_field(source, pointer); !name.empty())
                sources.insert(type + name);
    };
    for (const auto& container : containers_of(pods)) {
        for (const auto& source : field(container, "/envFrom"))
            add(source, "/configMapRef/name", "/secretRef/name");
        for (const auto& variable : field(container, "/env"))
            add(variable, "/valueFrom/configMapKeyRef/name", "/valueFrom/secretKeyRef/name");
    }
    for (const auto& volume : field(pods, "/spec/volumes")) {
        add(volume, "/configMap/name", "/secret/secretName");
        for (const auto& source : field(volume, "/projected/sources"))
            add(source, "/configMap/name", "/secret/name");
    }
    return sources;
}

// What stands for a source in the digest. Of a secret only its identity and version: not even a digest of
// something guessable may reach the journal.
std::string fingerprint(const std::string& source, const json& object) {
    if (object.is_null()) return source + " absent";
    if (source.starts_with("secret/"))
        return fmt::format("{} {} {}", source, text_field(object, "/metadata/uid"), resource_version(object));
    return fmt::format("{} {} {}", source, field(object, "/data").dump(),
                       field(object, "/binaryData").dump());
}

// Where the container stands that is meant, the named one or the only one:
// "/spec/template/spec/containers/0". Empty if there is none of that name.
tl::expected<std::string, std::string> find_container(const json& workload, const std::string& name) {
    const std::string pods = pod_template_place(workload);
    std::vector<std::string> names;
    for (const char* list : {"/spec/initContainers", "/spec/containers"}) {
        const json& containers = field(workload, pods + list);
        for (std::size_t i = 0; i < containers.size(); ++i) {
            names.push_back(text_field(containers[i], "/name"));
            if (!name.empty() && names.back() == name) return fmt::format("{}{}/{}", pods, list, i);
        }
    }
    if (!name.empty()) return std::string();
    const json& containers = field(workload, pods + "/spec/containers");
    if (containers.is_array() && containers.size() == 1) return pods + "/spec/containers/0";
    return failure("name the container: {}", fmt::join(names, ", "));
}

struct Found {
    json workload;
    std::string place;  // of the container
};

// What stands in the way of it is a reading already.
tl::expected<Found, Reading> container_argument(Host& host, const Arguments& arguments) {
    auto workload = named_workload(host, arguments);
    if (!workload) return tl::unexpected(workload.error());
    const std::string name = text_argument(arguments, 1);
    auto place = find_container(*workload, name);
    if (!place) return tl::unexpected(mistaken(place.error()));
    if (place->empty())
        return tl::unexpected(absent("{} has no container {}", text_argument(arguments, 0), name));
    return Found{std::move(*workload), std::move(*place)};
}

Reading field_of_container(Host& host, const Arguments& arguments, const std::string& pointer) {
    const auto found = container_argument(host, arguments);
    if (!found) return found.error();
    Reading reading =
        read_from(found->workload, json_reading(field(found->workload, found->place + pointer)));
    reading.writer = writer_of(host, found->workload, found->place + pointer);
    return reading;
}

}  // namespace

static Reading configuration_of(Host& host, const Arguments& arguments) {
    const auto workload = named_workload(host, arguments);
    if (!workload) return workload.error();
    std::string text;
    const std::set<std::string> sources = configuration_sources(pod_template(*workload));
    for (const std::string& source : sources) {
        const auto object = get_object(host, source);
        if (!object) return unknown(object.error());
        text += fingerprint(source, *object) + "\n";
    }
    return {Value("sha256:" + sha256(text)), enumerate({sources.begin(), sources.end()}, 10)};
}

// `rollout restart` writes the annotation, and any change of the template starts new pods as well.
static Reading seen_configuration(Host& host, const Arguments& arguments) {
    const auto workload = named_workload(host, arguments);
    if (!workload) return workload.error();
    const json& pods = pod_template(*workload);
    const std::string restarted =
        text_field(pods, "/metadata/annotations/kubectl.kubernetes.io~1restartedAt");
    const std::string place =
        pod_template_place(*workload) + "/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    return read_from(*workload, {Value(fmt::format("{} {}", restarted.empty() ? "never-restarted" : restarted,
                                                   sha256(pods.dump()).substr(0, 16))),
                                 {},
                                 false,
                                 writer_of(host, *workload, place)});
}

static Reading image_of(Host& host, const Arguments& arguments) {
    return field_of_container(host, arguments, "/image");
}

static Reading container_of(Host& host, const Arguments& arguments) {
    return field_of_container(host, arguments, "/name");
}

static Reading container_place(Host& host, const Arguments& arguments) {
    const auto found = container_argument(host, arguments);
    if (!found) return found.error();
    return {Value(found->place.substr(0, found->place.rfind('/')))};
}

static Reading replicas_of(Host& host, const Arguments& arguments) {
    const auto workload = named_workload(host, arguments);
    if (!workload) return workload.error();
    const json& count = field(*workload, "/spec/replicas");
    if (count.is_null()) return absent(text_argument(arguments, 0) + " has no number of replicas");
    Reading reading = read_from(*workload, json_reading(count));
    reading.writer = writer_of(host, *workload, "/spec/replicas");
    return reading;
}

const Rows workloads_rows([]() -> std::vector<Row> {
    return {
        // [workload]: digest, or absent
        reads("configuration-of", configuration_of),
        // [workload]: string, or absent
        reads("seen-configuration", seen_configuration).sees(pod_specs()),
        // [workload, container or absent]: string, or absent
        reads("image-of", image_of).sees(pod_specs()),
        // [workload, container or absent]: string, or absent
        reads("container-of", container_of).sees(pod_specs()),
        // [workload, container or absent]: the pointer of the list in which it stands, or absent
        reads("container-place", container_place),
        // [workload]: int, or absent
        reads("replicas-of", replicas_of).sees({"/spec/replicas"}),
    };
});

}  // namespace migc::runtime::inline natives
