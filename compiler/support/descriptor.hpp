// A file descriptor with an owner.
#pragma once

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace migc {

class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }

    [[nodiscard]] int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }
    void close() {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }

  private:
    int number_ = -1;
};

// Takes a descriptor over, moved above 0, 1 and 2: where migc was itself started with one of these closed, a
// new descriptor gets that number, and would be overwritten while a child's own 0, 1 and 2 are set up.
inline Descriptor above_standard(int number) {
    Descriptor given(number);
    if (number < 0 || number > STDERR_FILENO) return given;
    return Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

// False if not all of it could be written.
inline bool write_all(int number, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(number, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// Makes the file hold this and nothing else, in place. False if not all of it could be written.
inline bool overwrite(int number, std::string_view content) {
    struct stat before {};
    const auto size = static_cast<off_t>(content.size());
    if (::fstat(number, &before) != 0 || ::pwrite(number, content.data(), content.size(), 0) != size)
        return false;
    // To cut off nothing would cost as much as to cut off something.
    return before.st_size <= size || ::ftruncate(number, size) == 0;
}

// A name that was made, changed or taken away in a folder is on the disk when this is true.
inline bool sync_folder(const std::filesystem::path& folder) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return descriptor && ::fsync(descriptor.get()) == 0;
}

}  // namespace migc
