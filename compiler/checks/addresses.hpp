// Which services an address leads to.
#pragma once

#include <string>
#include <vector>

namespace migc::checks {

// The names of services of the own namespace in an address: "http://web:80/path",
// "redis-service:6379,password=..", "Host=db;Port=5432", "web.shop.svc.cluster.local".
std::vector<std::string> hosts_of(const std::string& text, const std::string& name_space);

}  // namespace migc::checks
