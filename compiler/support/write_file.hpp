// The one way in which migc writes a file: whole or not at all, and never through a link that leads
// elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>
#include <tl/expected.hpp>

#include "compiler/support/descriptor.hpp"

namespace migc {

struct WriteOptions {
    // A link to another file of this project stays a link, and that file is written; so may one to a folder
    // of it. Empty: the file itself may be no link at all.
    std::filesystem::path project = {};
    std::optional<mode_t> mode = {};  // else that of the file that is replaced
    mode_t usual = 0600;              // of one that was not there
    bool only_new = false;            // what is there stays, and is an error
    bool synced = true;               // the disk has it when it is in its place
};

// Written under a name that nobody can know, in the folder of its own; `take_place` gives it that. Until
// then, and if that never happens, the file is what it was. The errors are sentences without the file's name.
class AtomicFile {
  public:
    static tl::expected<AtomicFile, std::string> beside(const std::filesystem::path& path,
                                                        WriteOptions options = {});
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    ~AtomicFile();

    [[nodiscard]] int descriptor() const { return file_.get(); }
    // The bytes of the file that is replaced; nothing if there is none.
    [[nodiscard]] std::optional<std::uintmax_t> replaces() const { return replaces_; }
    // Owner and mode of what it replaces, onto the disk, into its place. Of a file whose name is a link to
    // another one, that other one's.
    tl::expected<void, std::string> take_place();
    // Whoever goes on writing keeps the file, under the name that nobody knows.
    void leave() { temporary_.clear(); }

    // The file, for whoever goes on writing when it is in its place.
    Descriptor release() { return std::move(file_); }

    // What every such name begins with.
    static std::string unfinished_name(const std::filesystem::path& path);

  private:
    AtomicFile(Descriptor folder, std::string name, WriteOptions options);
    tl::expected<void, std::string> look_at_the_old();
    tl::expected<void, std::string> open();
    tl::expected<void, std::string> give_owner_and_mode();

    Descriptor folder_, file_;
    std::string name_, temporary_;  // no temporary name: it has its own
    WriteOptions options_;
    std::optional<std::uintmax_t> replaces_;
    mode_t mode_ = 0600;
    uid_t owner_ = 0;
    gid_t group_ = 0;
};

struct Written {
    std::optional<std::uintmax_t> replaced;  // the bytes of the file that was there
};

tl::expected<Written, std::string> write_file(const std::filesystem::path& path, std::string_view content,
                                              const WriteOptions& options = {});

}  // namespace migc
