// A script that is right: the prover answers, whatever it says, and its answer can be told.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compiler/project/inventory.hpp"
#include "compiler/prove/prove.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/parse.hpp"
#include "runtime/engine/proof_facts.hpp"
#include "stdlib/stdlib.hpp"

using namespace migc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1 << 14) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    SourceMap sources;
    Diagnostics diagnostics;
    const FileId file = sources.add("t.mig", text);
    const syntax::File tree = syntax::parse(sources, file, diagnostics);
    if (diagnostics.has_errors()) return 0;
    const auto inventory = project::load_inventory("/", sources, diagnostics);
    sema::Library library(standard_library(), sources, diagnostics,
                          [](const std::string&, const std::string&) { return std::optional<FileId>(); });
    const ir::Program program = sema::analyse(tree, inventory, library, sources, diagnostics);
    if (diagnostics.has_errors() || program.stages.empty()) return 0;
    prove::Options options;
    options.faults = 1 + size % 2;
    options.states = 5'000;
    const prove::Answer answer = prove::prove(program, inventory, runtime::proof_facts(), options);
    const bool told = answer.story || !answer.invariants.empty();
    if (answer.verdict == prove::Verdict::Counterexample && !told) std::abort();
    prove::report(answer, diagnostics);
    prove::headline(answer);
    prove::remarks(answer, sources);
    prove::as_json(answer, sources);
    return 0;
}
