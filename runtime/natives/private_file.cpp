#include "runtime/natives/private_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "compiler/source/read_file.hpp"
#include "runtime/tools/descriptor.hpp"

namespace migc::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest = std::uintmax_t{64} << 20;

tl::unexpected<std::string> failure(const fs::path& path) {
    return tl::unexpected(fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

}  // namespace

tl::expected<void, std::string> write_private(const fs::path& path, std::string_view bytes) {
    const fs::path beside = path.string() + ".migc-new";
    ::unlink(beside.c_str());  // of a run that was cut off
    const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return failure(beside);
    const bool written = write_all(descriptor, bytes) && ::fsync(descriptor) == 0;
    const auto problem = failure(beside);
    ::close(descriptor);
    if (!written) {
        ::unlink(beside.c_str());
        return problem;
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) return failure(path);
    if (!sync_folder(path.has_parent_path() ? path.parent_path() : fs::path("."))) return failure(path);
    return {};
}

tl::expected<std::string, std::string> read_bytes(const fs::path& path) {
    return file_content(path, largest).map_error([&](const std::string& why) {
        return fmt::format("{} cannot be read: {}", path.string(), why);
    });
}

}  // namespace migc::runtime
