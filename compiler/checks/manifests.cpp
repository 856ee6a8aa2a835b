#include "compiler/checks/manifests.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "compiler/checks/pods.hpp"
#include "compiler/checks/timeline.hpp"
#include "compiler/documents/document.hpp"
#include "compiler/documents/pointer.hpp"
#include "compiler/documents/tree.hpp"
#include "compiler/documents/yaml_scalar.hpp"
#include "compiler/kubernetes/kinds.hpp"
#include "compiler/kubernetes/manifest.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/project_path.hpp"
#include "compiler/support/text.hpp"

namespace migc::checks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_files = 20'000;
constexpr std::size_t most_searches = 8;  // through all texts; who wants to know more gets all of them parsed
constexpr const char* usual_folders[] = {"k8s", "kubernetes", "manifests", "deploy"};

template <typename Iterator>
std::vector<fs::path> manifests_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (Iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        if (kubernetes::is_manifest_name(at->path()) && at->is_regular_file(error))
            found.push_back(at->path());
        if (found.size() == most_files) break;
    }
    std::ranges::sort(found);
    return found;
}

constexpr std::string_view placeholder = "{{";
constexpr const char* why_template = "it is a template: what stands in `{{ .. }}` has to be filled in before";

// Whether a text that is no YAML is one that becomes a manifest only when helm or the like has filled it in.
bool is_template(std::string_view text) {
    for (auto at = text.find(placeholder); at != std::string_view::npos;
         at = text.find(placeholder, at + 1)) {
        const std::size_t begin = documents::line_begin(text, at);
        if (text[documents::skip_blanks(text, begin)] != '#') return true;
    }
    return false;
}

// Looks for the place that makes a document of YAML a template. Where people write texts, `{{ .. }}` is for
// somebody else: an alert's annotation, a configuration, the argument of a program.
class Placeholder {
  public:
    Placeholder(std::string_view text, bool only_texts) : text_(text), only_texts_(only_texts) {}

    [[nodiscard]] std::optional<std::size_t> in(const documents::Node& node) const {
        const bool is_map = node.kind == documents::Kind::Map;
        const std::string_view written = text_.substr(std::min(node.range.begin, text_.size()));
        if (is_map && written.starts_with(placeholder)) return node.range.begin;
        if (!only_texts_ && node.value.is_string() && node.style != documents::Style::Text &&
            node.value.get_ref<const std::string&>().find(placeholder) != std::string::npos)
            return node.range.begin;
        for (const auto& member : node.members) {
            const bool is_text =
                is_map && listed("annotations data stringData value args command", member.key);
            const auto found = is_text ? Placeholder(text_, true).in(member.value) : in(member.value);
            if (found) return found;
        }
        return std::nullopt;
    }

  private:
    std::string_view text_;
    bool only_texts_;
};

// A scalar that readers of YAML differ in is here what kubectl takes it for: `on` is true, `0644` is 420.
json as_kubectl_reads(const std::string& text) {
    const std::string word = lower_case(text);
    if (listed("y yes on", word)) return true;
    if (listed("n no off", word)) return false;
    std::string digits = text;
    std::erase(digits, '_');
    const bool is_octal =
        digits.starts_with('0') && digits.find_first_not_of("01234567") == std::string::npos;
    if (is_octal) return std::strtoll(digits.c_str(), nullptr, 8);
    json number = json::parse(digits, nullptr, false);
    return number.is_number() ? number : json(text);
}

json as_kubectl_reads(const documents::Node& node) {
    if (node.kind == documents::Kind::Scalar) {
        const bool may_be = node.style == documents::Style::Plain && node.value.is_string();
        const std::string text = may_be ? node.value.get<std::string>() : "";
        const std::string doubt = documents::ambiguity_of_plain(text);
        return !doubt.empty() && node.unreadable == doubt ? as_kubectl_reads(text) : node.value;
    }
    const bool is_list = node.kind == documents::Kind::List;
    json result = is_list ? json::array() : json::object();
    for (const auto& member : node.members)
        if (is_list)
            result.push_back(as_kubectl_reads(member.value));
        else
            result[member.key] = as_kubectl_reads(member.value);
    return result;
}

// What a document is to the cluster: an object, several of them, or nothing that could be applied.
class Collector {
  public:
    Collector(std::string file, std::string_view text) : file_(std::move(file)), text_(text) {}

    void add(const documents::Node& root) {
        const bool several = root.style == documents::Style::Documents;
        if (!several) return add(root, 0);
        for (const auto& member : root.members) add(member.value, count_++);
    }

    std::vector<Object> objects;
    std::vector<Unusable> unusable;

  private:
    void add(const documents::Node& document, std::size_t number) {
        if (document.is_null()) return;
        json content = as_kubectl_reads(document);
        const bool is_known = !kubernetes::kind_name(text_field(content, "/kind")).empty();
        if (const auto at = Placeholder(text_, !is_known).in(document)) {
            unusable.push_back({file_, *at, why_template, false});
            return;
        }
        if (!kubernetes::is_list(content)) return add(std::move(content), number, "", document.range.begin);
        unusable.push_back(
            {file_, document.range.begin, "it is a List; write its items as documents of their own", false});
        std::size_t item = 0;
        for (json& one : content["items"])
            add(std::move(one), number, fmt::format("/items/{}", item++), document.range.begin);
    }

    void add(json content, std::size_t document, std::string item, std::size_t offset) {
        if (std::string why = kubernetes::why_no_object(content); !why.empty())
            unusable.push_back({file_, offset, std::move(why), false});
        const std::string kind = text_field(content, "/kind"), name = text_field(content, "/metadata/name");
        if (kind.empty() || name.empty()) return;
        objects.push_back(
            {ResourceKey::object(kind, name), file_, std::move(content), document, std::move(item)});
    }

    std::string file_;
    std::string_view text_;
    std::size_t count_ = 0;
};

std::string label(const std::string& key, const json& value) {
    return key + '=' + plain_text(value);
}

// Whether all words stand in a text, in whatever case. Where characters may be written as escapes, they may
// stand there unseen.
bool mentions(std::string_view text, const std::set<std::string>& words) {
    const auto is_same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
    return text.find('\\') != std::string_view::npos ||
           std::ranges::all_of(words, [&](const std::string& word) {
               return std::search(text.begin(), text.end(), word.begin(), word.end(), is_same) != text.end();
           });
}

template <typename Index>
const Manifests::Objects& found_in(const Index& index, const typename Index::key_type& key) {
    static const Manifests::Objects none;
    const auto found = index.find(key);
    return found == index.end() ? none : found->second;
}

}  // namespace

std::optional<std::string> content(const fs::path& root, const fs::path& path) {
    auto text = project_file_content(root, path, documents::size_limit);
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

Span first_line(FileId file, std::string_view text, documents::Range range) {
    const std::size_t begin = std::min(range.begin, text.size());
    const std::size_t end = std::min(range.end, documents::line_end(text, begin));
    return {file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(std::max(begin, end))};
}

struct Manifests::File {
    std::string text;
    bool is_read = false;
    bool is_parsed = false;
    std::size_t documents = 0;
    std::vector<Object> objects;
    std::optional<FileId> id;
};

Manifests::Manifests(fs::path root, SourceMap& sources) : root_(std::move(root)), sources_(sources) {}
Manifests::~Manifests() = default;

bool is_workload(const ResourceKey& thing) {
    return kubernetes::is_workload(thing.type());
}

std::vector<Object> Manifests::objects_of(const std::string& file, std::string_view text) {
    const auto format = documents::format_of(file);
    const auto tree = format ? documents::parse(text, *format) : tl::unexpected(documents::Problem{});
    Collector collector(file, text);
    if (tree) collector.add(tree->root);
    return std::move(collector.objects);
}

Manifests::File& Manifests::read(const fs::path& full) const {
    const std::string name = full.lexically_relative(root_).generic_string();
    auto& entry = files_[name];
    if (entry) return *entry;
    entry = std::make_unique<File>();
    const bool may_be_one =
        documents::format_of(name) && kubernetes::is_manifest_name(full) && !name.starts_with("..");
    auto text = may_be_one ? content(root_, full) : std::nullopt;
    if (!text) return *entry;
    entry->text = std::move(*text);
    entry->is_read = true;
    return *entry;
}

const Manifests::File& Manifests::file(const fs::path& full) const {
    File& entry = read(full);
    if (!entry.is_read || std::exchange(entry.is_parsed, true)) return entry;
    const std::string name = full.lexically_relative(root_).generic_string();
    const auto tree = documents::parse(entry.text, *documents::format_of(name));
    if (!tree) {
        const bool fills_in = is_template(entry.text);
        unusable_.push_back({name, fills_in ? entry.text.find(placeholder) : tree.error().offset,
                             fills_in ? why_template : tree.error().message, !fills_in});
        return entry;
    }
    if (const auto* alias = documents::alias_in(tree->root))
        unusable_.push_back({name, alias->range.begin, "it uses an alias: write the value out", true});
    entry.documents = tree->root.style == documents::Style::Documents ? tree->root.members.size() : 1;
    Collector collector(name, entry.text);
    collector.add(tree->root);
    std::move(collector.unusable.begin(), collector.unusable.end(), std::back_inserter(unusable_));
    entry.objects = std::move(collector.objects);
    for (const Object& object : entry.objects) enter(object);
    return entry;
}

void Manifests::enter(const Object& object) const {
    all_.push_back(&object);
    by_thing_[object.thing].push_back(&object);
    if (is_workload(object.thing))
        each_configuration(field(object.json, "/spec/template/spec"),
                           [&](const char* kind, const std::string& name) {
                               auto& readers = by_configuration_[ResourceKey::object(kind, name)];
                               if (readers.empty() || readers.back() != &object) readers.push_back(&object);
                           });
    if (object.thing.is("horizontalpodautoscaler"))
        by_scaled_[ResourceKey::object(text_field(object.json, "/spec/scaleTargetRef/kind"),
                                       text_field(object.json, "/spec/scaleTargetRef/name"))]
            .push_back(&object);
    const json& selector = field(object.json, "/spec/selector");
    if (object.thing.is("service") && selector.is_object() && !selector.empty())
        by_selected_[label(selector.begin().key(), *selector.begin())].push_back(&object);
}

std::vector<std::string> Manifests::files_of(const std::string& path) const {
    std::error_code error;
    const fs::path full = (root_ / path).lexically_normal();
    std::vector<std::string> names;
    for (const fs::path& one : fs::is_directory(full, error) ? manifests_in<fs::directory_iterator>(full)
                                                             : std::vector<fs::path>{full})
        names.push_back(one.lexically_relative(root_).generic_string());
    return names;
}

const Manifests::Objects& Manifests::of(const std::string& path) const {
    const auto [entry, is_new] = paths_.try_emplace(path);
    if (is_new)
        for (const std::string& name : files_of(path))
            for (const Object& object : file(root_ / name).objects) entry->second.push_back(&object);
    return entry->second;
}

const std::vector<fs::path>& Manifests::usual_files() const {
    if (usual_files_) return *usual_files_;
    usual_files_.emplace();
    std::error_code error;
    for (const char* folder : usual_folders)
        if (fs::is_directory(root_ / folder, error))
            for (fs::path& one : manifests_in<fs::recursive_directory_iterator>(root_ / folder))
                usual_files_->push_back(std::move(one));
    return *usual_files_;
}

void Manifests::look_around() const {
    if (std::exchange(has_all_, true)) return;
    for (const fs::path& one : usual_files()) file(one);
}

// Most scripts are about one or two things, and a text is searched much faster than it is parsed.
void Manifests::look_for(const std::set<std::string>& words) const {
    if (has_all_ || !looked_for_.insert(words).second) return;
    if (looked_for_.size() > most_searches) return look_around();
    for (const fs::path& one : usual_files())
        if (mentions(read(one).text, words)) file(one);
}

Manifests::Objects Manifests::mentioning(const std::set<std::string>& words) const {
    look_for(words);
    return all_;
}

const Manifests::Objects& Manifests::all() const {
    look_around();
    return all_;
}

const Manifests::Objects& Manifests::declaring(const ResourceKey& thing) const {
    look_for({thing.type(), thing.name()});
    return found_in(by_thing_, thing);
}

const Manifests::Objects& Manifests::readers(const ResourceKey& thing) const {
    look_around();
    return found_in(by_configuration_, thing);
}

const Manifests::Objects& Manifests::autoscalers(const ResourceKey& thing) const {
    look_around();
    return found_in(by_scaled_, thing);
}

Manifests::Objects Manifests::mounting(const ResourceKey& claim) const {
    const auto mounts = [name = claim.name()](const json& volume) {
        return text_field(volume, "/persistentVolumeClaim/claimName") == name;
    };
    Objects found;
    for (const Object* object : mentioning({claim.name()}))
        if (const json& volumes = field(object->json, "/spec/template/spec/volumes");
            volumes.is_array() && std::ranges::any_of(volumes, mounts))
            found.push_back(object);
    return found;
}

Manifests::Objects Manifests::services(const Object& workload) const {
    Objects found;
    const json& given = field(workload.json, "/spec/template/metadata/labels");
    if (!given.is_object()) return found;
    look_around();
    for (const auto& [key, value] : given.items())
        for (const Object* service : found_in(by_selected_, label(key, value))) {
            const json& wanted = service->json["spec"]["selector"];
            const bool selects = std::ranges::all_of(wanted.items(), [&](const auto& one) {
                return given.value(one.key(), json()) == one.value();
            });
            if (selects) found.push_back(service);
        }
    return found;
}

std::optional<std::string_view> Manifests::text(const std::string& file) const {
    const auto& one = this->file(root_ / file);
    return one.is_read ? std::optional<std::string_view>(one.text) : std::nullopt;
}

FileId Manifests::id_of(File& file, const std::string& name) const {
    if (!file.id) file.id = sources_.add(shown_path(root_ / name), file.text);
    return *file.id;
}

Span Manifests::span(const std::string& name, std::size_t offset) const {
    File& file = *files_.at(name);
    return first_line(id_of(file, name), file.text, {offset, file.text.size()});
}

Span Manifests::span(const Object& object, const std::string& pointer) const {
    File& file = *files_.at(object.file);
    const FileId id = id_of(file, object.file);
    const auto tree = documents::parse(file.text, *documents::format_of(object.file));
    const std::string document = file.documents > 1 ? fmt::format("/{}", object.document) : "";
    const auto tokens = documents::tokens_of(document + object.item + pointer);
    const auto place =
        tree && tokens ? documents::find(*tree, file.text, *tokens) : tl::unexpected(documents::Problem{});
    if (!place) return {id, 0, 0};
    const documents::Range range =
        place->hops.empty() ? place->node->range : place->hops.back().member().value.range;
    return first_line(id, file.text, range);
}

}  // namespace migc::checks
