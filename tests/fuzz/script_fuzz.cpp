// A script: from text to findings, and formatting, which must be idempotent.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "compiler/checks/checks.hpp"
#include "compiler/diagnostics/render.hpp"
#include "compiler/diff/difference.hpp"
#include "compiler/driver/script.hpp"
#include "compiler/findings/allow.hpp"
#include "compiler/findings/baseline.hpp"
#include "compiler/findings/report.hpp"
#include "compiler/graph/graph.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/sema/analyse.hpp"
#include "compiler/syntax/format.hpp"

using namespace migc;

namespace {

void check_format(const std::string& text) {
    SourceMap sources;
    const std::string once = syntax::format(sources, sources.add("t.mig", text));
    if (syntax::format(sources, sources.add("t.mig", once)) != once) std::abort();
}

void check_reports(const Diagnostics& diagnostics, const SourceMap& sources) {
    std::vector<findings::Finding> found;
    for (const auto& one : diagnostics.all()) found.push_back({&one, &sources, "", nullptr, false});
    for (const auto& one : diagnostics.silenced())
        found.push_back({&one.diagnostic, &sources, "", &one, false});
    findings::set_fingerprints(found);
    findings::as_sarif(found, "0");
    findings::as_json(found);
    findings::as_github(found);
    findings::as_gitlab(found);
    if (!findings::read_baseline(findings::write_baseline(found))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1 << 16) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto script = driver::load_text(text);
    SourceMap& sources = script->sources;
    Diagnostics& diagnostics = script->diagnostics;
    if (script->library) {
        check_format(text);
        ir::Program& program = script->program;
        if (!diagnostics.has_errors()) {
            if (!ir::verify(program).empty()) std::abort();
            checks::run({program, script->inventory, sources}, diagnostics);
            ir::change_digest(program);
            graph::as_dot(program);
            graph::as_mermaid(program);
            if (!diff::differences({program, sources}, {program, sources}).empty()) std::abort();
        }
        findings::apply_decisions({script->file, {}, true}, script->inventory, sources, diagnostics);
    }
    diagnostics.sort();
    check_reports(diagnostics, sources);
    render_text(diagnostics, sources, {false, true});
    render_json(diagnostics, sources);
    return 0;
}
