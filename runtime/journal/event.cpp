#include "runtime/journal/event.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace migc::runtime::inline journal {

namespace events {

NLOHMANN_JSON_SERIALIZE_ENUM(RunResumed::Action,
                             {{RunResumed::Action::Resume, "resume"}, {RunResumed::Action::Undo, "undo"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Resolved::Verdict,
                             {{Resolved::Verdict::NotDone, "not-done"}, {Resolved::Verdict::Done, "done"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Resolved::Part,
                             {{Resolved::Part::Forward, "forward"}, {Resolved::Part::Inverse, "inverse"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Noted::Kind, {{Noted::Kind::Name, nullptr},
                                           {Noted::Kind::Decision, "decision"},
                                           {Noted::Kind::List, "list"},
                                           {Noted::Kind::Captures, "captures"},
                                           {Noted::Kind::Soaked, "soaked"}})

NLOHMANN_JSON_SERIALIZE_ENUM(Ownership, {{Ownership::Ours, "ours"},
                                         {Ownership::NotOurs, "not-ours"},
                                         {Ownership::Unproved, "unproved"}})

}  // namespace events

namespace {

// In the order of EventKind.
constexpr std::array<std::string_view, 18> names = {
    "run-begun",    "run-resumed", "stage-begun", "step-begun",   "waiting",    "noted",
    "intent",       "outcome",     "checked",     "stage-failed", "undo-begun", "undo-intent",
    "undo-outcome", "resolved",    "stage-ended", "lock-broken",  "adopted",    "run-ended"};
static_assert(names.size() == std::variant_size_v<Event::Body>);

using nlohmann::json;

template <class It, class Body>
concept Of = std::same_as<std::remove_const_t<It>, Body>;

// Which keys each body has, for writing and for reading. `field` is one that is always written,
// `field.if_set` one that is written only where it says something.

void fields(Of<PinnedEnvironment> auto& it, auto& field) {
    field("environment", it.environment);
    field("context", it.context);
    field("namespace", it.name_space);
    field("protected", it.is_protected);
    field("settings", it.settings);
    field("parameters", it.parameters);
}

void step_fields(auto& it, auto& field) {
    field("stage", it.stage);
    field("step", it.step);
    field("text", it.text);
}

void call_fields(auto& it, auto& field) {
    step_fields(it, field);
    field("verb", it.verb);
    field("command", it.command);
    field.object("arguments", it.arguments);
    field.object("captures", it.captures);
    field.if_set("own_undo", it.own_undo);
    if (it.own_undo) field.object("scope", it.scope);
    field.absent("before", it.composite, it.command.empty());
    if (!it.composite) {
        field("before", it.before);
        field("declared", it.declared);
        field("workloads", it.workloads);
    }
    field.if_set("identities", it.identities);
    field.if_set("failure_block", it.failure_block);
}

void fields(Of<events::RunBegun> auto& it, auto& field) {
    field("run", it.run);
    field("script", it.script);
    field("title", it.title);
    field("digest", it.digest);
    field("run_digest", it.run_digest);
    field("reviewed", it.reviewed);
    field.object("files", it.files);
    field("by", it.by);
    field("mode", it.mode);
    field("world", it.world);
    field("environments", it.environments);
    field("stages", it.stages);
    field.if_set("emergency", it.emergency);
    field.if_set("without_evidence", it.without_evidence);
    field.if_set("consent", it.consent);
}

void fields(Of<events::RunResumed> auto& it, auto& field) {
    field("run", it.run);
    field("action", it.action);
    field("by", it.by);
    field.if_set("consent", it.consent);
}

void fields(Of<events::StageBegun> auto& it, auto& field) {
    field("stage", it.stage);
    fields(it.where, field);
}

void fields(Of<events::StepBegun> auto& it, auto& field) {
    step_fields(it, field);
}

void fields(Of<events::Waiting> auto& it, auto& field) {
    step_fields(it, field);
    field("state", it.state);
}

void fields(Of<events::Noted> auto& it, auto& field) {
    using Kind = events::Noted::Kind;
    field.if_set("stage", it.stage);
    field.if_set("step", it.step);
    field.if_set("name", it.name);
    field.flag("baseline", it.kind, Kind::Baseline);
    field.flag("undo_start", it.kind, Kind::UndoStart);
    if (it.kind != Kind::Baseline && it.kind != Kind::UndoStart) field.if_set("kind", it.kind);
    field("value", it.value);
}

void fields(Of<events::Intent> auto& it, auto& field) {
    call_fields(it, field);
}

void fields(Of<events::StepOutcome> auto& it, auto& field) {
    if (field.has("verb", it.call)) call_fields(*it.call, field);
    step_fields(it, field);
    field("result", it.result);
    field("message", it.message);
    field("observed", it.observed);
    field("acted", it.acted);
    field.if_set("settled", it.reconciled);
    field.if_set("took_ms", it.took_ms);
    field.if_set("accepted", it.accepted);
    field.if_set("ownership", it.ownership);
    field.if_set("supersedes", it.supersedes);
    field.if_set("identities", it.identities);
    field.if_set("revisions", it.revisions);
}

void fields(Of<events::Checked> auto& it, auto& field) {
    step_fields(it, field);
    field("result", it.result);
    field("message", it.message);
    field.if_set("took_ms", it.took_ms);
    field.if_set("approvals", it.approvals);
}

void fields(Of<events::StageFailed> auto& it, auto& field) {
    field("stage", it.stage);
    field("reason", it.reason);
}

void fields(Of<events::UndoBegun> auto& it, auto& field) {
    field("stage", it.stage);
    field("reason", it.reason);
}

void fields(Of<events::UndoIntent> auto& it, auto& field) {
    call_fields(it, field);
    field("part", it.part);
}

void fields(Of<events::UndoOutcome> auto& it, auto& field) {
    step_fields(it, field);
    field.if_set("part", it.part);
    field("result", it.result);
    field("message", it.message);
    field("observed", it.observed);
    field.if_set("identities", it.identities);
    field.if_set("acted", it.acted);
    field.if_set("took_ms", it.took_ms);
}

void fields(Of<events::Resolved> auto& it, auto& field) {
    step_fields(it, field);
    field("part", it.part);
    field("verdict", it.verdict);
    field("because", it.because);
    field("by", it.by);
}

void fields(Of<events::StageEnded> auto& it, auto& field) {
    field("stage", it.stage);
    field("result", it.result);
    field("message", it.message);
    field.if_set("environment", it.environment);
    field.if_set("changes", it.changes);
    field.if_set("place", it.place);
    field.if_set("approvals", it.approvals);
}

void fields(Of<events::LockBroken> auto& it, auto& field) {
    field("lock", it.lock);
    field("by", it.by);
    field("because", it.because);
}

void fields(Of<events::Adopted> auto& it, auto& field) {
    field("by", it.by);
    field("because", it.because);
    field.if_set("why", it.why);
    field.if_set("gone", it.gone);
}

void fields(Of<events::RunEnded> auto& it, auto& field) {
    field("result", it.result);
    field("exit_code", it.exit_code);
    field("message", it.message);
    field("standing", it.standing);
    field.if_set("decide", it.decide);
}

class Writer {
  public:
    json body = json::object();

    void operator()(const char* key, const auto& value) { body[key] = written(value); }
    void if_set(const char* key, const auto& value) {
        if (is_set(value)) (*this)(key, value);
    }
    void flag(const char* key, const auto& value, const auto& told) {
        if (value == told) body[key] = true;
    }
    void object(const char* key, const json& value) {
        if (!value.is_null()) body[key] = value;
    }
    void absent(const char* /*key*/, bool /*is*/, bool /*may_be*/) {}
    static bool has(const char* /*key*/, const std::optional<events::Call>& part) { return part.has_value(); }

  private:
    static bool is_set(const auto& value) {
        if constexpr (requires { value.has_value(); })
            return value.has_value();
        else if constexpr (requires { value.empty(); })
            return !value.empty();
        else
            return value != std::remove_cvref_t<decltype(value)>();
    }
    static json written(const Values& values) {
        json all = json::object();
        for (const auto& [phrase, value] : values) all[phrase] = migc::to_json(value);
        return all;
    }
    static json written(const std::map<std::string, PinnedEnvironment>& pinned) {
        json all = json::object();
        for (const auto& [stage, environment] : pinned) all[stage] = encode(environment);
        return all;
    }
    template <class Held>
    static json written(const std::optional<Held>& value) {
        return *value;
    }
    static json written(const auto& value) { return value; }
};

// Throws what the library throws where a value is not of its type.
class Reader {
  public:
    explicit Reader(const json& body) : body_(body) {}

    void operator()(const char* key, auto& value) const {
        if (const auto found = body_.find(key); found != body_.end()) read(*found, value);
    }
    void if_set(const char* key, auto& value) const { (*this)(key, value); }
    void flag(const char* key, auto& value, const auto& told) const {
        if (body_.value(key, false)) value = told;
    }
    void object(const char* key, json& value) const {
        const auto found = body_.find(key);
        if (found != body_.end()) value = found->get_ref<const json::object_t&>();
    }
    void absent(const char* key, bool& is, bool may_be) const { is = may_be && !body_.contains(key); }
    bool has(const char* key, std::optional<events::Call>& part) const {
        if (body_.contains(key)) part.emplace();
        return part.has_value();
    }

  private:
    static void read(const json& from, Values& values) {
        for (const auto& [phrase, value] : from.get_ref<const json::object_t&>())
            values[phrase] = migc::from_json(value);
    }
    static void read(const json& from, std::map<std::string, PinnedEnvironment>& pinned) {
        for (const auto& [stage, body] : from.get_ref<const json::object_t&>()) {
            const Reader reader(body);
            fields(pinned[stage], reader);
        }
    }
    static void read(const json& from, std::int64_t& number) {
        number = from.get_ref<const json::number_integer_t&>();
    }
    template <class Held>
    static void read(const json& from, std::optional<Held>& value) {
        read(from, value.emplace());
    }
    static void read(const json& from, auto& value) { from.get_to(value); }

    const json& body_;
};

// Whether there is what such an event means nothing without.
bool is_complete(const events::Noted& noted) {
    using Kind = events::Noted::Kind;
    if (noted.value.is_discarded()) return false;
    if (noted.kind == Kind::Decision) return noted.value.is_boolean();
    if (noted.kind == Kind::Soaked) return noted.value.is_number_integer();
    return noted.kind != Kind::Captures || noted.value.is_object();
}

bool is_complete(const auto& /*body*/) {
    return true;
}

template <std::size_t... Index>
Event::Body empty_body(std::size_t index, std::index_sequence<Index...> /*all*/) {
    using Make = Event::Body (*)();
    static constexpr std::array<Make, sizeof...(Index)> make = {
        []() -> Event::Body { return std::variant_alternative_t<Index, Event::Body>(); }...};
    return make.at(index)();
}

}  // namespace

std::string name(EventKind kind) {
    return std::string(names.at(static_cast<std::size_t>(kind)));
}

json encode(const PinnedEnvironment& environment) {
    Writer writer;
    fields(environment, writer);
    return std::move(writer.body);
}

json encode(const Event::Body& body) {
    Writer writer;
    std::visit([&](const auto& it) { fields(it, writer); }, body);
    return std::move(writer.body);
}

tl::expected<Event::Body, std::string> decode(const std::string& name, const json& body) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end() || !body.is_object()) return tl::unexpected("no such event: " + name);
    auto event = empty_body(static_cast<std::size_t>(known - names.begin()),
                            std::make_index_sequence<std::variant_size_v<Event::Body>>());
    try {
        const Reader reader(body);
        const bool complete = std::visit(
            [&](auto& it) {
                fields(it, reader);
                return is_complete(it);
            },
            event);
        if (complete) return event;
    } catch (const json::exception& error) {
        return tl::unexpected(std::string(error.what()));
    }
    return tl::unexpected(std::string("it does not say what was found out"));
}

}  // namespace migc::runtime::inline journal
