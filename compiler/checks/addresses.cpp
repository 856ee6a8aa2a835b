// The services that a configuration names are declared: by a manifest of the project, or in migc.yaml.
#include "compiler/checks/addresses.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <re2/re2.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/diagnostics/nearest.hpp"

namespace migc::checks {
namespace {

using nlohmann::json;

// Each looks for its mark first: to make a regular expression costs more than most checks of a small script.
bool is_url(const std::string& text, std::string& host) {
    if (text.find("://") == std::string::npos) return false;
    static const RE2 url(R"(^[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?([a-z][a-z0-9.-]*)(?::\d+)?(?:[/?#]\S*)?$)");
    return RE2::FullMatch(text, url, &host);
}

// "postgres:15" is an image: nobody serves at so low a number.
bool is_host_and_port(const std::string& text, std::string& host) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || text.find_first_of("0123456789", colon) != colon + 1) return false;
    static const RE2 pair(R"(^([a-z][a-z0-9.-]*):(\d{2,5})(?:,.*)?$)");
    int port = 0;
    return RE2::FullMatch(text, pair, &host, &port) && port >= 80;
}

bool is_connection(const std::string& text, std::string& host) {
    if (text.find('=') == std::string::npos) return false;
    static const RE2 connection(
        R"((?i)(?:^|;)\s*(?:host|server|data source)\s*=\s*(?:tcp:)?([a-z][a-z0-9.-]*)\s*(?:[,:]\d+)?\s*(?:;|$))");
    return RE2::PartialMatch(text, connection, &host);
}

}  // namespace

std::vector<std::string> hosts_of(const std::string& text, const std::string& name_space) {
    std::string host;
    if (!is_host_and_port(text, host) && !is_url(text, host) && !is_connection(text, host)) return {};
    for (const std::string ending : {".svc.cluster.local", ".svc"})
        if (host.ends_with(ending)) {
            host.resize(host.size() - ending.size());
            const auto dot = host.find('.');
            if (dot != std::string::npos && host.substr(dot + 1) != name_space) return {};
            return {host.substr(0, dot)};
        }
    static const std::set<std::string, std::less<>> known = {"localhost", "kubernetes", "host"};
    if (host.find('.') != std::string::npos || known.contains(host)) return {};
    return {host};
}

namespace {

class Addresses : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        for (const StageEvents& course : picture_.timeline.courses()) {
            if (course.stage->repeats) continue;
            if (course.environment != nullptr) name_space_ = course.environment->name_space.value_or("");
            for (const Event& event : course.forward) {
                asked(event);
                if (!event.is_change()) continue;
                edited(event);
                patched(event);
                applied(event);
            }
        }
    }

  private:
    // Only a project that keeps its services as manifests can miss one.
    bool is_declared(const std::string& name) {
        if (!picture_.manifests.declaring(ResourceKey::object("service", name)).empty()) return true;
        if (!names_) {
            names_.emplace();
            for (const Object* object : picture_.manifests.all()) {
                const std::string declared = object->thing.is("service")
                                                 ? object->thing.name()
                                                 : text_field(object->json, "/spec/serviceName");
                if (!declared.empty()) names_->push_back(declared);
            }
            has_services_ = !names_->empty();
            for (const auto& [alias, handle] : picture_.inventory.services)
                names_->push_back(handle.substr(handle.rfind('/') + 1));
        }
        return !has_services_ || std::ranges::find(*names_, name) != names_->end();
    }

    // What a verification asks may be served by others; only what is nearly a declared name is surely a
    // mistake.
    void asked(const Event& event) {
        if (!event.is_look()) return;
        for (const ResourceKey& thing : event.things) {
            if (thing.of != ResourceKey::Of::Url) continue;
            for (const std::string& host : hosts_of(thing.name(), name_space_))
                if (!is_declared(host) && nearest(host, *names_) && told_.insert(host).second)
                    report(event, host);
        }
    }

    void edited(const Event& event) {
        for (const Edit& edit : edits_of(event))
            if (edit.value && edit.file.find("Development") == std::string::npos) look(event, *edit.value);
    }

    void patched(const Event& event) {
        for (const Effect& effect : event.effects)
            if (is_free_field(effect) && effect.value) look(event, in_json(*effect.value));
    }

    void applied(const Event& event) {
        if (!plays(event, ir::Role::Applies)) return;
        for (const ResourceKey& thing : event.things)
            for (const Object* object : picture_.manifests.declaring(thing)) {
                const json* now = picture_.files.object(*object, event.moment);
                if (now == nullptr) continue;
                each_setting(object->thing, *now,
                             [&](const std::string&, const std::string& pointer, const json& value) {
                                 look(event, value, object, pointer);
                             });
            }
    }

    // `object` is where the value stands, if it is not the script that states it.
    void look(const Event& event, const json& value, const Object* object = nullptr,
              const std::string& pointer = "") {
        if (!value.is_string()) return;
        for (const std::string& host : hosts_of(value.get<std::string>(), name_space_)) {
            if (is_declared(host) || !told_.insert(host).second) continue;
            auto& d = report(event, host);
            if (object != nullptr) d.label(picture_.manifests.span(*object, pointer), "named here");
        }
    }

    Diagnostic& report(const Event& event, const std::string& host) {
        auto& d = diagnostics_.report(Code::UnknownService, event.step->span,
                                      fmt::format("no manifest declares the service `{}`", host));
        suggest(d, host, *names_);
        d.note(fmt::format(
            "nobody would find it, and the first request that needs it would fail; if another project "
            "declares it, say so in migc.yaml: `services: {{ {0}: service/{0} }}`",
            host));
        return d;
    }

    std::string name_space_;
    std::optional<std::vector<std::string>> names_;
    bool has_services_ = false;
    std::set<std::string> told_;
};

}  // namespace

void addresses(const CheckContext& picture, Diagnostics& diagnostics) {
    Addresses(picture, diagnostics).check();
}

}  // namespace migc::checks
