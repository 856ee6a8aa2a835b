// What answers at an address: a service of the cluster and the workloads that it selects, or what an ingress
// leads to, or what migc.yaml says; and what those use in turn.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/checks/checks.hpp"

namespace migc::checks {

struct Answering {
    std::set<ResourceKey> things;  // services and workloads; empty if the address leads nowhere that is known
    bool perhaps_others = false;   // it may lead to more, or to something else: to what can be asked at all
    std::string host;              // as asked; empty if nothing can be said of it
    std::string service;           // what answers there, for people; empty if that is not known
};

class Behind {
  public:
    explicit Behind(const CheckContext& picture) : picture_(picture) {}

    // An address that a stage asks.
    const Answering& at(const std::string& address, const StageEvents& course);
    // Whether a request can reach a workload: only if a service selects its pods, where the project has its
    // services as manifests.
    bool can_be_asked(const ResourceKey& workload, const StageEvents& course);

  private:
    // What an ingress, or another object, says of a host: "" is any host, "*.shop.example.com" all below.
    struct Route {
        std::string host, path, service;
    };
    // The manifests of one environment.
    struct Place {
        std::vector<Route> routes;
        bool states_hosts = false;
        std::map<std::string, std::vector<const Object*>> services;       // by name
        std::map<const Object*, std::vector<const Object*>> selected_by;  // by service: the workloads
    };

    const Place& place(const StageEvents& course);
    static void add_routes(Place& place, const Object& object);
    void ask(Answering& answering, const std::string& path, const StageEvents& course);
    void ask_service(Answering& answering, const std::string& name, const StageEvents& course);
    void ask_routes(Answering& answering, const std::string& path, const StageEvents& course);
    bool ask_inventory(Answering& answering, const StageEvents& course);
    void add_used(Answering& answering, const StageEvents& course);
    bool add_used_by(const Object& workload, const Place& place, std::vector<std::string>& names) const;
    [[nodiscard]] bool is_mentioned(const std::string& host) const;
    [[nodiscard]] bool has_all_services() const;

    const CheckContext& picture_;
    std::map<std::string, Place> places_;                                 // by environment
    std::map<std::pair<std::string, std::string>, Answering> answering_;  // by environment and address
};

}  // namespace migc::checks
