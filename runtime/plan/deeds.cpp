// What a planned step will have changed, by what it runs: a command of a tool, or a native.
#include <algorithm>

#include "compiler/support/read_file.hpp"
#include "compiler/support/text.hpp"
#include "runtime/natives/reading.hpp"
#include "runtime/plan/foreseen.hpp"

namespace migc::runtime::inline plans {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What stands in an argument for what is not known.
constexpr char not_known = '\x1a';

bool is_known(const std::string& argument) {
    return argument.find(not_known) == std::string::npos;
}

// Sets a field, whose parents are made where they are missing; null takes it away. False where there is no
// such place.
bool set_field(json& form, const std::string& pointer, json value) {
    try {
        const json::json_pointer place(pointer);
        if (!value.is_null())
            form[place] = std::move(value);
        else if (form.contains(place))
            form[place.parent_pointer()].erase(place.back());
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

bool set_image(json& form, const std::string& container, const std::string& image) {
    bool any = false;
    for (const char* list : {"containers", "initContainers"}) {
        json& pods = form["spec"]["template"]["spec"];
        if (!pods.is_object() || !pods.contains(list) || !pods[list].is_array()) continue;
        for (json& one : pods[list])
            if (one.value("name", "") == container) {
                one["image"] = image;
                any = true;
            }
    }
    return any;
}

}  // namespace

class Foreseen::Deed {
  public:
    Deed(Foreseen& foreseen, Number number, const ir::Verb& verb, const Scope& names, Evaluator& evaluator,
         const std::vector<Declared>& declared)
        : foreseen_(foreseen),
          number_(number),
          verb_(verb),
          names_(names),
          evaluator_(evaluator),
          declared_(declared),
          place_(foreseen.thing_name({}, "")) {}

    void happen() {
        const ir::Command& action = *verb_.action;
        // A tool of one's own, of whose step its author says that it changes nothing.
        const bool is_own = !listed("native kubectl docker terraform program git curl", action.tool);
        if (is_own && verb_.effects.empty() && verb_.undo.kind == ir::UndoKind::None) return;
        open(Of::Any);
        if (action.tool == "native") return native(action);
        const auto line = evaluator_.command_line(action, with_known_after(names_, {&not_known, 1}));
        const std::vector<std::string> argv = line ? line->argv : std::vector<std::string>();
        if (action.tool == "kubectl") return kubectl(argv);
        if (action.tool == "docker") return docker(argv);
        if (action.tool == "terraform") return terraform();
        if (action.tool == "program") return anything();
        if (action.tool != "git") return foreign();
        open(Of::Git);
        open(Of::File);
    }

  private:
    // Without a name: all of them.
    void open(Of of, const std::string& name = {}) { foreseen_.set_open({of, name}, number_); }
    void anything() {
        open(Of::Everything);
        open(Of::File);
    }
    // A program whose declaration the plan does not know works on what is outside, but not on the project.
    void foreign() {
        cluster();
        open(Of::Registry);
    }
    void cluster() {
        open(Of::Cluster, foreseen_.cluster());
        busy();
    }
    void busy() {
        open(Of::Busy, foreseen_.cluster());
        open(Of::Busy, place_);
        open(Of::Outside);
    }

    // ---- objects

    std::string name_of(const std::string& target) const {
        return foreseen_.thing_name({}, kubernetes::plain_handle(target));
    }

    // The object as the steps before leave it, to be changed; all of it is open where it cannot be read.
    Thing& thing(const std::string& target) {
        const std::string name = name_of(target);
        busy();
        if (!foreseen_.state_.things.contains(name)) {
            const Look outer = std::exchange(foreseen_.look_, Look{});
            const Answer answer =
                target.back() == '*'
                    ? not_started("")
                    : evaluator_.run("kubectl", {"get", target, "-o", "json", "--ignore-not-found"}, {});
            foreseen_.look_ = outer;
            foreseen_.state_.things.emplace(name, fresh_thing(answer));
        }
        Thing& result = foreseen_.state_.things.at(name);
        result.written = number_;
        result.applied = false;
        for (const char* pointer :
             {"/status", "/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields",
              "/metadata/annotations/deployment.kubernetes.io~1revision"})
            result.open[pointer] = number_;
        return result;
    }

    Thing fresh_thing(const Answer& answer) const {
        Thing result;
        const auto object = json::parse(answer.output, nullptr, false);
        if (answer.succeeded() && object.is_object())
            result.form = object;
        else if (!answer.succeeded() || !answer.output.empty())
            result.open[""] = number_;
        return result;
    }

    void open_field(const std::string& target, const std::string& pointer) {
        thing(target).open[pointer] = number_;
    }

    void change(const std::string& target, const std::string& pointer, const json& value) {
        Thing& object = thing(target);
        if (object.form.is_null() || !set_field(object.form, pointer, value)) {
            object.open[pointer] = number_;
            return;
        }
        std::erase_if(object.open, [&](const auto& open) {
            return !pointer.empty() && (open.first == pointer || open.first.starts_with(pointer + "/"));
        });
    }

    void gone(const std::string& target) {
        Thing& object = thing(target);
        object.form = nullptr;
        object.open.clear();
    }

    void merge(const std::string& target, const json& patch) {
        Thing& object = thing(target);
        if (!patch.is_object() || object.form.is_null())
            object.open[""] = number_;
        else
            object.form.merge_patch(patch);
    }

    // As the server said that it would be.
    void apply(const std::string& handle) {
        const auto parsed = kubernetes::parse_handle(handle);
        if (!parsed) return cluster();
        const std::string target = kubernetes::plain_handle(parsed->written());
        const auto said = foreseen_.dry_runs_.find(name_of(target));
        const bool known =
            said != foreseen_.dry_runs_.end() && !declared_.empty() && !declared_.front().value.is_unknown();
        Thing& object = thing(target);
        if (!known) {
            object.open[""] = number_;
        } else {
            const bool made = object.form.is_null();
            object.form = said->second.form;
            object.applied = true;
            const Number before = object.open.contains("/metadata/uid") ? object.open["/metadata/uid"] : 0;
            if (made) object.open["/metadata/uid"] = object.open["/metadata/creationTimestamp"] = number_;
            if (!made && before > 0) object.open["/metadata/uid"] = before;
        }
        scales_others(object, target);
    }

    // An autoscaler sets the number of replicas of what it is for.
    void scales_others(const Thing& object, const std::string& target) {
        if (!target.starts_with("horizontalpodautoscaler/")) return;
        const std::string kind = text_field(object.form, "/spec/scaleTargetRef/kind");
        const std::string name = text_field(object.form, "/spec/scaleTargetRef/name");
        if (kind.empty() || object.open.contains("")) return cluster();
        open_field(type_name(kind) + "/" + name, "/spec/replicas");
    }

    // ---- commands

    std::vector<std::string> resources() {
        std::vector<std::string> found;
        for (const ir::Parameter& parameter : verb_.parameters)
            if (const Binding* binding = names_.find(parameter.name))
                if (const auto* resource = binding->value.get_if<ResourceRef>())
                    found.push_back(evaluator_.written(*resource));
        return found;
    }

    void kubectl(const std::vector<std::string>& argv) {
        const KubectlWords call = parse_kubectl(argv);
        const auto targets = call.targets();
        const bool elsewhere =
            !call.name_space.empty() && call.name_space != foreseen_.environment_->setting("namespace");
        const bool all_named = std::all_of(targets.begin(), targets.end(), is_known) &&
                               !call.has("--selector") && !call.has("--all") && !call.has("--filename");
        if (argv.empty() || elsewhere || !all_named) return cluster();
        if (call.verb == "cordon" || call.verb == "uncordon") {
            for (const std::string& word : call.words)
                schedule(word.find('/') == std::string::npos ? "node/" + word : word,
                         call.verb == "uncordon");
            return;
        }
        if (targets.empty()) return cluster();
        for (const std::string& target : targets)
            if (!kubectl_on(call, target)) return cluster();
    }

    bool kubectl_on(const KubectlWords& call, const std::string& target) {
        const std::string first = call.words.empty() ? "" : call.words.front();
        if (call.verb == "scale") {
            const std::string wanted = call.value("--replicas");
            const auto number = json::parse(wanted, nullptr, false);
            number.is_number_integer() ? change(target, "/spec/replicas", number)
                                       : open_field(target, "/spec/replicas");
        } else if (call.verb == "set" && first == "image") {
            images(call, target);
        } else if (call.verb == "rollout" && first == "restart") {
            open_field(target, "/spec/template/metadata/annotations");
        } else if (call.verb == "rollout" && (first == "undo" || first == "pause" || first == "resume")) {
            open_field(target, "/spec");
        } else if (call.verb == "patch") {
            const std::string patch = call.value("--patch");
            const bool readable = call.value("--type") == "merge" && is_known(patch);
            merge(target, readable ? json::parse(patch, nullptr, false) : json());
        } else if (call.verb == "label" || call.verb == "annotate" || call.verb == "set") {
            open_field(target, "");
        } else if (call.verb == "delete") {
            gone(target);
        } else {
            return false;
        }
        return true;
    }

    void images(const KubectlWords& call, const std::string& target) {
        Thing& object = thing(target);
        bool all = !object.form.is_null();
        for (const std::string& word : call.words) {
            const std::size_t sign = word.find('=');
            if (sign == std::string::npos) continue;
            all =
                all && is_known(word) && set_image(object.form, word.substr(0, sign), word.substr(sign + 1));
        }
        if (!all) object.open["/spec/template"] = number_;
    }

    void schedule(const std::string& node, bool usable) {
        change(node, "/spec/unschedulable", usable ? json() : json(true));
        open_field(node, "/spec/taints");
    }

    void docker(const std::vector<std::string>& argv) {
        std::vector<std::string> words;
        for (std::size_t i = 1; i < argv.size(); ++i)
            if (!argv[i].starts_with('-')) words.push_back(argv[i]);
        const std::string what = words.empty() ? "" : words.front();
        const auto option =
            std::ranges::find_if(argv, [](const auto& word) { return listed("--tag -t", word); });
        const bool known = std::all_of(argv.begin(), argv.end(), is_known);
        if (known && what == "build" && option != argv.end() && option + 1 != argv.end())
            return open(Of::Image, *(option + 1));
        if (known && what == "tag" && words.size() == 3) return open(Of::Image, words[2]);
        if (known && what == "image" && words.size() == 3 && words[1] == "rm")
            return open(Of::Image, words[2]);
        if (known && what == "pull" && words.size() == 2) return open(Of::Image, words[1]);
        if (known && what == "push" && words.size() == 2) return open(Of::Registry, words[1]);
        open(Of::Image);
        open(Of::Registry);
        open(Of::Outside);
    }

    // What else than terraform's own may come of it, the configuration says.
    void terraform() {
        const std::string folder = foreseen_.environment_->setting("terraform-dir");
        open(Of::Terraform, folder);
        if (const std::string below = foreseen_.relative(folder); !below.empty()) open(Of::File, below);
        busy();
        open(Of::Nodes, foreseen_.cluster());
        if (reaches_objects(folder)) cluster();
    }

    static bool reaches_objects(const fs::path& folder) {
        std::error_code error;
        for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
            if (i->path().extension() != ".tf") continue;
            const std::string text = read_file(i->path(), any_size).value_or("kubernetes");
            for (const char* word :
                 {"kubernetes", "helm", "kubectl", "local-exec", "remote-exec", "external"})
                if (text.find(word) != std::string::npos) return true;
        }
        return bool(error);
    }

    // ---- natives

    std::vector<Value> arguments(const ir::Command& action) {
        std::vector<Value> values;
        if (!action.arguments) return values;
        for (const ir::Expr& child : action.arguments->children)
            values.push_back(evaluator_.evaluate(child, names_).value);
        return values;
    }

    void native(const ir::Command& action) {
        const auto values = arguments(action);
        const auto text = [&](std::size_t index) {
            const Value& value = argument(values, index);
            return value.is_unknown() ? std::string() : text_argument(values, index);
        };
        const auto target = [&] {
            const auto* resource = argument(values, 0).get_if<ResourceRef>();
            return resource != nullptr ? evaluator_.written(*resource) : text(0);
        };
        const NativeEntry* entry = foreseen_.natives_(action.native);
        const Reach reach = entry != nullptr ? entry->reach : Reach();
        const auto named = [&] { return text(reach.subject); };
        switch (reach.of) {
            case Reach::Of::Anything:
                return anything();
            case Reach::Of::Nothing:
                return;
            case Reach::Of::EditedFile:
                return edit(action, named());
            case Reach::Of::WrittenFile:
                return write(named(), reach.value == 0 ? "" : text(reach.value));
            case Reach::Of::AppliedObject:
                return named().empty() ? cluster() : apply(named());
            case Reach::Of::Schedulable:
                return target().empty() ? cluster() : schedule(target(), bool_argument(values, reach.value));
            case Reach::Of::Evicted:
                open(Of::Evicted, foreseen_.cluster());
                return busy();
            case Reach::Of::Pods:
                return busy();
            case Reach::Of::AnyObject:
                return foreign();
            case Reach::Of::LocalImage:
                return open(Of::Image, named());
            case Reach::Of::Registry:
                return open(Of::Registry, named());
            case Reach::Of::Outside:
                return open(Of::Outside);
            case Reach::Of::Preparation:
                return open(Of::Prepared, foreseen_.environment_->setting("terraform-dir"));
            case Reach::Of::Infrastructure:
                return terraform();
            default:
                return object(reach, target(), values);
        }
    }

    void write(const std::string& path, const std::string& other = {}) {
        const std::string below = foreseen_.relative(path.empty() ? other : path);
        if (path.empty() && other.empty()) return open(Of::File);
        if (!below.empty()) open(Of::File, below);
    }

    void object(const Reach& reach, const std::string& target, const std::vector<Value>& values) {
        if (target.empty()) return cluster();
        const std::string pointer(reach.pointer);
        const Value& wanted = argument(values, reach.value);
        switch (reach.of) {
            case Reach::Of::DeletedObject:
                return gone(target);
            case Reach::Of::PromisedField:
                return promised(target, wanted);
            case Reach::Of::FieldSet:
                return set_known(target, pointer, wanted);
            case Reach::Of::Image:
                return image(target, wanted, argument(values, reach.value + 1));
            case Reach::Of::Autoscaler:
                open_field("horizontalpodautoscaler/*", "");
                return open_field(target, pointer);
            case Reach::Of::Selector:
                return wanted.is_unknown() ? open_field(target, "") : select(target, show(wanted));
            default:
                return open_field(target, pointer);
        }
    }

    // The field that a value names becomes what the effect declares.
    void promised(const std::string& target, const Value& pointer) {
        const Value value = declared_.empty() ? Value(Unknown{}) : declared_.front().value;
        if (pointer.is_unknown()) return open_field(target, "");
        set_known(target, show(pointer), value);
    }

    void set_known(const std::string& target, const std::string& pointer, const Value& value) {
        value.is_unknown() ? open_field(target, pointer) : change(target, pointer, as_json(value));
    }

    void image(const std::string& target, const Value& container, const Value& wanted) {
        Thing& object = thing(target);
        const bool known = !container.is_unknown() && !wanted.is_unknown() && !object.form.is_null();
        if (!known || !set_image(object.form, show(container), show(wanted)))
            object.open["/spec/template"] = number_;
    }

    // "version=green,track": a key without a value is taken away.
    void select(const std::string& target, const std::string& labels) {
        for (const std::string& one : split(labels, ',')) {
            const std::size_t sign = one.find('=');
            json::json_pointer place("/spec/selector");
            place.push_back(one.substr(0, sign));
            change(target, place.to_string(),
                   sign == std::string::npos ? json() : json(one.substr(sign + 1)));
        }
    }

    // As the step itself does it, in the scratch copy.
    void edit(const ir::Command& action, const std::string& path) {
        const std::string below = foreseen_.relative(path);
        if (below.empty()) return open(Of::File);
        if (foreseen_.open_files({below}) > 0 || !done_in_scratch(action, below))
            return open(Of::File, below);
        Edited& edited = foreseen_.state_.files[below];
        edited = {number_, std::nullopt, false};
        std::error_code error;
        const fs::path file = foreseen_.scratch_ / below;
        foreseen_.overlaid_.insert(below);
        if (!fs::exists(file, error)) return;
        edited.content = read_file(file, any_size).value_or("");
        edited.executable =
            (fs::status(file, error).permissions() & fs::perms::owner_exec) != fs::perms::none;
    }

    bool done_in_scratch(const ir::Command& action, const std::string& path) {
        bool done = false;
        foreseen_.in_scratch({path}, [&] {
            const auto answer = evaluator_.act(action, names_, 0);
            done = answer && answer->succeeded();
            return Reading{};
        });
        return done;
    }

    Foreseen& foreseen_;
    Number number_;
    const ir::Verb& verb_;
    const Scope& names_;
    Evaluator& evaluator_;
    const std::vector<Declared>& declared_;
    std::string place_;
};

void Foreseen::done(const std::string& step, const ir::Verb& verb, const Scope& names, Evaluator& evaluator,
                    const std::vector<Declared>& declared) {
    const Number number = begin(step);
    Deed(*this, number, verb, names, evaluator, declared).happen();
    for (const Declared& one : declared) {
        const std::string name = environment_->name + " " + one.phrase;
        if (one.value.is_unknown())
            state_.promises.erase(name);
        else
            state_.promises[name] = {one.value, number};
    }
}

}  // namespace migc::runtime::inline plans
