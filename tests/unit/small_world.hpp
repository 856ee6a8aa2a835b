// A world of one cluster, `staging`, with a namespace `shop`, and its kubectl.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/world/world.hpp"

namespace migc::runtime {

inline std::unique_ptr<World> world_of(const std::string& text) {
    SourceMap sources;
    Diagnostics diagnostics;
    auto world = load_world(sources.add("world.yaml", text), sources, diagnostics);
    REQUIRE(world);
    return std::move(*world);
}

inline Answer kubectl_in_shop(World& world, const std::vector<std::string>& arguments,
                              const std::string& input = {}) {
    CommandLine line;
    line.tool = "kubectl";
    line.argv = {"kubectl", "--context", "staging", "--namespace", "shop"};
    line.argv.insert(line.argv.end(), arguments.begin(), arguments.end());
    line.input = input;
    return world.run(line);
}

}  // namespace migc::runtime
