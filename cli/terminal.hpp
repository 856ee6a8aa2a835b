// What the terminal can show.
#pragma once

#include <cstdio>

namespace migc::cli {

// Whether a stream goes to a terminal that is not told to be plain (NO_COLOR, TERM=dumb).
bool colour(std::FILE* stream);
bool is_terminal(std::FILE* stream);

}  // namespace migc::cli
