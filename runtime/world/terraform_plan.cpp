// From variables to instances to a plan.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/documents/document.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "runtime/world/terraform.hpp"

namespace migc::runtime::inline world {
namespace {

// False if the text is no list of assignments of literals.
bool read_assignments(const std::string& text, Object& variables) {
    const auto read = documents::read(text, documents::Format::Tfvars, "");
    if (!read || !read->value || !read->value->is_object()) return false;
    variables.update(*read->value);
    return true;
}

std::optional<std::string> missing_variable(const TerraformDirectory& directory, const Object& variables) {
    for (const TerraformResource& resource : directory.resources) {
        if (!resource.count_from.empty() && !variables.contains(resource.count_from))
            return resource.count_from;
        if (!resource.each_from.empty() && !variables.contains(resource.each_from)) return resource.each_from;
        for (const auto& [attribute, variable] : resource.from_variable)
            if (!variables.contains(variable)) return variable;
    }
    for (const auto& [name, output] : directory.outputs)
        if (!output.from_variable.empty() && !variables.contains(output.from_variable))
            return output.from_variable;
    return std::nullopt;
}

Object attributes_of(const TerraformResource& resource, const Object& variables, const std::string& texts) {
    Object attributes = resource.attributes;
    for (const auto& [name, variable] : resource.from_variable)
        attributes[name] = variables.value(variable, Object());
    for (const auto& [name, pattern] : resource.from_text) {
        std::string found;
        if (re2::RE2::PartialMatch(texts, *pattern, &found)) attributes[name] = json_or_text(found);
    }
    return attributes;
}

std::vector<std::string> actions_for(const TerraformDirectory& directory, const std::string& address,
                                     const Object& before, const Object& after) {
    if (before.is_null()) return {"create"};
    if (after.is_null()) return {"delete"};
    if (directory.tainted.contains(address)) return {"delete", "create"};
    if (before == after) return {"no-op"};
    if (const TerraformResource* resource = resource_at(directory, address))
        for (const std::string& attribute : resource->replaced_by)
            if (before.value(attribute, Object()) != after.value(attribute, Object()))
                return {"delete", "create"};
    return {"update"};
}

// "module.storage.ionoscloud_volume.data[2]" told apart.
struct Address {
    std::string module;
    std::string type;
    std::string name;
    std::string index;
};

Address address_of(const std::string& text) {
    Address address;
    const std::size_t bracket = text.rfind('[');
    const bool indexed = bracket != std::string::npos && text.back() == ']';
    const std::string plain = indexed ? text.substr(0, bracket) : text;
    if (indexed) address.index = text.substr(bracket + 1, text.size() - bracket - 2);
    const std::size_t last = plain.rfind('.');
    const std::string front = last == std::string::npos ? "" : plain.substr(0, last);
    address.name = last == std::string::npos ? plain : plain.substr(last + 1);
    const std::size_t before = front.rfind('.');
    address.type = before == std::string::npos ? front : front.substr(before + 1);
    address.module = before == std::string::npos ? "" : front.substr(0, before);
    return address;
}

Object describe(const std::string& text) {
    const Address address = address_of(text);
    Object description = {{"address", text},
                          {"mode", "managed"},
                          {"type", address.type},
                          {"name", address.name},
                          {"provider_name", "registry.terraform.io/simulated/" +
                                                address.type.substr(0, address.type.find('_'))}};
    if (!address.module.empty()) description["module_address"] = address.module;
    if (!address.index.empty()) description["index"] = json_or_text(address.index);
    return description;
}

Object with_id(const TerraformDirectory& directory, const std::string& address, Object attributes) {
    if (attributes.is_object() && directory.ids.contains(address)) attributes["id"] = directory.ids[address];
    return attributes;
}

Object output_changes(const Object& before, const Object& after) {
    Object changes = Object::object();
    for (const auto& [name, output] : after.items()) {
        const Object old = before.contains(name) ? before[name]["value"] : Object();
        const char* action = old.is_null() ? "create" : old == output["value"] ? "no-op" : "update";
        changes[name] = {{"actions", Object::array({action})},
                         {"before", old},
                         {"after", output["value"]},
                         {"after_unknown", false},
                         {"before_sensitive", output["sensitive"]},
                         {"after_sensitive", output["sensitive"]}};
    }
    return changes;
}

// The module of that path in a tree of modules, made where it is missing: "module.a.module.b".
Object& module_in(Object& root, const std::string& path) {
    Object* module = &root;
    for (std::size_t end = 0; end < path.size();) {
        end = std::min(path.find(".module.", end + 1), path.size());
        Object& children = (*module)["child_modules"];
        const std::string address = path.substr(0, end);
        const auto found = std::ranges::find_if(
            children, [&](const Object& child) { return text_at(child, "/address") == address; });
        if (found != children.end()) {
            module = &*found;
            continue;
        }
        children.push_back(Object{{"address", address}});
        module = &children.back();
    }
    return *module;
}

}  // namespace

bool is_instance(const std::string& address, const std::string& resource) {
    return address == resource || address.starts_with(resource + "[");
}

const TerraformResource* resource_at(const TerraformDirectory& directory, const std::string& address) {
    for (const TerraformResource& resource : directory.resources)
        if (is_instance(address, resource.address)) return &resource;
    return nullptr;
}

tl::expected<Object, Answer> variables_of(const TerraformCall& call, std::string& texts) {
    constexpr std::uintmax_t largest = std::uintmax_t{1} << 20;
    Object variables = call.directory.defaults;
    std::vector<std::string> files = call.arguments.values("-var-file");
    if (read_file(call.folder / "terraform.tfvars", largest)) files.insert(files.begin(), "terraform.tfvars");
    for (const std::string& file : files) {
        const auto text = read_file(call.folder / file, largest);
        if (!text)
            return tl::unexpected(
                terraform_error("Failed to read variables file",
                                fmt::format("Given variables file {} does not exist.", file)));
        texts += *text + "\n";
        if (!read_assignments(*text, variables))
            return tl::unexpected(
                terraform_error("Invalid expression", fmt::format("{} cannot be read.", file)));
    }
    for (const std::string& given : call.arguments.values("-var")) {
        const std::size_t sign = given.find('=');
        if (sign == std::string::npos)
            return tl::unexpected(terraform_error("Invalid -var option", "It needs the form name=value."));
        // The other forms of HCL are found by their text where the world file says so.
        variables[given.substr(0, sign)] = json_or_text(given.substr(sign + 1));
    }
    if (const auto name = missing_variable(call.directory, variables))
        return tl::unexpected(terraform_error(
            "No value for required variable",
            fmt::format("The root module input variable \"{}\" is not set, and has no default value.",
                        *name)));
    return variables;
}

Object wanted_instances(const TerraformDirectory& directory, const Object& variables,
                        const std::string& texts) {
    constexpr std::int64_t most = 1000;
    Object wanted = Object::object();
    for (const TerraformResource& resource : directory.resources) {
        const Object attributes = attributes_of(resource, variables, texts);
        if (!resource.each_from.empty()) {
            for (const Object& one : variables.value(resource.each_from, Object::array())) {
                Object instance = attributes;
                instance["input"] = one;
                wanted[fmt::format("{}[\"{}\"]", resource.address, text_at(one, "/name"))] =
                    std::move(instance);
            }
            continue;
        }
        if (resource.count_from.empty()) {
            wanted[resource.address] = attributes;
            continue;
        }
        const Object count = variables.value(resource.count_from, Object(0));
        const std::int64_t number =
            count.is_number_integer() ? std::clamp<std::int64_t>(count.get<std::int64_t>(), 0, most) : 0;
        for (std::int64_t i = 0; i < number; ++i)
            wanted[fmt::format("{}[{}]", resource.address, i)] = attributes;
    }
    return wanted;
}

std::vector<InstanceChange> changes_between(const TerraformDirectory& directory, const Object& wanted) {
    std::vector<InstanceChange> changes;
    const auto add = [&](const std::string& address) {
        const Object before = directory.instances.value(address, Object());
        const Object after = wanted.value(address, Object());
        changes.push_back({address, actions_for(directory, address, before, after), before, after});
    };
    for (const auto& [address, attributes] : wanted.items()) add(address);
    for (const auto& [address, attributes] : directory.instances.items())
        if (!wanted.contains(address)) add(address);
    return changes;
}

Object outputs_with(const TerraformDirectory& directory, const Object& variables) {
    Object outputs = Object::object();
    for (const auto& [name, output] : directory.outputs) {
        const Object value =
            output.from_variable.empty() ? output.value : variables.value(output.from_variable, Object());
        const char* type = value.is_string()    ? "string"
                           : value.is_number()  ? "number"
                           : value.is_boolean() ? "bool"
                                                : "dynamic";
        outputs[name] = {{"sensitive", output.sensitive}, {"type", type}, {"value", value}};
    }
    return outputs;
}

Object outputs_of(const TerraformDirectory& directory) {
    return directory.serial == 0 ? Object::object() : outputs_with(directory, directory.variables);
}

Object plan_document(const TerraformCall& call, const std::vector<InstanceChange>& changes,
                     const Object& variables) {
    const TerraformDirectory& directory = call.directory;
    Object list = Object::array();
    bool applyable = false;
    for (const InstanceChange& change : changes) {
        const bool is_new = change.actions.back() == "create";
        Object one = describe(change.address);
        one["change"] = {{"actions", change.actions},
                         {"before", with_id(directory, change.address, change.before)},
                         {"after", is_new ? change.after : with_id(directory, change.address, change.after)},
                         {"after_unknown", is_new ? Object{{"id", true}} : Object::object()},
                         {"before_sensitive", change.before.is_null() ? Object(false) : Object::object()},
                         {"after_sensitive", change.after.is_null() ? Object(false) : Object::object()}};
        applyable = applyable || change.actions.front() != "no-op";
        list.push_back(std::move(one));
    }
    Object given = Object::object();
    for (const auto& [name, value] : variables.items()) given[name] = {{"value", value}};
    const Object outputs = output_changes(outputs_of(directory), outputs_with(directory, variables));
    for (const auto& [name, change] : outputs.items())
        applyable = applyable || change["actions"][0] != "no-op";
    return {{"format_version", "1.2"},   {"terraform_version", "1.11.4"},
            {"variables", given},        {"resource_changes", list},
            {"output_changes", outputs}, {"timestamp", timestamp(call.world.clock)},
            {"applyable", applyable},    {"complete", true},
            {"errored", false}};
}

Object state_document(const TerraformDirectory& directory) {
    std::map<std::string, Object> resources;
    for (const auto& [text, attributes] : directory.instances.items()) {
        const Address address = address_of(text);
        Object& resource = resources[address.module + "." + address.type + "." + address.name];
        if (resource.is_null()) {
            resource = {{"mode", "managed"},
                        {"type", address.type},
                        {"name", address.name},
                        {"instances", Object::array()}};
            if (!address.module.empty()) resource["module"] = address.module;
        }
        Object instance = {{"schema_version", 0}, {"attributes", with_id(directory, text, attributes)}};
        if (directory.tainted.contains(text)) instance["status"] = "tainted";
        const Object described = describe(text);
        if (described.contains("index")) instance["index_key"] = described["index"];
        resource["instances"].push_back(std::move(instance));
    }
    Object list = Object::array();
    for (auto& [name, resource] : resources) list.push_back(std::move(resource));
    return {{"version", 4},
            {"terraform_version", "1.11.4"},
            {"serial", directory.serial},
            {"lineage", directory.lineage},
            {"outputs", outputs_of(directory)},
            {"resources", list},
            {"check_results", nullptr}};
}

Object state_values(const TerraformDirectory& directory) {
    Object shown = {{"format_version", "1.0"}};
    if (directory.serial == 0) return shown;
    Object root = Object::object();
    for (const auto& [text, attributes] : directory.instances.items()) {
        Object resource = describe(text);
        resource.erase("module_address");
        resource.update({{"schema_version", 0},
                         {"values", with_id(directory, text, attributes)},
                         {"sensitive_values", Object::object()}});
        if (directory.tainted.contains(text)) resource["tainted"] = true;
        module_in(root, address_of(text).module)["resources"].push_back(std::move(resource));
    }
    shown["terraform_version"] = "1.11.4";
    shown["values"] = {{"outputs", outputs_of(directory)}, {"root_module", root}};
    return shown;
}

void carry_out(TerraformDirectory& directory, const InstanceChange& change) {
    if (change.actions.front() == "no-op") return;
    if (change.actions.front() == "delete") directory.tainted.erase(change.address);
    if (change.after.is_null()) {
        directory.instances.erase(change.address);
        directory.ids.erase(change.address);
        return;
    }
    directory.instances[change.address] = change.after;
    if (change.actions.back() == "create")
        directory.ids[change.address] =
            sha256(fmt::format("{} {}", directory.lineage, ++directory.created)).substr(0, 32);
}

}  // namespace migc::runtime::inline world
