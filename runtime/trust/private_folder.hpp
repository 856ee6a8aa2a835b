// A folder in which only this user has written: what lies in it may be trusted to be this user's.
//
// It is opened once, by its parent's descriptor, and everything in it by its own: no link is followed, and
// whoever changes a name on the way afterwards changes nothing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "compiler/support/descriptor.hpp"

namespace migc::trust {

// The errors are sentences for people, without a full stop: what is wrong, where, and what to do.
class PrivateFolder {
  public:
    using Found = tl::expected<std::optional<PrivateFolder>, std::string>;
    using Made = tl::expected<PrivateFolder, std::string>;

    // The folder at a path, of which only the last name must be no link; nothing if there is none. Refused:
    // what is no folder, belongs to somebody else, or may be written by others.
    static Found at(const std::filesystem::path& path);
    // The same, made (mode 0700, durably) if there is none. One that others may read is closed to them.
    static Made make(const std::filesystem::path& path);

    // A folder in it, by the same rules.
    [[nodiscard]] Found folder(const std::string& name) const;
    [[nodiscard]] Made make_folder(const std::string& name) const;

    // A file in it, opened with these flags of open(2), with O_CREAT of mode 0600. Nothing if there is none.
    // Refused: what is no regular file, belongs to somebody else, may be written by others, or has another
    // name as well.
    [[nodiscard]] tl::expected<std::optional<Descriptor>, std::string> file(const std::string& name,
                                                                            int flags) const;
    // Whether there is such a file, by the same rules and without opening it.
    [[nodiscard]] tl::expected<bool, std::string> has_file(const std::string& name) const;
    // Refuses it if a link lies in it or, as deep as is asked, in the folders below it.
    [[nodiscard]] tl::expected<void, std::string> has_no_links(int depth) const;

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }
    // For messages, and for programs that want a path.
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    PrivateFolder(Descriptor descriptor, std::filesystem::path path)
        : descriptor_(std::move(descriptor)), path_(std::move(path)) {}
    static Found below(int parent, const std::string& name, const std::filesystem::path& path);
    static Made make_below(int parent, const std::string& name, const std::filesystem::path& path);

    Descriptor descriptor_;
    std::filesystem::path path_;
};

// A folder of the operator's, where keys lie that a project needs and must not have: a copy of the project,
// or of its journal, brings them not along. The error: they lie nowhere, and why.
tl::expected<std::filesystem::path, std::string> key_folder(const std::filesystem::path& project,
                                                            const std::string& name);
// The same, if a new key can be written there.
tl::expected<std::filesystem::path, std::string> key_place(const std::filesystem::path& project,
                                                           const std::string& name);

}  // namespace migc::trust
