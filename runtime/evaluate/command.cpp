// Commands: how they are put together, run, and read.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "runtime/evaluate/convert.hpp"
#include "runtime/evaluate/evaluate.hpp"
#include "runtime/evaluate/place.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/natives/refusals.hpp"

namespace migc::runtime::inline evaluation {
namespace {

using ir::ExprKind;

constexpr std::int64_t default_limit_ms = 60'000;

const std::string* literal(const ir::Expr& expression) {
    return expression.kind == ExprKind::Literal ? expression.value.get_if<std::string>() : nullptr;
}

// "-f" before an absent value goes with it; "--" and "-" are no options.
bool is_flag(const ir::Expr& expression) {
    const std::string* text = literal(expression);
    return text != nullptr && text->starts_with('-') && *text != "--" && *text != "-";
}

// Whether the script's author wrote the first character of this text.
bool begins_literally(const ir::Expr& expression) {
    if (expression.kind != ExprKind::Interpolate) return literal(expression) != nullptr;
    if (expression.children.empty()) return true;
    const std::string* first = literal(expression.children.front());
    return first != nullptr && !first->empty();
}

// Puts the elements of an argument list one after the other, and refuses what could be taken for an option.
class ArgumentList {
  public:
    explicit ArgumentList(bool options_allowed) : options_allowed_(options_allowed) {}

    tl::expected<void, std::string> add(const std::string& text, bool written_by_author) {
        if (text.find('\0') != std::string::npos)
            return tl::unexpected(std::string("an argument holds a NUL character"));
        if (!written_by_author && !options_allowed_ && text.starts_with('-'))
            return tl::unexpected(fmt::format("the argument `{}` would be taken for an option of the command",
                                              printable(text, 80)));
        if (written_by_author && text == "--") options_allowed_ = true;
        result_.push_back(text);
        return {};
    }
    void drop_last() { result_.pop_back(); }
    std::vector<std::string> take() && { return std::move(result_); }

  private:
    bool options_allowed_;
    std::vector<std::string> result_;
};

bool means_absent(const ir::Command& command, const Answer& answer) {
    if (command.absent_on.empty() || answer.ending != Ending::Exited) return false;
    const RE2 expression(command.absent_on, RE2::Quiet);
    return expression.ok() &&
           (RE2::PartialMatch(answer.errors, expression) || RE2::PartialMatch(answer.output, expression));
}

// A script of the project, never a program of that name on PATH.
void keep_off_path(CommandLine& line) {
    if (line.tool == "program" && !line.argv.empty() && line.argv.front().find('/') == std::string::npos)
        line.argv.front().insert(0, "./");
}

Reading not_found_out(std::string reason) {
    return {Value(Unknown{reason}), std::move(reason), false};
}

// What a probe's expression yields is of its type, or not to be relied on.
Reading as_declared(Reading reading, const ir::Type& type, BareNumber bare) {
    auto typed = convert(reading.value, type, bare);
    if (!typed) return not_found_out(typed.error());
    reading.value = std::move(*typed);
    return reading;
}

// A SIGKILL in the middle of an apply would leave behind what no state knows of.
bool is_gentle(const std::string& tool, const std::vector<std::string>& arguments) {
    return tool == "terraform" && !arguments.empty() &&
           (arguments.front() == "apply" || arguments.front() == "destroy");
}

}  // namespace

std::string Evaluator::written(const ResourceRef& resource) {
    if (resource.name.find('/') != std::string::npos) return resource.name;
    const auto& mapping =
        resource.type == "service" ? eval_context_.inventory.services : eval_context_.inventory.workloads;
    const bool mapped = resource.type == "service" || resource.type == "workload";
    if (const auto found = mapping.find(resource.name); mapped && found != mapping.end())
        return found->second;
    for (const ir::ResourceType& type : eval_context_.program.resource_types) {
        if (type.name != resource.type || type.written_as.empty()) continue;
        std::string text = type.written_as;
        constexpr std::string_view place = "${name}";
        if (const std::size_t at = text.find(place); at != std::string::npos)
            text.replace(at, place.size(), resource.name);
        return text;
    }
    return resource.name;
}

std::string Evaluator::as_argument(const Value& value) {
    if (const auto* resource = value.get_if<ResourceRef>()) return written(*resource);
    return show(value);
}

tl::expected<std::vector<std::string>, std::string> Evaluator::arguments(const ir::Expr& list,
                                                                         const Scope& scope,
                                                                         bool options_allowed) {
    ArgumentList result(options_allowed);
    const bool is_list = list.kind == ExprKind::List;
    const std::size_t count = is_list ? list.children.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const ir::Expr& element = is_list ? list.children[i] : list;
        Reading reading = evaluate_kind(element, scope, Form::Written);
        if (element.type.kind == ir::TypeKind::Path) reading = checked_path(std::move(reading));
        if (const auto* no = reading.value.get_if<Unknown>()) return tl::unexpected(no->reason);
        if (reading.value.is_absent()) {
            if (i > 0 && is_flag(list.children[i - 1])) result.drop_last();
            continue;
        }
        const auto* items = reading.value.get_if<List>();
        const bool literally = items == nullptr && begins_literally(element);
        for (const Value& item : items != nullptr ? *items : List{reading.value})
            if (!item.is_absent())
                if (const auto added = result.add(as_argument(item), literally); !added)
                    return tl::unexpected(added.error());
    }
    return std::move(result).take();
}

bool Evaluator::is_own(Span span) const {
    return eval_context_.options.own_files.contains(span.file);
}

// The tool's program and its own arguments. `program` runs what its first argument names.
tl::expected<CommandLine, std::string> Evaluator::tool_line(const std::string& name) {
    CommandLine line;
    line.tool = name;
    line.directory = environment_.setting("root");
    line.within_ms = default_limit_ms;
    const ir::Tool* tool = eval_context_.program.tool(name);
    // Without its declaration a tool would run without its context and namespace: in some other cluster.
    if (tool == nullptr) return tl::unexpected(fmt::format("the script declares no tool `{}`", name));
    if (environment_.outside && name != "git")
        return tl::unexpected(
            fmt::format("{} is asked outside of a stage, and only a stage says where", name));
    line.of_project = own_ || is_own(tool->span);
    if (!tool->program.empty() && name != "program") line.argv.push_back(tool->program);
    const Scope nothing(globals);
    if (tool->arguments) {
        const auto own = arguments(*tool->arguments, nothing);
        if (!own) return tl::unexpected(own.error());
        line.argv.insert(line.argv.end(), own->begin(), own->end());
    }
    if (tool->environment) {
        auto variables = arguments(*tool->environment, nothing);
        if (!variables) return tl::unexpected(variables.error());
        line.environment = std::move(*variables);
    }
    if (tool->within)
        if (const Reading limit = evaluate(*tool->within, nothing);
            const auto* within = limit.value.get_if<Duration>())
            line.within_ms = within->milliseconds;
    return line;
}

tl::expected<CommandLine, std::string> Evaluator::command_line(const ir::Command& command, const Scope& scope,
                                                               std::int64_t within) {
    auto line = tool_line(command.tool);
    if (!line) return line;
    line->of_project = line->of_project || is_own(command.span);
    if (within > 0) line->within_ms = within;
    if (command.arguments) {
        // What follows the name of the user's own script are that script's options.
        const auto own = arguments(*command.arguments, scope, command.tool == "program");
        if (!own) return tl::unexpected(own.error());
        line->graceful = is_gentle(command.tool, *own);
        line->argv.insert(line->argv.end(), own->begin(), own->end());
    }
    keep_off_path(*line);
    if (line->argv.empty() || line->argv.front().empty() || line->argv.front().starts_with('-'))
        return tl::unexpected(std::string("there is no program to run"));
    if (command.standard_input) {
        const Reading input = evaluate(*command.standard_input, scope);
        if (const auto* no = input.value.get_if<Unknown>()) return tl::unexpected(no->reason);
        line->input = show(input.value);
    }
    return line;
}

// A plan reads what earlier steps change in a copy of the project: a whole path is then one there.
std::filesystem::path Evaluator::moved(const std::filesystem::path& path,
                                       const std::filesystem::path& root) const {
    std::error_code error;
    const auto home = std::filesystem::absolute(eval_context_.inventory.root, error).lexically_normal();
    const auto below = path.lexically_normal().lexically_relative(home);
    const bool is_there = path.is_absolute() && !below.empty() && *below.begin() != "..";
    return is_there && root != home ? root / below : root / path;
}

// Natives read files themselves, whatever the working directory is: their paths are whole ones.
tl::expected<List, std::string> Evaluator::native_arguments(const ir::Command& command, const Scope& scope) {
    if (!command.arguments) return List{};
    const Reading reading = evaluate(*command.arguments, scope);
    if (const auto* no = reading.value.get_if<Unknown>()) return tl::unexpected(no->reason);
    const auto* items = reading.value.get_if<List>();
    if (items == nullptr) return List{reading.value};
    const NativeEntry* native = eval_context_.options.natives(command.native);
    const bool copies = native != nullptr && native->reads_inputs;
    const std::filesystem::path root = environment_.setting("root");
    List result = *items;
    for (std::size_t i = 0; i < result.size() && i < command.arguments->children.size(); ++i) {
        const auto* path = result[i].get_if<std::string>();
        if (path == nullptr || command.arguments->children[i].type.kind != ir::TypeKind::Path) continue;
        const std::filesystem::path whole = moved(*path, root);
        result[i] =
            Value((copies ? copied_input(environment_.setting("run-folder"), root, whole.string()) : whole)
                      .string());
    }
    return result;
}

tl::expected<Answer, std::string> Evaluator::act(const ir::Command& command, const Scope& scope,
                                                 std::int64_t within) {
    if (command.tool != "native") {
        const auto line = command_line(command, scope, within);
        if (!line) return tl::unexpected(line.error());
        Answer answer = eval_context_.tools.run(*line);
        answer.refused = was_refused(command.tool, answer);
        return answer;
    }
    const NativeEntry* native = eval_context_.options.natives(command.native);
    if (native == nullptr || !native->action)
        return tl::unexpected(fmt::format("this migc has no native action `{}`", command.native));
    const auto values = native_arguments(command, scope);
    if (!values) return tl::unexpected(values.error());
    Evaluator host = *this;
    host.limit_ms_ = within;
    host.own_ = is_own(command.span);
    Answer answer = native->action(host, *values);
    const auto refused_by = [&](const std::string& tool) { return was_refused(tool, answer); };
    if (native->one_write && !answer.refused)
        answer.refused = std::any_of(command.through.begin(), command.through.end(), refused_by);
    return answer;
}

tl::expected<Preview, std::string> Evaluator::preview(const ir::Command& command, const Scope& scope) {
    if (command.tool != "native") {
        const auto line = command_line(command, scope);
        if (!line) return tl::unexpected(line.error());
        return Preview(shown(line->argv), {{line->argv}});
    }
    const auto values = native_arguments(command, scope);
    if (!values) return tl::unexpected(values.error());
    const NativeEntry* native = eval_context_.options.natives(command.native);
    return native != nullptr && native->preview ? native->preview(*this, *values) : Preview();
}

Reading Evaluator::read(const ir::Probe& declared, const Scope& scope) {
    if (declared.computed)
        return as_declared(evaluate(*declared.computed, scope), declared.type,
                           bare_number(declared.computed_as));
    if (!declared.read) return script_mistake("the probe says nowhere how it is read");
    if (declared.read->tool == "native") return read_native(declared, scope);
    return read_tool(*declared.read, declared.type, scope);
}

Reading Evaluator::read_tool(const ir::Command& command, const ir::Type& type, const Scope& scope) {
    auto line = command_line(command, scope);
    if (!line) return script_mistake(line.error());
    const bool secret = type.kind == ir::TypeKind::Secret;
    // No record of what tools answer has it, so a replay has it neither.
    if (secret && kind() == "replayed") return {Value("(secret)"), {}, false};
    if (secret) line->tool = "(secret)";
    const Reading pointer =
        command.pointer ? evaluate(*command.pointer, scope) : Reading{Value(""), {}, false};
    if (pointer.value.is_unknown()) return pointer;
    const auto base = tool_line(command.tool);
    const bool has_words = base && base->argv.size() < line->argv.size();
    Answer answer = ask(*line, has_words ? line->argv[base->argv.size()] : "");
    if (!answer.succeeded()) {
        if (means_absent(command, answer)) return {Value(Absent{}), {}, false};
        if (secret) answer.output = answer.errors = "";
        return not_found_out(failure_text(command.tool, answer));
    }
    if (answer.truncated) return not_found_out(command.tool + " answered with more than can be read");
    const BareNumber bare = bare_number(command.format);
    const std::size_t end = bare == BareNumber::Refused ? command.format.size() : command.format.rfind(' ');
    const std::string written = end == std::string::npos ? "" : command.format.substr(0, end);
    const std::string format = written.empty() && command.pointer ? "json" : written;
    const auto value = read_format(answer.output, format, show(pointer.value));
    if (!value) return not_found_out(fmt::format("{}: {}", command.tool, value.error()));
    const auto typed = convert(*value, type, bare);
    if (!typed) return not_found_out(fmt::format("{}: {}", command.tool, typed.error()));
    return {*typed, {}, false};
}

Reading Evaluator::read_native(const ir::Probe& declared, const Scope& scope) {
    const ir::Command& command = *declared.read;
    const auto values = native_arguments(command, scope);
    if (!values) return script_mistake(values.error());
    if (declared.role.role == ir::Role::Passing)
        return stage_passed(values->empty() ? "" : show(values->front()));
    if (ir::asks_for_history(declared))
        return not_found_out("only `migc prove` looks at what comes before what");
    const NativeEntry* native = eval_context_.options.natives(command.native);
    if (native == nullptr || !native->probe)
        return script_mistake(fmt::format("this migc has no native probe `{}`", command.native));
    if (!is_own(command.span)) return native->probe(*this, *values);
    Evaluator host = *this;
    host.own_ = true;
    return native->probe(host, *values);
}

Reading evidence_now(const EvalContext& eval_context, const std::string& stage) {
    Reading reading = eval_context.options.evidence(stage, eval_context.changes(),
                                                    [&](const std::string& passed, const trust::Place& then) {
                                                        return is_where_it_is(eval_context, passed, then);
                                                    });
    if (truth(reading.value) != true || !eval_context.changed_since || reading.identity.empty())
        return reading;
    std::string why = eval_context.changed_since(stage, reading.identity);
    if (why.empty()) return reading;
    return {Value(false), fmt::format("{}, and what it did does not stand: {}", reading.why, why), true};
}

// Only the engine knows which stages completed in this run; of others there is evidence.
Reading Evaluator::stage_passed(const std::string& stage) {
    if (eval_context_.stage_passed && eval_context_.stage_passed(stage)) {
        if (std::string why = is_elsewhere(eval_context_, stage, environment_); !why.empty())
            return {Value(false), std::move(why), true};
        std::string why = eval_context_.changed_since ? eval_context_.changed_since(stage, {}) : "";
        if (why.empty()) return {Value(true), {}, false};
        return {Value(false), fmt::format("stage {} passed, and what it did does not stand: {}", stage, why),
                true};
    }
    const std::string reason = fmt::format("stage {} has not been completed in this run", stage);
    if (!eval_context_.options.evidence || !eval_context_.changes) return not_found_out(reason);
    Reading reading = evidence_now(eval_context_, stage);
    if (truth(reading.value) == true || reading.permanent) return reading;
    return not_found_out(reading.why.empty() ? reason : fmt::format("{}; {}", reason, reading.why));
}

Evaluator Evaluator::snapshot() const {
    Evaluator result = *this;
    result.seen_ = std::make_shared<std::map<std::vector<std::string>, Answer>>();
    return result;
}

// `first` is the command's first word after what every command of the tool begins with.
Answer Evaluator::ask(const CommandLine& line, const std::string& first) {
    if (!seen_ || line.tool != "kubectl" || first != "get" || !line.input.empty()) {
        Answer answer = eval_context_.tools.run(line);
        if (seen_ && was_refused(line.tool, answer)) outrun_ = outrun_ || was_outrun(answer);
        return answer;
    }
    if (const auto found = seen_->find(line.argv); found != seen_->end()) return found->second;
    Answer answer = eval_context_.tools.run(line);
    if (answer.succeeded()) seen_->emplace(line.argv, answer);
    return answer;
}

Answer Evaluator::run(const std::string& tool, const std::vector<std::string>& own,
                      const std::string& input) {
    auto line = tool_line(tool);
    if (!line) return not_started(line.error());
    line->graceful = is_gentle(tool, own);
    // The step's limit is that of what it waits for; a command that only asks has its tool's own, unless that
    // is longer.
    if (limit_ms_ > 0) line->within_ms = line->graceful ? limit_ms_ : std::min(line->within_ms, limit_ms_);
    line->argv.insert(line->argv.end(), own.begin(), own.end());
    keep_off_path(*line);
    line->input = input;
    return ask(*line, own.empty() ? "" : own.front());
}

std::vector<std::string> Evaluator::line_of(const std::string& tool, const std::vector<std::string>& own) {
    auto line = tool_line(tool);
    std::vector<std::string> words = line ? std::move(line->argv) : std::vector<std::string>{tool};
    words.insert(words.end(), own.begin(), own.end());
    return words;
}

Answer Evaluator::perform(const ToolCommand& command) {
    auto line = tool_line(command.tool);
    if (!line) return not_started(line.error());
    line->graceful = is_gentle(command.tool, command.arguments);
    line->argv.insert(line->argv.end(), command.arguments.begin(), command.arguments.end());
    keep_off_path(*line);
    line->input_file = command.input_file;
    line->output_file = command.output_file;
    line->log = command.log;
    if (command.within_ms > 0) line->within_ms = command.within_ms;
    return eval_context_.tools.run(*line);
}

}  // namespace migc::runtime::inline evaluation
