// A script that is right: the prover answers, whatever it says, and its answer can be told.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compiler/driver/script.hpp"
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
    const auto script = driver::load_text(text);
    if (script->diagnostics.has_errors() || script->program.stages.empty()) return 0;
    prove::Options options;
    options.faults = 1 + size % 2;
    options.states = 5'000;
    const prove::Answer answer =
        prove::prove(script->program, script->inventory, runtime::proof_facts(), options);
    const bool told = answer.trace || !answer.invariants.empty();
    if (answer.verdict == prove::Verdict::Counterexample && !told) std::abort();
    prove::report(answer, script->diagnostics);
    prove::headline(answer);
    prove::remarks(answer, script->sources);
    prove::as_json(answer, script->sources);
    return 0;
}
