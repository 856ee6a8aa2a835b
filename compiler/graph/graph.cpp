#include "compiler/graph/graph.hpp"

#include <array>

#include <fmt/format.h>

#include "compiler/semantics/calls.hpp"
#include "compiler/semantics/visit.hpp"
#include "compiler/support/escape.hpp"
#include "compiler/support/outside_text.hpp"

namespace migc::graph {
namespace {

enum class Shape { Gate, Change, Look, Choice, Undo, Hold, Other };

struct Node {
    std::string label;  // lines separated by \n
    Shape shape = Shape::Other;
    bool on_failure = false;
};

struct Edge {
    std::size_t from = 0, to = 0;
    std::string label;
    bool on_failure = false;
};

// A stage: its nodes are those from `first` to before `last`.
struct Group {
    std::string title;
    std::size_t first = 0, last = 0;
};

struct Graph {
    std::string title;
    std::vector<Node> nodes;
    std::vector<Edge> edges;
    std::vector<Group> groups;
};

// A node that another one follows, and why it does.
struct End {
    std::size_t node;
    std::string label;
};
using Ends = std::vector<End>;

class Builder {
  public:
    explicit Builder(const ir::Program& program) : program_(program) {}

    Graph graph() {
        graph_.title = program_.migration ? program_.migration->title : "";
        Ends ends;
        for (const auto& stage : program_.stages) ends = add(stage, std::move(ends));
        return std::move(graph_);
    }

  private:
    std::size_t node(std::string label, Shape shape) {
        graph_.nodes.push_back({std::move(label), shape, on_failure_});
        return graph_.nodes.size() - 1;
    }

    std::size_t after(const Ends& ends, std::string label, Shape shape) {
        const std::size_t to = node(std::move(label), shape);
        for (const auto& end : ends) graph_.edges.push_back({end.node, to, end.label, on_failure_});
        return to;
    }
    void then(Ends& ends, std::string label, Shape shape) {
        ends = {{after(ends, std::move(label), shape), ""}};
    }

    Ends add(const ir::Stage& stage, Ends ends) {
        std::string title = "stage " + stage.name;
        if (stage.environment != stage.name) title += " in " + stage.environment;
        const std::size_t group = graph_.groups.size();
        graph_.groups.push_back({title, graph_.nodes.size(), 0});
        for (const auto& gate : stage.gates) then(ends, gate.text, Shape::Gate);
        if (stage.repeats)
            then(ends, fmt::format("the steps of stage {}", *stage.repeats), Shape::Change);
        else
            ends = sequence(stage.steps, std::move(ends));
        if (stage.on_failure) failure(stage, group);
        graph_.groups[group].last = graph_.nodes.size();
        return ends;
    }

    Ends sequence(const std::vector<ir::Step>& steps, Ends ends) {
        for (const auto& step : steps) ends = add(step, std::move(ends));
        return ends;
    }

    static Shape shape(const ir::Step& step) {
        constexpr std::array<Shape, 11> shapes = {Shape::Change, Shape::Look,   Shape::Look,   Shape::Other,
                                                  Shape::Choice, Shape::Choice, Shape::Choice, Shape::Gate,
                                                  Shape::Undo,   Shape::Undo,   Shape::Hold};
        static_assert(shapes.size() == static_cast<std::size_t>(ir::StepKind::Hold) + 1);
        return shapes.at(static_cast<std::size_t>(step.kind));
    }

    Ends add(const ir::Step& step, Ends ends) {
        if (step.kind == ir::StepKind::Undo || step.kind == ir::StepKind::UndoAll)
            return undo(step, std::move(ends));
        const std::size_t at = after(ends, step.text, shape(step));
        switch (step.kind) {
            case ir::StepKind::If: {
                Ends result = sequence(step.body, {{at, "yes"}});
                for (auto& end : sequence(step.otherwise, {{at, "no"}})) result.push_back(std::move(end));
                return result;
            }
            case ir::StepKind::For:
                for (const auto& end : sequence(step.body, {{at, "each"}}))
                    if (end.node != at) graph_.edges.push_back({end.node, at, "next", on_failure_});
                return {{at, ""}};
            case ir::StepKind::Parallel: {
                Ends result;
                for (const auto& branch : step.body)
                    for (auto& end : add(branch, {{at, ""}})) result.push_back(std::move(end));
                return result.empty() ? Ends{{at, ""}} : result;
            }
            default:
                return {{at, ""}};
        }
    }

    // ------------------------------------------------------------ on failure

    void failure(const ir::Stage& stage, std::size_t group) {
        on_failure_ = true;
        stage_ = &stage;
        const bool is_empty = graph_.groups[group].first == graph_.nodes.size();
        const End from =
            is_empty ? End{node("on failure", Shape::Other), ""} : End{graph_.nodes.size() - 1, "on failure"};
        sequence(*stage.on_failure, {from});
        on_failure_ = false;
    }

    [[nodiscard]] bool is_irreversible(const ir::Step& step) const {
        return semantics::way_back(step, program_.verbs[step.verb]).kind == ir::UndoKind::Irreversible;
    }

    [[nodiscard]] std::string undo_of(const ir::Step& step) const {
        const ir::Verb& verb = program_.verbs[step.verb];
        const ir::Undo& undo = semantics::way_back(step, verb);
        std::string label = "undo of " + step.text;
        if (undo.kind == ir::UndoKind::Irreversible) return label + "\ncannot be undone: " + undo.reason;
        if (!step.undo && verb.composite && undo.kind != ir::UndoKind::Steps)
            return label + "\nthe undo of its steps, last first";
        if (undo.kind == ir::UndoKind::None) return label + "\nnothing to undo: " + undo.reason;
        for (const auto& inverse : undo.steps) label += "\n" + inverse.text;
        return label;
    }

    // Last first, as a run does it.
    Ends undo(const ir::Step& step, Ends ends) {
        if (stage_->repeats)
            then(ends, fmt::format("undo of the steps of stage {}, last first", *stage_->repeats),
                 Shape::Undo);
        std::vector<const ir::Step*> done;
        if (!stage_->repeats)
            semantics::each_step(stage_->steps, [&](const ir::Step& one) {
                if (one.kind == ir::StepKind::Call && program_.verbs[one.verb].mutates())
                    done.push_back(&one);
            });
        for (auto one = done.rbegin(); one != done.rend(); ++one) {
            then(ends, undo_of(**one), Shape::Undo);
            if (is_irreversible(**one)) return ends;  // what is before it stands
        }
        if (done.empty() && !stage_->repeats) then(ends, "undo: nothing was changed", Shape::Undo);
        if (step.kind == ir::StepKind::UndoAll)
            then(ends, "undo of the earlier stages, last first", Shape::Undo);
        return ends;
    }

    const ir::Program& program_;
    Graph graph_;
    const ir::Stage* stage_ = nullptr;
    bool on_failure_ = false;
};

// At most this many characters a line: a long step would make the whole picture as wide.
constexpr std::size_t widest = 44;

std::vector<std::string> lines(const std::string& label) {
    std::vector<std::string> result;
    std::string line;
    const auto end_line = [&] {
        result.push_back(std::move(line));
        line.clear();
    };
    std::string word;
    const auto end_word = [&] {
        if (!line.empty() && character_count(line) + 1 + character_count(word) > widest) end_line();
        line += (line.empty() || word.empty() ? "" : " ") + word;
        word.clear();
    };
    for (const char c : label) {
        if (c != ' ' && c != '\n') {
            word += c;
            continue;
        }
        end_word();
        if (c == '\n') end_line();
    }
    end_word();
    end_line();
    return result;
}

std::string label_text(const std::string& label, Sink sink, std::string_view line_break) {
    std::string result;
    for (const auto& line : lines(label)) {
        if (!result.empty()) result += line_break;
        result += outside_text(line, sink);
    }
    return result;
}

std::string dot_text(const std::string& label) {
    return label_text(label, Sink::Dot, "\\n");
}

std::string mermaid_text(const std::string& label) {
    return label_text(label, Sink::Mermaid, "<br/>");
}

// How each Shape looks: for Graphviz, and what stands before and after its text for Mermaid.
struct Look {
    std::string_view dot, open, close;
};
constexpr std::array<Look, 7> looks = {{{"shape=hexagon, fillcolor=\"#fff3c4\"", "{{\"", "\"}}"},
                                        {"shape=box, fillcolor=\"#d6e4ff\"", "[\"", "\"]"},
                                        {"shape=ellipse, fillcolor=\"#d9f2d9\"", "([\"", "\"])"},
                                        {"shape=diamond, fillcolor=\"#ffffff\"", "{\"", "\"}"},
                                        {"shape=box, fillcolor=\"#ffe0d6\"", "[/\"", "\"/]"},
                                        {"shape=octagon, fillcolor=\"#ffc9c9\"", "[[\"", "\"]]"},
                                        {"shape=plain", "(\"", "\")"}}};

static_assert(looks.size() == static_cast<std::size_t>(Shape::Other) + 1);

const Look& look(const Node& node) {
    return looks.at(static_cast<std::size_t>(node.shape));
}

}  // namespace

std::string as_dot(const ir::Program& program) {
    const Graph graph = Builder(program).graph();
    std::string out = "digraph migration {\n  rankdir=TB;\n";
    if (!graph.title.empty()) out += fmt::format("  label=\"{}\"; labelloc=t;\n", dot_text(graph.title));
    out +=
        "  node [style=filled, fontname=\"sans-serif\", fontsize=11];\n"
        "  edge [fontname=\"sans-serif\", fontsize=10];\n";
    for (std::size_t g = 0; g < graph.groups.size(); ++g) {
        const Group& group = graph.groups[g];
        out += fmt::format("  subgraph cluster_{} {{\n    label=\"{}\"; style=rounded;\n", g,
                           dot_text(group.title));
        for (std::size_t i = group.first; i < group.last; ++i)
            out += fmt::format("    n{} [label=\"{}\", {}];\n", i, dot_text(graph.nodes[i].label),
                               look(graph.nodes[i]).dot);
        out += "  }\n";
    }
    for (const auto& edge : graph.edges)
        out += fmt::format("  n{} -> n{} [label=\"{}\"{}];\n", edge.from, edge.to, dot_text(edge.label),
                           edge.on_failure ? ", style=dashed" : "");
    return out + "}\n";
}

std::string as_mermaid(const ir::Program& program) {
    const Graph graph = Builder(program).graph();
    std::string out = "flowchart TB\n";
    for (std::size_t g = 0; g < graph.groups.size(); ++g) {
        const Group& group = graph.groups[g];
        out += fmt::format("  subgraph stage{}[\"{}\"]\n", g, mermaid_text(group.title));
        for (std::size_t i = group.first; i < group.last; ++i) {
            const auto& [dot, open, close] = look(graph.nodes[i]);
            out += fmt::format("    n{}{}{}{}\n", i, open, mermaid_text(graph.nodes[i].label), close);
        }
        out += "  end\n";
    }
    for (const auto& edge : graph.edges) {
        const std::string_view arrow = edge.on_failure ? "-.->" : "-->";
        out += edge.label.empty() ? fmt::format("  n{} {} n{}\n", edge.from, arrow, edge.to)
                                  : fmt::format("  n{} {}|\"{}\"| n{}\n", edge.from, arrow,
                                                mermaid_text(edge.label), edge.to);
    }
    return out;
}

}  // namespace migc::graph
