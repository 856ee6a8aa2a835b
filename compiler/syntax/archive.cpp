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

template <typename Archive, WithFields Node>
void serialize(Archive& archive, Node& node) {
    std::apply([&](auto&... field) { archive(field...); }, node.fields());
}

std::string to_bytes(const File& file) {
    std::ostringstream stream(std::ios::binary);
    Writer archive(stream);
    archive(file.verbs, file.probes, file.resources, file.tools);
    return stream.str();
}

File from_bytes(std::string_view bytes, FileId id) {
    std::istringstream stream(std::string(bytes), std::ios::binary);
    Reader archive(id, stream);
    File file;
    file.id = id;
    archive(file.verbs, file.probes, file.resources, file.tools);
    return file;
}

}  // namespace syntax
}  // namespace migc
