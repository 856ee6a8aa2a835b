#pragma once

#include <string>
#include <string_view>

namespace migc {

// SHA-256 of these bytes, in 64 hexadecimal digits.
std::string sha256(std::string_view bytes);

}  // namespace migc
