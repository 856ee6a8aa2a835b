#include "runtime/world/cluster.hpp"

namespace migc::runtime::inline world {
namespace {

void fill_in(Object& object, const char* pointer, Object value) {
    const Object::json_pointer where(pointer);
    if (!object.contains(where)) object[where] = std::move(value);
}

}  // namespace

void add_defaults(const Kind& kind, Object& object) {
    if (is_workload(kind) && kind.plural != "daemonsets") fill_in(object, "/spec/replicas", 1);
    if (kind.plural == "deployments") {
        fill_in(object, "/spec/progressDeadlineSeconds", 600);
        fill_in(object, "/spec/revisionHistoryLimit", 10);
        fill_in(object, "/spec/strategy/type", "RollingUpdate");
        if (object["spec"]["strategy"]["type"] == "RollingUpdate") {
            fill_in(object, "/spec/strategy/rollingUpdate/maxSurge", "25%");
            fill_in(object, "/spec/strategy/rollingUpdate/maxUnavailable", "25%");
        }
    }
    if (kind.plural == "services") fill_in(object, "/spec/type", "ClusterIP");
    if (kind.plural == "persistentvolumeclaims") {
        fill_in(object, "/spec/accessModes", {"ReadWriteOnce"});
        fill_in(object, "/spec/volumeMode", "Filesystem");
    }
}

}  // namespace migc::runtime::inline world
