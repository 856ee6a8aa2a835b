#include "compiler/checks/behind.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "compiler/checks/pods.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

struct Url {
    std::string host, path;
};

// Without the port. Of an address with a number, of this machine, or with a part that only a run knows,
// nobody can say here where it leads: the host is empty.
Url url_of(const std::string& address) {
    static const RE2 form(R"((?i)^https?://(?:[^/@]*@)?([a-z][a-z0-9.-]*)(?::\d+)?(/[^?#]*)?(?:[?#].*)?$)");
    Url url;
    if (!RE2::FullMatch(address, form, &url.host, &url.path)) return {};
    url.host = lower_case(url.host);
    if (url.host == "localhost") return {};
    if (url.path.empty()) url.path = "/";
    return url;
}

// Calls visit(element) for each of a list.
template <typename Visit>
void each_of(const json& list, const Visit& visit) {
    if (list.is_array())
        for (const json& element : list) visit(element);
}

bool is_host(const std::string& pattern, const std::string& host) {
    if (pattern.empty() || pattern == host) return true;
    return pattern.starts_with("*.") && host.ends_with(pattern.substr(1));
}

// What may match any path.
bool is_pattern(const std::string& path) {
    return path.find_first_of("(*[\\^$") != std::string::npos;
}

bool is_below(const std::string& path, const std::string& prefix) {
    return path.starts_with(prefix) || prefix == path + "/";
}

// Calls visit(text) for each text within.
template <typename Visit>
void each_text(const json& part, const Visit& visit) {
    if (part.is_string()) visit(part.get_ref<const std::string&>());
    if (part.is_structured())
        for (const json& inner : part) each_text(inner, visit);
}

// What may be the name of a service: words of letters, digits and hyphens.
template <typename Visit>
void each_word(const std::string& text, const Visit& visit) {
    const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; };
    for (auto begin = text.begin(); begin != text.end();) {
        begin = std::find_if(begin, text.end(), is_part);
        const auto end = std::find_if_not(begin, text.end(), is_part);
        if (begin != end) visit(std::string(begin, end));
        begin = end;
    }
}

bool is_in_host_network(const json& workload) {
    if (field(workload, "/spec/template/spec/hostNetwork") == true) return true;
    bool found = false;
    for (const json& container : containers_of(workload))
        each_of(field(container, "/ports"),
                [&](const json& port) { found = found || port.contains("hostPort"); });
    return found;
}

}  // namespace

// An ingress, an HTTPRoute, an OpenShift route, and what external-dns reads of a service.
void Behind::add_routes(Place& place, const Object& object) {
    const json& spec = field(object.json, "/spec");
    const auto add = [&](const std::string& host, const std::string& path, const std::string& service) {
        place.states_hosts = place.states_hosts || !host.empty();
        if (!service.empty()) place.routes.push_back({lower_case(host), path, service});
    };
    if (object.thing.is("ingress")) {
        add("", "", text_field(spec, "/defaultBackend/service/name"));
        each_of(field(spec, "/rules"), [&](const json& rule) {
            const std::string host = text_field(rule, "/host");
            each_of(field(rule, "/http/paths"), [&](const json& path) {
                add(host, text_field(path, "/path"), text_field(path, "/backend/service/name"));
            });
        });
    }
    if (text_field(object.json, "/kind") == "HTTPRoute")
        each_of(field(spec, "/rules"), [&](const json& rule) {
            each_of(field(rule, "/backendRefs"), [&](const json& backend) {
                const json& hosts = field(spec, "/hostnames");
                each_of(hosts,
                        [&](const json& host) { add(plain_text(host), "", text_field(backend, "/name")); });
                if (!hosts.is_array() || hosts.empty()) add("", "", text_field(backend, "/name"));
            });
        });
    if (text_field(object.json, "/kind") == "Route")
        add(text_field(spec, "/host"), text_field(spec, "/path"), text_field(spec, "/to/name"));
    const json& annotations = field(object.json, "/metadata/annotations");
    const char* named = "external-dns.alpha.kubernetes.io/hostname";
    if (object.thing.is("service") && annotations.is_object() && annotations.contains(named))
        for (const std::string& host : split(plain_text(annotations[named]), ','))
            add(std::string(trimmed(host)), "", object.thing.name());
}

const Behind::Place& Behind::place(const StageEvents& course) {
    const auto [entry, is_new] = places_.try_emplace(course.stage->environment);
    Place& place = entry->second;
    if (!is_new) return place;
    for (const Object* object :
         picture_.resources.of_environment(picture_.manifests.all(), course.stage->environment)) {
        add_routes(place, *object);
        if (object->thing.is("service")) place.services[object->thing.name()].push_back(object);
        if (!is_workload(object->thing)) continue;
        for (const Object* service : picture_.manifests.services(*object))
            place.selected_by[service].push_back(object);
    }
    for (const auto& [name, handle] : picture_.inventory.services)
        place.states_hosts = place.states_hosts || name.find('.') != std::string::npos;
    return place;
}

const Answering& Behind::at(const std::string& address, const StageEvents& course) {
    const auto [entry, is_new] = answering_.try_emplace({course.stage->environment, address});
    Answering& answering = entry->second;
    if (!is_new) return answering;
    Url url = url_of(address);
    answering.host = std::move(url.host);
    answering.perhaps_others = answering.host.empty();
    if (!answering.host.empty()) ask(answering, url.path, course);
    if (!answering.things.empty() && !answering.perhaps_others) add_used(answering, course);
    return answering;
}

// A name of the cluster is a service's, with its namespace behind it or without.
void Behind::ask(Answering& answering, const std::string& path, const StageEvents& course) {
    std::string host = answering.host;
    for (const std::string_view ending : {".cluster.local", ".svc"})
        if (host.ends_with(ending)) host.resize(host.size() - ending.size());
    const std::size_t dot = host.find('.');
    const bool is_own = dot == std::string::npos || (course.environment != nullptr &&
                                                     course.environment->name_space == host.substr(dot + 1));
    if (is_own) return ask_service(answering, host.substr(0, dot), course);
    const bool is_of_cluster = host.size() != answering.host.size();
    if (is_of_cluster)
        answering.perhaps_others = true;
    else if (!ask_inventory(answering, course))
        ask_routes(answering, path, course);
}

void Behind::ask_service(Answering& answering, const std::string& name, const StageEvents& course) {
    const Place& known = place(course);
    const auto found = known.services.find(name);
    if (found == known.services.end()) {
        answering.perhaps_others = true;
        return;
    }
    answering.service = "service/" + name;
    for (const Object* service : found->second) {
        answering.things.insert(service->thing);
        const auto selected = known.selected_by.find(service);
        if (selected == known.selected_by.end()) {
            answering.perhaps_others = true;  // who selects nothing that is declared may lead anywhere
            continue;
        }
        for (const Object* workload : selected->second) answering.things.insert(workload->thing);
    }
}

// `services: { shop.example.com: service/shop-web }`.
bool Behind::ask_inventory(Answering& answering, const StageEvents& course) {
    const auto found = picture_.inventory.services.find(answering.host);
    if (found == picture_.inventory.services.end()) return false;
    const ResourceKey thing = ResourceKey::object(found->second);
    if (thing.is("service")) {
        ask_service(answering, thing.name(), course);
    } else {
        answering.things.insert(thing);
        answering.service = thing.text;
    }
    return true;
}

// Of the paths that fit the longest counts.
void Behind::ask_routes(Answering& answering, const std::string& path, const StageEvents& course) {
    const Place& known = place(course);
    std::set<std::string> services;
    std::size_t longest = 0;
    for (const Route& route : known.routes) {
        if (!is_host(route.host, answering.host)) continue;
        answering.perhaps_others = answering.perhaps_others || is_pattern(route.path);
        if (is_pattern(route.path) || !is_below(path, route.path)) continue;
        const std::size_t size = std::max<std::size_t>(route.path.size(), 1);
        if (size > longest) services.clear();
        longest = std::max(longest, size);
        if (size == longest) services.insert(route.service);
    }
    for (const std::string& service : services) ask_service(answering, service, course);
    if (services.empty() && (!known.states_hosts || is_mentioned(answering.host)))
        answering.perhaps_others = true;
}

// By a manifest of another environment, or of a kind whose hosts are not known here.
bool Behind::is_mentioned(const std::string& host) const {
    return std::ranges::any_of(picture_.manifests.all(), [&](const Object* object) {
        bool found = false;
        each_text(object->json, [&](const std::string& text) {
            found = found || lower_case(text).find(host) != std::string::npos;
        });
        return found;
    });
}

// A request is answered with the help of what the one who answers it asks in turn.
void Behind::add_used(Answering& answering, const StageEvents& course) {
    const Place& known = place(course);
    std::vector<ResourceKey> rest(answering.things.begin(), answering.things.end());
    while (!rest.empty()) {
        const ResourceKey thing = rest.back();
        rest.pop_back();
        std::vector<std::string> names;
        for (const Object* object : picture_.resources.of_environment(picture_.manifests.declaring(thing),
                                                                      course.stage->environment))
            if (is_workload(thing) && !add_used_by(*object, known, names)) answering.perhaps_others = true;
        for (const std::string& name : names)
            for (const Object* service : known.services.at(name)) {
                if (answering.things.insert(service->thing).second) rest.push_back(service->thing);
                const auto selected = known.selected_by.find(service);
                if (selected == known.selected_by.end()) continue;
                for (const Object* workload : selected->second)
                    if (answering.things.insert(workload->thing).second) rest.push_back(workload->thing);
            }
    }
}

// The services that a workload's own template and the configuration that it reads name. False where part of
// that is declared nowhere, as secrets mostly are: it may name any.
bool Behind::add_used_by(const Object& workload, const Place& place, std::vector<std::string>& names) const {
    const auto look = [&](const json& part) {
        each_text(part, [&](const std::string& text) {
            each_word(text, [&](std::string word) {
                if (place.services.contains(word)) names.push_back(std::move(word));
            });
        });
    };
    look(field(workload.json, "/spec/template/spec"));
    bool is_known = true;
    each_configuration(
        field(workload.json, "/spec/template/spec"), [&](const char* kind, const std::string& name) {
            const auto& declared = picture_.manifests.declaring(ResourceKey::object(kind, name));
            is_known = is_known && !declared.empty();
            for (const Object* object : declared)
                for (const char* part : {"/data", "/stringData"}) look(field(object->json, part));
        });
    return is_known;
}

bool Behind::has_all_services() const {
    const auto is_declared = [&](const auto& one) {
        const bool is_host = one.first.find('.') != std::string::npos;
        return is_host || !picture_.manifests.declaring(ResourceKey::object(one.second)).empty();
    };
    const auto& all = picture_.manifests.all();
    return std::ranges::any_of(all, [](const Object* object) { return object->thing.is("service"); }) &&
           picture_.manifests.unusable().empty() &&
           std::ranges::all_of(picture_.inventory.services, is_declared);
}

bool Behind::can_be_asked(const ResourceKey& workload, const StageEvents& course) {
    if (!has_all_services()) return true;
    const auto objects =
        picture_.resources.of_environment(picture_.manifests.declaring(workload), course.stage->environment);
    return objects.empty() || std::ranges::any_of(objects, [&](const Object* object) {
               return !picture_.manifests.services(*object).empty() || is_in_host_network(object->json);
           });
}

}  // namespace migc::checks
