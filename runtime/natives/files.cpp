// Files of the project: digests of folders, fresh names, and variables of terraform's var-files.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "runtime/natives/entries.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t file_limit = 8 << 20;  // bytes: configuration that people write

fs::path below_root(Host& host, const std::string& path) {
    return fs::path(host.setting("root")) / path;
}

tl::expected<std::string, std::string> content(const fs::path& path) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error) return tl::unexpected(fmt::format("{}: {}", path.string(), error.message()));
    if (size > file_limit)
        return tl::unexpected(fmt::format("{} is larger than {} MiB", path.string(), file_limit >> 20));
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in) return tl::unexpected(fmt::format("{} cannot be read", path.string()));
    return std::move(text).str();
}

bool is_configuration(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".tf" || extension == ".tfvars" || path.string().ends_with(".tf.json") ||
           path.string().ends_with(".tfvars.json");
}

// The var-file of the environment: relative to terraform's folder.
tl::expected<fs::path, std::string> var_file(Host& host, const Arguments& arguments) {
    const std::string folder = text_argument(arguments, 0), name = text_argument(arguments, 1);
    if (name.empty())
        return tl::unexpected<std::string>(
            "the environment has no var-file; migc.yaml names it: `terraform: { dir: .., var-file: .. }`");
    return below_root(host, folder) / name;
}

// A line "name = ..." at the beginning of a line; npos if there is none.
struct Assignment {
    std::size_t value_begin = std::string::npos;
    std::size_t value_end = 0;
};

// The end of a value that begins at `at`: behind the string, or before blanks, a comment or the line's end.
std::size_t end_of_value(const std::string& text, std::size_t at) {
    if (text[at] != '"') return std::min(text.find_first_of(" \t\r\n#", at), text.size());
    for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            return i + 1;
    }
    return at;
}

Assignment find_assignment(const std::string& text, const std::string& name) {
    for (std::size_t line = 0; line < text.size(); line = std::min(text.find('\n', line), text.size()) + 1) {
        if (text.compare(line, name.size(), name) != 0) continue;
        const std::size_t equals = text.find_first_not_of(" \t", line + name.size());
        if (equals == std::string::npos || text[equals] != '=') continue;
        const std::size_t value = text.find_first_not_of(" \t", equals + 1);
        if (value == std::string::npos || text[value] == '\n') continue;
        return {value, end_of_value(text, value)};
    }
    return {};
}

// As HCL writes it: numbers and truth values bare, all else as a string.
std::string literal(const std::string& value) {
    const bool bare = value == "true" || value == "false" ||
                      (!value.empty() && value.find_first_not_of("0123456789") == std::string::npos);
    if (bare) return value;
    std::string quoted = "\"";
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '"' || c == '\\') quoted += '\\';
        if (c == '\n')
            quoted += "\\n";
        else
            quoted += c;
        // `${` and `%{` begin templates in HCL; doubled they are text.
        if ((c == '$' || c == '%') && i + 1 < value.size() && value[i + 1] == '{') quoted += c;
    }
    return quoted + '"';
}

bool is_compound(char c) {
    return c == '[' || c == '{' || c == '<';
}

}  // namespace

Reading folder_digest(Host& host, const Arguments& arguments) {
    if (text_argument(arguments, 0).empty())
        return mistaken(
            "the environment has no terraform folder; migc.yaml names it: `terraform: { dir: .. }`");
    const fs::path folder = below_root(host, text_argument(arguments, 0));
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
        if (i->path().filename() == ".terraform")
            i.disable_recursion_pending();
        else if (i->is_regular_file() && is_configuration(i->path()))
            files.push_back(i->path());
    }
    if (error) return unknown(fmt::format("{}: {}", folder.string(), error.message()));
    std::sort(files.begin(), files.end());
    std::string all;
    for (const fs::path& file : files) {
        const auto text = content(file);
        if (!text) return unknown(text.error());
        all += fmt::format("{} {}\n", fs::relative(file, folder).string(), sha256(*text));
    }
    return {Value(sha256(all)), {}, false};
}

Reading fresh_file(Host&, const Arguments& arguments) {
    const fs::path folder = text_argument(arguments, 0), name = text_argument(arguments, 1);
    std::error_code error;
    fs::create_directories(folder, error);
    fs::path path = folder / name;
    for (int i = 2; fs::exists(path, error); ++i)
        path = folder / fmt::format("{}-{}{}", name.stem().string(), i, name.extension().string());
    if (error) return unknown(fmt::format("{}: {}", path.string(), error.message()));
    return {Value(fs::absolute(path).string()), {}, false};
}

Reading tfvars(Host& host, const Arguments& arguments) {
    const auto path = var_file(host, arguments);
    if (!path) return mistaken(path.error());
    auto text = content(*path);
    return text ? Reading{Value(std::move(*text)), {}, false} : unknown(text.error());
}

Reading tfvars_with(Host& host, const Arguments& arguments) {
    const auto path = var_file(host, arguments);
    if (!path) return mistaken(path.error());
    auto text = content(*path);
    if (!text) return unknown(text.error());
    const std::string name = text_argument(arguments, 2), value = literal(text_argument(arguments, 3));
    const Assignment found = find_assignment(*text, name);
    if (found.value_begin == std::string::npos) {
        *text += fmt::format("{}{} = {}\n", text->empty() || text->ends_with('\n') ? "" : "\n", name, value);
    } else if (is_compound((*text)[found.value_begin])) {
        return mistaken(fmt::format(
            "{} is a list, a map or a heredoc in {}; only a number, a truth value or a string can be set",
            name, path->string()));
    } else {
        text->replace(found.value_begin, found.value_end - found.value_begin, value);
    }
    return {Value(std::move(*text)), {}, false};
}

Answer write_tfvars(Host& host, const Arguments& arguments) {
    const auto path = var_file(host, arguments);
    if (!path) return refused(path.error());
    std::error_code error;
    const fs::file_status status = fs::status(*path, error);
    if (!fs::is_regular_file(status)) return refused(fmt::format("{} is not there", path->string()));
    const fs::path beside = path->string() + ".migc-new";
    {
        std::ofstream out(beside, std::ios::binary | std::ios::trunc);
        out << text_argument(arguments, 2);
        if (!out.flush()) return refused(fmt::format("{} cannot be written", beside.string()));
    }
    fs::permissions(beside, status.permissions(), error);
    fs::rename(beside, *path, error);  // whole or not at all
    if (error) return refused(fmt::format("{}: {}", path->string(), error.message()));
    return well("");
}

std::string preview_write_tfvars(Host& host, const Arguments& arguments) {
    const auto path = var_file(host, arguments);
    return path ? fmt::format("write {}", path->string()) : "";
}

}  // namespace migc::runtime
