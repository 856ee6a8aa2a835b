// Values in the project's configuration files, and whole files as they were.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/documents/document.hpp"
#include "compiler/source/source.hpp"
#include "compiler/support/encoding.hpp"
#include "compiler/support/escape.hpp"
#include "runtime/natives/by_hand.hpp"
#include "runtime/natives/ownership.hpp"
#include "runtime/natives/project_files.hpp"
#include "runtime/natives/rows.hpp"

namespace migc::runtime::inline natives {
namespace {

using Failure = tl::unexpected<std::string>;

// "k8s/configmap.yaml:7:3: the key `a` is there twice".
std::string told(const std::string& name, const std::string& text, const documents::Problem& problem) {
    const Position position = SourceFile(name, text).position(static_cast<std::uint32_t>(problem.offset));
    return fmt::format("{}:{}:{}: {}", name, position.line, position.column, problem.message);
}

// A file whose values can be read, as it is now.
struct Document {
    std::string name;
    documents::Format format = documents::Format::Json;
    ProjectFile file;

    [[nodiscard]] Failure failure(const documents::Problem& problem) const {
        return Failure(told(name, file.content, problem));
    }
};

tl::expected<Document, std::string> document(Host& host, const std::string& path) {
    Document result;
    result.name = shown_path(host, path);
    const auto format = documents::format_of(path);
    if (!format)
        return failure("{}: only values of .json, .yaml, .yml and .tfvars files can be read", result.name);
    auto file = read_project_file(host, path);
    if (!file) return failure(file.error());
    if (!*file) return failure("there is no file {}", result.name);
    result.format = *format;
    result.file = std::move(**file);
    return result;
}

tl::expected<json, std::string> json_of(const Value& value) {
    if (const auto* object = value.get_if<Json>(); object != nullptr && *object) return **object;
    if (const auto* text = value.get_if<std::string>()) return json(*text);
    if (const auto* number = value.get_if<std::int64_t>()) return json(*number);
    if (const auto* truth = value.get_if<bool>()) return json(*truth);
    if (const auto* items = value.get_if<List>()) {
        json list = json::array();
        for (const Value& item : *items) {
            auto one = json_of(item);
            if (!one) return one;
            list.push_back(std::move(*one));
        }
        return list;
    }
    if (value.is_absent() || value.is_unknown())
        return failure("there is no value to be set; `remove value of .. at ..` takes one away");
    const std::string text = show(value);
    // 0.5 is a number, 20Gi and 5m are texts.
    const json number = value.get_if<Quantity>() == nullptr ? json() : json::parse(text, nullptr, false);
    return number.is_number() ? number : json(text);
}

// [file, pointer, value]
tl::expected<std::pair<Document, documents::Edited>, std::string> edited(Host& host,
                                                                         const Arguments& arguments) {
    auto before = document(host, text_argument(arguments, 0));
    if (!before) return failure(before.error());
    const auto value = json_of(argument(arguments, 2));
    if (!value) return failure(value.error());
    if (!is_utf8(show(argument(arguments, 2)))) return failure("the value to be set is not UTF-8");
    auto after = documents::set(before->file.content, before->format, text_argument(arguments, 1), *value);
    if (!after) return before->failure(after.error());
    return std::pair(std::move(*before), std::move(*after));
}

// [file, pointer]: the text without the value.
tl::expected<std::pair<Document, std::string>, std::string> reduced(Host& host, const Arguments& arguments) {
    auto before = document(host, text_argument(arguments, 0));
    if (!before) return failure(before.error());
    auto after = documents::remove(before->file.content, before->format, text_argument(arguments, 1));
    if (!after) return before->failure(after.error());
    return std::pair(std::move(*before), std::move(*after));
}

// A copy of a file as the journal holds it: {"mode", "text"}, or {"mode", "base64"} for what is no text.
// Where there is no file it is absent, or {"missing-folders"}: how many of its folders are not there either.
json copy_of(const ProjectFile& file) {
    json copy = {{"mode", file.mode}};
    if (is_utf8(file.content))
        copy["text"] = file.content;
    else
        copy["base64"] = base64(file.content);
    return copy;
}

bool is_of_no_file(const Value& copy) {
    const auto* object = copy.get_if<Json>();
    const bool is_object = object != nullptr && *object != nullptr;
    return copy.is_absent() || (is_object && field(**object, "/missing-folders").is_number_integer());
}

std::optional<ProjectFile> file_of(const json& copy) {
    const std::int64_t mode = int_field(copy, "/mode", -1);
    if (mode < 0 || mode > 07777) return std::nullopt;
    const json& text = field(copy, "/text");
    const auto content =
        text.is_string() ? std::optional(text.get<std::string>()) : from_base64(text_field(copy, "/base64"));
    if (!content) return std::nullopt;
    return ProjectFile{*content, static_cast<mode_t>(mode)};
}

// Read from a file of the project, which may be the one that this run wrote.
Reading read_in_project(Host& host, const Arguments& arguments, Reading reading) {
    // Where the path leads: a link that somebody has put in its place leads to another file.
    if (const auto whole = project_path(host, text_argument(arguments, 0))) {
        std::error_code error;
        reading.identity =
            whole->lexically_relative(std::filesystem::canonical(host.setting("root"), error)).string();
    }
    const bool asked = host.setting("writers") == "yes";
    return written_by_us(host, std::move(reading), asked && is_own_file(host, text_argument(arguments, 0)));
}

// The digest of the file that a copy was made of; "" of no file, nothing of a damaged copy.
std::optional<std::string> copy_digest(const Value& copy) {
    if (is_of_no_file(copy)) return "";
    const auto* object = copy.get_if<Json>();
    if (object == nullptr || *object == nullptr) return std::nullopt;
    const auto file = file_of(**object);
    if (!file) return std::nullopt;
    return digest_of(*file);
}

// What was computed from the file when it was captured is what is written, or nothing is.
Answer write_as_captured(Host& host, const std::string& path, const Document& before, const std::string& text,
                         const std::string& wanted, const Value& copy) {
    const auto changed = [&] {
        return refused("{} was changed by somebody else meanwhile; nothing is written", before.name);
    };
    // Both captures must be of the file that is there: one is what is written, the other what is put back.
    const auto prior = copy_digest(copy);
    if (digest_of({text, before.file.mode}) != wanted || !prior || *prior != digest_of(before.file))
        return changed();
    if (const auto written = write_project_file(host, path, text, *prior); !written)
        return not_written(host, path, written.error());
    return well("");
}

}  // namespace

static Reading file_value(Host& host, const Arguments& arguments) {
    const auto source = document(host, text_argument(arguments, 0));
    if (!source) return mistaken(source.error());
    const auto found = documents::read(source->file.content, source->format, text_argument(arguments, 1));
    if (!found) return mistaken(source->failure(found.error()).value());
    return found->value ? read_in_project(host, arguments, json_reading(*found->value))
                        : absent("{}: {}", source->name, found->why);
}

static Reading file_value_with(Host& host, const Arguments& arguments) {
    const auto change = edited(host, arguments);
    return change ? json_reading(change->second.value) : mistaken(change.error());
}

static Reading file_digest(Host& host, const Arguments& arguments) {
    const auto file = read_project_file(host, text_argument(arguments, 0));
    if (!file) return unknown(file.error());
    return *file ? read_in_project(host, arguments, {Value(digest_of(**file))}) : absent();
}

static Reading file_digest_with(Host& host, const Arguments& arguments) {
    const auto change = edited(host, arguments);
    if (!change) return mistaken(change.error());
    return {Value(digest_of({change->second.text, change->first.file.mode}))};
}

static Reading file_digest_without(Host& host, const Arguments& arguments) {
    const auto change = reduced(host, arguments);
    if (!change) return mistaken(change.error());
    return {Value(digest_of({change->second, change->first.file.mode}))};
}

static Reading file_copy(Host& host, const Arguments& arguments) {
    const auto file = read_project_file(host, text_argument(arguments, 0));
    if (!file) return mistaken(file.error());
    if (*file) return json_reading(copy_of(**file));
    const std::size_t folders = missing_folders(host, text_argument(arguments, 0));
    return folders == 0 ? absent("there is no such file yet") : json_reading({{"missing-folders", folders}});
}

static Reading file_copy_digest(Host&, const Arguments& arguments) {
    if (is_of_no_file(argument(arguments, 0))) return absent();
    const auto file = file_of(json_argument(arguments, 0));
    return file ? Reading{Value(digest_of(*file))} : mistaken("the copy of the file is damaged");
}

static Reading pointer_through(Host&, const Arguments& arguments) {
    return {Value(documents::pointer_to(words_of(list_argument(arguments, 0))))};
}

static Answer set_value(Host& host, const Arguments& arguments) {
    auto change = edited(host, arguments);
    if (!change) return refused(change.error());
    return write_as_captured(host, text_argument(arguments, 0), change->first, std::move(change->second.text),
                             text_argument(arguments, 3), argument(arguments, 4));
}

static Answer remove_value(Host& host, const Arguments& arguments) {
    auto change = reduced(host, arguments);
    if (!change) return refused(change.error());
    return write_as_captured(host, text_argument(arguments, 0), change->first, std::move(change->second),
                             text_argument(arguments, 2), argument(arguments, 3));
}

// [file, copy, the digest that the file was left with]
namespace {

// Whom somebody has let in, or shut out, meanwhile: that stays. Whether the file may be executed goes back.
mode_t mode_back(const ProjectFile& prior, const ProjectFile& present) {
    constexpr mode_t executable = 0111;
    if ((prior.mode & ~executable) == (present.mode & ~executable)) return prior.mode;
    return with_execution(present.mode, (prior.mode & 0100) != 0);
}

}  // namespace

static Answer put_back(Host& host, const Arguments& arguments) {
    const std::string path = text_argument(arguments, 0), left = text_argument(arguments, 2);
    if (auto changed = changed_since(host, path, left)) return left_alone(*changed);
    if (is_of_no_file(argument(arguments, 1))) {
        const std::int64_t folders = int_field(json_argument(arguments, 1), "/missing-folders");
        const auto removed =
            remove_project_file(host, path, static_cast<std::size_t>(std::max<std::int64_t>(folders, 0)));
        return removed ? well("") : refused(removed.error());
    }
    const auto file = file_of(json_argument(arguments, 1));
    if (!file) return refused("the copy of the file is damaged");
    const auto present = read_project_file(host, path);
    const mode_t mode = present && *present ? mode_back(*file, **present) : file->mode;
    const auto written = write_project_file(host, path, file->content, left, mode);
    if (written) return well("");
    Answer answer = not_written(host, path, written.error());
    if (answer.refused) answer.held = written.error();
    return answer;
}

std::string preview_write_file(Host& host, const Arguments& arguments) {
    return "write " + shown_path(host, text_argument(arguments, 0));
}

const Rows values_rows([]() -> std::vector<Row> {
    return {
        // [file, pointer]: json, or absent
        reads("file-value", file_value),
        // [file, pointer, value]: as it then reads
        reads("file-value-with", file_value_with),
        // [file]: string, or absent
        reads("file-digest", file_digest),
        // [file, pointer, value]: string
        reads("file-digest-with", file_digest_with),
        // [file, pointer]: string
        reads("file-digest-without", file_digest_without),
        // [file]: json, or absent
        reads("file-copy", file_copy),
        // [copy or absent]: string, or absent
        reads("file-copy-digest", file_copy_digest),
        // [names]: string
        reads("pointer-through", pointer_through),
        // [file, pointer, value, wanted digest]
        edits("set-value", set_value).reaches({Reach::Of::EditedFile}),
        // [file, pointer, wanted digest]
        edits("remove-value", remove_value).reaches({Reach::Of::EditedFile}),
        // [file, copy or absent, digest now]
        edits("put-back", put_back).reaches({Reach::Of::EditedFile}).by_hand(put_back_by_hand),
    };
});

}  // namespace migc::runtime::inline natives
