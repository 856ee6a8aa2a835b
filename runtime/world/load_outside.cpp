// Loading what is no cluster: web endpoints, programs, the registry, terraform.
#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/world/load.hpp"

namespace migc::runtime::inline world {
namespace {

WebAnswer web_answer(Fields& fields, Diagnostics& diagnostics) {
    WebAnswer answer;
    answer.status = static_cast<int>(fields.number_or("status", 200, 100, 599));
    answer.body = fields.text_or("body", "");
    answer.redirect = fields.text_or("redirect", "");
    // One, or a list of them for one request each, in turn.
    if (const YamlNode* latency = fields.take("latency")) {
        const bool several = latency->kind == YamlKind::List;
        for (const YamlNode& one : several ? latency->children : std::vector<YamlNode>{*latency})
            answer.latencies_ms.push_back(duration_of(one, "latency", diagnostics));
    }
    return answer;
}

// `keeps: { ADDRESS: BODY }`: documents that GET, PUT, POST and DELETE work on; `etags: false`: without
// ETags.
void load_contents(WebEndpoint& endpoint, Fields& fields) {
    endpoint.etags = fields.flag_or("etags", true);
    const YamlNode* documents = fields.take("keeps");
    if (!documents) return;
    endpoint.keeps = true;
    if (documents->kind != YamlKind::Map && documents->kind != YamlKind::Null)
        fields.mistake(documents->span, "`keeps` must be a map from addresses to bodies");
    for (const auto& [document, content] : documents->entries)
        endpoint.contents[document.text] = {"application/json", content.text, 0};
}

// An endpoint: `url`, `url-prefix` or `url-matches`; `method`; `status`, `body`, `redirect`, `latency` (one,
// or a list of them in turn); `service`, `context`, `namespace`, `inside-only`: whose pods serve it, and to
// whom; `keeps`, `etags`: documents; `when`: a list of other answers, by the pod that serves or `every` so
// many requests.
WebEndpoint web_endpoint(const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a web endpoint", diagnostics);
    WebEndpoint endpoint;
    endpoint.url = fields.text_or("url", "");
    endpoint.prefix = fields.text_or("url-prefix", "");
    endpoint.pattern = fields.pattern("url-matches");
    endpoint.method = fields.text_or("method", "");
    endpoint.inside_only = fields.flag_or("inside-only", false);
    endpoint.service = fields.text_or("service", "");
    endpoint.context = fields.text_or("context", "");
    endpoint.name_space = fields.text_or("namespace", "");
    bool asks_pods = false;
    for (const YamlNode& one : fields.list("when")) {
        Fields rule(one, "a `when` of a web endpoint", diagnostics);
        const PodCondition condition = condition_of(rule);
        endpoint.answers.push_back(web_answer(rule, diagnostics));
        endpoint.answers.back().when = condition;
        // `every: 10`: only every tenth request is answered so.
        endpoint.answers.back().every = static_cast<std::size_t>(rule.number_or("every", 1, 1, 1'000'000));
        asks_pods = asks_pods || condition.image || !condition.config_map.empty();
    }
    endpoint.answers.push_back(web_answer(fields, diagnostics));
    load_contents(endpoint, fields);
    if (endpoint.url.empty() && endpoint.prefix.empty() && !endpoint.pattern)
        fields.mistake(node.span, "a web endpoint needs a `url`, a `url-prefix` or a `url-matches`");
    if (endpoint.service.empty() && asks_pods && !endpoint.inside_only)
        fields.mistake(node.span,
                       "`when` of a web endpoint asks about the pods of its `service`, which is missing");
    return endpoint;
}

// The forms of an attribute's value: a constant, {variable: NAME}, {matching: RE, default: VALUE}.
void load_attribute(TerraformResource& resource, const std::string& name, const YamlNode& node,
                    Diagnostics& diagnostics) {
    if (node.kind != YamlKind::Map) {
        resource.attributes[name] = to_json(node);
        return;
    }
    Fields fields(node, "an attribute of a terraform resource", diagnostics);
    if (const auto variable = fields.text("variable")) resource.from_variable[name] = *variable;
    if (const Pattern pattern = fields.pattern("matching")) {
        if (pattern->NumberOfCapturingGroups() != 1)
            fields.mistake(node.span, "`matching` needs exactly one group in parentheses, the value");
        else
            resource.from_text[name] = pattern;
    }
    if (const YamlNode* fallback = fields.take("default")) resource.attributes[name] = to_json(*fallback);
}

void load_nodes_of(Simulation& world, TerraformResource& resource, Fields& fields, Diagnostics& diagnostics) {
    const YamlNode* node = fields.take("nodes-of");
    if (!node) return;
    if (node->kind == YamlKind::Map) {
        Fields nodes(*node, "`nodes-of`", diagnostics);
        resource.nodes_of = nodes.text_or("cluster", "");
        resource.node_cpu = nodes.quantity("cpu").value_or(resource.node_cpu);
        resource.node_memory = nodes.quantity("memory").value_or(resource.node_memory);
    } else {
        resource.nodes_of = node->text;
    }
    if (!world.clusters.contains(resource.nodes_of))
        fields.mistake(node->span, fmt::format("`nodes-of` names the cluster `{}`, which is not described",
                                               resource.nodes_of));
}

TerraformResource terraform_resource(Simulation& world, const YamlNode& node, Diagnostics& diagnostics) {
    Fields fields(node, "a terraform resource", diagnostics);
    TerraformResource resource;
    resource.address = fields.text_or("address", "");
    resource.count_from = fields.text_or("count-from", "");
    resource.each_from = fields.text_or("each-from", "");
    resource.replaced_by = fields.texts("replaced-by");
    resource.depends_on = fields.texts("depends-on");  // addresses
    resource.fails = fields.text_or("fails", "");      // creating it fails: before | halfway
    if (!resource.fails.empty() && resource.fails != "before" && resource.fails != "halfway")
        fields.mistake(node.span, "`fails` of a terraform resource is `before` or `halfway`");
    load_nodes_of(world, resource, fields, diagnostics);
    const YamlNode& attributes = fields.map("attributes");
    for (const auto& [name, attribute] : attributes.entries)
        load_attribute(resource, name.text, attribute, diagnostics);
    if (resource.address.find('.') == std::string::npos)
        fields.mistake(node.span,
                       "a terraform resource needs an `address` such as ionoscloud_k8s_node_pool.main");
    return resource;
}

TerraformOutput terraform_output(const YamlNode& node, Diagnostics& diagnostics) {
    TerraformOutput output;
    if (node.kind != YamlKind::Map) {
        output.value = to_json(node);
        return output;
    }
    Fields fields(node, "a terraform output", diagnostics);
    if (const YamlNode* value = fields.take("value")) output.value = to_json(*value);
    output.from_variable = fields.text_or("variable", "");
    output.sensitive = fields.flag_or("sensitive", false);
    return output;
}

}  // namespace

PodCondition condition_of(Fields& fields) {
    PodCondition condition;
    condition.image = fields.pattern("image");
    condition.config_map = fields.text_or("configmap", "");
    condition.key = fields.text_or("key", "");
    condition.value = fields.pattern("value");
    return condition;
}

void load_web(Simulation& world, const std::vector<YamlNode>& endpoints, Diagnostics& diagnostics) {
    for (const YamlNode& node : endpoints) world.web.push_back(web_endpoint(node, diagnostics));
}

void load_programs(Simulation& world, const YamlNode& programs, Diagnostics& diagnostics) {
    for (const auto& [name, program] : programs.entries) {
        Fields fields(program, "a program", diagnostics);
        Script script;
        script.status = static_cast<int>(fields.number_or("status", 0, 0, 255));
        script.output = fields.text_or("output", "");
        script.errors = fields.text_or("errors", "");
        script.duration_ms = fields.duration_or("duration", 0);
        // `keeps-running: true`: it runs until it is stopped, as one that was started and left running does.
        script.keeps_running = fields.flag_or("keeps-running", false);
        world.programs[name.text] = script;
    }
}

// image -> what was built into it; the digest follows from that.
void load_registry(Simulation& world, const YamlNode& images, Diagnostics& diagnostics) {
    for (const auto& [image_name, digest] : images.entries) {
        if (digest.kind == YamlKind::Map || digest.kind == YamlKind::List)
            report_mistake(diagnostics, digest.span,
                           "an image of the registry has a single value, the name of its content");
        const std::string& image = image_name.text;
        const std::string& content = digest.text;
        world.registry[image] = "sha256:" + sha256(content.empty() ? image : content);
    }
}

// git: { revisions: { HEAD~1: { commit: 3f2a.., files: { "k8s/web.yaml": "content" } } }, uncommitted: [path]
// }. Without `commit` the revision gets an id of its own. Without `git` the project is in no repository.
void load_git(Simulation& world, Fields& fields, Diagnostics& diagnostics) {
    const YamlNode* node = fields.take("git");
    if (!node) return;
    GitRepository& repository = world.git.emplace();
    Fields all(*node, "`git`", diagnostics);
    repository.uncommitted = all.texts("uncommitted");
    const YamlNode& revisions = all.map("revisions");
    for (const auto& [revision_name, settings] : revisions.entries) {
        const std::string& name = revision_name.text;
        Fields one(settings, "a revision of `git`", diagnostics);
        GitRevision& revision = repository.revisions[name];
        revision.commit = one.text_or("commit", sha256("commit " + name).substr(0, 40));
        const bool is_id = revision.commit.size() == 40 &&
                           revision.commit.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!is_id) one.mistake(settings.span, "`commit` must be 40 hexadecimal digits");
        const YamlNode& files = one.map("files");
        for (const auto& [file, content] : files.entries) revision.files[file.text] = content.text;
    }
}

void load_terraform(Simulation& world, const YamlNode& directories, Diagnostics& diagnostics) {
    for (const auto& [name, settings] : directories.entries) {
        Fields fields(settings, "a terraform directory", diagnostics);
        TerraformDirectory& directory = world.terraform[name.text];
        const std::string hex = sha256("lineage of " + name.text);
        directory.lineage = fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                                        hex.substr(12, 4), hex.substr(16, 4), hex.substr(20, 12));
        directory.duration_ms = fields.duration_or("duration", 60'000);
        directory.locked_by = fields.text_or("locked-by", "");  // who holds the state's lock
        directory.workspace = fields.text_or("workspace", "default");
        directory.shares_state_with =
            fields.text_or("shares-state-with", "");                   // another directory of the world
        directory.loses_state = fields.flag_or("loses-state", false);  // applies end with errored.tfstate
        const YamlNode& variables = fields.map("variables");
        for (const auto& [variable, value] : variables.entries)
            directory.defaults[variable.text] = to_json(value);
        for (const YamlNode& resource : fields.list("resources"))
            directory.resources.push_back(terraform_resource(world, resource, diagnostics));
        const YamlNode& outputs = fields.map("outputs");
        for (const auto& [output, value] : outputs.entries)
            directory.outputs[output.text] = terraform_output(value, diagnostics);
        if (fields.flag_or("applied", true)) apply_defaults(world, directory);
    }
}

}  // namespace migc::runtime::inline world
