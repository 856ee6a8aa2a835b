// JSON-RPC messages in a stream of bytes: `Content-Length: N`, an empty line, N bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace migc::lsp {

class Framing {
  public:
    void add(std::string_view bytes) { buffer_ += bytes; }
    // The next whole message; nothing if there is none yet. Where a header cannot be understood `broken` is
    // set: nobody can tell where the next message begins, so there will be no more.
    std::optional<std::string> next();
    [[nodiscard]] const std::string& broken() const { return broken_; }

  private:
    std::string buffer_;
    std::string broken_;
};

std::string framed(std::string_view message);

}  // namespace migc::lsp
