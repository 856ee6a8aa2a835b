#include "runtime/natives/http_content.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "runtime/natives/private_file.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

using Content = tl::expected<json, std::string>;

// It goes into the journal, to be put back from there.
constexpr std::size_t largest_content = 1 << 20;

const char* type_of(const std::filesystem::path& file) {
    constexpr std::array<std::pair<const char*, const char*>, 6> types = {{{".json", "application/json"},
                                                                           {".yaml", "application/yaml"},
                                                                           {".yml", "application/yaml"},
                                                                           {".xml", "application/xml"},
                                                                           {".html", "text/html"},
                                                                           {".txt", "text/plain"}}};
    const auto* found = std::find_if(types.begin(), types.end(),
                                     [&](const auto& type) { return file.extension() == type.first; });
    return found == types.end() ? "application/octet-stream" : found->second;
}

Content content_of_file(const std::string& file) {
    auto body = read_bytes(file, largest_content);
    if (!body) return tl::unexpected(body.error());
    if (!is_text(*body)) return failure("{} is no text", file);
    return json{{"type", type_of(file)}, {"body", std::move(*body)}};
}

Content content_of_json(const Value& value) {
    const std::string text = show(value);
    if (!json::accept(text)) return failure("`{}` is no JSON", text.substr(0, 80));
    return json{{"type", "application/json"}, {"body", text}};
}

bool has_header(const HttpRequest& request, const std::string& name) {
    const auto is_it = [&](const std::string& header) { return is_header(header, name); };
    return std::any_of(request.headers.begin(), request.headers.end(), is_it) ||
           std::any_of(request.secret_headers.begin(), request.secret_headers.end(), is_it);
}

json in_terms_of(const json& value, const json& like) {
    if (!value.is_object() || !like.is_object()) return value;
    json result = json::object();
    for (const auto& [name, part] : like.items())
        if (value.contains(name)) result[name] = in_terms_of(value.at(name), part);
    return result;
}

// A body that is no JSON stands for itself.
json parsed(const json& content) {
    const std::string body = text_field(content, "/body");
    json value = json::parse(body, nullptr, false);
    return value.is_discarded() ? json(body) : value;
}

}  // namespace

Content content_in(const Arguments& arguments, std::size_t first) {
    const std::string file = text_argument(arguments, first);
    const Value& document = argument(arguments, first + 1);
    if (!file.empty() && !document.is_absent()) return failure("a request carries a file or JSON, not both");
    if (!file.empty()) return content_of_file(file);
    return document.is_absent() ? Content(json()) : content_of_json(document);
}

void give_content(HttpRequest& request, const json& content) {
    request.body = text_field(content, "/body");
    const std::string type = text_field(content, "/type");
    // Without a value curl leaves out the one that it would add.
    if (!has_header(request, "Content-Type"))
        request.headers.push_back(type.empty() ? "Content-Type:" : "Content-Type: " + type);
}

Content resource_at(Host& host, HttpRequest request) {
    constexpr std::int64_t not_found = 404, gone = 410;
    request.method = "GET";
    const HttpOutcome outcome = send(host, request);
    const HttpAnswer& answer = outcome.answer;
    if (answer.status == 0) return tl::unexpected(outcome.failure);
    if (answer.status == not_found || answer.status == gone) return json();
    if (!is_success(answer.status))
        return failure("{} answered {}{}", request.url, answer.status, led_to(outcome.redirect));
    if (answer.body.size() > largest_content || !is_text(answer.body))
        return failure("{} holds no text of at most {} MiB, which could be put back", request.url,
                       largest_content >> 20);
    json resource = {{"type", answer.header("Content-Type")}, {"body", answer.body}};
    if (const std::string etag = answer.header("ETag"); !etag.empty()) resource["etag"] = etag;
    return resource;
}

json form_of(const json& content, const json& like) {
    return content.is_null() ? json() : in_terms_of(parsed(content), parsed(like));
}

bool is_header(const std::string& header, const std::string& name) {
    return !HttpAnswer{0, header, {}}.header(name).empty();
}

bool is_text(const std::string& bytes) {
    if (bytes.find('\0') != std::string::npos) return false;
    try {
        return !json(bytes).dump().empty();
    } catch (const json::exception&) {  // the library's only way to say that it is not UTF-8
        return false;
    }
}

std::string led_to(const std::string& redirect) {
    return redirect.empty() ? "" : fmt::format(" (to {}; redirects are not followed)", redirect);
}

}  // namespace migc::runtime::inline natives
