// A small file that is replaced whole, again and again, and cheaply.
#pragma once

#include <filesystem>
#include <string_view>

#include "compiler/support/descriptor.hpp"

namespace migc::runtime::inline engine {

// For its owner only. Whoever opens it reads one version, to its end. Not synced: after a loss of power it
// may be an older version, or damaged. By one thread at a time.
class ReplacedFile {
  public:
    explicit ReplacedFile(const std::filesystem::path& file);
    ~ReplacedFile();
    ReplacedFile(const ReplacedFile&) = delete;
    ReplacedFile& operator=(const ReplacedFile&) = delete;

    // False: it could not be written, and is what it was.
    bool replace(std::string_view content);

  private:
    [[nodiscard]] bool publish();

    std::filesystem::path file_, spare_file_;
    Descriptor shown_, spare_;  // the version that is in its place, and the file for the next one
};

}  // namespace migc::runtime::inline engine
