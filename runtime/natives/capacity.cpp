#include "runtime/natives/capacity.hpp"

#include <algorithm>

#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"

namespace migc::runtime::inline natives {

tl::expected<Quantity, std::string> quantity_of(const json& written) {
    return parse_quantity(written.is_string() ? written.get<std::string>() : written.dump());
}

namespace {

tl::expected<Amounts, std::string> amounts(const json& written) {
    Amounts result;
    for (const auto& [name, value] : written.items()) {
        const auto quantity = quantity_of(value);
        if (!quantity) return failure("{}: {}", name, quantity.error());
        result[name] = quantity->amount;
    }
    return result;
}

// The cluster takes the limit for the request where only a limit is written.
tl::expected<Amounts, std::string> container_requests(const json& container) {
    json written = field(container, "/resources/limits");
    if (!written.is_object()) written = json::object();
    if (field(container, "/resources/requests").is_object())
        written.update(field(container, "/resources/requests"));
    return amounts(written);
}

void add(Amounts& sum, const Amounts& more, double sign = 1) {
    for (const auto& [name, amount] : more) sum[name] += sign * amount;
}

void raise_to(Amounts& sum, const Amounts& least) {
    for (const auto& [name, amount] : least) sum[name] = std::max(sum[name], amount);
}

bool tolerated(const json& taint, const json& tolerations) {
    const std::string key = text_field(taint, "/key");
    const std::string effect = text_field(taint, "/effect");
    return std::any_of(tolerations.begin(), tolerations.end(), [&](const json& toleration) {
        const std::string of_key = text_field(toleration, "/key");
        const std::string of_effect = text_field(toleration, "/effect");
        if (!of_effect.empty() && of_effect != effect) return false;
        if (text_field(toleration, "/operator") == "Exists") return of_key.empty() || of_key == key;
        return of_key == key && text_field(toleration, "/value") == text_field(taint, "/value");
    });
}

bool takes(const json& node, const json& pod_template) {
    if (!holds(node, "Ready") || field(node, "/spec/unschedulable") == json(true)) return false;
    for (const auto& taint : field(node, "/spec/taints"))
        if (text_field(taint, "/effect") != "PreferNoSchedule" &&
            !tolerated(taint, field(pod_template, "/spec/tolerations")))
            return false;
    for (const auto& [key, value] : field(pod_template, "/spec/nodeSelector").items())
        if (member(field(node, "/metadata/labels"), key) != value) return false;
    return true;
}

bool occupies(const json& pod, const std::string& node) {
    return text_field(pod, "/spec/nodeName") == node && !has_ended(pod);
}

bool fits(const Amounts& request, const Amounts& free) {
    // Amounts are sums of decimal fractions (0.1 cores); a millionth of one is no shortage.
    return std::all_of(request.begin(), request.end(), [&](const auto& item) {
        const auto found = free.find(item.first);
        return item.second <= (found == free.end() ? 0 : found->second) + 1e-6;
    });
}

}  // namespace

// Init containers run one after another before the others; those that always restart run beside them.
tl::expected<Amounts, std::string> requests_of(const json& pod_or_template) {
    Amounts sum;
    Amounts beside;
    Amounts peak;
    for (const auto& container : field(pod_or_template, "/spec/initContainers")) {
        const auto own = container_requests(container);
        if (!own) return own;
        Amounts at_once = beside;
        add(at_once, *own);
        raise_to(peak, at_once);
        if (text_field(container, "/restartPolicy") == "Always") beside = at_once;
    }
    sum = beside;
    for (const auto& container : field(pod_or_template, "/spec/containers")) {
        const auto own = container_requests(container);
        if (!own) return own;
        add(sum, *own);
    }
    raise_to(sum, peak);
    const auto overhead = amounts(field(pod_or_template, "/spec/overhead"));
    if (!overhead) return overhead;
    add(sum, *overhead);
    sum["pods"] = 1;
    return sum;
}

tl::expected<std::vector<Room>, std::string> free_room(const json& nodes, const json& pods,
                                                       const json& pod_template) {
    std::vector<Room> rooms;
    for (const auto& node : nodes) {
        if (!takes(node, pod_template)) continue;
        auto free = amounts(field(node, "/status/allocatable"));
        if (!free) return tl::unexpected(free.error());
        rooms.push_back({name_of(node), std::move(*free)});
        for (const auto& pod : pods) {
            if (!occupies(pod, rooms.back().node)) continue;
            const auto used = requests_of(pod);
            if (!used) return tl::unexpected(used.error());
            add(rooms.back().free, *used, -1);
        }
    }
    return rooms;
}

std::int64_t fitting(std::vector<Room> rooms, const Amounts& request, std::int64_t wanted) {
    std::int64_t placed = 0;
    for (Room& room : rooms)
        for (; placed < wanted && fits(request, room.free); ++placed) add(room.free, request, -1);
    return placed;
}

}  // namespace migc::runtime::inline natives
