// Requests that change something: POST once, PUT and DELETE only what was read before.
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/http_content.hpp"
#include "runtime/natives/http_request.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t changed_meanwhile = 412;

// A gateway that lost the answer of the server behind it.
bool is_lost(std::int64_t status) {
    return status == 502 || status == 504;
}

// Of a document that is replaced or removed: a server that failed may have done it before; and one that leads
// to a result elsewhere has done it.
bool may_have_written(std::int64_t status) {
    return status >= 500 || status == 303;
}

bool is_expected(std::int64_t status, std::int64_t expected) {
    return expected == 0 ? is_success(status) : status == expected;
}

std::string told(const HttpRequest& request, const HttpOutcome& outcome) {
    constexpr std::size_t readable = 200;
    const std::string& body = outcome.answer.body;
    std::string text =
        fmt::format("{} answered {}{}", request.url, outcome.answer.status, led_to(outcome.redirect));
    if (!body.empty() && is_text(body)) text += ": " + body.substr(0, readable);
    return text;
}

// An answer of the server, or the lack of one, as the end of a command.
Answer ending(const HttpRequest& request, const HttpOutcome& outcome, std::int64_t expected) {
    const std::int64_t status = outcome.answer.status;
    if (status == 0 && !outcome.sent) return not_started(outcome.failure + "; nothing was sent");
    if (status == 0) return cut_off(outcome.failure + "; whether the server acted is not known");
    if (is_expected(status, expected)) return well({});
    if (status == changed_meanwhile)
        return refused("{} answered 412: somebody changed it meanwhile", request.url);
    if (is_lost(status))
        return cut_off(told(request, outcome) + "; whether the server behind it acted is not known");
    return refused(expected == 0 ? told(request, outcome)
                                 : fmt::format("{}; {} was expected", told(request, outcome), expected));
}

// A weak ETag never matches in a condition (RFC 9110, 13.1.1).
bool has_strong_etag(const json& resource) {
    return text_field(resource, "/etag").starts_with('"');
}

void on_condition(HttpRequest& request, const json& resource) {
    if (resource.is_null())
        request.headers.emplace_back("If-None-Match: *");
    else if (has_strong_etag(resource))
        request.headers.push_back("If-Match: " + text_field(resource, "/etag"));
}

bool is_same_document(const json& a, const json& b) {
    return a.is_null() == b.is_null() && text_field(a, "/etag") == text_field(b, "/etag") &&
           text_field(a, "/body") == text_field(b, "/body");
}

// Where no condition protects what is there, or the server may not know `If-None-Match`, it is looked at
// directly before. Why it may not be written; nothing if it may.
std::optional<std::string> changed_meanwhile_at(Host& host, const HttpRequest& request,
                                                const json& captured) {
    if (has_strong_etag(captured)) return std::nullopt;
    const auto now = resource_at(host, request);
    if (!now) return fmt::format("what {} holds could not be found out: {}", request.url, now.error());
    if (is_same_document(*now, captured)) return std::nullopt;
    return fmt::format("somebody changed {} meanwhile; nothing is written", request.url);
}

json answer_as_json(const std::string& body) {
    if (body.empty()) return {};
    json value = json::parse(body, nullptr, false);
    return value.is_discarded() && is_text(body) ? json(body) : value;
}

// Without this file there is a little less to go by, so failing to write it changes nothing about the step.
void keep(const fs::path& file, const json& what) {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    (void)write_file(file, what.dump(-1, ' ', false, json::error_handler_t::replace),
                     {.mode = 0600, .synced = false});
}

json kept_in(const fs::path& file) {
    json what = json::parse(read_file(file, any_size).value_or(""), nullptr, false);
    return what.is_discarded() ? json() : what;
}

// How this run left an address last, for its inverses, which may run much later.
fs::path left_file(Host& host, const std::string& url) {
    return fs::path(host.setting("run-folder")) / fmt::format("etag-{}.json", sha256(url).substr(0, 16));
}

// What the server said of its own with the answer is proof; what a look finds afterwards is taken for this
// run's only if it says what was written.
void keep_what_is_left(Host& host, const HttpRequest& request, const HttpAnswer& answer,
                       const json& content) {
    if (const std::string etag = answer.header("ETag"); !content.is_null() && !etag.empty())
        return keep(left_file(host, request.url), {{"etag", etag}});
    const auto found = content.is_null() ? json() : resource_at(host, request).value_or(json());
    if (!found.is_null() && form_of(found, content) == form_of(content, content))
        keep(left_file(host, request.url),
             {{"etag", text_field(found, "/etag")}, {"body", sha256(text_field(found, "/body"))}});
}

// Whether what is there is what this run left, as far as that is known.
bool is_as_left(Host& host, const std::string& url, const json& found) {
    const json left = kept_in(left_file(host, url));
    const std::string etag = text_field(left, "/etag"), body = text_field(left, "/body");
    if (etag.empty() && body.empty()) return false;
    return text_field(found, "/etag") == etag && (body.empty() || sha256(text_field(found, "/body")) == body);
}

// Whether a document says the same as an earlier one of all that a content says, which says something else.
bool is_as_in(const json& prior, const json& document, const json& content) {
    if (prior.is_null() || document.is_null()) return false;
    const json before = form_of(prior, content);
    return form_of(document, content) == before && before != form_of(content, content);
}

// `ours`: what this run wrote there; null if it removed what was there. `like`: in whose terms that is
// compared.
bool changed_by_others(Host& host, const HttpRequest& request, const json& found, const json& ours,
                       const json& like) {
    if (form_of(found, like) != form_of(ours, like)) return true;
    const bool is_known = kept_in(left_file(host, request.url)).is_object();
    return is_known && !ours.is_null() && !is_as_left(host, request.url, found);
}

// Writes a content, or removes what is there if it is null, provided that `found` still is what is there.
// `is_back`: what is to go may be gone already.
Answer write(Host& host, const HttpRequest& plain_request, const json& content, const json& found,
             bool is_back = false) {
    HttpRequest request = plain_request;
    request.method = content.is_null() ? "DELETE" : "PUT";
    if (!content.is_null()) give_content(request, content);
    on_condition(request, found);
    // Should this be cut off, nothing that is known of the address holds any more.
    std::error_code ignored;
    fs::remove(left_file(host, plain_request.url), ignored);
    const HttpOutcome outcome = send(host, request);
    constexpr std::int64_t not_found = 404, gone = 410;
    const std::int64_t status = outcome.answer.status;
    if (may_have_written(status))
        return cut_off(told(request, outcome) + "; whether the server acted is not known");
    // Then somebody else has removed it; that it is gone is not this run's doing.
    const bool was_gone = content.is_null() && (status == not_found || status == gone);
    Answer answer = !was_gone ? ending(request, outcome, 0)
                    : is_back ? well({})
                              : refused(told(request, outcome));
    // For when it is not to be seen all the same.
    constexpr std::int64_t accepted = 202;
    if (answer.succeeded())
        answer.reason =
            told(request, outcome) +
            (status == accepted
                 ? ": it has taken the request on, and does it by and by; it was not there in time, and may come yet"
                 : ", and what it shows is as it was before: an older copy (a cache), or somebody has put it back");
    if (answer.succeeded()) keep_what_is_left(host, plain_request, outcome.answer, content);
    return answer;
}

std::string shown_request(const char* method, const Arguments& arguments) {
    return fmt::format("curl --request {} -- {}", method, text_argument(arguments, 0));
}

NativePreview shows(const char* method) {
    return [method](Host&, const Arguments& arguments) { return shown_request(method, arguments); };
}

}  // namespace

// [address, from inside, headers, header's name, header's file, file, JSON, status, record]
static Answer http_post(Host& host, const Arguments& arguments) {
    auto request = make_request(host, text_argument(arguments, 0), request_terms(host, arguments, 1));
    if (!request) return not_started(request.error());
    const auto content = content_in(arguments, 5);
    if (!content) return not_started(content.error());
    request->method = "POST";
    give_content(*request, *content);
    const HttpOutcome outcome = send(host, *request);
    if (outcome.answer.status != 0) keep(text_argument(arguments, 8), answer_as_json(outcome.answer.body));
    // Any answer may come of a request that has done something; it is never sent a second time.
    Answer answer = ending(*request, outcome, int_argument(arguments, 7, 0));
    answer.refused = false;
    return answer;
}

// [record]
static Reading http_answer(Host&, const Arguments& arguments) {
    const json answer = kept_in(text_argument(arguments, 0));
    return answer.is_null() ? absent() : json_reading(answer);
}

// [from inside, headers, header's name, header's file]
static Reading http_terms(Host& host, const Arguments& arguments) {
    const json terms = request_terms(host, arguments, 0);
    return terms.is_null() ? absent() : json_reading(terms);
}

// [file, JSON]
static Reading http_content(Host&, const Arguments& arguments) {
    const auto content = content_in(arguments, 0);
    if (!content) return mistaken(content.error());
    return json_reading(content->is_null() ? json{{"type", ""}, {"body", ""}} : *content);
}

// [address, terms]
static Reading http_resource(Host& host, const Arguments& arguments) {
    const auto request = make_request(host, text_argument(arguments, 0), json_argument(arguments, 1));
    if (!request) return mistaken(request.error());
    const auto resource = resource_at(host, *request);
    if (!resource) return unknown(resource.error());
    return resource->is_null() ? absent() : json_reading(*resource);
}

// [content or absent, like, what was there before or absent, address]
static Reading http_form(Host& host, const Arguments& arguments) {
    const json content = json_argument(arguments, 0), like = json_argument(arguments, 1);
    const json prior = json_argument(arguments, 2);
    const json form = form_of(content, like);
    if (form.is_null()) return absent();
    if (!is_as_in(prior, content, like)) return json_reading(form);
    // What this run has put back is what was there, whatever the server itself has written beside it.
    return json_reading(
        form_of(is_as_left(host, text_argument(arguments, 3), content) ? prior : content, prior));
}

// [address, content, terms, found]
static Answer http_put(Host& host, const Arguments& arguments) {
    const auto request = make_request(host, text_argument(arguments, 0), json_argument(arguments, 2));
    if (!request) return not_started(request.error());
    const json found = json_argument(arguments, 3);
    if (const auto changed = changed_meanwhile_at(host, *request, found)) return refused(*changed);
    return write(host, *request, json_argument(arguments, 1), found);
}

// [address, terms, found]
static Answer http_delete(Host& host, const Arguments& arguments) {
    const auto request = make_request(host, text_argument(arguments, 0), json_argument(arguments, 1));
    if (!request) return not_started(request.error());
    const json found = json_argument(arguments, 2);
    if (const auto changed = changed_meanwhile_at(host, *request, found)) return refused(*changed);
    return write(host, *request, json(), found);
}

// [address, prior or absent, terms, what this run wrote or absent, in whose terms]
static Answer http_restore(Host& host, const Arguments& arguments) {
    auto request = make_request(host, text_argument(arguments, 0), json_argument(arguments, 2));
    if (!request) return not_started(request.error());
    // That was the type of what is to go; what was there before has its own.
    std::erase_if(request->headers,
                  [](const std::string& header) { return is_header(header, "Content-Type"); });
    const auto found = resource_at(host, *request);
    if (!found) return not_started(found.error());
    if (host.setting("overwrite") != "yes" &&
        changed_by_others(host, *request, *found, json_argument(arguments, 3), json_argument(arguments, 4)))
        return left_alone(fmt::format("somebody changed {} since this run did", request->url));
    return write(host, *request, json_argument(arguments, 1), *found, true);
}

static std::string preview_http_restore(Host&, const Arguments& arguments) {
    return shown_request(json_argument(arguments, 1).is_null() ? "DELETE" : "PUT", arguments);
}

const Rows http_change_rows([]() -> std::vector<Row> {
    return {
        // [url, TERMS, file, json, status, record]
        does("http-post", http_post, shows("POST")).reaches({Reach::Of::AnyObject}),
        // [record]: json, or absent
        reads("http-answer", http_answer),
        // [TERMS]: json, or absent
        reads("http-terms", http_terms),
        // [file, json]: json
        reads("http-content", http_content).of_input(),
        // [url, terms]: json, or absent
        reads("http-resource", http_resource),
        // [content, like]: json, or absent
        reads("http-form", http_form),
        // [url, content, terms, found]
        does("http-put", http_put, shows("PUT")).reaches({Reach::Of::Outside}),
        // [url, terms, found]
        does("http-delete", http_delete, shows("DELETE")).reaches({Reach::Of::Outside}),
        // [address, prior or absent, terms, what this run wrote or absent, in whose terms]
        does("http-restore", http_restore, preview_http_restore)
            .reaches({Reach::Of::Outside})
            .by_hand(http_restore_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
