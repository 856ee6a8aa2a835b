// Who wrote a field of an object: what the API server keeps in `metadata.managedFields`.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime {

// The field manager that owns the field at a JSON pointer of the object ("/spec/replicas",
// "/spec/template/spec/containers/0/image"); "" where the object does not tell, or more than one is as
// likely. A field without parts that several own together belongs to `ours`, if that is one of them, else to
// nobody. Of a field with parts (a pod template) it is who wrote below it last, by the server's clock, whose
// ticks are seconds: two in the same second are nobody.
std::string field_owner(const nlohmann::json& object, const std::string& pointer, const std::string& ours);

// Whether a reading is to say who wrote what was read (the setting "writers").
bool asks_for_writer(Host& host);
// The same as a reading's `writer`: "" unless it is asked for. The object has to be read with its managed
// fields, as `get_object` does then.
std::string writer_of(Host& host, const nlohmann::json& object, const std::string& pointer);

}  // namespace migc::runtime
