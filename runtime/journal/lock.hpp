// One live run or undo at a time in a project.
#pragma once

#include <filesystem>
#include <string>

#include <tl/expected.hpp>

namespace migc::runtime {

// Held while it lives, and let go by the system when the process ends, however it ends, and with it every one
// that inherited its descriptor.
class Lock {
  public:
    // Waits up to ten seconds for what a dead run left at work. The error says who holds it, as a sentence
    // for people; or why `.migc/lock` cannot be used.
    static tl::expected<Lock, std::string> take(const std::filesystem::path& root,
                                                const std::string& purpose);
    Lock() = default;
    ~Lock();
    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&& other) noexcept;

    // What a process that inherits it goes on holding; -1 if nothing is locked.
    [[nodiscard]] int descriptor() const { return descriptor_; }

  private:
    explicit Lock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace migc::runtime
