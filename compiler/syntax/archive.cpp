#include "compiler/syntax/archive.hpp"

#include <sstream>

#define CEREAL_FUTURE_EXPERIMENTAL  // for get_user_data()
#include <cereal/archives/adapters.hpp>
#include <cereal/archives/binary.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>

namespace migc {

using Writer = cereal::BinaryOutputArchive;
using Reader = cereal::UserDataAdapter<const FileId, cereal::BinaryInputArchive>;

void save(Writer& archive, const Span& span) {
    archive(span.begin, span.end);
}

void load(cereal::BinaryInputArchive& archive, Span& span) {
    archive(span.begin, span.end);
    span.file = cereal::get_user_data<const FileId>(archive);
}

namespace syntax {

template <typename Archive>
void serialize(Archive& archive, Expr& e) {
    archive(e.kind, e.span, e.text, e.children, e.op, e.negated, e.parenthesised);
}

template <typename Archive>
void serialize(Archive& archive, Name& n) {
    archive(n.text, n.span);
}

template <typename Archive>
void serialize(Archive& archive, Undo& u) {
    archive(u.form, u.reason, u.steps, u.after, u.span);
}

template <typename Archive>
void serialize(Archive& archive, Type& t) {
    archive(t.text, t.span);
}

template <typename Archive>
void serialize(Archive& archive, Statement& s) {
    archive(s.kind, s.span, s.expr, s.duration, s.name, s.type, s.within, s.retry, s.every, s.undo, s.body,
            s.otherwise);
}

template <typename Archive>
void serialize(Archive& archive, SignaturePart& p) {
    archive(p.kind, p.name, p.type, p.default_value, p.parts, p.span);
}

template <typename Archive>
void serialize(Archive& archive, Effect& e) {
    archive(e.probe, e.becomes, e.value, e.span);
}

template <typename Archive>
void serialize(Archive& archive, Verb& v) {
    archive(v.signature, v.result_type, v.documentation, v.needs, v.captures, v.effects, v.actions, v.steps,
            v.result, v.within, v.undos, v.roles, v.signature_span, v.span);
}

template <typename Archive>
void serialize(Archive& archive, Probe& p) {
    archive(p.signature, p.type, p.documentation, p.depends, p.reads, p.watch, p.converges, p.within, p.roles,
            p.signature_span, p.span);
}

template <typename Archive>
void serialize(Archive& archive, Resource& r) {
    archive(r.name, r.written_as, r.span);
}

template <typename Archive>
void serialize(Archive& archive, Tool& t) {
    archive(t.name, t.properties, t.span);
}

template <typename Archive>
void serialize(Archive& archive, File& f) {
    archive(f.verbs, f.probes, f.resources, f.tools);
}

std::string to_bytes(const File& file) {
    std::ostringstream stream(std::ios::binary);
    Writer archive(stream);
    archive(file);
    return stream.str();
}

File from_bytes(std::string_view bytes, FileId id) {
    std::istringstream stream(std::string(bytes), std::ios::binary);
    Reader archive(id, stream);
    File file;
    file.id = id;
    archive(file);
    return file;
}

}  // namespace syntax
}  // namespace migc
