// What an editor asks about a place in a script.
#include <array>

#include <fmt/format.h>

#include "cli/lsp/server.hpp"
#include "compiler/service/navigate.hpp"
#include "compiler/service/outline.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::lsp {

namespace {

// The protocol's numbers of what stands for each kind: keyword, function, variable, value.
int kind_of(service::CompletionKind kind) {
    constexpr std::array numbers = {14, 3, 6, 12};
    static_assert(numbers.size() == static_cast<std::size_t>(service::CompletionKind::Value) + 1);
    return numbers.at(static_cast<std::size_t>(kind));
}

// Constant, variable, namespace, function, property, module, class.
int kind_of(service::PartKind kind) {
    constexpr std::array numbers = {14, 13, 3, 12, 7, 2, 5};
    static_assert(numbers.size() == static_cast<std::size_t>(service::PartKind::Resource) + 1);
    return numbers.at(static_cast<std::size_t>(kind));
}

Json markdown(const std::string& text) {
    return {{"kind", "markdown"}, {"value", text}};
}

}  // namespace

Json Server::hover(const Json& parameters) {
    const Place at = place(parameters);
    const auto hover = service::hover(at.analysis, at.offset);
    if (!hover) return nullptr;
    return {{"contents", markdown(hover->markdown)}, {"range", range(at.analysis, hover->span)}};
}

Json Server::completion(const Json& parameters) {
    const Place at = place(parameters);
    if (!phrases_) phrases_ = std::make_unique<service::Phrases>(standard_library());
    const service::Completions all = service::complete(at.analysis, *phrases_, at.offset);
    const Json replaced = range(at.analysis, all.replaced);
    Json items = Json::array();
    for (std::size_t i = 0; i < all.items.size(); ++i) {
        const auto& c = all.items[i];
        Json item = {{"label", c.label},
                     {"kind", kind_of(c.kind)},
                     {"sortText", fmt::format("{:04}", i)},
                     {"insertTextFormat", 2},
                     {"textEdit", {{"range", replaced}, {"newText", c.snippet}}}};
        if (!c.detail.empty()) item["detail"] = c.detail;
        if (!c.documentation.empty()) item["documentation"] = markdown(c.documentation);
        items.push_back(std::move(item));
    }
    return {{"isIncomplete", false}, {"items", std::move(items)}};
}

Json Server::definition(const Json& parameters) {
    const Place at = place(parameters);
    const auto span = service::definition(at.analysis, at.offset);
    return span ? location(at.analysis, *span) : Json();
}

Json Server::references(const Json& parameters) {
    const Place at = place(parameters);
    const bool declaration =
        parameters.contains("context") && parameters["context"].value("includeDeclaration", false);
    Json result = Json::array();
    for (const Span span : service::references(at.analysis, at.offset, declaration))
        if (Json where = location(at.analysis, span); !where.is_null()) result.push_back(std::move(where));
    return result;
}

Json Server::prepare_rename(const Json& parameters) {
    const Place at = place(parameters);
    const auto span = service::renamable(at.analysis, at.offset);
    if (!span) throw Error{request_failed, span.error()};
    return range(at.analysis, *span);
}

Json Server::rename(const Json& parameters) {
    const Place at = place(parameters);
    const auto changes = service::rename(at.analysis, at.offset, parameters.at("newName").get<std::string>());
    if (!changes) throw Error{request_failed, changes.error()};
    return {{"changes", {{at.uri, edits(at.analysis, *changes)}}}};
}

// A text that is no Mig has no standard layout; it is left as it is, and its findings say why.
Json Server::formatting(const Json& parameters) {
    const Place at = place(parameters, false);
    const auto changes = service::format(at.analysis);
    return changes ? edits(at.analysis, *changes) : Json();
}

Json Server::symbols(const Json& parameters) {
    const Place at = place(parameters, false);
    Json result = Json::array();
    for (const auto& part : service::outline(at.analysis))
        result.push_back({{"name", part.name},
                          {"detail", part.detail},
                          {"kind", kind_of(part.kind)},
                          {"range", range(at.analysis, part.span)},
                          {"selectionRange", range(at.analysis, part.name_span)}});
    return result;
}

Json Server::folding(const Json& parameters) {
    const Place at = place(parameters, false);
    Json result = Json::array();
    for (const Span block : service::blocks(at.analysis)) {
        const Json lines = range(at.analysis, block);
        const auto first = lines["start"]["line"].get<std::uint32_t>();
        const auto last = lines["end"]["line"].get<std::uint32_t>();
        // The line with the `>` stays to be seen.
        if (last > first + 1) result.push_back({{"startLine", first}, {"endLine", last - 1}});
    }
    return result;
}

}  // namespace migc::lsp
