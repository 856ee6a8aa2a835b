#include "runtime/plan/foreseen.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "compiler/support/project_path.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/evaluate/consent.hpp"
#include "runtime/natives/kubernetes.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/tools/transcript.hpp"

namespace migc::runtime::inline plans {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Number = Foreseen::Number;

constexpr std::string_view later_mark = "known after ";
constexpr std::uintmax_t scratch_limit = std::uintmax_t{64} << 20;

// Of files, and of fields by their pointers.
bool is_at_or_below(const std::string& path, const std::string& folder) {
    return path == folder || folder == "." || path.starts_with(folder + "/");
}

bool meet(const std::string& a, const std::string& b) {
    return is_at_or_below(a, b) || is_at_or_below(b, a);
}

// What the cluster itself writes into an object whenever somebody else has.
bool is_bookkeeping(const std::string& pointer) {
    constexpr std::array fields = {"/status",
                                   "/metadata/uid",
                                   "/metadata/resourceVersion",
                                   "/metadata/generation",
                                   "/metadata/creationTimestamp",
                                   "/metadata/managedFields",
                                   "/metadata/annotations/deployment.kubernetes.io~1revision"};
    return std::any_of(fields.begin(), fields.end(),
                       [&](const std::string& field) { return is_at_or_below(pointer, field); });
}

bool overlap(const std::vector<std::string>& fields, const std::string& pointer) {
    return std::any_of(fields.begin(), fields.end(), [&](const std::string& field) {
        return field.empty() || pointer.empty() || meet(field, pointer);
    });
}

// What is wrong with an object by itself no other object can mend.
bool is_beyond_mending(const std::string& complaint) {
    constexpr std::array words = {"is invalid", "strict decoding", "unmarshal",       "error parsing",
                                  "BadRequest", "unknown field",   "error validating"};
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return complaint.find(word) != std::string::npos; });
}

std::set<std::string> types_of(const KubectlWords& call) {
    std::set<std::string> types;
    const std::string words = call.words.empty() ? "all" : call.words.front();
    for (const std::string& word : split(words, ',')) types.insert(type_name(word));
    return types;
}

std::string target_of(const json& item) {
    return type_name(text_field(item, "/kind")) + "/" + text_field(item, "/metadata/name");
}

// Where kubectl would list an object that is new: among those of its kind by name.
json::iterator place_in(json& items, const json& form) {
    auto place = items.end();
    for (auto item = items.begin(); item != items.end(); ++item) {
        if (text_field(*item, "/kind") != text_field(form, "/kind")) continue;
        if (text_field(*item, "/metadata/name") > text_field(form, "/metadata/name")) return item;
        place = std::next(item);
    }
    return place;
}

// A list as kubectl prints it, with the objects in it as they will be.
Answer with_changes(Answer answer, std::map<std::string, const Foreseen::Thing*> changed) {
    auto list = json::parse(answer.output, nullptr, false);
    if (changed.empty() || !answer.succeeded() || !field(list, "/items").is_array()) return answer;
    json items = json::array();
    for (json& item : list["items"]) {
        const auto found = changed.find(target_of(item));
        if (found == changed.end())
            items.push_back(std::move(item));
        else if (!found->second->form.is_null())
            items.push_back(found->second->form);
        if (found != changed.end()) changed.erase(found);
    }
    for (const auto& [target, thing] : changed)
        if (!thing->form.is_null()) items.insert(place_in(items, thing->form), thing->form);
    list["items"] = std::move(items);
    answer.output = list.dump();
    return answer;
}

}  // namespace

bool is_left_open(std::string_view reason) {
    return reason.starts_with(later_mark) || reason.starts_with(not_read_mark);
}

std::string known_after(const Value& value) {
    const auto* no = value.get_if<Unknown>();
    return no != nullptr && is_left_open(no->reason) ? no->reason : std::string();
}

Scope with_known_after(const Scope& names, std::string_view instead) {
    Scope shown(&names, names.depth());
    const json known = names.journal();
    for (const auto& [name, value] : known.items())
        if (const std::string why = known_after(from_json(value)); !why.empty())
            shown.bind(name, Value(instead.empty() ? "(" + why + ")" : std::string(instead)));
    return shown;
}

Foreseen::Foreseen(Tools& tools, fs::path root, Natives natives)
    : ForwardingTools(tools), root_(fs::absolute(root).lexically_normal()), natives_(std::move(natives)) {
    if (!root_.has_filename()) root_ = root_.parent_path();
}

Foreseen::~Foreseen() {
    std::error_code ignored;
    if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
}

void Foreseen::enter(StageEnvironment& environment, const std::string& stage) {
    environment_ = &environment;
    stage_ = stage;
}

// ------------------------------------------------------------------ steps, and what is open

Number Foreseen::begin(const std::string& step) {
    if (steps_.empty() || steps_.back() != std::pair(stage_, step)) steps_.emplace_back(stage_, step);
    return steps_.size();
}

std::string Foreseen::label(Number number) const {
    const auto& [stage, step] = steps_.at(number - 1);
    return fmt::format("{}step {}{}", later_mark, step, stage == stage_ ? "" : " of " + stage);
}

Value Foreseen::unknown_after(Number number) const {
    return Unknown{label(number)};
}

// The step that such a value waits for. Labels are few; a later one of the same words is the same step.
Number Foreseen::number_of(const Value& value) const {
    const std::string text = known_after(value);
    for (Number number = text.empty() ? 0 : steps_.size(); number > 0; --number)
        if (label(number) == text) return number;
    return 0;
}

Value Foreseen::yield(const std::string& step) {
    return unknown_after(begin(step));
}

Number Foreseen::open(const Key& key) const {
    const auto found = state_.open.find(key);
    return found == state_.open.end() ? 0 : found->second;
}

void Foreseen::set_open(const Key& key, Number number) {
    Number& known = state_.open[key];
    known = std::max(known, number);
}

Foreseen::Keys Foreseen::touched(const State& before, const State& after) {
    Keys keys;
    const auto compare = [&](Of of, const auto& was, const auto& is, const auto& since) {
        for (const auto& [name, one] : is)
            if (const auto old = was.find(name); old == was.end() || since(old->second) != since(one))
                keys.insert({of, name});
    };
    const auto by = [](const auto& one) { return one.by; };
    compare(Of::Object, before.things, after.things,
            [](const Thing& thing) { return std::tie(thing.written, thing.open); });
    compare(Of::File, before.files, after.files, by);
    compare(Of::Promise, before.promises, after.promises, by);
    for (const auto& [key, number] : after.open)
        if (const auto old = before.open.find(key); old == before.open.end() || old->second != number)
            keys.insert(key);
    return keys;
}

void Foreseen::unsettle(const Keys& keys, const std::string& step) {
    const Number number = begin(step);
    for (const Key& key : keys) {
        if (key.of == Of::Object) {
            Thing& thing = state_.things[key.name];
            thing.written = number;
            thing.open[""] = number;
        } else if (key.of == Of::Promise) {
            state_.promises.erase(key.name);
        } else {
            set_open(key, number);
        }
    }
}

void Foreseen::take(const Keys& keys, const State& from) {
    const auto copy = [](auto& to, const auto& source, const std::string& name) {
        if (const auto found = source.find(name); found != source.end())
            to.insert_or_assign(name, found->second);
    };
    for (const Key& key : keys) {
        if (key.of == Of::Object) copy(state_.things, from.things, key.name);
        if (key.of == Of::Promise) copy(state_.promises, from.promises, key.name);
        if (key.of == Of::File) copy(state_.files, from.files, key.name);
        if (const auto open = from.open.find(key); open != from.open.end()) set_open(key, open->second);
    }
}

std::map<std::string, std::string> Foreseen::take_identities() {
    return std::exchange(identities_, {});
}

// ------------------------------------------------------------------ files

std::string Foreseen::relative(const std::string& path) const {
    if (path.empty() || path.find('\0') != std::string::npos) return {};
    const fs::path below = (root_ / path).lexically_normal().lexically_relative(root_);
    if (below.empty() || *below.begin() == "..") return {};
    std::string text = below.generic_string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

namespace {

bool is_left_out(const fs::path& path) {
    const std::string name = path.filename().string();
    return name == ".git" || name == ".migc" || name == "node_modules" || name == ".terraform";
}

}  // namespace

std::vector<std::string> Foreseen::paths_of(const ir::Probe& probe, const Scope& names) const {
    std::vector<std::string> paths;
    const auto add = [&](const std::string& text) {
        if (const std::string path = relative(text); !path.empty()) paths.push_back(path);
    };
    for (const ir::Parameter& parameter : probe.parameters)
        if (const Binding* binding = names.find(parameter.name))
            if (const auto* text = binding->value.get_if<std::string>()) add(*text);
    const NativeEntry* native = probe.read ? natives_(probe.read->native) : nullptr;
    if (native != nullptr && native->sight.terraform_folder) add(environment_->setting("terraform-dir"));
    return paths;
}

Number Foreseen::open_files(const std::vector<std::string>& paths) const {
    Number latest = paths.empty() ? 0 : open({Of::File});
    for (const auto& [key, number] : state_.open) {
        const std::string& path = key.name;
        if (key.of != Of::File || path.empty()) continue;
        const auto edited = state_.files.find(path);
        if (edited != state_.files.end() && edited->second.by > number) continue;
        if (std::any_of(paths.begin(), paths.end(), [&](const std::string& p) { return meet(p, path); }))
            latest = std::max(latest, number);
    }
    return latest;
}

bool Foreseen::is_edited(const std::vector<std::string>& paths) const {
    return std::any_of(state_.files.begin(), state_.files.end(), [&](const auto& edited) {
        return std::any_of(paths.begin(), paths.end(),
                           [&](const std::string& path) { return meet(path, edited.first); });
    });
}

bool Foreseen::lay_out(const std::vector<std::string>& paths) {
    std::error_code error;
    if (scratch_.empty()) {
        std::string name = (fs::temp_directory_path(error) / "migc-XXXXXX").string();
        if (error || ::mkdtemp(name.data()) == nullptr) return false;
        scratch_ = name;
    }
    std::uintmax_t size = 0;
    const auto copy = [&](const fs::path& from) {
        const std::string path = from.lexically_relative(root_).generic_string();
        if (state_.files.contains(path) || !project_file(root_, path)) return;
        size += fs::file_size(from, error);
        if (error || size > scratch_limit) return;
        fs::create_directories((scratch_ / path).parent_path(), error);
        fs::copy_file(from, scratch_ / path, fs::copy_options::overwrite_existing, error);
    };
    // What another way through the script had left there.
    for (const std::string& path : std::exchange(overlaid_, {}))
        if (!state_.files.contains(path)) {
            fs::remove(scratch_ / path, error);
            if (fs::is_regular_file(root_ / path)) copy(root_ / path);
        }
    for (const std::string& path : paths) {
        if (!laid_out_.insert(path).second) continue;
        const fs::path from = root_ / path;
        if (fs::is_regular_file(from)) copy(from);
        if (!fs::is_directory(from)) continue;
        fs::create_directories(scratch_ / path, error);
        for (fs::recursive_directory_iterator i(from, error), end; !error && i != end; i.increment(error)) {
            if (is_left_out(i->path()))
                i.disable_recursion_pending();
            else if (i->is_directory())
                fs::create_directories(scratch_ / i->path().lexically_relative(root_), error);
            else if (i->is_regular_file())
                copy(i->path());
        }
    }
    for (const auto& [path, edited] : state_.files) {
        const fs::path file = scratch_ / path;
        overlaid_.insert(path);
        fs::remove(file, error);
        if (!edited.content) continue;
        fs::create_directories(file.parent_path(), error);
        const mode_t mode = edited.executable ? 0700 : 0600;
        if (!write_file(file, *edited.content, {.mode = mode, .synced = false})) return false;
    }
    return !error && size <= scratch_limit;
}

Reading Foreseen::in_scratch(const std::vector<std::string>& paths, const std::function<Reading()>& read) {
    if (!lay_out(paths)) return unknown("the files that earlier steps change cannot be copied for the plan");
    const auto real = environment_->settings;
    environment_->settings["root"] = scratch_.string();
    if (const std::string below = relative(environment_->setting("terraform-dir")); !below.empty())
        environment_->settings["terraform-dir"] = (scratch_ / below).string();
    Reading reading = read();
    environment_->settings = real;
    reading.why = without_scratch(std::move(reading.why));
    if (const auto* no = reading.value.get_if<Unknown>())
        reading.value = Unknown{without_scratch(no->reason)};
    return reading;
}

std::string Foreseen::without_scratch(std::string text) const {
    return replaced(std::move(text), {scratch_.string(), root_.string()});
}

// ------------------------------------------------------------------ reading

Foreseen::Look Foreseen::look_at(const ir::Probe& probe, const Scope& names) const {
    Look look;
    look.fields = {""};
    look.is_secret = probe.type.kind == ir::TypeKind::Secret && !probe.computed;
    if (!probe.parameters.empty())
        if (const Binding* first = names.find(probe.parameters.front().name)) look.about = show(first->value);
    if (!probe.read) return look;
    if (const NativeEntry* native = natives_(probe.read->native)) {
        look.sight = native->sight;
        look.fields.assign(native->sight.fields.begin(), native->sight.fields.end());
        const auto named = native->sight.pointer;
        const Binding* pointer =
            named && *named < probe.parameters.size() ? names.find(probe.parameters[*named].name) : nullptr;
        if (pointer != nullptr) look.fields = {show(pointer->value)};
    }
    const auto& pointer = probe.read->pointer;
    if (pointer && pointer->kind == ir::ExprKind::Literal) look.fields = {show(pointer->value)};
    return look;
}

Reading Foreseen::read(const ir::Probe& probe, const Scope& names, const std::string& phrase,
                       const std::function<Reading()>& live) {
    const bool computed = probe.computed.has_value();
    const Look outer = std::exchange(look_, look_at(probe, names));
    const bool foresees = environment_ != nullptr && any_step() > 0;
    const auto paths = computed || !foresees ? std::vector<std::string>() : paths_of(probe, names);
    Number after = probe.read && probe.read->tool == "native" ? open_files(paths) : 0;
    // What git says of the work tree is said of the real one.
    if (look_.sight.work_tree && is_edited(paths)) after = std::max(after, any_step());
    Reading reading;
    if (after == 0) {
        reading = !paths.empty() && is_edited(paths) ? in_scratch(paths, live) : live();
        after = computed && foresees ? number_of(reading.value) : look_.withheld;
    }
    const Look own = std::exchange(look_, outer);
    if (after == 0)
        return own.not_read.empty() ? reading : Reading{Unknown{own.not_read}, own.not_read, false};
    const auto promise = state_.promises.find(environment_->name + " " + phrase);
    if (promise != state_.promises.end() && promise->second.by >= after)
        return {promise->second.value, {}, false};
    return {unknown_after(after), label(after), false};
}

// ------------------------------------------------------------------ commands

Answer Foreseen::withhold(Number number) {
    look_.withheld = std::max(look_.withheld, number);
    return not_started(label(number));
}

// The scratch copy is for files only: programs run where they always do.
Answer Foreseen::noted(Answer answer) {
    if (is_not_allowed(answer) && look_.not_read.empty()) look_.not_read = answer.reason;
    return answer;
}

Answer Foreseen::live_unless(Number after, const CommandLine& command) {
    return after > 0 ? withhold(after) : live(command);
}

Answer Foreseen::live(const CommandLine& command) {
    if (scratch_.empty()) return noted(tools_.run(command));
    CommandLine real = command;
    real.directory = without_scratch(real.directory);
    for (std::string& argument : real.argv) argument = without_scratch(std::move(argument));
    return noted(tools_.run(real));
}

Answer Foreseen::run(const CommandLine& command) {
    // Whoever keeps a secret is not asked for it.
    if (look_.is_secret) {
        look_.not_read = secret_unread;
        return not_started(secret_unread);
    }
    if (environment_ == nullptr || any_step() == 0) {
        if (command.tool != "kubectl" || environment_ == nullptr) return noted(tools_.run(command));
        return kubectl(command);
    }
    if (const Number all = open({Of::Everything}); all > 0) return withhold(all);
    if (command.tool == "kubectl") return kubectl(command);
    if (command.tool == "terraform") return terraform(command);
    Number after = any_step();  // of a program that the plan knows nothing of
    const auto of_all_or = [&](Of of) { return std::max(open({of}), open({of, look_.about})); };
    if (command.tool == "git") after = open({Of::Git});
    if (command.tool == "docker") after = of_all_or(Of::Image);
    if (command.tool == "curl") after = open({Of::Outside});
    if ((command.tool == "curl" || command.tool == "docker") && look_.sight.registry)
        after = of_all_or(Of::Registry);
    return live_unless(after, command);
}

// What an earlier `init` prepares fails only until then; what it reads after changed files may be another
// state.
Answer Foreseen::terraform(const CommandLine& command) {
    const std::string folder = environment_->setting("terraform-dir");
    const Number init = open({Of::Prepared, folder});
    const std::string below = relative(folder);
    Number edited = below.empty() ? open({Of::File}) : open_files({below});
    for (const auto& [path, file] : state_.files)
        if (is_at_or_below(path, below)) edited = std::max(edited, file.by);
    Number after = open({Of::Terraform, folder});
    const auto& argv = command.argv;
    const bool validates = std::find(argv.begin(), argv.end(), "validate") != argv.end();
    if (validates || init > 0) after = std::max(after, edited);
    if (after > 0) return withhold(after);
    Answer answer = live(command);
    return answer.succeeded() || init == 0 ? answer : withhold(init);
}

// Which cluster it is, whatever it is called.
std::string Foreseen::cluster() const {
    const std::string identity = environment_->setting("cluster");
    return identity.empty() ? environment_->setting("context") : identity;
}

Number Foreseen::cluster_open() const {
    return std::max(open({Of::Everything}), open({Of::Cluster, cluster()}));
}

Number Foreseen::busy() const {
    return open({Of::Busy, cluster()});
}

const Foreseen::Thing* Foreseen::thing_at(const std::string& name) const {
    const auto found = state_.things.find(name);
    return found == state_.things.end() ? nullptr : &found->second;
}

std::string Foreseen::thing_name(const KubectlWords& call, const std::string& target) const {
    const std::string type = target.substr(0, target.find('/'));
    const std::string name_space =
        call.name_space.empty() ? environment_->setting("namespace") : call.name_space;
    return fmt::format("{} {} {}", cluster(), is_cluster_wide(type) ? "" : name_space, target);
}

Number Foreseen::open_in(const Thing& thing, const std::vector<std::string>& fields, bool bookkeeping) const {
    Number latest = 0;
    for (const auto& [pointer, number] : thing.open) {
        if (!bookkeeping && is_bookkeeping(pointer)) continue;
        if (overlap(fields, pointer)) latest = std::max(latest, number);
    }
    return latest;
}

Answer Foreseen::kubectl(const CommandLine& command) {
    const KubectlWords call = parse_kubectl(command.argv);
    if (call.verb == "config" || call.verb == "version") return live(command);
    if (call.verb == "get" && !call.has("--raw"))
        return call.targets().size() == 1 && !call.has("--selector") ? get_object(command, call)
                                                                     : get_list(command, call);
    if (call.value("--dry-run") == "server" && call.verb == "apply") return dry_apply(command, call);
    if (call.value("--dry-run") == "server" && call.verb == "patch") return dry_patch(command, call);
    const bool asks_rights = call.verb == "auth" || call.verb == "api-resources";
    const Number after = std::max(cluster_open(), asks_rights ? 0 : busy());
    return after > 0 ? withhold(after) : mended_by_then(live(command));
}

Answer Foreseen::get_object(const CommandLine& command, const KubectlWords& call) {
    const std::string target = call.targets().front(), name = thing_name(call, target);
    const std::string type = target.substr(0, target.find('/'));
    const Thing* known = thing_at(name);
    const Number written = known == nullptr ? 0 : known->written;
    if (const Number after = cluster_open(); after > written) return withhold(after);
    if (const Number after = open({Of::Nodes, cluster()}); type == "node" && after > written)
        return withhold(after);
    const bool made_by_others = is_volatile(type) && type != "node" && type != "persistentvolume";
    const auto& fields = look_.fields;
    const bool status = look_.sight.bookkeeping && overlap(fields, "/status");
    if (const Number after = busy(); after > written && (made_by_others || status)) return withhold(after);
    const bool version = overlap(fields, "/metadata/resourceVersion");
    if (const Number evicted = open({Of::Evicted, cluster()});
        evicted > written && version && !workload_kind(target).empty())
        return withhold(evicted);
    if (known == nullptr) {
        const auto asked = asked_.find(command.argv);
        Answer answer = asked == asked_.end() ? live(command) : asked->second;
        if (answer.succeeded()) {
            asked_.emplace(command.argv, answer);
            const auto object = json::parse(answer.output, nullptr, false);
            if (const std::string uid = text_field(object, "/metadata/uid"); !uid.empty())
                identities_[target] = uid;
        }
        return answer;
    }
    if (const Number after = open_in(*known, look_.fields, look_.sight.bookkeeping); after > 0)
        return withhold(after);
    if (!known->form.is_null()) return exited(0, known->form.dump());
    if (call.has("--ignore-not-found")) return exited(0, "");
    Answer gone = exited(0, "");
    gone.status = 1;
    gone.errors = fmt::format("Error from server (NotFound): {} not found\n", target);
    return gone;
}

// A list of what people declare is as it is, but for the objects that earlier steps change; one of what
// controllers make is not.
Answer Foreseen::get_list(const CommandLine& command, const KubectlWords& call) {
    if (!call.targets().empty()) return live_unless(std::max(cluster_open(), busy()), command);
    const std::set<std::string> types = types_of(call);
    const std::string place = thing_name(call, "");  // "CLUSTER NAMESPACE "
    Number after = cluster_open();
    for (const std::string& type : types) {
        const bool wide = call.everywhere || is_cluster_wide(type);
        if (is_volatile(type)) after = std::max(after, open({Of::Busy, wide ? cluster() : place}));
    }
    std::map<std::string, const Thing*> changed;
    for (const auto& [name, thing] : state_.things) {
        const std::string target = name.substr(name.rfind(' ') + 1);
        const std::string type = target.substr(0, target.find('/'));
        const bool here = call.everywhere || is_cluster_wide(type) ? name.starts_with(cluster() + " ")
                                                                   : name.starts_with(place);
        if (!here || !types.contains(type)) continue;
        changed[target] = &thing;
        const bool readable = !call.has("--selector") && !call.everywhere && target.back() != '*';
        after =
            std::max(after, readable ? open_in(thing, look_.fields, look_.sight.bookkeeping) : thing.written);
    }
    if (after > 0) return withhold(after);
    return with_changes(live(command), changed);
}

// The server says it of an object that it still has as it is. What it refuses, an earlier step may mend.
Answer Foreseen::dry_apply(const CommandLine& command, const KubectlWords& call) {
    const auto documents = kubernetes::parse_manifest(command.input, "manifest");
    if (!documents || documents->size() != 1) return live_unless(std::max(cluster_open(), busy()), command);
    const std::string target = kubernetes::plain_handle(documents->front().handle.written());
    const std::string name = thing_name(call, target);
    if (const Thing* known = thing_at(name)) {
        const auto before = dry_runs_.find(name);
        const bool same_again = before != dry_runs_.end() && before->second.input == command.input &&
                                known->applied && known->form == before->second.form;
        if (!same_again || cluster_open() > known->written)
            return withhold(std::max(cluster_open(), known->written));
        return exited(0, known->form.dump());
    }
    if (const Number after = cluster_open(); after > 0) return withhold(after);
    Answer answer = live(command);
    if (!answer.succeeded()) return mended_by_then(std::move(answer));
    auto form = json::parse(answer.output, nullptr, false);
    if (form.is_object()) dry_runs_[name] = {command.input, std::move(form)};
    return answer;
}

Answer Foreseen::mended_by_then(Answer answer) {
    const bool refused = answer.ending == Ending::Exited && answer.status != 0;
    return busy() > 0 && refused && !is_beyond_mending(answer.errors) ? withhold(busy()) : answer;
}

// Of an object that an earlier step changes the server is asked about the object as it is: where it takes the
// patch as it stands, it will take it then.
Answer Foreseen::dry_patch(const CommandLine& command, const KubectlWords& call) {
    const auto targets = call.targets();
    const std::string name = targets.size() == 1 ? thing_name(call, targets.front()) : "";
    const Thing* known = thing_at(name);
    const Number written = known == nullptr ? 0 : known->written;
    if (const Number after = cluster_open(); after > written) return withhold(after);
    if (known == nullptr) return mended_by_then(live(command));
    const auto patch =
        json::parse(call.has("--patch") ? call.value("--patch") : command.input, nullptr, false);
    const Answer answer = live(command);
    const auto seen = json::parse(answer.output, nullptr, false);
    if (!answer.succeeded() || !patch.is_object() || !seen.is_object() || call.value("--type") != "merge" ||
        known->form.is_null() || known->open.contains(""))
        return withhold(written);
    json patched = known->form;
    patched.merge_patch(patch);
    json without_version = patch;
    if (without_version.contains("metadata")) without_version["metadata"].erase("resourceVersion");
    if (without_version.value("metadata", json(1)).empty()) without_version.erase("metadata");
    const json leaves = without_version.flatten();
    for (const auto& [pointer, value] : leaves.items()) {
        const bool is_empty = value.is_null() || value.empty();
        if (!is_empty && field(seen, pointer) != value) return withhold(written);
        if (is_empty && field(seen, pointer) != field(patched, pointer)) return withhold(written);
        if (open_in(*known, {pointer}, true) > 0 && !pointer.starts_with("/metadata/"))
            return withhold(written);
    }
    return exited(0, patched.dump());
}

}  // namespace migc::runtime::inline plans
