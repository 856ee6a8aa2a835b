// What a step touches is called by one name, however it is written.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace migc::checks {

// A thing that a step changes or looks at.
struct ResourceKey {
    enum class Of { Object, File, Image, Url, Terraform, Other };

    std::string text;  // for people: "deployment/webapi", "file k8s/a.yaml", "terraform"; "" is no thing
    Of of = Of::Other;

    static ResourceKey file(std::string_view path) { return {fmt::format("file {}", path), Of::File}; }
    // The file that a step changes is one that only a run can name.
    static ResourceKey some_file() { return file("?"); }
    static ResourceKey image(std::string_view name) { return {fmt::format("image {}", name), Of::Image}; }
    static ResourceKey url(std::string_view address) { return {fmt::format("url {}", address), Of::Url}; }
    static ResourceKey terraform() { return {"terraform", Of::Terraform}; }
    // "deploy/web" and "Deployment/web" are "deployment/web"; a namespace in the middle is left out.
    static ResourceKey object(std::string_view handle);
    static ResourceKey object(std::string_view type, std::string_view name) {
        return object(fmt::format("{}/{}", type, name));
    }

    [[nodiscard]] bool empty() const { return text.empty(); }
    // "deployment" of an object; "" of everything else.
    [[nodiscard]] std::string type() const;
    // Whether it is an object of that type.
    [[nodiscard]] bool is(std::string_view wanted) const { return of == Of::Object && type() == wanted; }
    // Whether pods read it: a ConfigMap or a Secret.
    [[nodiscard]] bool is_configuration() const { return is("configmap") || is("secret"); }
    // Without what says what it is: "webapi", "k8s/a.yaml", "terraform".
    [[nodiscard]] std::string name() const;

    friend auto operator<=>(const ResourceKey& a, const ResourceKey& b) { return a.text <=> b.text; }
    friend bool operator==(const ResourceKey& a, const ResourceKey& b) { return a.text == b.text; }
};

}  // namespace migc::checks

template <>
struct std::hash<migc::checks::ResourceKey> {
    std::size_t operator()(const migc::checks::ResourceKey& key) const {
        return std::hash<std::string>()(key.text);
    }
};

template <>
struct fmt::formatter<migc::checks::ResourceKey> : fmt::formatter<std::string> {
    template <typename Context>
    auto format(const migc::checks::ResourceKey& key, Context& context) const {
        return fmt::formatter<std::string>::format(key.text, context);
    }
};
