#include "runtime/natives/pod_path.hpp"

#include <filesystem>

#include "compiler/support/failure.hpp"

namespace migc::runtime::inline natives {

tl::expected<std::string, std::string> pod_path(const std::string& path) {
    if (!path.starts_with('/'))
        return failure("the path `{}` in the container must be absolute, as in \"/var/lib/data\"", path);
    for (const auto& part : std::filesystem::path(path))
        if (part == "..") return failure("the path `{}` in the container holds `..`", path);
    if (path.find('\0') != std::string::npos)
        return failure("the path in the container holds a NUL character");
    std::string plain = "/" + std::filesystem::path(path).relative_path().lexically_normal().string();
    while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    return plain == "/." ? "/" : plain;
}

std::string entry_of(const std::string& path) {
    return path.substr(1);
}

std::string from_root(const std::string& path) {
    return "./" + entry_of(path);
}

}  // namespace migc::runtime::inline natives
