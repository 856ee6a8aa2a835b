// The language server: from one JSON-RPC message to those that answer it. It reads and writes no streams.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/service/analysis.hpp"
#include "compiler/service/complete.hpp"
#include "compiler/service/text.hpp"

namespace migc::lsp {

using Json = nlohmann::json;

// JSON-RPC's and the Language Server Protocol's numbers.
constexpr int parse_error = -32700;
constexpr int invalid_request = -32600;
constexpr int unknown_method = -32601;
constexpr int invalid_parameters = -32602;
constexpr int internal_error = -32603;
constexpr int not_initialized = -32002;
constexpr int request_failed = -32803;

// What a request is refused with.
struct Error {
    int code = internal_error;
    std::string message;
};

class Server {
  public:
    // Into `cache` the server writes, when a definition in it is asked for, the text of the standard library,
    // and the explanations of the findings; empty: it writes nothing and such places are not shown.
    explicit Server(std::filesystem::path cache);

    // Takes one message; gives what is to be sent. Never throws: what is no message is answered with an
    // error.
    std::vector<Json> receive(const std::string& message);
    // To be called when no message has come for a moment: the findings of documents that have changed.
    std::vector<Json> idle();
    [[nodiscard]] bool has_changes() const { return !changed_.empty(); }

    [[nodiscard]] bool has_ended() const { return ended_; }
    // As the protocol wants it: 0 if `shutdown` came before `exit`, else 1.
    [[nodiscard]] int exit_code() const { return shut_down_ ? 0 : 1; }

    // The text of an open document; null if it is not open.
    [[nodiscard]] const std::string* text(const std::string& uri) const;

  private:
    struct Document {
        service::Text text{""};
        Json version;
        std::unique_ptr<service::Analysis> analysis;  // null until somebody asks
        syntax::Memory memory;
        std::set<std::string> published;  // the URIs that have findings of this document
    };
    using Handler = std::function<Json(const Json& parameters)>;

    void add_handlers();
    void dispatch(const Json& message, std::vector<Json>& out);
    Json initialize(const Json& parameters);
    void did_open(const Json& parameters);
    void did_change(const Json& parameters);
    void did_close(const Json& parameters, std::vector<Json>& out);
    void forget_analyses(const std::string& changed_uri);

    Json hover(const Json& parameters);
    Json completion(const Json& parameters);
    Json definition(const Json& parameters);
    Json references(const Json& parameters);
    Json prepare_rename(const Json& parameters);
    Json rename(const Json& parameters);
    Json formatting(const Json& parameters);
    Json code_actions(const Json& parameters);
    Json symbols(const Json& parameters);
    Json folding(const Json& parameters);

    // Of the document that the parameters name; throws an Error if it is not open.
    struct Place {
        std::string uri;
        Document& document;
        service::Analysis& analysis;
        std::uint32_t offset = 0;
    };
    Document& document(const Json& parameters, std::string& uri);
    Place place(const Json& parameters, bool with_position = true);
    service::Analysis& analysis(const std::string& uri, Document& document);

    void publish(const std::string& uri, Document& document, std::vector<Json>& out);
    static Json published(Json parameters);
    [[nodiscard]] Json finding(const service::Analysis& analysis, const Diagnostic& diagnostic);
    // Forgets the places of another analysis.
    void show_places_of(const service::Analysis& analysis);
    // The text of a span's file in the editor's eyes, for its positions.
    [[nodiscard]] Json range(const service::Analysis& analysis, Span span);
    // Null if the file is of the standard library and cannot be written into the cache.
    [[nodiscard]] Json location(const service::Analysis& analysis, Span span);
    [[nodiscard]] std::string uri_of_file(const service::Analysis& analysis, FileId file);
    [[nodiscard]] Json edits(const service::Analysis& analysis, const std::vector<Edit>& edits);
    static service::Position position(const Json& json);
    // Writes a file into the cache unless it is there; its path, or empty if it cannot.
    std::string cached(const std::string& name, const std::string& text);

    std::filesystem::path cache_;
    std::map<std::string, Handler> requests_;
    std::map<std::string, Document> documents_;  // by URI
    std::set<std::string> changed_;              // whose findings have not been published
    std::unique_ptr<service::Phrases> phrases_;
    const service::Analysis* positions_of_ = nullptr;  // whose places are remembered
    std::map<FileId, service::Text> texts_;
    std::map<FileId, std::string> uris_;
    bool initialized_ = false;
    bool shut_down_ = false;
    bool ended_ = false;
};

}  // namespace migc::lsp
