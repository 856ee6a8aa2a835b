// A script as a picture: stages, gates, steps, verification, and what is undone in which order.
#pragma once

#include <string>

#include "compiler/ir/program.hpp"

namespace migc::graph {

// For Graphviz. Texts of the script are escaped: nothing in them becomes part of the graph's language.
std::string as_dot(const ir::Program& program);
// For Mermaid, as Markdown on GitHub and GitLab shows it; escaped likewise.
std::string as_mermaid(const ir::Program& program);

}  // namespace migc::graph
