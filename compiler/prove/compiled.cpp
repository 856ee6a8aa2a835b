// The door to the plugin that makes machine code. LLVM is loaded here and nowhere else, and only when asked
// for.
#include <filesystem>

#include <dlfcn.h>
#include <fmt/format.h>

#include "compiler/prove/jit/plugin.hpp"
#include "compiler/prove/machine.hpp"

namespace migc::prove {
namespace {

namespace fs = std::filesystem;

ValueId apply(void* values, std::uint32_t function, ValueId a, ValueId b) {
    return static_cast<Values*>(values)->apply(static_cast<std::uint16_t>(function), a, b);
}

// Beside the program, where it is built and where it is installed.
std::vector<fs::path> places() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = program.parent_path();
    return {folder / jit::file_name, folder / ".." / "lib" / "migc" / jit::file_name,
            fs::path(MIGC_JIT_BUILT)};
}

}  // namespace

tl::expected<std::unique_ptr<Machine>, std::string> make_compiled(const MachineCode& code, Values& values) {
    for (const fs::path& place : places()) {
        std::error_code error;
        if (!fs::is_regular_file(place, error)) continue;
        void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr)
            return tl::unexpected(fmt::format("--jit: {} cannot be loaded: {}", place.string(), ::dlerror()));
        const auto make = reinterpret_cast<jit::Make*>(::dlsym(library, jit::entry));
        if (make == nullptr)
            return tl::unexpected(fmt::format("--jit: {} is not what it should be", place.string()));
        std::string problem;
        std::unique_ptr<Machine> machine(make(code, &values, apply, problem));
        if (machine == nullptr) return tl::unexpected("--jit: " + problem);
        return machine;
    }
    return tl::unexpected(std::string(
        "--jit needs LLVM, and this migc was built without it; without --jit the answer is the same"));
}

}  // namespace migc::prove
