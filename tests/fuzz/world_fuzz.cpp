// A simulated world's file; where it loads, a few commands run in it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compiler/diagnostics/render.hpp"
#include "runtime/world/world.hpp"

using namespace migc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1 << 14) return 0;
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId file = sources.add("world.yaml", std::string(reinterpret_cast<const char*>(data), size));
    const auto world = runtime::load_world(file, sources, diagnostics);
    render_text(diagnostics, sources, {false, true});
    if (!world) return 0;
    for (const auto& arguments :
         {std::vector<std::string>{"kubectl", "get", "deployments,pods", "-o", "json"},
          std::vector<std::string>{"kubectl", "scale", "deployment/webapi", "--replicas=3"},
          std::vector<std::string>{"terraform", "plan"},
          std::vector<std::string>{"curl", "-q", "http://webapi/"}}) {
        runtime::CommandLine command;
        command.tool = arguments.front();
        command.argv = arguments;
        (*world)->run(command);
    }
    (*world)->sleep_until((*world)->now() + 60'000);
    if ((*world)->state().empty()) std::abort();
    return 0;
}
