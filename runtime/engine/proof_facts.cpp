#include "runtime/engine/proof_facts.hpp"

#include "runtime/evaluate/convert.hpp"
#include "runtime/natives/natives.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline engine {
namespace {

prove::Footprint trace_of(std::string_view name) {
    const NativeEntry* native = find_native(name);
    if (native == nullptr) return prove::Footprint::None;
    if (native->edits_files && !native->exclusive) return prove::Footprint::File;
    return native->one_write ? prove::Footprint::Server : prove::Footprint::None;
}

}  // namespace

prove::Facts proof_facts(std::map<std::string, Value> parameters) {
    return {std::move(parameters), parse_parameter, trace_of};
}

}  // namespace migc::runtime::inline engine
