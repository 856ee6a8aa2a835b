#include "runtime/evaluate/scope.hpp"

#include "runtime/evaluate/kept_secrets.hpp"

namespace migc::runtime::inline evaluation {

std::string condition_text(const Binding& binding) {
    if (binding.condition == nullptr) return {};
    const Scope* home = binding.home;
    return "(" + semantics::handed_on(*binding.condition, home).name + ")";
}

void Scope::bind(const std::string& name, Value value, bool secret) {
    semantics::Scope<Binding>::bind(name, {std::move(value), nullptr, nullptr, secret, nullptr});
}

void Scope::bind_condition(const std::string& name, const ir::Expr& condition, const Scope& home) {
    semantics::Scope<Binding>::bind(name, {{}, &condition, &home, false, nullptr});
}

void Scope::bind_secret(const std::string& name, Value value, nlohmann::json kept) {
    semantics::Scope<Binding>::bind(name, {std::move(value), nullptr, nullptr, true, std::move(kept)});
}

void Scope::bind_journaled(const std::string& name, const nlohmann::json& value) {
    if (is_kept_secret(value))
        bind_secret(name, Value(Unknown{"it is kept as a secret"}), value);
    else
        bind(name, from_json(value));
}

void Scope::bind_all(const nlohmann::json& values) {
    if (!values.is_object()) return;
    for (const auto& [name, value] : values.items()) bind_journaled(name, value);
}

nlohmann::json Scope::journal() const {
    nlohmann::json values =
        outer() != nullptr ? static_cast<const Scope*>(outer())->journal() : nlohmann::json::object();
    for (const auto& [name, binding] : own()) {
        if (binding.condition != nullptr) continue;
        // What a secret of this name hides must not be taken for it.
        values.erase(name);
        if (!binding.secret || binding.value.is_absent())
            values[name] = to_json(binding.value);
        else if (!binding.kept.is_null())
            values[name] = binding.kept;
    }
    return values;
}

}  // namespace migc::runtime::inline evaluation
