// Loading what is no cluster: web endpoints, programs, the registry, terraform.
#include <fmt/format.h>

#include "compiler/support/sha256.hpp"
#include "runtime/world/load.hpp"

namespace migc::runtime::inline world {
namespace {

WebAnswer web_answer(Fields& fields) {
    WebAnswer answer;
    answer.status = static_cast<int>(fields.number_or("status", 200, 100, 599));
    answer.body = fields.text_or("body", "");
    answer.redirect = fields.text_or("redirect", "");
    // One, or a list of them for one request each, in turn.
    for (const YamlNode& one : fields.one_or_more("latency"))
        answer.latencies_ms.push_back(fields.duration_of(one, "latency"));
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
WebEndpoint web_endpoint(Fields fields) {
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
        Fields rule = fields.below(one, "a `when` of a web endpoint");
        const PodCondition condition = condition_of(rule);
        WebAnswer& answer = endpoint.answers.emplace_back(web_answer(rule));
        answer.when = condition;
        // `every: 10`: only every tenth request is answered so.
        answer.every = static_cast<std::size_t>(rule.number_or("every", 1, 1, 1'000'000));
        asks_pods = asks_pods || condition.image || !condition.config_map.empty();
    }
    endpoint.answers.push_back(web_answer(fields));
    load_contents(endpoint, fields);
    if (endpoint.url.empty() && endpoint.prefix.empty() && !endpoint.pattern)
        fields.mistake("a web endpoint needs a `url`, a `url-prefix` or a `url-matches`");
    if (endpoint.service.empty() && asks_pods && !endpoint.inside_only)
        fields.mistake("`when` of a web endpoint asks about the pods of its `service`, which is missing");
    return endpoint;
}

// The forms of an attribute's value: a constant, {variable: NAME}, {matching: RE, default: VALUE}.
void load_attribute(TerraformResource& resource, const std::string& name, const YamlNode& node, Fields& all) {
    if (node.kind != YamlKind::Map) {
        resource.attributes[name] = to_json(node);
        return;
    }
    Fields fields = all.below(node, "an attribute of a terraform resource");
    if (const auto variable = fields.text("variable")) resource.from_variable[name] = *variable;
    if (const Pattern pattern = fields.pattern("matching")) {
        if (pattern->NumberOfCapturingGroups() != 1)
            fields.mistake("`matching` needs exactly one group in parentheses, the value");
        else
            resource.from_text[name] = pattern;
    }
    if (const YamlNode* fallback = fields.take("default")) resource.attributes[name] = to_json(*fallback);
}

void load_nodes_of(const Simulation& world, TerraformResource& resource, Fields& fields) {
    const YamlNode* node = fields.take("nodes-of");
    if (!node) return;
    resource.nodes_of = node->text;
    if (node->kind == YamlKind::Map) {
        Fields nodes = fields.below(*node, "`nodes-of`");
        resource.nodes_of = nodes.text_or("cluster", "");
        resource.node_cpu = nodes.quantity("cpu").value_or(resource.node_cpu);
        resource.node_memory = nodes.quantity("memory").value_or(resource.node_memory);
    }
    if (!world.clusters.contains(resource.nodes_of))
        fields.mistake(node->span, fmt::format("`nodes-of` names the cluster `{}`, which is not described",
                                               resource.nodes_of));
}

TerraformResource terraform_resource(const Simulation& world, Fields fields) {
    TerraformResource resource;
    resource.address = fields.text_or("address", "");
    resource.count_from = fields.text_or("count-from", "");
    resource.each_from = fields.text_or("each-from", "");
    resource.replaced_by = fields.texts("replaced-by");
    resource.depends_on = fields.texts("depends-on");  // addresses
    resource.fails = fields.text_or("fails", "");      // creating it fails: before | halfway
    if (!resource.fails.empty() && resource.fails != "before" && resource.fails != "halfway")
        fields.mistake("`fails` of a terraform resource is `before` or `halfway`");
    load_nodes_of(world, resource, fields);
    for (const auto& [name, attribute] : fields.map("attributes").entries)
        load_attribute(resource, name.text, attribute, fields);
    if (resource.address.find('.') == std::string::npos)
        fields.mistake("a terraform resource needs an `address` such as ionoscloud_k8s_node_pool.main");
    return resource;
}

TerraformOutput terraform_output(const YamlNode& node, Fields& all) {
    TerraformOutput output;
    if (node.kind != YamlKind::Map) {
        output.value = to_json(node);
        return output;
    }
    Fields fields = all.below(node, "a terraform output");
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

void load_ending(ProgramEnding& ending, Fields& fields) {
    ending.status = static_cast<int>(fields.number_or("status", 0, 0, 255));
    ending.output = fields.text_or("output", "");
    ending.errors = fields.text_or("errors", "");
    ending.duration_ms = fields.duration_or("duration", 0);
}

void load_web(Simulation& world, Fields& fields) {
    for (const YamlNode& node : fields.list("web"))
        world.web.push_back(web_endpoint(fields.below(node, "a web endpoint")));
}

void load_programs(Simulation& world, Fields& all) {
    for (const auto& [name, program] : all.map("programs").entries) {
        Fields fields = all.below(program, "a program");
        Script& script = world.programs[name.text];
        load_ending(script, fields);
        // `keeps-running: true`: it runs until it is stopped, as one that was started and left running does.
        script.keeps_running = fields.flag_or("keeps-running", false);
    }
}

// image -> what was built into it; the digest follows from that.
void load_registry(Simulation& world, Fields& fields) {
    for (const auto& [image, content] : fields.map("registry").entries) {
        if (content.kind == YamlKind::Map || content.kind == YamlKind::List)
            fields.mistake(content.span,
                           "an image of the registry has a single value, the name of its content");
        world.registry[image.text] = "sha256:" + sha256(content.text.empty() ? image.text : content.text);
    }
}

// git: { revisions: { HEAD~1: { commit: 3f2a.., files: { "k8s/web.yaml": "content" } } }, uncommitted: [path]
// }. Without `commit` the revision gets an id of its own. Without `git` the project is in no repository.
void load_git(Simulation& world, Fields& fields) {
    const YamlNode* node = fields.take("git");
    if (!node) return;
    GitRepository& repository = world.git.emplace();
    Fields all = fields.below(*node, "`git`");
    repository.uncommitted = all.texts("uncommitted");
    for (const auto& [name, settings] : all.map("revisions").entries) {
        Fields one = all.below(settings, "a revision of `git`");
        GitRevision& revision = repository.revisions[name.text];
        revision.commit = one.text_or("commit", sha256("commit " + name.text).substr(0, 40));
        const bool is_id = revision.commit.size() == 40 &&
                           revision.commit.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!is_id) one.mistake("`commit` must be 40 hexadecimal digits");
        for (const auto& [file, content] : one.map("files").entries) revision.files[file.text] = content.text;
    }
}

void load_terraform(Simulation& world, Fields& all) {
    for (const auto& [name, settings] : all.map("terraform").entries) {
        Fields fields = all.below(settings, "a terraform directory");
        TerraformDirectory& directory = world.terraform[name.text];
        directory.lineage = lineage_of(name.text);
        directory.duration_ms = fields.duration_or("duration", 60'000);
        directory.locked_by = fields.text_or("locked-by", "");  // who holds the state's lock
        directory.workspace = fields.text_or("workspace", "default");
        directory.shares_state_with =
            fields.text_or("shares-state-with", "");                   // another directory of the world
        directory.loses_state = fields.flag_or("loses-state", false);  // applies end with errored.tfstate
        for (const auto& [variable, value] : fields.map("variables").entries)
            directory.defaults[variable.text] = to_json(value);
        for (const YamlNode& resource : fields.list("resources"))
            directory.resources.push_back(
                terraform_resource(world, fields.below(resource, "a terraform resource")));
        for (const auto& [output, value] : fields.map("outputs").entries)
            directory.outputs[output.text] = terraform_output(value, fields);
        if (fields.flag_or("applied", true)) apply_defaults(world, directory);
    }
}

}  // namespace migc::runtime::inline world
