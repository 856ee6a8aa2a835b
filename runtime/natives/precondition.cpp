#include "runtime/natives/precondition.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

using Failure = tl::unexpected<std::string>;

// Where a line begins in a text; yaml-cpp counts lines and columns from 0.
std::size_t offset_of(const std::string& text, const YAML::Mark& mark) {
    std::size_t begin = 0;
    for (int line = 0; line < mark.line; ++line) {
        begin = text.find('\n', begin);
        if (begin == std::string::npos) return begin;
        ++begin;
    }
    if (mark.line == 0 && text.starts_with("\xEF\xBB\xBF")) begin += 3;
    return begin + static_cast<std::size_t>(mark.column);
}

// The fields before those that the mapping has, in the form in which it is written: {a: b}, or a line each.
std::string with_fields_inserted(const YAML::Node& metadata, const std::string& text,
                                 const std::vector<std::string>& fields) {
    const std::size_t place = offset_of(text, metadata.Mark());
    if (place >= text.size()) return text;
    const bool flow = text[place] == '{';
    const std::string indent(static_cast<std::size_t>(metadata.Mark().column), ' ');
    std::string added;
    for (const std::string& field : fields) added += flow ? field + ", " : field + "\n" + indent;
    return std::string(text).insert(flow ? place + 1 : place, added);
}

// Whether the text says what it said, and these fields, and nothing else.
bool still_says(const std::string& text, nlohmann::json declared, const std::string& version,
                const std::string& uid) {
    const auto documents = parse_manifest(text, "");
    declared["metadata"]["resourceVersion"] = version;
    if (!uid.empty()) declared["metadata"]["uid"] = uid;
    return documents && documents->size() == 1 && documents->front().declared == declared;
}

}  // namespace

tl::expected<std::string, std::string> with_precondition(const Document& document, const std::string& version,
                                                         const std::string& uid) {
    std::vector<std::string> fields;
    for (const auto& [name, value] :
         {std::pair<std::string, std::string>{"resourceVersion", version}, {"uid", uid}}) {
        const auto& own = field(document.declared, "/metadata/" + name);
        if (own.is_null() && !value.empty()) fields.push_back(fmt::format("\"{}\": \"{}\"", name, value));
        if (!own.is_null() && own != nlohmann::json(value))
            return Failure(
                fmt::format("the manifest of {} has metadata.{} {}, which is not that of the object; a "
                            "manifest leaves it out",
                            document.handle.written(), name, own.dump()));
    }
    if (fields.empty()) return document.text;
    std::string text = with_fields_inserted(YAML::Load(document.text)["metadata"], document.text, fields);
    if (still_says(text, document.declared, version, uid)) return text;
    return Failure(
        fmt::format("the manifest of {} is written so that no version can be put into its metadata; write "
                    "`metadata:` as a plain mapping",
                    document.handle.written()));
}

}  // namespace migc::runtime::inline natives
