// Who wrote a field of an object: what the API server keeps in `metadata.managedFields`.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

// The field manager that owns the field at a JSON pointer of the object ("/spec/replicas",
// "/spec/template/spec/containers/0/image"); "" where the object does not tell, or more than one is as
// likely. A field without parts that several own together belongs to `ours`, if that is one of them, else to
// nobody. Of a field with parts (a pod template) it is who wrote below it last, by the server's clock, whose
// ticks are seconds: two in the same second are nobody.
std::string field_owner(const nlohmann::json& object, const std::string& pointer, const std::string& ours);

// Who else has written the field there since it was changed by one of `ours`; "" if nobody is seen to have.
// Who changes a field keeps it alone: whoever else keeps it has written it later, if only the same value once
// more. Of a field with parts not every part need have been changed: there it is who wrote below it last,
// later than any of `ours`.
std::string other_writer(const nlohmann::json& object, const std::string& pointer,
                         const std::vector<std::string>& ours);

// Who keeps the field there, if nobody has written later to anything that the object is asked for; else "".
// Where what it is asked for has changed since that one is known to have written, it has written again. A
// server keeps no time of what is written by `scale`: that was then written after `since`, when this run had
// written.
std::string last_writer_of_all(const nlohmann::json& object, const std::string& pointer,
                               const std::string& since);

// Whether a reading is to say who wrote what was read (the setting "writers").
bool asks_for_writer(Host& host);
// A reading's `writer`, as the setting "writers" asks for it: "yes" for the owner, "others" for whoever else
// has written it, "" for nothing. The object has to be read with its managed fields, as `get_object` does
// then.
std::string writer_of(Host& host, const nlohmann::json& object, const std::string& pointer);
// The names by which this run may have written: the one by which its project applies, its own, and what else
// the setting "own-writers" has, one a line.
std::vector<std::string> own_writers(Host& host);

}  // namespace migc::runtime::inline natives
