#include "runtime/world/load.hpp"

#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/world/world.hpp"

namespace migc::runtime::inline world {
namespace {

constexpr const char* usual_clock = "2026-01-10T01:00:00Z";

Time clock_of(Fields& fields) {
    const YamlNode* node = fields.take("clock");
    const auto time = parse_timestamp(node ? node->text : usual_clock);
    if (time && *time >= 0) return *time;
    fields.mistake(node->span, "`clock` must be a time in UTC, such as 2026-01-10T01:00:00Z");
    return *parse_timestamp(usual_clock);
}

void load_costs(Simulation& world, Fields& fields) {
    world.costs = {{"kubectl", 120}, {"curl", 30},        {"docker", 500},
                   {"git", 10},      {"terraform", 1500}, {"program", 20}};
    for (const auto& [tool, cost] : fields.map("costs").entries)
        world.costs[tool.text] = fields.duration_of(cost, tool.text);
}

// A list of names (each context its own cluster) or a map from context to cluster.
void load_contexts(Simulation& world, Fields& fields) {
    const YamlNode* contexts = fields.take("contexts");
    if (!contexts) return;
    if (contexts->kind == YamlKind::List)
        for (const YamlNode& name : contexts->children) world.contexts[name.text] = name.text;
    for (const auto& [context, cluster] : contexts->entries) world.contexts[context.text] = cluster.text;
    if (contexts->kind == YamlKind::Scalar)
        fields.mistake(contexts->span,
                       "`contexts` must be a list of names, or a map from context to cluster");
    std::erase_if(world.contexts, [&](const auto& entry) {
        if (world.clusters.contains(entry.second)) return false;
        fields.mistake(
            contexts->span,
            fmt::format("the context `{}` leads to the cluster `{}`, which is not described under `clusters`",
                        entry.first, entry.second));
        return true;
    });
}

void load_clusters(Simulation& world, Fields& fields) {
    constexpr Time ten_minutes = 600'000;  // what came up before the story begins
    for (const auto& [name, one] : fields.map("clusters").entries) {
        Cluster& cluster = world.clusters.try_emplace(name.text, name.text).first->second;
        cluster.start_at(world.clock - ten_minutes);
        cluster.image_digest = [&world](const std::string& image) {
            const auto found = world.registry.find(image);
            return found == world.registry.end() ? "sha256:" + sha256(image) : found->second;
        };
        load_cluster(cluster, fields.below(one, "a cluster"));
    }
}

void load_current_context(Simulation& world, Fields& fields) {
    const YamlNode* current = fields.take("current-context");
    if (!current) return;
    world.current_context = current->text;
    if (!world.contexts.contains(current->text))
        fields.mistake(
            current->span,
            fmt::format("`current-context` names `{}`, which is not one of the contexts", current->text));
}

void load_all(Simulation& world, Fields fields) {
    world.clock = clock_of(fields);
    load_costs(world, fields);
    load_registry(world, fields);
    // Regular expressions of whole image names: their tags name one digest for good.
    for (const std::string& text : fields.texts("immutable-tags")) {
        world.immutable_tags.push_back(std::make_shared<re2::RE2>(text, re2::RE2::Quiet));
        if (!world.immutable_tags.back()->ok())
            fields.mistake(fmt::format("`{}` of `immutable-tags` is no regular expression", text));
    }
    load_clusters(world, fields);
    load_contexts(world, fields);
    load_current_context(world, fields);
    load_web(world, fields);
    load_programs(world, fields);
    load_terraform(world, fields);
    load_git(world, fields);
}

}  // namespace

tl::expected<std::unique_ptr<World>, std::string> load_world(FileId file, const SourceMap& sources,
                                                             Diagnostics& diagnostics) {
    const std::string& name = sources.file(file).name();
    const std::size_t before = diagnostics.all().size();
    auto world = std::make_unique<Simulation>();
    try {
        const auto root = read_document(sources.file(file).text(), file);
        if (!root)
            report_mistake(diagnostics, root.error().span, root.error().message);
        else
            load_all(*world, {*root, "a world", diagnostics});
        if (diagnostics.all().size() > before)
            return tl::unexpected(fmt::format("the world {} cannot be used: it has {} mistake(s)", name,
                                              diagnostics.all().size() - before));
        world->advance(world->clock);
    } catch (const std::exception& problem) {
        return tl::unexpected(fmt::format("the world {} cannot be used: {}", name, problem.what()));
    }
    return std::make_unique<World>(std::move(world));
}

}  // namespace migc::runtime::inline world
