// A transcript: it is replayed, or refused with its line.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

#include "runtime/tools/transcript.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::string pattern = (std::filesystem::temp_directory_path() / "migc-fuzz-XXXXXX").string();
    static const std::filesystem::path folder = ::mkdtemp(pattern.data());
    const auto file = folder / "transcript.jsonl";
    std::ofstream(file, std::ios::binary) << std::string_view(reinterpret_cast<const char*>(data), size);
    static_cast<void>(migc::runtime::read_transcript(file));
    std::filesystem::remove(file);
    return 0;
}
