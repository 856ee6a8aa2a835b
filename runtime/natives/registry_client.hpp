// A registry's own interface (the OCI distribution API), through curl, with the credentials that docker has.
#pragma once

#include <string>

#include "compiler/kubernetes/image_name.hpp"
#include "runtime/natives/http_answer.hpp"
#include "runtime/tools/natives.hpp"

namespace migc::runtime::inline natives {

struct RegistryAnswer {
    Answer curl;      // how curl ended
    HttpAnswer http;  // what the registry said, if curl ended well
    // It wants credentials that are not to be had here (a credential helper has them), or its name means
    // something to docker only (a mirror, a proxy): docker is to be asked.
    bool needs_docker = false;
    // Why the registry refuses, as it says; "" if it gives no reason.
    [[nodiscard]] std::string reason() const;
};

// `method`: GET, HEAD or PUT of the image's manifest; a PUT has the manifest and its media type.
// Credentials go to curl on standard input, never in its arguments.
RegistryAnswer ask_registry(Host& host, const kubernetes::ImageName& image, const std::string& method,
                            const std::string& manifest = {}, const std::string& media_type = {});

}  // namespace migc::runtime::inline natives
