// What a team has decided about findings: `# allow CODE: why` on a line, and `checks` in migc.yaml.
#pragma once

#include <vector>

#include "compiler/diagnostics/diagnostic.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/source/source.hpp"

namespace migc::findings {

struct Scope {
    FileId script = 0;
    std::vector<FileId> used;  // files that `use` named: their comments count, too
    // Whether every check has run on the whole script: only then can an allow be said to silence nothing.
    bool complete = false;
};

// Moves what is allowed to the silenced diagnostics, sets the severities that migc.yaml asks for, and
// reports allows that are wrong themselves. An allow stands at the end of a line, or alone on a line before
// it, and holds for the statements that lie on that line. Errors of the language are never silenced.
void apply_decisions(const Scope& scope, const project::Inventory& inventory, const SourceMap& sources,
                     Diagnostics& diagnostics);

// The same for what a proof has added since, with no more words about the allows themselves.
void apply_decisions_to_proof(const Scope& scope, const project::Inventory& inventory,
                              const SourceMap& sources, Diagnostics& diagnostics);

}  // namespace migc::findings
