// A claim that the script itself makes smaller in its manifest, and then applies: only another claim can be
// smaller.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/drafts.hpp"

namespace migc::checks {
namespace {

std::optional<Quantity> storage(const nlohmann::json& claim) {
    const auto quantity = parse_quantity(text_at(claim, "/spec/resources/requests/storage"));
    return quantity ? std::optional(*quantity) : std::nullopt;
}

bool is_deleted(const Event& event) {
    return std::any_of(event.effects.begin(), event.effects.end(),
                       [](const Effect& effect) { return effect.becomes == ir::Becomes::Absent; });
}

void applied(const Picture& picture, Drafts& drafts, const Event& event, const Thing& thing,
             Diagnostics& diagnostics) {
    for (const Object* object : picture.manifests.declaring(thing)) {
        const nlohmann::json* now = drafts.object(*object);
        const auto before = storage(object->json), after = now != nullptr ? storage(*now) : std::nullopt;
        if (!before || !after || after->amount >= before->amount) continue;
        auto& d = diagnostics.report(Code::ShrinkingClaim, event.step->span, "a volume cannot shrink");
        d.primary_label = fmt::format("asks for {}", after->text);
        d.labels.push_back(
            {picture.manifests.span(*object, "/spec/resources/requests/storage"), "it has more than that"});
        d.notes.emplace_back(
            "the cluster would refuse it; a smaller one is another claim: `use std.replace-claim`");
    }
}

}  // namespace

void claims(const Picture& picture, Diagnostics& diagnostics) {
    Drafts drafts(picture.inventory.root, picture.sources);
    for (const Course& course : picture.timeline.courses()) {
        std::set<Thing> gone;  // what is applied then is a new one
        for (const Event& event : course.forward) {
            drafts.take(event);
            const bool applies = event.act == Act::Change && event.verb != nullptr &&
                                 event.verb->signature.starts_with("apply object ");
            for (const Thing& thing : event.act == Act::Change ? event.things : std::set<Thing>()) {
                if (!thing.starts_with("persistentvolumeclaim/")) continue;
                if (is_deleted(event)) gone.insert(thing);
                if (applies && !course.stage->repeats && !gone.contains(thing))
                    applied(picture, drafts, event, thing, diagnostics);
            }
        }
    }
}

}  // namespace migc::checks
