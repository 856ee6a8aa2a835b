#include "runtime/world/document.hpp"

#include <fmt/format.h>

namespace migc::runtime::inline world {
tl::expected<YamlNode, Mistake> read_document(std::string_view text, FileId file) {
    const auto mistake = [&](std::string message, std::size_t at = 0) {
        const auto place = static_cast<std::uint32_t>(at);
        return tl::unexpected(Mistake{{file, place, place}, std::move(message)});
    };
    if (text.size() > documents::size_limit)
        return mistake(fmt::format("larger than {} MiB", documents::size_limit >> 20));
    if (text.find('\0') != std::string_view::npos) return mistake("holds a NUL character");
    auto read = documents::read_yaml_text(text, {}, file);
    if (auto fault = documents::first_fault(read.documents)) {
        const bool twice = fault->of == documents::YamlFault::Of::Duplicate;
        return tl::unexpected(
            Mistake{fault->span, twice ? fmt::format("the key `{}` stands here twice", fault->key)
                                       : std::move(fault->message)});
    }
    if (read.problem) return mistake("not YAML: " + read.problem->message, read.problem->offset);
    if (read.documents.size() > 1) return mistake("holds more than one document");
    return read.documents.empty() ? YamlNode{} : std::move(read.documents.front());
}

nlohmann::json to_json(const YamlNode& node) {
    return documents::to_json(node, documents::Scalars::Values).value_or(nlohmann::json());
}

}  // namespace migc::runtime::inline world
