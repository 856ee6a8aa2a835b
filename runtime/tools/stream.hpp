// What a child writes on one of its outputs, kept within bounds.
#pragma once

#include <filesystem>
#include <string>

#include <tl/expected.hpp>

#include "compiler/support/descriptor.hpp"

namespace migc::runtime::inline tools {

enum class Keep { First, Last };

class Stream {
  public:
    // Keeps the first or the last `limit` bytes; the rest is read and dropped.
    Stream(Keep keep, std::size_t limit) : keep_(keep), limit_(limit) {}

    // Connects it by a pipe, or by a file, in `folder` or, if that is empty, an unnamed temporary one. A file
    // outlives migc: a child whose output goes there is not hurt by the death of migc.
    tl::expected<void, std::string> open_pipe();
    tl::expected<void, std::string> open_file(const std::filesystem::path& folder, const std::string& name);

    // The child's end; to be closed once the child has it.
    [[nodiscard]] int child_end() const { return child_end_.get(); }
    void close_child_end() { child_end_.close(); }

    // For poll(); -1, which poll() passes over, for a file and after the end.
    [[nodiscard]] int descriptor() const { return pipe_.get(); }
    [[nodiscard]] bool open() const { return static_cast<bool>(pipe_); }
    // Takes one portion of what is there. Call it only when the descriptor is readable.
    void take();
    // Takes what a file holds. Call it when the child has ended.
    void take_file();

    [[nodiscard]] bool truncated() const { return dropped_ && keep_ == Keep::First; }
    // What was kept; the stream is empty afterwards.
    std::string text();

  private:
    void keep(std::string_view portion);

    Keep keep_;
    std::size_t limit_;
    Descriptor child_end_;
    Descriptor pipe_;
    Descriptor file_;
    std::string kept_;
    bool dropped_ = false;
};

}  // namespace migc::runtime::inline tools
