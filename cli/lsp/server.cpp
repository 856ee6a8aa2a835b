#include "cli/lsp/server.hpp"

#include <fmt/format.h>

#include "cli/lsp/uri.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/write_file.hpp"
#include "stdlib/stdlib.hpp"

namespace migc::lsp {

namespace fs = std::filesystem;

using service::Analysis;
using service::Position;
using service::Text;

namespace {

constexpr std::size_t file_limit = syntax::source_limit;

Json answer(const Json& id, Json result) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

Json refusal(const Json& id, int code, const std::string& message) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

std::optional<std::string> read(const std::string& path) {
    return read_file(path, file_limit);
}

}  // namespace

Server::Server(fs::path cache) : cache_(std::move(cache)) {
    add_handlers();
}

const std::string* Server::text(const std::string& uri) const {
    const auto found = documents_.find(uri);
    return found == documents_.end() ? nullptr : &found->second.text.str();
}

void Server::add_handlers() {
    const auto add = [&](const char* method, Json (Server::*handler)(const Json&)) {
        requests_[method] = [this, handler](const Json& parameters) { return (this->*handler)(parameters); };
    };
    add("initialize", &Server::initialize);
    add("textDocument/hover", &Server::hover);
    add("textDocument/completion", &Server::completion);
    add("textDocument/definition", &Server::definition);
    add("textDocument/references", &Server::references);
    add("textDocument/prepareRename", &Server::prepare_rename);
    add("textDocument/rename", &Server::rename);
    add("textDocument/formatting", &Server::formatting);
    add("textDocument/codeAction", &Server::code_actions);
    add("textDocument/documentSymbol", &Server::symbols);
    add("textDocument/foldingRange", &Server::folding);
    requests_["shutdown"] = [this](const Json&) {
        shut_down_ = true;
        return Json();
    };
}

std::vector<Json> Server::receive(const std::string& message) {
    std::vector<Json> out;
    const Json json = Json::parse(message, nullptr, false);
    if (json.is_discarded()) {
        out.push_back(refusal(nullptr, parse_error, "the message is no JSON"));
        return out;
    }
    const Json id = json.is_object() && json.contains("id") ? json["id"] : Json();
    try {
        dispatch(json, out);
    } catch (const Error& error) {
        if (!id.is_null()) out.push_back(refusal(id, error.code, error.message));
    } catch (const Json::exception&) {
        if (!id.is_null()) out.push_back(refusal(id, invalid_parameters, "the parameters lack something"));
    } catch (const std::exception& error) {
        if (!id.is_null()) out.push_back(refusal(id, internal_error, error.what()));
    }
    return out;
}

void Server::dispatch(const Json& message, std::vector<Json>& out) {
    // An answer to a question of ours; we ask none.
    if (message.is_object() && !message.contains("method") && message.contains("id") &&
        (message.contains("result") || message.contains("error")))
        return;
    if (!message.is_object() || !message.contains("method") || !message["method"].is_string()) {
        const Json id = message.is_object() && message.contains("id") ? message["id"] : Json();
        out.push_back(refusal(id, invalid_request, "the message has no method"));
        return;
    }
    const std::string method = message["method"];
    const Json parameters = message.contains("params") ? message["params"] : Json::object();
    if (message.contains("id")) {
        if (!initialized_ && method != "initialize") throw Error{not_initialized, "`initialize` comes first"};
        if (shut_down_) throw Error{invalid_request, "behind `shutdown` only `exit` may come"};
        const auto handler = requests_.find(method);
        if (handler == requests_.end())
            throw Error{unknown_method, fmt::format("there is no method `{}`", method)};
        out.push_back(answer(message["id"], handler->second(parameters)));
        return;
    }
    if (method == "exit") ended_ = true;
    if (!initialized_) return;
    if (method == "textDocument/didOpen") did_open(parameters);
    if (method == "textDocument/didChange") did_change(parameters);
    if (method == "textDocument/didClose") did_close(parameters, out);
    // A file on disk, perhaps migc.yaml or one that a script uses.
    if (method == "textDocument/didSave" || method == "workspace/didChangeWatchedFiles") forget_analyses("");
}

Json Server::published(Json parameters) {
    return {
        {"jsonrpc", "2.0"}, {"method", "textDocument/publishDiagnostics"}, {"params", std::move(parameters)}};
}

Json Server::initialize(const Json&) {
    if (initialized_) throw Error{invalid_request, "`initialize` has been sent already"};
    initialized_ = true;
    const Json sync = {{"openClose", true}, {"change", 2}, {"save", true}};
    const Json capabilities = {{"textDocumentSync", sync},
                               {"hoverProvider", true},
                               {"completionProvider", {{"triggerCharacters", {" "}}}},
                               {"definitionProvider", true},
                               {"referencesProvider", true},
                               {"renameProvider", {{"prepareProvider", true}}},
                               {"documentFormattingProvider", true},
                               {"codeActionProvider", {{"codeActionKinds", {"quickfix"}}}},
                               {"documentSymbolProvider", true},
                               {"foldingRangeProvider", true}};
    return {{"capabilities", capabilities}, {"serverInfo", {{"name", "migc"}}}};
}

// ------------------------------------------------------------------ documents

void Server::did_open(const Json& parameters) {
    const Json& item = parameters.at("textDocument");
    const std::string uri = item.at("uri");
    Document& document = documents_[uri];
    document.text = Text(item.at("text").get<std::string>());
    document.version = item.value("version", Json());
    forget_analyses(uri);
}

void Server::did_change(const Json& parameters) {
    std::string uri;
    Document& document = this->document(parameters, uri);
    document.version = parameters.at("textDocument").value("version", Json());
    forget_analyses(uri);
    for (const Json& change : parameters.at("contentChanges")) {
        const std::string with = change.at("text");
        if (change.contains("range"))
            document.text.replace(position(change["range"].at("start")), position(change["range"].at("end")),
                                  with);
        else
            document.text = Text(with);
    }
}

void Server::did_close(const Json& parameters, std::vector<Json>& out) {
    std::string uri;
    for (const std::string& other : document(parameters, uri).published)
        out.push_back(published({{"uri", other}, {"diagnostics", Json::array()}}));
    documents_.erase(uri);
    changed_.erase(uri);
    forget_analyses("");
}

// A document's analysis may have read any other file: where a script uses no file, only its own text counts.
void Server::forget_analyses(const std::string& changed_uri) {
    positions_of_ = nullptr;
    for (auto& [uri, document] : documents_) {
        const bool stays = !changed_uri.empty() && uri != changed_uri &&
                           (!document.analysis || document.analysis->tree().uses.empty());
        if (stays) continue;
        document.analysis.reset();
        changed_.insert(uri);
    }
}

Server::Document& Server::document(const Json& parameters, std::string& uri) {
    uri = parameters.at("textDocument").at("uri").get<std::string>();
    const auto found = documents_.find(uri);
    if (found == documents_.end())
        throw Error{invalid_parameters, fmt::format("{} has not been opened", uri)};
    return found->second;
}

Server::Place Server::place(const Json& parameters, bool with_position) {
    std::string uri;
    Document& document = this->document(parameters, uri);
    Analysis& analysis = this->analysis(uri, document);
    const std::uint32_t offset =
        with_position ? document.text.offset(position(parameters.at("position"))) : 0;
    return {uri, document, analysis, offset};
}

Analysis& Server::analysis(const std::string& uri, Document& document) {
    if (document.analysis) return *document.analysis;
    const auto read_file = [this](const std::string& path) {
        const auto open = documents_.find(uri_of(path));
        return open != documents_.end() ? std::optional(open->second.text.str()) : read(path);
    };
    positions_of_ = nullptr;  // an analysis may come to lie where another one was
    document.analysis = std::make_unique<Analysis>(
        service::Request{path_of(uri), document.text.str(), standard_library(), read_file, &document.memory});
    return *document.analysis;
}

// ------------------------------------------------------------------ places

void Server::show_places_of(const Analysis& analysis) {
    if (positions_of_ == &analysis) return;
    positions_of_ = &analysis;
    texts_.clear();
    uris_.clear();
}

Json Server::range(const Analysis& analysis, Span span) {
    show_places_of(analysis);
    // What was repaired has the same bytes in the same places, but the editor's lines are those of file 0.
    const FileId file = span.file == analysis.file() ? 0 : span.file;
    const auto text = texts_.try_emplace(file, std::string(analysis.sources().file(file).text())).first;
    // Key by key: there may be thousands of places, and an initializer list copies each value.
    const auto json = [&](std::uint32_t offset) {
        const Position p = text->second.position(offset);
        Json place;
        place["line"] = p.line;
        place["character"] = p.character;
        return place;
    };
    Json result;
    result["start"] = json(span.begin);
    result["end"] = json(span.end);
    return result;
}

std::string Server::uri_of_file(const Analysis& analysis, FileId file) {
    const std::string& name = analysis.sources().file(file).name();
    const sema::Embedded& library = standard_library();
    for (std::size_t i = 0; i < library.file_count; ++i)
        if (name == fmt::format("std/{}.mig", library.files[i].module)) {
            const std::string path = cached(name, std::string(library.files[i].text));
            return path.empty() ? "" : uri_of(path);
        }
    // migc.yaml is named as people see it, perhaps relative to where the server was started.
    const bool is_inventory = analysis.inventory().exists && name == analysis.inventory().file_name;
    return uri_of(is_inventory ? (analysis.inventory().root / "migc.yaml").string() : name);
}

Json Server::location(const Analysis& analysis, Span span) {
    show_places_of(analysis);
    const auto [uri, is_new] = uris_.try_emplace(span.file);
    if (is_new) uri->second = uri_of_file(analysis, span.file);
    if (uri->second.empty()) return nullptr;
    Json result;
    result["uri"] = uri->second;
    result["range"] = range(analysis, span);
    return result;
}

std::string Server::cached(const std::string& name, const std::string& text) {
    if (cache_.empty()) return {};
    const fs::path path = cache_ / name;
    if (read(path) == text) return path.string();
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    // Nobody should think that an edit of it changed the library.
    (void)write_file(path, text, {.mode = 0444, .synced = false});
    return read(path) == text ? path.string() : "";
}

Position Server::position(const Json& json) {
    return {json.at("line").get<std::uint32_t>(), json.at("character").get<std::uint32_t>()};
}

Json Server::edits(const Analysis& analysis, const std::vector<Edit>& edits) {
    Json result = Json::array();
    for (const Edit& e : edits)
        result.push_back({{"range", range(analysis, e.span)}, {"newText", e.replacement}});
    return result;
}

}  // namespace migc::lsp
