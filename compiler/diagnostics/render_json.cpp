
#include <nlohmann/json.hpp>

#include "compiler/diagnostics/render.hpp"

namespace migc {

namespace {

using Object = nlohmann::ordered_json;

Object place(Span span, const SourceMap& sources) {
    Object object = Object::object();
    if (span.file >= sources.size()) return object;
    const SourceFile& file = sources.file(span.file);
    const Position begin = file.position(span.begin);
    const Position end = file.position(span.end);
    object["file"] = file.name();
    object["line"] = begin.line;
    object["column"] = begin.column;
    object["end_line"] = end.line;
    object["end_column"] = end.column;
    object["begin"] = span.begin;
    object["end"] = span.end;
    return object;
}

Object labels(const Diagnostic& diagnostic, const SourceMap& sources) {
    Object array = Object::array();
    for (const Label& label : diagnostic.labels) {
        array.push_back(place(label.span, sources));
        array.back()["message"] = label.text;
    }
    return array;
}

Object fix_object(const Fix& fix, const SourceMap& sources) {
    Object edits = Object::array();
    for (const Edit& edit : fix.edits) {
        edits.push_back(place(edit.span, sources));
        edits.back()["replacement"] = edit.replacement;
    }
    return {{"title", fix.title}, {"safe", fix.safe}, {"edits", std::move(edits)}};
}

Object diagnostic_object(const Diagnostic& diagnostic, const SourceMap& sources) {
    Object object = place(diagnostic.span, sources);
    object["code"] = info(diagnostic.code).id;
    object["severity"] = name(diagnostic.severity);
    object["title"] = info(diagnostic.code).title;
    object["message"] = diagnostic.message;
    object["label"] = diagnostic.primary_label;
    object["labels"] = labels(diagnostic, sources);
    object["notes"] = diagnostic.notes;
    object["fixes"] = Object::array();
    for (const Fix& fix : diagnostic.fixes) object["fixes"].push_back(fix_object(fix, sources));
    return object;
}

}  // namespace

std::string render_json(const Diagnostics& diagnostics, const SourceMap& sources) {
    Object array = Object::array();
    for (const Diagnostic& diagnostic : diagnostics.all())
        array.push_back(diagnostic_object(diagnostic, sources));
    // A message may quote bytes that are no UTF-8.
    return array.dump(2, ' ', false, Object::error_handler_t::replace) + "\n";
}

std::string render_json_object(const Diagnostic& diagnostic, const SourceMap& sources) {
    return diagnostic_object(diagnostic, sources).dump(2, ' ', false, Object::error_handler_t::replace);
}

}  // namespace migc
