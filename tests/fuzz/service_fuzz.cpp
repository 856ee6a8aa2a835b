// A session of an editor: a script, a line `%%`, and then one operation a line:
//   e LINE CHARACTER LINE CHARACTER TEXT    an edit of that range; `\n` in the text is a line break
//   h, c, d, r, n LINE CHARACTER            hover, completion, definition, references, rename
//   f, s, a                                 formatting, symbols, code actions
// After each edit the server's text is the one that a plain model has, and its findings and outline are those
// of a server that was given the whole text at once; at the end its other answers, too.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "cli/lsp/server.hpp"
#include "compiler/support/escape.hpp"

using Json = nlohmann::json;
using migc::Character;
using migc::lsp::Server;

namespace {

// No folder: no migc.yaml and no used file is found beside it.
constexpr const char* uri = "untitled:session";

void require(bool holds) {
    if (!holds) std::abort();
}

std::u16string utf16(std::string_view text) {
    std::u16string result;
    while (!text.empty()) {
        const Character c = migc::first_character(text);
        text.remove_prefix(c.size);
        if (c.code > 0xFFFF) {
            result += static_cast<char16_t>(0xD7C0 + (c.code >> 10));
            result += static_cast<char16_t>(0xDC00 + (c.code & 0x3FF));
        } else {
            result += static_cast<char16_t>(c.code);
        }
    }
    return result;
}

// The index of a position, found by walking from the beginning.
std::size_t index_of(const std::u16string& text, std::uint32_t line, std::uint32_t character) {
    std::size_t at = 0;
    for (; line > 0 && at < text.size(); ++at) {
        const bool is_pair = text[at] == u'\r' && at + 1 < text.size() && text[at + 1] == u'\n';
        if (text[at] == u'\n' || (text[at] == u'\r' && !is_pair)) --line;
    }
    if (line > 0) return text.size();
    for (; character > 0 && at < text.size() && text[at] != u'\n' && text[at] != u'\r'; --character) ++at;
    // Not between the halves of one character.
    const bool splits = at > 0 && at < text.size() && text[at] >= 0xDC00 && text[at] < 0xE000;
    return splits ? at - 1 : at;
}

Json ask(Server& server, const char* method, Json parameters) {
    static int id = 0;
    parameters["textDocument"]["uri"] = uri;
    const auto out = server.receive(
        Json{{"jsonrpc", "2.0"}, {"id", ++id}, {"method", method}, {"params", parameters}}.dump());
    require(out.size() == 1 && out[0]["id"] == id);
    return out[0].contains("result") ? out[0]["result"] : Json("refused");
}

void tell(Server& server, const char* method, const Json& parameters) {
    require(server.receive(Json{{"method", method}, {"params", parameters}}.dump()).empty());
}

void open(Server& server, const std::string& text) {
    ask(server, "initialize", Json::object());
    tell(server, "textDocument/didOpen", {{"textDocument", {{"uri", uri}, {"text", text}}}});
}

Json at(std::uint32_t line, std::uint32_t character) {
    return {{"line", line}, {"character", character}};
}

Json place(std::uint32_t line, std::uint32_t character) {
    return {{"position", at(line, character)}, {"newName", "another"}};
}

void edit(Server& server, std::u16string& model, std::istringstream& words) {
    std::uint32_t numbers[4] = {};
    for (auto& n : numbers) words >> n;
    words.get();
    std::string with;
    std::getline(words, with);
    for (std::size_t i = 0; (i = with.find("\\n", i)) != std::string::npos; ++i) with.replace(i, 2, "\n");
    const Json range = {{"start", at(numbers[0], numbers[1])}, {"end", at(numbers[2], numbers[3])}};
    tell(server, "textDocument/didChange",
         {{"textDocument", {{"uri", uri}}}, {"contentChanges", {{{"range", range}, {"text", with}}}}});
    const std::size_t a = index_of(model, numbers[0], numbers[1]);
    const std::size_t b = index_of(model, numbers[2], numbers[3]);
    model.replace(std::min(a, b), std::max(a, b) - std::min(a, b), utf16(with));
    require(utf16(*server.text(uri)) == model);
}

Json request(Server& server, char kind, std::uint32_t line, std::uint32_t character) {
    switch (kind) {
        case 'h':
            return ask(server, "textDocument/hover", place(line, character));
        case 'c':
            return ask(server, "textDocument/completion", place(line, character));
        case 'd':
            return ask(server, "textDocument/definition", place(line, character));
        case 'r':
            return ask(server, "textDocument/references", place(line, character));
        case 'n':
            return ask(server, "textDocument/rename", place(line, character));
        case 'f':
            return ask(server, "textDocument/formatting", Json::object());
        case 's':
            return ask(server, "textDocument/documentSymbol", Json::object());
        default:
            return ask(server, "textDocument/codeAction",
                       {{"range", {{"start", at(0, 0)}, {"end", at(line, character)}}}});
    }
}

void compare(Server& server, const std::string& requests, std::uint32_t line, std::uint32_t character) {
    Server fresh("");
    open(fresh, *server.text(uri));
    for (const char kind : requests)
        require(request(server, kind, line, character) == request(fresh, kind, line, character));
    tell(server, "textDocument/didSave", {{"textDocument", {{"uri", uri}}}});
    require(server.idle() == fresh.idle());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (size > 1 << 13 || !migc::is_utf8(input)) return 0;
    const std::size_t border = input.find("\n%%\n");
    const std::string script(input.substr(0, border));
    std::istringstream session(border == std::string_view::npos ? "" : std::string(input.substr(border + 4)));

    Server server("");
    open(server, script);
    std::u16string model = utf16(script);
    int operations = 0;
    std::uint32_t line = 0, character = 0;
    for (std::string operation; operations < 50 && std::getline(session, operation); ++operations) {
        std::istringstream words(operation.substr(operation.empty() ? 0 : 1));
        if (operation.starts_with('e')) {
            edit(server, model, words);
            compare(server, "s", 0, 0);
            continue;
        }
        words >> line >> character;
        request(server, operation.empty() ? 'a' : operation[0], line, character);
        if (operations % 7 == 0) server.idle();
    }

    compare(server, "hcdrnfsa", line, character);
    return 0;
}
