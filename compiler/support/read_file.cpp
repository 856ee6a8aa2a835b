#include "compiler/support/read_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/support/descriptor.hpp"

namespace migc {

namespace {

using Content = tl::expected<std::string, std::string>;

std::string shown_size(std::uintmax_t bytes) {
    constexpr std::uintmax_t mebibyte = 1 << 20;
    return bytes < mebibyte ? fmt::format("{} KiB", bytes >> 10) : fmt::format("{} MiB", bytes >> 20);
}

tl::unexpected<std::string> system_error() {
    return tl::unexpected(std::string(std::strerror(errno)));
}

// What it is if it is no regular file.
const char* what_else(const struct stat& status) {
    if (S_ISDIR(status.st_mode)) return "it is a folder";
    return S_ISREG(status.st_mode) ? nullptr : "it is no regular file";
}

// From its beginning to the end, whatever size the system told: files of /proc have none, and a file may grow
// meanwhile.
Content read_all(int descriptor, std::uintmax_t expected, std::uintmax_t limit) {
    const auto too_large = [&] { return tl::unexpected("it is larger than " + shown_size(limit)); };
    if (expected > limit) return too_large();
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(expected));
    std::array<char, 1 << 16> part;
    for (ssize_t size = 0;
         (size = ::pread(descriptor, part.data(), part.size(), static_cast<off_t>(bytes.size()))) != 0;) {
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return system_error();
        bytes.append(part.data(), static_cast<std::size_t>(size));
        if (bytes.size() > limit) return too_large();
    }
    return bytes;
}

}  // namespace

Content file_content(const std::filesystem::path& path, std::uintmax_t limit) {
    // Nothing else is opened: a pipe would be waited for, and a device has no end. If it becomes a pipe here,
    // it is not waited for either.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return system_error();
    if (const char* other = what_else(status)) return tl::unexpected(std::string(other));
    const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return descriptor ? descriptor_content(descriptor.get(), limit) : system_error();
}

Content descriptor_content(int descriptor, std::uintmax_t limit) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return system_error();
    if (const char* other = what_else(status)) return tl::unexpected(std::string(other));
    return read_all(descriptor, static_cast<std::uintmax_t>(status.st_size), limit);
}

std::optional<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit) {
    auto content = file_content(path, limit);
    return content ? std::optional(std::move(*content)) : std::nullopt;
}

}  // namespace migc
