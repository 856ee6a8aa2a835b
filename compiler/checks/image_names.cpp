// What is to be the name of an image is one: in the script, in what it writes into manifests, and in what it
// applies.
#include <set>

#include <fmt/format.h>

#include "compiler/checks/checks.hpp"
#include "compiler/checks/field.hpp"
#include "compiler/checks/pods.hpp"
#include "compiler/kubernetes/image_name.hpp"

namespace migc::checks {
namespace {

class ImageNames : ScriptCheck {
  public:
    using ScriptCheck::ScriptCheck;

    void check() {
        each_own_expression(picture_, [&](const ir::Expr& expression) {
            const auto* text = semantics::literal<std::string>(expression);
            if (text != nullptr && expression.type.kind == ir::TypeKind::Image)
                written(expression.span, *text);
        });
        for (const ir::Parameter& parameter : picture_.program.parameters)
            if (parameter.type.kind == ir::TypeKind::Image && parameter.default_value)
                if (const auto* text = semantics::literal<std::string>(*parameter.default_value))
                    written(parameter.default_value->span, *text);
        for (const StageEvents& course : picture_.timeline.courses())
            each_event(course, [&](const Event& event) { done(event); });
    }

  private:
    void done(const Event& event) {
        for (const ResourceKey& thing : event.things)
            if (thing.of == ResourceKey::Of::Image) written(event.step->span, thing.name());
        for (std::size_t i = 0; i < event.arguments.size(); ++i) {
            const bool is_image = event.verb->parameters.at(i).type.kind == ir::TypeKind::Image;
            const auto* text = event.arguments[i] ? event.arguments[i]->get_if<std::string>() : nullptr;
            if (is_image && text != nullptr) written(event.step->span, *text);
        }
        for (const Effect& effect : event.effects) {
            const auto* text = effect.value ? effect.value->get_if<std::string>() : nullptr;
            if (text != nullptr && is_image_of_container(effect)) written(event.step->span, *text);
        }
        if (event.object != nullptr) applied(event, *event.object);
    }

    void written(Span place, const std::string& text) {
        const std::string why = kubernetes::why_no_image(text);
        if (why.empty() || !told_.insert(text).second) return;
        auto& d =
            diagnostics_.report(Code::TypeMismatch, place, fmt::format("`{}` is no name of an image", text));
        d.primary_label = why;
        d.note("the cluster could not pull it: pods that start would wait for it until somebody looks");
    }

    // With what the script has edited in it.
    void applied(const Event& event, const Object& object) {
        each_image(object.json, "", [&](const std::string& image, const std::string& pointer) {
            const std::string why = image.empty() ? "" : kubernetes::why_no_image(image);
            if (why.empty() || !told_.insert(image).second) return;
            auto& d = diagnostics_.report(Code::BadManifest, picture_.manifests.span(object, pointer),
                                          fmt::format("`{}` is no name of an image", image));
            d.primary_label = why;
            d.label(event.step->span, "applied here");
            d.note("the cluster could not pull it: pods that start would wait for it until somebody looks");
        });
    }

    std::set<std::string> told_;
};

}  // namespace

void image_names(const CheckContext& picture, Diagnostics& diagnostics) {
    ImageNames(picture, diagnostics).check();
}

}  // namespace migc::checks
