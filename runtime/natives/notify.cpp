// Messages to people: a POST to the address that a channel of migc.yaml names.
#include <fstream>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/inside.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

const project::Channel* channel_named(Host& host, const std::string& name) {
    for (const auto& channel : host.inventory().channels)
        if (channel.name == name) return &channel;
    return nullptr;
}

// The address is a secret: it is read here and goes to curl on standard input.
tl::expected<std::string, std::string> address_of(Host& host, const project::Channel& channel) {
    std::ifstream file(host.inventory().root / channel.url_file);
    std::string line;
    if (!std::getline(file, line))
        return tl::unexpected(
            fmt::format("the address of channel {} cannot be read from {}", channel.name, channel.url_file));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.starts_with("https://") && !line.starts_with("http://"))
        return tl::unexpected(fmt::format("{} holds no address that begins with https://", channel.url_file));
    return line;
}

// As a value of curl's configuration file.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + "\"";
}

std::string message(const Arguments& arguments) {
    return nlohmann::json{{"text", text_argument(arguments, 1)}}.dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> curl_arguments(const Arguments& arguments) {
    return {"--max-time",    "10",
            "--output",      "/dev/null",
            "--write-out",   "%{http_code}",
            "--request",     "POST",
            "--header",      "Content-Type: application/json",
            "--data-binary", message(arguments),
            "--config",      "-"};
}

// curl may quote the address in its messages.
std::string without(std::string text, const std::string& secret) {
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
        text.replace(at, secret.size(), "(address)");
    return text;
}

Answer post(Host& host, const project::Channel& channel, const std::string& address,
            const Arguments& arguments) {
    Answer answer = host.run("curl", curl_arguments(arguments), "url = " + quoted(address) + "\n");
    answer.errors = without(std::move(answer.errors), address);
    answer.output = without(std::move(answer.output), address);
    if (!answer.succeeded()) return answer;
    const auto statuses = statuses_in(answer.output);
    if (statuses.size() == 1 && statuses.front() >= 200 && statuses.front() < 300) return answer;
    return refused(
        fmt::format("channel {} did not take the message: it answered {}", channel.name, answer.output));
}

}  // namespace

Answer notify(Host& host, const Arguments& arguments) {
    const std::string name = text_argument(arguments, 0);
    const project::Channel* channel = channel_named(host, name);
    if (channel == nullptr) return well(fmt::format("no channel {} in migc.yaml: said only here", name));
    // A run that is not real needs no secret, and bothers nobody.
    if (host.kind() != "live")
        return well(fmt::format("a {} run: not sent to {}, said only here", host.kind(), name));
    const auto address = address_of(host, *channel);
    return address ? post(host, *channel, *address, arguments) : refused(address.error());
}

std::string preview_notify(Host& host, const Arguments& arguments) {
    const project::Channel* channel = channel_named(host, text_argument(arguments, 0));
    if (channel == nullptr) return {};
    return fmt::format("curl --request POST (the address in {}): {}", channel->url_file,
                       text_argument(arguments, 1));
}

}  // namespace migc::runtime
