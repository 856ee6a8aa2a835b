#include "runtime/world/others.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "compiler/support/json_text.hpp"
#include "compiler/support/read_file.hpp"
#include "compiler/support/sha256.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/world/terraform.hpp"

namespace migc::runtime::inline world {
namespace {

using Error = tl::unexpected<std::string>;
using Maybe = std::optional<Object>;
constexpr std::uintmax_t largest_file = std::uintmax_t{16} << 20;
constexpr const char* by_others = "example.com/somebody-else";
constexpr const char* by_controller = "example.com/seen";
constexpr std::int64_t controller_lag_ms = 100;

// The fields that differ, as deep as objects go; a list is one field.
void compare_fields(const Object& before, const Object& after, const std::string& pointer, Spot place,
                    std::vector<Changed>& found) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) {
        for (const auto& [key, value] : before.items())
            compare_fields(value, after.contains(key) ? after[key] : Object(),
                           pointer + "/" + pointer_token(key), place, found);
        for (const auto& [key, value] : after.items())
            if (!before.contains(key))
                compare_fields(Object(), value, pointer + "/" + pointer_token(key), place, found);
        return;
    }
    // A list of named things, such as containers: each by itself.
    if (before.is_array() && after.is_array() && before.size() == after.size() && !before.empty() &&
        before.front().is_object()) {
        for (std::size_t i = 0; i < before.size(); ++i)
            compare_fields(before[i], after[i], fmt::format("{}/{}", pointer, i), place, found);
        return;
    }
    place.pointer = pointer;
    found.push_back(
        {std::move(place), before.is_null() ? Maybe() : before, after.is_null() ? Maybe() : after});
}

// What is below the same key in both; there is no place for what is left out.
template <typename Map, typename Place, typename Read>
void compare_maps(const Map& before, const Map& after, const Place& place_of, const Read& read,
                  std::vector<Changed>& found) {
    const auto value = [&](const Map& map, const auto& key) {
        const auto at = map.find(key);
        return at == map.end() ? Object() : Object(read(at->second));
    };
    const auto compare = [&](const auto& key) {
        if (const std::optional<Spot> place = place_of(key))
            compare_fields(value(before, key), value(after, key), "", *place, found);
    };
    for (const auto& [key, gone] : before)
        if (!after.contains(key)) compare(key);
    for (const auto& [key, there] : after) compare(key);
}

void compare_tags(const std::map<std::string, std::string>& before,
                  const std::map<std::string, std::string>& after, Spot::Kind kind,
                  std::vector<Changed>& found) {
    const auto place_of = [&](const std::string& image) {
        return image.find('@') == std::string::npos ? std::optional(Spot{.kind = kind, .name = image})
                                                    : std::nullopt;
    };
    compare_maps(before, after, place_of, std::identity(), found);
}

Spot object_place(const std::string& cluster, const ObjectKey& key) {
    return {.in = cluster, .plural = key.plural, .name_space = key.name_space, .name = key.name};
}

void compare_clusters(const Cluster& before, const Cluster& after, std::vector<Changed>& found) {
    const auto place_of = [&](const ObjectKey& key) {
        return is_derived(key.plural) ? std::nullopt : std::optional(object_place(after.name, key));
    };
    compare_maps(before.objects(), after.objects(), place_of, written_by_people, found);
}

void compare_terraform(const std::string& folder, const TerraformDirectory& before,
                       const TerraformDirectory& after, std::vector<Changed>& found) {
    using Instances = std::map<std::string, Object>;
    const auto place_of = [&](const std::string& address) {
        return std::optional(Spot{.kind = Spot::Kind::Terraform, .in = folder, .name = address});
    };
    compare_maps(before.instances.get<Instances>(), after.instances.get<Instances>(), place_of,
                 std::identity(), found);
}

Maybe field_of(const Object& whole, const std::string& pointer) {
    if (pointer.empty()) return whole;
    const Object* found = part(whole, pointer.c_str());
    return found == nullptr || found->is_null() ? Maybe() : *found;
}

void set_field(Object& whole, const std::string& pointer, const Maybe& value) {
    const nlohmann::json::json_pointer at(pointer);
    if (value) {
        whole[at] = *value;
        return;
    }
    if (!whole.contains(at)) return;
    Object& parent = whole[at.parent_pointer()];
    if (parent.is_object()) parent.erase(at.back());
}

// Another one than the two, of the same sort.
Object varied(const Object& before, const Object& after);

std::string varied_text(const std::string& before, const std::string& after) {
    if (after.starts_with("sha256:")) return "sha256:" + sha256("somebody else's, not " + before + after);
    const std::string other = (after.empty() ? before : after) + "-other";
    return other == before ? other + "-again" : other;
}

Object varied(const Object& before, const Object& after) {
    const Object& model = after.is_null() ? before : after;
    if (model.is_boolean())
        return before.is_boolean() && before != after ? before : Object(!model.get<bool>());
    if (model.is_number_integer()) {
        const auto number = [](const Object& one) {
            return one.is_number_integer() ? one.get<std::int64_t>() : std::int64_t{0};
        };
        return std::max(number(before), number(after)) + 3;
    }
    if (model.is_string())
        return varied_text(before.is_string() ? before.get<std::string>() : "", model.get<std::string>());
    if (model.is_array() && !model.empty()) {
        Object result = model;
        result.back() = varied(Object(), model.back());
        return result;
    }
    if (model.is_object() && !model.empty()) {
        Object result = model;
        // Of a whole object what it is for, not what it is called.
        for (const char* pointer : {"/data", "/spec/replicas", "/spec"})
            if (const Object* inner = part(model, pointer); inner && !inner->empty()) {
                const Object* old = part(before, pointer);
                result[Object::json_pointer(pointer)] = varied(old ? *old : Object(), *inner);
                return result;
            }
        const auto last = std::prev(result.end());
        last.value() =
            varied(before.is_object() ? before.value(last.key(), Object()) : Object(), last.value());
        return result;
    }
    return "other";
}

// An image that there is, if the registry has a third one.
std::optional<std::string> other_image(const Simulation& world, const Object& before, const Object& after) {
    if (!after.is_string()) return std::nullopt;
    const std::string image = after.get<std::string>();
    if (!world.registry.contains(image)) return std::nullopt;
    for (const auto& [name, digest] : world.registry)
        if (name != image && Object(name) != before && name.find('@') == std::string::npos &&
            repository(name) == repository(image))
            return name;
    return std::nullopt;
}

Object other_value(const Simulation& world, const Changed& where) {
    const Object before = where.before.value_or(Object()), after = where.after.value_or(Object());
    if (const auto image = other_image(world, before, after)) return *image;
    // A tag can only name what the registry holds.
    if (where.place.kind == Spot::Kind::Tag || where.place.kind == Spot::Kind::LocalTag)
        for (const auto& [name, digest] : world.registry)
            if (Object(digest) != before && Object(digest) != after) return digest;
    return varied(before, after);
}

WebEndpoint* keeper_of(Simulation& world, const std::string& url) {
    for (WebEndpoint& endpoint : world.web)
        if (endpoint.keeps && (endpoint.contents.contains(url) || endpoint.url == url ||
                               (!endpoint.prefix.empty() && url.starts_with(endpoint.prefix))))
            return &endpoint;
    return nullptr;
}

void write_terraform(Simulation& world, const Spot& place, const Maybe& value) {
    TerraformDirectory& directory = world.terraform.at(place.in);
    if (!place.pointer.empty()) {
        set_field(directory.instances[place.name], place.pointer, value);
    } else if (value) {
        directory.instances[place.name] = *value;
    } else {
        directory.instances.erase(place.name);
        directory.ids.erase(place.name);
    }
    if (value && !directory.ids.contains(place.name))
        directory.ids[place.name] =
            sha256(fmt::format("another one's {} {}", place.name, ++directory.created)).substr(0, 16);
    ++directory.serial;
    sync_nodes(world, directory);
}

// Of an object only the field at a place, as somebody would apply it: of a list the one item, by its name.
Object only_field(const Object& whole, const std::vector<std::string>& steps, std::size_t at) {
    if (at == steps.size()) return whole;
    Object below = only_field(whole.at(Object::json_pointer().operator/=(steps[at])), steps, at + 1);
    if (!whole.is_array()) return {{steps[at], std::move(below)}};
    if (below.is_object() && whole.at(Object::json_pointer().operator/=(steps[at])).contains("name"))
        below["name"] = whole.at(Object::json_pointer().operator/=(steps[at]))["name"];
    return Object::array({std::move(below)});
}

// Applies on the server's side what is there already: the field is theirs as well from then on.
void apply_again(Simulation& world, const Spot& place) {
    Cluster& cluster = world.clusters.at(place.in);
    const ObjectKey key{place.plural, place.name_space, place.name};
    const Object object = *cluster.find(key);
    std::vector<std::string> steps;
    for (auto rest = Object::json_pointer(place.pointer); !rest.empty(); rest.pop_back())
        steps.insert(steps.begin(), rest.back());
    const Object applied = steps.empty() ? written_by_people(object) : only_field(object, steps, 0);
    cluster.put(key, object, {"colleague", "", &applied});
}

void write_object(Simulation& world, const Spot& place, const Maybe& value, const std::string& manager) {
    Cluster& cluster = world.clusters.at(place.in);
    const ObjectKey key{place.plural, place.name_space, place.name};
    if (place.pointer.empty() && !value) return cluster.erase(key);
    Object object = place.pointer.empty() ? *value : cluster.find(key) ? *cluster.find(key) : Object();
    if (object.is_null()) return;
    if (!place.pointer.empty()) set_field(object, place.pointer, value);
    // What the controller of nodes makes of it.
    if (key.plural == "nodes") set_schedulable(object, !flag_at(object, "/spec/unschedulable"));
    cluster.put(key, std::move(object), {manager});
}

void write_to(Simulation& world, const Spot& place, const Maybe& value, const std::filesystem::path& root,
              const std::string& manager) {
    switch (place.kind) {
        case Spot::Kind::Cluster:
            return write_object(world, place, value, manager);
        case Spot::Kind::Tag:
        case Spot::Kind::LocalTag: {
            auto& tags = place.kind == Spot::Kind::Tag ? world.registry : world.local_images;
            // What the tag named can still be had by its digest.
            if (place.kind == Spot::Kind::Tag && tags.contains(place.name))
                tags[repository(place.name) + "@" + tags[place.name]] = tags[place.name];
            if (value)
                tags[place.name] = value->get<std::string>();
            else
                tags.erase(place.name);
            return;
        }
        case Spot::Kind::Terraform:
            return write_terraform(world, place, value);
        case Spot::Kind::Document: {
            WebEndpoint* keeper = keeper_of(world, place.name);
            if (keeper == nullptr) return;
            ++keeper->versions;
            if (!value) {
                keeper->contents.erase(place.name);
                return;
            }
            WebContent& content = keeper->contents[place.name];
            content.body = value->get<std::string>();
            content.version = keeper->versions;
            return;
        }
        case Spot::Kind::File:
            break;
    }
    std::error_code error;
    if (!value) {
        std::filesystem::remove(root / place.name, error);
        return;
    }
    (void)write_file(root / place.name, value->get<std::string>(),
                     {.project = root, .usual = 0644, .synced = false});
}

// A server leaves this field out where it is false.
Maybe as_stored(const Spot& place, Maybe value) {
    if (place.pointer == "/spec/unschedulable" && value == Maybe(false)) value.reset();
    return value;
}

// A server that does not keep who wrote what knows nothing of it.
bool keeps_writers(const Spot& place, const Maybe& value) {
    return place.kind == Spot::Kind::Cluster && value.has_value();
}

}  // namespace

std::optional<Object> value_at(const Simulation& world, const Spot& place,
                               const std::filesystem::path& root) {
    const auto text = [](const auto& map, const std::string& key) {
        const auto found = map.find(key);
        return found == map.end() ? Maybe() : Maybe(found->second);
    };
    switch (place.kind) {
        case Spot::Kind::Cluster: {
            const auto cluster = world.clusters.find(place.in);
            if (cluster == world.clusters.end()) return {};
            const Object* object = cluster->second.find({place.plural, place.name_space, place.name});
            if (object == nullptr) return {};
            return place.pointer.empty() ? written_by_people(*object) : field_of(*object, place.pointer);
        }
        case Spot::Kind::Tag:
            return text(world.registry, place.name);
        case Spot::Kind::LocalTag:
            return text(world.local_images, place.name);
        case Spot::Kind::Terraform: {
            const auto directory = world.terraform.find(place.in);
            if (directory == world.terraform.end() || !directory->second.instances.contains(place.name))
                return {};
            return field_of(directory->second.instances[place.name], place.pointer);
        }
        case Spot::Kind::Document:
            for (const WebEndpoint& endpoint : world.web)
                if (const auto found = endpoint.contents.find(place.name); found != endpoint.contents.end())
                    return found->second.body;
            return {};
        case Spot::Kind::File:
            break;
    }
    const auto content = read_file(root / place.name, largest_file);
    return content ? Maybe(*content) : Maybe();
}

std::vector<Changed> changed_between(const Simulation& before, const Simulation& after) {
    std::vector<Changed> found;
    for (const auto& [name, cluster] : after.clusters)
        if (const auto old = before.clusters.find(name);
            old != before.clusters.end() && old->second.resource_version() != cluster.resource_version())
            compare_clusters(old->second, cluster, found);
    compare_tags(before.registry, after.registry, Spot::Kind::Tag, found);
    compare_tags(before.local_images, after.local_images, Spot::Kind::LocalTag, found);
    for (const auto& [folder, directory] : after.terraform)
        if (const auto old = before.terraform.find(folder); old != before.terraform.end())
            compare_terraform(folder, old->second, directory, found);
    for (std::size_t i = 0; i < after.web.size() && i < before.web.size(); ++i)
        compare_maps(
            before.web[i].contents, after.web[i].contents,
            [](const std::string& url) {
                return std::optional(Spot{.kind = Spot::Kind::Document, .name = url});
            },
            [](const WebContent& content) { return content.body; }, found);
    return found;
}

const Changed* most_telling(const std::vector<Changed>& all) {
    const auto weight = [](const Changed& one) {
        const std::string& pointer = one.place.pointer;
        if (one.place.kind == Spot::Kind::LocalTag) return 3;
        return pointer.starts_with("/metadata") || pointer.find("/annotations/") != std::string::npos ? 2
               : pointer.find("/metadata/") != std::string::npos                                      ? 1
                                                                                                      : 0;
    };
    const auto best = std::ranges::min_element(
        all, [&](const Changed& a, const Changed& b) { return weight(a) < weight(b); });
    return best == all.end() ? nullptr : &*best;
}

void Others::arm(Interference interference) {
    if (interference.deed == Deed::Stale) remembers_ = true;
    armed_.push_back({std::move(interference), 0, false, ""});
}

void Others::write(Deed deed, const Spot& place, const Maybe& value) {
    for (OthersWrite& earlier : ledger_)
        if (earlier.place == place ||
            (earlier.place.name == place.name && earlier.place.kind == place.kind && place.pointer.empty()))
            earlier.superseded = true;
    remember();
    if (deed == Deed::SetAgain)
        apply_again(world_, place);
    else
        write_to(world_, place, value, root_, deed == Deed::Annotate ? "example-controller" : "kubectl-edit");
    // As it is stored: a server completes what it is given.
    ledger_.push_back({deed, place, value ? value_at(place) : Maybe(), world_.clock, commands_});
}

tl::expected<void, std::string> Others::unrelated(const Spot& place, Deed deed) {
    Spot beside = place;
    const std::string text = fmt::format("{}", ++counter_);
    switch (place.kind) {
        case Spot::Kind::Cluster:
            beside.pointer = fmt::format("/metadata/annotations/{}", pointer_token(by_others));
            if (!value_at(object_place(place.in, {place.plural, place.name_space, place.name})))
                return Error(fmt::format("{} is not there", shown(place)));
            write(deed, beside, Object(text));
            return {};
        case Spot::Kind::Tag:
        case Spot::Kind::LocalTag:
            beside.name = repository(place.name) + ":somebody-else";
            write(deed, beside, Object("sha256:" + sha256(beside.name + text)));
            return {};
        case Spot::Kind::Terraform:
            beside.name = "null_resource.somebody_else";
            beside.pointer.clear();
            write(deed, beside, Object{{"triggers", text}});
            return {};
        case Spot::Kind::Document:
            beside.name = place.name + "-of-somebody-else";
            if (keeper_of(world_, beside.name) == nullptr)
                return Error(fmt::format("nothing keeps documents beside {}", place.name));
            write(deed, beside, Object(text));
            return {};
        case Spot::Kind::File:
            break;
    }
    const Maybe content = value_at(place);
    if (!content) return Error(fmt::format("{} is not there", shown(place)));
    write(deed, place, Object(content->get<std::string>() + "# by somebody else " + text + "\n"));
    return {};
}

tl::expected<void, std::string> Others::remake(const Spot& place) {
    // What has no identity and no version is not another one afterwards.
    if (place.kind == Spot::Kind::File || place.kind == Spot::Kind::Tag || place.kind == Spot::Kind::LocalTag)
        return Error(fmt::format("{} has no identity that could be another one", shown(place)));
    Spot whole = place;
    whole.pointer.clear();
    Maybe was = value_at(whole);
    if (!was) return Error(fmt::format("{} is not there", shown(whole)));
    const std::int64_t before = world_.changes();
    write(Deed::Delete, whole, {});
    if (place.kind == Spot::Kind::Cluster && world_.changes() == before)
        return Error(fmt::format("{} cannot be deleted", shown(whole)));
    write(Deed::Remake, whole, std::move(was));
    return {};
}

tl::expected<void, std::string> Others::act(Deed deed, const Changed& where, const Maybe& to) {
    const Spot& place = where.place;
    Spot whole = place;
    whole.pointer.clear();
    const Maybe whole_now = value_at(whole);
    const bool settable = whole_now || place.pointer.empty();
    const auto set = [&](Deed as, Maybe value) -> tl::expected<void, std::string> {
        value = as_stored(place, std::move(value));
        if (!settable) return Error(fmt::format("{} is not there", shown(whole)));
        // Nothing is written where it is so already: no server counts that as a change.
        if (value_at(place) == value) return Error(fmt::format("{} is so already", shown(place)));
        write(as, place, value);
        return {};
    };
    switch (deed) {
        case Deed::SetOther:
            return set(deed, to ? *to : other_value(world_, where));
        case Deed::SetSame:
            return set(deed, where.after);
        case Deed::SetAgain:
            if (!keeps_writers(place, value_at(place)))
                return Error(fmt::format("nobody keeps who wrote {}", shown(place)));
            write(deed, place, value_at(place));
            return {};
        case Deed::SetUnrelated:
            return unrelated(place, deed);
        case Deed::Delete:
            if (!whole_now) return Error(fmt::format("{} is not there", shown(whole)));
            write(deed, whole, {});
            return {};
        case Deed::Remake:
            return remake(place);
        case Deed::ComeAndGo: {
            const Maybe was = value_at(place);
            if (auto done = set(deed, other_value(world_, where)); !done) return done;
            write(deed, place, was);
            // They have put it back themselves: nothing of theirs is left that could be lost, unless it is
            // known for theirs.
            ledger_.back().superseded = !keeps_writers(place, was);
            return {};
        }
        case Deed::HalfAtATime: {
            if (!settable) return Error(fmt::format("{} is not there", shown(whole)));
            if (auto done = unrelated(place, deed); !done) return done;
            second_halves_.emplace_back(place, other_value(world_, where));
            return {};
        }
        case Deed::Annotate:
            if (place.kind != Spot::Kind::Cluster)
                return Error(fmt::format("no controller looks after {}", shown(place)));
            watched_.push_back({whole, whole_now.value_or(Object()), 0});
            return {};
        case Deed::Stale:
            break;
    }
    if (!earlier_) return Error(std::string("nothing has changed yet, so nothing can be seen as it was"));
    shown_ = std::move(earlier_);
    return {};
}

std::unique_ptr<Simulation> Others::stale() {
    return std::move(shown_);
}

std::unique_ptr<Simulation> at_rest(const Simulation& world) {
    auto copy = std::make_unique<Simulation>(world);
    copy->scheduled.clear();
    copy->deadline = never;
    return copy;
}

void Others::remember() {
    if (remembers_) earlier_ = at_rest(world_);
}

namespace {

// "deployment/webapi /spec/replicas", in the cluster and the namespace that the command goes to.
tl::expected<Spot, std::string> object_named(const Simulation& world, const std::string& text,
                                             const std::string& pointer, const CommandLine* command) {
    const auto words = split(text.substr(0, text.find(' ')), '/');
    if (words.size() < 2 || words.size() > 3)
        return Error(fmt::format("`{}` is no KIND/NAME or KIND/NAMESPACE/NAME", text));
    const auto option = [&](const char* option_name, std::string fallback) {
        if (command == nullptr) return fallback;
        const auto at = std::ranges::find(command->argv, option_name);
        return at == command->argv.end() || at + 1 == command->argv.end() ? fallback : *(at + 1);
    };
    const auto context = world.contexts.find(option("--context", world.current_context));
    if (context == world.contexts.end()) return Error(fmt::format("`{}`: no cluster is known", text));
    const Kind* kind = world.clusters.at(context->second).kinds.typed(words.front());
    if (kind == nullptr) return Error(fmt::format("`{}` is no kind of object", words.front()));
    Spot place = object_place(context->second, {kind->plural, "", words.back()});
    if (kind->namespaced) place.name_space = words.size() == 3 ? words[1] : option("--namespace", "default");
    place.pointer = pointer;
    return place;
}

tl::expected<Spot, std::string> place_named(const Simulation& world, const std::string& text,
                                            const CommandLine* command) {
    static const std::map<std::string, Spot::Kind> plain = {
        {"tag", Spot::Kind::Tag}, {"web", Spot::Kind::Document}, {"file", Spot::Kind::File}};
    const std::size_t space = text.find(' ');
    const std::string first = text.substr(0, space);
    const std::string rest =
        space == std::string::npos ? "" : text.substr(text.find_first_not_of(' ', space));
    if (const auto kind = plain.find(first); kind != plain.end()) {
        if (rest.empty()) return Error(fmt::format("`{}` names nothing", text));
        return Spot{.kind = kind->second, .name = rest};
    }
    if (first != "terraform") return object_named(world, text, rest, command);
    if (world.terraform.size() != 1) return Error(std::string("there is not exactly one terraform folder"));
    const std::size_t pointer = rest.find(" /");
    return Spot{.kind = Spot::Kind::Terraform,
                .in = world.terraform.begin()->first,
                .name = rest.substr(0, pointer),
                .pointer = pointer == std::string::npos ? "" : rest.substr(pointer + 1)};
}

}  // namespace

tl::expected<Changed, std::string> Others::find(const Interference& what, const CommandLine* command) const {
    if (what.deed == Deed::Stale) return Changed{};
    if (!what.of.empty()) {
        auto place = place_named(world_, what.of, command);
        if (!place) return Error(place.error());
        if (place->pointer.empty() || place->pointer.front() == '/')
            return Changed{*place, value_at(*place), value_at(*place)};
        return Error(fmt::format("`{}` is no pointer such as /spec/replicas", place->pointer));
    }
    if (command == nullptr)
        return Error(std::string("a step does not say what is changed: name it with `of`"));
    const std::vector<Changed> all = would_change(world_, *command);
    const Changed* best = most_telling(all);
    if (best == nullptr)
        return Error(
            std::string("that command changes nothing, so it does not say where: name it with `of`"));
    return *best;
}

std::optional<Changed> Others::aim(Armed& one, const CommandLine* command) {
    one.fired = true;
    auto where = find(one.what, command);
    if (where) return std::move(*where);
    one.problem = where.error();
    return std::nullopt;
}

void Others::fire(const Armed& one, Changed where) {
    const auto work = [this, place = &one - armed_.data(), where = std::move(where)] {
        Armed& armed = armed_[static_cast<std::size_t>(place)];
        if (auto done = act(armed.what.deed, where, armed.what.to); !done) armed.problem = done.error();
    };
    if (one.what.later_ms == 0) return work();
    world_.scheduled.emplace_back(world_.clock + one.what.later_ms, work);
}

void Others::before(const CommandLine& command, const std::string& whole, const std::string& brief) {
    for (std::size_t i = 0; i < armed_.size(); ++i) {
        Armed& one = armed_[i];
        const std::string& text = one.what.command;
        if (one.fired || one.what.step ||
            (whole.find(text) == std::string::npos && brief.find(text) == std::string::npos))
            continue;
        if (++one.seen < one.what.nth) continue;
        // What it changes can only be asked before it has done so.
        auto where = aim(one, &command);
        if (where && one.what.after)
            after_command_.emplace_back(i, std::move(*where));
        else if (where)
            fire(one, std::move(*where));
    }
}

void Others::after(const CommandLine& command, bool reads) {
    look(tools::shown(command.argv), reads);
    for (auto& [place, value] : std::exchange(second_halves_, {}))
        if (const Maybe kept = as_stored(place, value); value_at(place) != kept)
            write(Deed::HalfAtATime, place, kept);
    for (auto& [armed, where] : std::exchange(after_command_, {})) fire(armed_[armed], std::move(where));
    note_changes();
}

void Others::step(const std::string& text, bool ended) {
    look("the step " + text, false);
    for (Armed& one : armed_)
        if (!one.fired && one.what.step && one.what.after == ended &&
            text.find(one.what.command) != std::string::npos && ++one.seen >= one.what.nth)
            if (auto where = aim(one, nullptr)) fire(one, std::move(*where));
}

// Who had it overwritten, and whether that was after a look at it.
void Others::look(const std::string& command, bool reads) {
    for (OthersWrite& write : ledger_) {
        if (write.superseded) continue;
        if (value_at(write.place) != write.value) {
            if (write.stands()) write.overwritten_by = command;
            continue;
        }
        // An undo that brings it back.
        write.overwritten_by.clear();
        write.looked_at = write.looked_at || reads;
    }
}

void Others::note_changes() {
    for (std::size_t i = 0; i < watched_.size(); ++i) {
        Watched& one = watched_[i];
        const Maybe now = value_at(one.place);
        if (!now || *now == one.as_it_was) continue;
        one.as_it_was = *now;
        world_.scheduled.emplace_back(world_.clock + controller_lag_ms, [this, i] {
            Watched& watched = watched_[i];
            Spot note = watched.place;
            note.pointer = fmt::format("/metadata/annotations/{}", pointer_token(by_controller));
            if (!value_at(watched.place)) return;
            write(Deed::Annotate, note, Object(std::to_string(++watched.noted)));
            watched.as_it_was = value_at(watched.place).value_or(Object());
        });
    }
}

std::vector<std::string> Others::idle() const {
    std::vector<std::string> result;
    for (const Armed& one : armed_) {
        if (one.fired && one.problem.empty()) continue;
        result.push_back(fmt::format("--interfere \"{}\" never came about: {}", one.what.text,
                                     !one.problem.empty() ? one.problem
                                     : one.what.step      ? "no such step was run"
                                     : one.seen > 0
                                         ? fmt::format("that command was run only {} times", one.seen)
                                         : "no such command was run"));
    }
    return result;
}

}  // namespace migc::runtime::inline world
