#include "runtime/engine/yaml.hpp"

#include <yaml-cpp/yaml.h>

namespace migc::runtime::inline engine {
namespace {

// An alias can make a small text a huge tree: so deep and so many nodes, and no more.
struct Limits {
    int depth = 200;
    int nodes = 1'000'000;
};

nlohmann::json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return text;  // quoted: a string, whatever it looks like
    const auto value = nlohmann::json::parse(text, nullptr, false);
    if (value.is_number() || value.is_boolean() || value.is_null()) return value;
    return text;
}

nlohmann::json convert_node(const YAML::Node& node, int depth, Limits& limits) {
    if (depth > limits.depth || --limits.nodes < 0)
        throw YAML::Exception(YAML::Mark::null_mark(), "too large");
    if (node.IsScalar()) return scalar(node);
    nlohmann::json result;
    if (node.IsSequence()) {
        result = nlohmann::json::array();
        for (const auto& item : node) result.push_back(convert_node(item, depth + 1, limits));
    } else if (node.IsMap()) {
        result = nlohmann::json::object();
        for (const auto& item : node)
            result[item.first.Scalar()] = convert_node(item.second, depth + 1, limits);
    }
    return result;
}

}  // namespace

std::optional<nlohmann::json> parse_yaml(const std::string& text) {
    try {
        Limits limits;
        return convert_node(YAML::Load(text), 0, limits);
    } catch (const YAML::Exception&) {
        return std::nullopt;
    }
}

}  // namespace migc::runtime::inline engine
