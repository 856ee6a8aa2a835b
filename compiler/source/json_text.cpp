#include "compiler/source/json_text.hpp"

namespace migc {

std::string text_of(const nlohmann::json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace migc
