// The settings files of .NET: appsettings.json, and appsettings.Production.json beside it.
#pragma once

#include <optional>
#include <string>

namespace migc::checks {

// "Production" of appsettings.Production.json, "" of appsettings.json; nothing for another file.
std::optional<std::string> environment_of_settings(const std::string& path);
inline bool is_settings_file(const std::string& path) {
    return environment_of_settings(path).has_value();
}

}  // namespace migc::checks
