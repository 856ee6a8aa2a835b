// migc.yaml.
#include <cstdint>
#include <string>

#include "compiler/diagnostics/render.hpp"
#include "compiler/project/inventory.hpp"

using namespace migc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1 << 16) return 0;
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId file = sources.add("migc.yaml", std::string(reinterpret_cast<const char*>(data), size));
    project::parse_inventory(file, "/tmp", sources, diagnostics);
    render_text(diagnostics, sources, {false, true});
    return 0;
}
