#include "runtime/tools/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "compiler/support/failure.hpp"

namespace migc::runtime::inline tools {

namespace {

using Portion = std::array<char, std::size_t{64} << 10>;

}  // namespace

tl::expected<void, std::string> Stream::open_pipe() {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return failure("no pipe could be made: {}", std::strerror(errno));
    pipe_ = Descriptor(ends[0]);
    child_end_ = above_standard(ends[1]);
    return {};
}

tl::expected<void, std::string> Stream::open_file(const std::filesystem::path& folder,
                                                  const std::string& name) {
    std::error_code error;
    const auto where = folder.empty() ? std::filesystem::temp_directory_path(error) : folder;
    std::string file = where / (name + ".XXXXXX");
    if (error) return failure("its output cannot be kept: TMPDIR names no directory");
    child_end_ = above_standard(::mkostemp(file.data(), O_CLOEXEC | O_APPEND));  // mode 0600
    if (!child_end_)
        return failure("its output cannot be kept in {}: {}", where.string(), std::strerror(errno));
    file_ = above_standard(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (folder.empty()) ::unlink(file.c_str());
    return {};
}

void Stream::take() {
    thread_local Portion portion;
    const ssize_t size = ::read(pipe_.get(), portion.data(), portion.size());
    if (size > 0) keep({portion.data(), static_cast<std::size_t>(size)});
    if (size == 0 || (size < 0 && errno != EINTR)) pipe_.close();
}

void Stream::take_file() {
    if (!file_) return;
    const auto size = static_cast<std::size_t>(std::max<off_t>(0, ::lseek(file_.get(), 0, SEEK_END)));
    const std::size_t begin = keep_ == Keep::Last && size > limit_ ? size - limit_ : 0;
    kept_.resize(std::min(size, limit_));
    const ssize_t read = ::pread(file_.get(), kept_.data(), kept_.size(), static_cast<off_t>(begin));
    kept_.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read)));
    dropped_ = kept_.size() < size;
}

void Stream::keep(std::string_view portion) {
    if (keep_ == Keep::First) {
        const std::size_t room = limit_ - kept_.size();
        dropped_ |= portion.size() > room;
        // A string that grows is there twice for a moment: that moment is to come early.
        if (kept_.size() + portion.size() > limit_ / 8) kept_.reserve(limit_);
        kept_ += portion.substr(0, room);
        return;
    }
    kept_ += portion;
    // Cut only when twice as long, so that each byte is moved about once.
    if (kept_.size() > 2 * limit_) kept_.erase(0, kept_.size() - limit_);
}

std::string Stream::text() {
    if (kept_.size() > limit_) kept_.erase(0, kept_.size() - limit_);
    return std::move(kept_);
}

}  // namespace migc::runtime::inline tools
