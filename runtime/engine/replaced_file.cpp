#include "runtime/engine/replaced_file.hpp"

#include <csignal>
#include <cstdio>
#include <utility>

namespace migc::runtime::inline engine {
namespace {

Descriptor new_file(const std::filesystem::path& path) {
    ::unlink(path.c_str());
    Descriptor made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    // A lease that somebody breaks is told by a signal; this one is ignored unless one asks for it.
    if (made) ::fcntl(made.get(), F_SETSIG, SIGURG);
    return made;
}

// Whether nobody else has it open: only then one gets a lease to write.
bool is_unread(const Descriptor& file) {
    if (!file || ::fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0) return false;
    ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
    return true;
}

}  // namespace

ReplacedFile::ReplacedFile(const std::filesystem::path& file)
    : file_(file), spare_file_(file.parent_path() / ("." + file.filename().string() + ".spare")) {}

ReplacedFile::~ReplacedFile() {
    ::unlink(spare_file_.c_str());
}

// A new file for each version would cost more than all the rest of a step: two change places. Whoever still
// reads the version before keeps it for himself.
bool ReplacedFile::replace(std::string_view content) {
    if (!is_unread(spare_)) spare_ = new_file(spare_file_);
    return spare_ && overwrite(spare_.get(), content) && publish();
}

bool ReplacedFile::publish() {
    if (::renameat2(AT_FDCWD, spare_file_.c_str(), AT_FDCWD, file_.c_str(), RENAME_EXCHANGE) == 0) {
        std::swap(shown_, spare_);
        return true;
    }
    // There is nothing to change places with yet, or the file system cannot.
    if (std::rename(spare_file_.c_str(), file_.c_str()) != 0) return false;
    shown_ = std::exchange(spare_, Descriptor());
    return true;
}

}  // namespace migc::runtime::inline engine
