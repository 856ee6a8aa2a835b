// Messages to people: a POST to the address that a channel of migc.yaml names.

#include <fmt/format.h>

#include "compiler/project/named_file.hpp"
#include "runtime/natives/http_content.hpp"
#include "runtime/natives/http_request.hpp"
#include "runtime/natives/rows.hpp"
#include "runtime/tools/redaction.hpp"

namespace migc::runtime::inline natives {
namespace {

const project::Channel* channel_named(Host& host, const std::string& name) {
    for (const auto& channel : host.inventory().channels)
        if (channel.name == name) return &channel;
    return nullptr;
}

// The address is a secret: it is read here and goes to curl on standard input.
tl::expected<std::string, std::string> address_of(Host& host, const project::Channel& channel) {
    constexpr std::uintmax_t limit = std::uintmax_t{64} << 10;
    const auto text = project::named_file_content(host.inventory(), channel.url_file, limit);
    if (!text)
        return failure("the address of channel {} cannot be read from {}: {}", channel.name, channel.url_file,
                       text.error());
    std::string line = text->substr(0, text->find('\n'));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.starts_with("https://") && !line.starts_with("http://"))
        return failure("{} holds no address that begins with https://", channel.url_file);
    return line;
}

// The address is as good as a password, so nothing of it is an argument, and curl's messages are kept clear
// of it.
HttpOutcome post(Host& host, const std::string& address, const std::string& message) {
    host.redact(address);
    HttpRequest request;
    request.method = "POST";
    request.url = address;
    request.secret_url = true;
    give_content(request, {{"type", "application/json"},
                           {"body", nlohmann::json{{"text", message}}.dump(
                                        -1, ' ', false, nlohmann::json::error_handler_t::replace)}});
    return send(host, request);
}

// Why the channel did not take the message; empty if it did.
std::string refusal(Host& host, const project::Channel& channel, const std::string& message) {
    const auto address = address_of(host, channel);
    if (!address) return address.error();
    const HttpOutcome outcome = post(host, *address, secrets().apply(message));
    if (outcome.answer.status == 0) return outcome.failure;
    return is_success(outcome.answer.status) ? "" : fmt::format("it answered {}", outcome.answer.status);
}

}  // namespace

static Answer notify(Host& host, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0);
    const project::Channel* channel = channel_named(host, name);
    if (channel == nullptr) return well(fmt::format("no channel {} in migc.yaml: said only here", name));
    // A run that is not real needs no secret, and bothers nobody.
    if (host.kind() != "live")
        return well(fmt::format("a {} run: not sent to {}, said only here", host.kind(), name));
    Answer answer = well({});
    const std::string why = refusal(host, *channel, text_argument(arguments, 1));
    // A change is not taken back because a message about it did not arrive.
    if (!why.empty()) answer.errors = fmt::format("Warning: not said in {}: {}", name, why);
    return answer;
}

static std::string preview_notify(Host& host, const Arguments& arguments) {
    const project::Channel* channel = channel_named(host, text_argument(arguments, 0));
    if (channel == nullptr) return {};
    return fmt::format("curl --request POST (the address in {}): {}", channel->url_file,
                       text_argument(arguments, 1));
}

const Rows notify_rows([]() -> std::vector<Row> {
    return {
        // [channel, text]
        does("send-message", notify, preview_notify).reaches({Reach::Of::Nothing}),
    };
});

}  // namespace migc::runtime::inline natives
