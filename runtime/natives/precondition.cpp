#include "runtime/natives/precondition.hpp"

#include <fmt/format.h>

#include "compiler/documents/yaml_tree.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {
namespace {

// The fields before those that the mapping has, in the form in which it is written: {a: b}, or a line each.
std::string with_fields_inserted(const std::string& text, const std::vector<std::string>& fields) {
    const auto read = documents::read_yaml_text(text, documents::large_yaml);
    const auto* metadata = read.documents.empty() ? nullptr : read.documents.front().find("metadata");
    const std::size_t place = metadata ? metadata->mark.begin : text.size();
    if (place >= text.size()) return text;
    const bool flow = text[place] == '{';
    const std::size_t line = documents::line_begin(text, place);
    const std::string indent(place - (line == 0 && text.starts_with("\xEF\xBB\xBF") ? 3 : line), ' ');
    std::string added;
    for (const std::string& field : fields) added += flow ? field + ", " : field + "\n" + indent;
    return std::string(text).insert(flow ? place + 1 : place, added);
}

// Whether the text says what it said, and these fields, and nothing else.
bool still_says(const std::string& text, nlohmann::json declared, const std::string& version,
                const std::string& uid) {
    const auto documents = kubernetes::parse_manifest(text, "");
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
            return failure(
                "the manifest of {} has metadata.{} {}, which is not that of the object; a "
                "manifest leaves it out",
                document.handle.written(), name, own.dump());
    }
    if (fields.empty()) return document.text;
    std::string text = with_fields_inserted(document.text, fields);
    if (still_says(text, document.declared, version, uid)) return text;
    return failure(
        "the manifest of {} is written so that no version can be put into its metadata; write "
        "`metadata:` as a plain mapping",
        document.handle.written());
}

}  // namespace migc::runtime::inline natives
