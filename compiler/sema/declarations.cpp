// Lowering of verbs, probes and tools, each when it is first used.
#include <algorithm>

#include <fmt/format.h>

#include "compiler/diagnostics/nearest.hpp"
#include "compiler/sema/lowering.hpp"
#include "compiler/semantics/visit.hpp"

namespace migc::sema {

using ir::Type;
using ir::TypeKind;

std::optional<Type> Lowering::type(const syntax::Type& type) {
    auto result =
        parse_type(type.text, [&](std::string_view name) { return library_.resource(name) != nullptr; });
    if (result) {
        const Type& innermost = result->kind == TypeKind::List ? *result->element : *result;
        const auto known = [&](const ir::ResourceType& r) { return r.name == innermost.resource; };
        if (innermost.kind == TypeKind::Resource && std::ranges::none_of(program_.resource_types, known)) {
            const syntax::Resource& declared = *library_.resource(innermost.resource);
            program_.resource_types.push_back({innermost.resource, declared.written_as});
            if (declared.written_as.starts_with('-'))
                diagnostics_.report(Code::BadDeclaration, declared.span,
                                    fmt::format("`{}` would be an option of the tool, and names no thing",
                                                declared.written_as));
        }
        return result;
    }
    auto& d =
        diagnostics_.report(Code::TypeMismatch, type.span, fmt::format("there is no type `{}`", type.text));
    const std::vector<std::string> names = {"int",         "string", "bool", "percent",  "duration",
                                            "quantity",    "url",    "path", "image",    "json",
                                            "environment", "secret", "plan", "workload", "service"};
    suggest(d, type.text, names);
    d.note("a resource type of your own is declared with `resource NAME;`");
    return {};
}

// ------------------------------------------------------------------ signatures

namespace {

// The name under which a declaration sees whether an optional group without slots was given: `from-inside`.
std::string flag_name(const syntax::Signature& group) {
    std::string name;
    for (const auto& part : group) name += (name.empty() ? "" : "-") + part.name.text;
    return name;
}

}  // namespace

void Lowering::add_parameters(const syntax::Signature& signature, bool optional, Scope& scope,
                              std::vector<ir::Parameter>& slots, std::vector<ir::Parameter>& flags) {
    for (const auto& part : signature) {
        if (part.kind == syntax::SignatureKind::Slot) {
            const Type slot = type(part.type).value_or(simple(TypeKind::Any));
            slots.push_back({part.name.text, slot, optional, {}, part.span});
            if (part.default_value) slots.back().default_value = expr(*part.default_value, slot, scope);
        } else if (part.kind == syntax::SignatureKind::Optional) {
            if (has_slots(part.parts)) {
                add_parameters(part.parts, true, scope, slots, flags);
                continue;
            }
            flags.push_back({flag_name(part.parts), simple(TypeKind::Bool), true, {}, part.span});
        }
    }
}

std::vector<ir::Parameter> Lowering::parameters(const syntax::Signature& signature) {
    std::vector<ir::Parameter> slots, flags;
    add_parameters(signature, false, settings_, slots, flags);
    slots.insert(slots.end(), std::make_move_iterator(flags.begin()), std::make_move_iterator(flags.end()));
    return slots;
}

std::vector<ir::Parameter> Lowering::declare(const syntax::Signature& signature, Scope& scope) {
    if (key_of(signature).empty())
        diagnostics_.report(Code::BadDeclaration, signature.front().span,
                            "a signature needs a word outside of `[ .. ]` by which it is found");
    std::vector<ir::Parameter> result = parameters(signature);
    for (const auto& p : result) {
        bind_name({p.name, p.span}, p.type, scope);
        scope.find(p.name)->borrowed = p.type.kind == TypeKind::Plan && !p.type.consumed;
    }
    return result;
}

// What verbs and probes have in common.
template <class Result>
void Lowering::begin(const syntax::Declared& declared, Result& result, Scope& scope) {
    result.signature = text(declared.signature_span);
    result.documentation = declared.documentation;
    result.span = declared.signature_span;
    result.parameters = declare(declared.signature, scope);
}

// ------------------------------------------------------------------ verbs

std::uint32_t Lowering::verb(const Declaration& declaration) {
    if (const auto known = verbs_.find(&declaration); known != verbs_.end()) {
        const bool open = std::ranges::find(open_composites_, &declaration) != open_composites_.end();
        if (open)
            diagnostics_.report(Code::BadDeclaration, declaration.span(),
                                "this verb contains itself, so it would never end");
        return known->second;
    }
    const auto index = static_cast<std::uint32_t>(program_.verbs.size());
    verbs_.emplace(&declaration, index);
    defined(declaration);
    const syntax::Verb& verb = *declaration.verb;
    Scope scope(&settings_);
    ir::Verb result;
    begin(verb, result, scope);
    result.composite = verb.steps.has_value();
    if (verb.result_type) result.result_type = type(*verb.result_type);
    program_.verbs.push_back(result);  // so that its own inverse can name it
    if (result.composite) open_composites_.push_back(&declaration);
    verb_body(verb, result, scope);
    if (result.composite) open_composites_.pop_back();
    program_.verbs[index] = std::move(result);
    return index;
}

void Lowering::verb_body(const syntax::Verb& verb, ir::Verb& result, Scope& scope) {
    for (const auto& need : verb.needs) result.needs.push_back(condition(need, scope));
    for (const auto& [name, value] : verb.captures) {
        ir::Capture capture{name.text, expr(value, simple(TypeKind::Any), scope), name.span};
        bind_name(name, capture.value.type, scope);
        result.captures.push_back(std::move(capture));
    }
    for (const auto& e : verb.effects) result.effects.push_back(effect(e, scope));
    result.role = role(verb.roles, DeclarationKind::Verb, scope);
    verb_action(verb, result, scope);
    if (verb.result) {
        // A plan is the path of its file to the verb that makes it, and nothing but a plan to everybody else.
        const Type declared = result.result_type.value_or(simple(TypeKind::Any));
        result.result =
            expr(*verb.result, declared.kind == TypeKind::Plan ? simple(TypeKind::Path) : declared, scope);
    }
    if (verb.result.has_value() != verb.result_type.has_value())
        diagnostics_.report(
            Code::BadDeclaration, verb.signature_span,
            "a verb that yields something says both its type, `verb ..: TYPE`, and `result ..;`");
    if (verb.within) result.within = expr(*verb.within, simple(TypeKind::Duration), scope);
    verb_undo(verb, result, scope);
}

void Lowering::verb_action(const syntax::Verb& verb, ir::Verb& result, Scope& scope) {
    if (verb.actions.size() + (verb.steps ? 1 : 0) != 1) {
        diagnostics_.report(
            Code::BadDeclaration, verb.signature_span,
            "a verb acts by exactly one `do ..;` or `steps < .. >`",
            verb.actions.empty()
                ? "this one has none of them"
                : "for several actions in a row declare a verb for each, and one with `steps`");
        return;
    }
    if (verb.actions.size() == 1) {
        result.action = command(verb.actions.front(), scope);
        return;
    }
    result.steps = block(*verb.steps, scope, Place::Declaration);
    semantics::each_step(result.steps, [&](const ir::Step& step) {
        result.steps_mutate |= step.kind == ir::StepKind::Call && program_.verbs[step.verb].mutates();
    });
}

void Lowering::verb_undo(const syntax::Verb& verb, ir::Verb& result, Scope& scope) {
    // A composite is undone by undoing its steps, so it need not say anything.
    if (verb.undos.size() == 1) {
        result.undo = undo(verb.undos.front(), scope);
    } else if (verb.undos.size() > 1 || !result.composite) {
        auto& d = diagnostics_.report(
            Code::BadDeclaration, verb.signature_span,
            verb.undos.empty() ? "this verb does not say how it is undone"
                               : "this verb says more than once how it is undone",
            "exactly one of: `undo PHRASE;`, `undo < .. >;`, `undo none because \"..\";`, `undo by caller;`, "
            "`irreversible because \"..\";`");
        d.note("there is no silent default: an undo that nobody thought about is none");
    }
}

ir::Undo Lowering::undo(const syntax::Undo& u, Scope& scope) {
    ir::Undo result;
    result.span = u.span;
    result.reason = u.reason;
    switch (u.form) {
        case syntax::UndoForm::None:
            result.kind = ir::UndoKind::None;
            break;
        case syntax::UndoForm::ByCaller:
            result.kind = ir::UndoKind::ByCaller;
            break;
        case syntax::UndoForm::Irreversible:
            result.kind = ir::UndoKind::Irreversible;
            break;
        case syntax::UndoForm::Phrase:
        case syntax::UndoForm::Block:
            result.kind = ir::UndoKind::Steps;
            // Inside an inverse a verb is only named: it must not count as a composite that contains itself.
            std::vector<const Declaration*> open;
            open.swap(open_composites_);
            result.steps = block(u.steps, scope, Place::Declaration);
            open.swap(open_composites_);
            if (result.steps.empty())
                diagnostics_.report(Code::BadDeclaration, u.span, "this undo does nothing",
                                    "if nothing is left to undo, say why: `undo none because \"..\"`");
            if (u.after) result.after = probe_call(*u.after, scope);
            break;
    }
    if ((result.kind == ir::UndoKind::None || result.kind == ir::UndoKind::Irreversible) &&
        result.reason.empty())
        diagnostics_.report(Code::BadDeclaration, u.span, "the reason after `because` is empty");
    return result;
}

ir::Effect Lowering::effect(const syntax::Effect& e, Scope& scope) {
    ir::Effect result;
    result.probe = probe_call(e.probe, scope);
    result.becomes = e.becomes == syntax::Effect::Becomes::Value    ? ir::Becomes::Value
                     : e.becomes == syntax::Effect::Becomes::Absent ? ir::Becomes::Absent
                                                                    : ir::Becomes::Different;
    if (e.value) result.value = expr(*e.value, result.probe.type, scope);
    result.span = e.span;
    return result;
}

// ------------------------------------------------------------------ commands

// `TOOL [..] at "/pointer" stdin X as json absent on "regex"`, or `native NAME [..] through [tools]`.
namespace {

// Arguments of a program can be read by everybody on the machine.
void keep_secrets_out(const ir::Expr& arguments, Diagnostics& diagnostics) {
    if (arguments.kind == ir::ExprKind::Interpolate) return;  // has been refused as a string
    for (const ir::Expr& argument : arguments.children) keep_secrets_out(argument, diagnostics);
    if (arguments.type.kind != TypeKind::Secret) return;
    diagnostics.report(Code::TypeMismatch, arguments.span,
                       fmt::format("`{}` is a secret and cannot be an argument of a program", arguments.name),
                       "everybody on the machine can read arguments; give it with `stdin`");
}

}  // namespace

ir::Command Lowering::command(const syntax::Expr& phrase, Scope& scope) {
    ir::Command result;
    result.span = phrase.span;
    result.tool = phrase.children.front().text;
    std::size_t at = 1;
    const auto is_word = [&] {
        return at < phrase.children.size() && phrase.children[at].kind == syntax::ExprKind::Word;
    };
    if (result.tool == "native") {
        if (!is_word()) {
            diagnostics_.report(
                Code::BadDeclaration, phrase.span,
                "`native` is followed by the name of a function, for example `native pods-ready [targets]`");
            return result;
        }
        result.native = phrase.children[at++].text;
    } else {
        tool(result.tool, phrase.children.front().span);
    }
    if (at < phrase.children.size() && !is_word())
        result.arguments = expr(phrase.children[at++], list_of(simple(TypeKind::Any)), scope);
    if (result.arguments && result.tool != "native") keep_secrets_out(*result.arguments, diagnostics_);
    while (at < phrase.children.size()) command_option(result, phrase, at, scope);
    return result;
}

void Lowering::command_option(ir::Command& result, const syntax::Expr& phrase, std::size_t& at,
                              Scope& scope) {
    const syntax::Expr& word = phrase.children[at++];
    if (word.text == "absent" && at < phrase.children.size() && phrase.children[at].text == "on") ++at;
    const syntax::Expr* value = at < phrase.children.size() ? &phrase.children[at++] : nullptr;
    if (!value) {
        diagnostics_.report(Code::BadDeclaration, word.span, fmt::format("`{}` lacks its value", word.text));
    } else if (word.text == "at") {
        result.pointer = expr(*value, simple(TypeKind::String), scope);
        if (result.format.empty()) result.format = "json";
    } else if (word.text == "stdin") {
        result.standard_input = expr(*value, simple(TypeKind::Any), scope);
    } else if (word.text == "through" && value->kind == syntax::ExprKind::List) {
        for (const auto& name : value->children) {
            const syntax::Expr& word_of = name.is_name() ? name.children.front() : name;
            result.through.push_back(word_of.text);
            tool(word_of.text, word_of.span);
        }
    } else if (word.text == "as") {
        // How it is read, and what a bare number in it means: `as yaml as ratio`.
        const bool is_meaning = value->text == "ratio" || value->text == "percent";
        result.format += is_meaning && !result.format.empty() ? " " : "";
        result.format = is_meaning ? result.format + value->text : value->text;
    } else if (word.text == "absent" && value->kind == syntax::ExprKind::String) {
        result.absent_on = value->text;
    } else {
        diagnostics_.report(
            Code::BadDeclaration, word.span, fmt::format("`{}` is not known here", word.text),
            "behind a command stand: `at \"/json/pointer\"`, `as json|yaml|text|lines`, `as ratio|percent` of a percentage, `stdin VALUE`, `through [tools]` of a native, "
            "`absent on \"regular expression\"`");
    }
}

void Lowering::tool(std::string_view name, Span span) {
    if (program_.tool(name)) return;
    const syntax::Tool* declared = library_.tool(name);
    if (!declared) {
        diagnostics_.report(Code::BadDeclaration, span, fmt::format("there is no tool `{}`", name),
                            fmt::format("declare it: `tool {} < program \"{}\"; >`", name, name));
        return;
    }
    ir::Tool result;
    result.name = name;
    result.span = declared->span;
    result.program = name;
    for (const auto& [property, value] : declared->properties) {
        if (property.text == "program")
            result.program = value.text;
        else if (property.text == "arguments")
            result.arguments = expr(value, list_of(simple(TypeKind::Any)), settings_);
        else if (property.text == "environment")
            result.environment = expr(value, list_of(simple(TypeKind::String)), settings_);
        else if (property.text == "within")
            result.within = expr(value, simple(TypeKind::Duration), settings_);
        else
            diagnostics_.report(Code::BadDeclaration, property.span,
                                fmt::format("a tool has no `{}`", property.text),
                                "a tool has `program`, `arguments`, `environment` and `within`");
    }
    program_.tools.push_back(std::move(result));
}

// ------------------------------------------------------------------ probes

namespace {

// What 1 of a bare number means in percent; 0 for a word that says nothing of it.
double percent_of_one(std::string_view word) {
    return word == "ratio" ? 100 : word == "percent" ? 1 : 0;
}

bool is_percent(const Type& type) {
    return type.kind == TypeKind::Percent ||
           (type.kind == TypeKind::List && type.element && is_percent(*type.element));
}

}  // namespace

std::uint32_t Lowering::probe(const Declaration& declaration) {
    if (std::ranges::find(open_computed_, &declaration) != open_computed_.end())
        diagnostics_.report(Code::BadDeclaration, declaration.probe->signature_span,
                            "this probe is worked out of itself", "nobody could ever find out what it is");
    if (const auto known = probes_.find(&declaration); known != probes_.end()) return known->second;
    const auto index = static_cast<std::uint32_t>(program_.probes.size());
    probes_.emplace(&declaration, index);
    defined(declaration);
    const syntax::Probe& probe = *declaration.probe;
    Scope scope(&settings_);
    ir::Probe result;
    begin(probe, result, scope);
    result.type = type(probe.type).value_or(simple(TypeKind::Any));
    program_.probes.push_back(result);  // so that what it depends on can name it
    result.role = role(probe.roles, DeclarationKind::Probe, scope);
    for (const auto& d : probe.depends) result.depends.push_back(probe_call(d, scope));
    if (probe.reads.size() != 1) {
        diagnostics_.report(Code::BadDeclaration, probe.signature_span, "a probe has exactly one `read ..;`");
    } else if (probe.reads.front().parenthesised || probe.reads.front().kind != syntax::ExprKind::Phrase) {
        open_computed_.push_back(&declaration);
        result.computed = computed(probe, result.type, scope);
        open_computed_.pop_back();
        // What is read as text says itself whether it has a sign.
        if (is_percent(result.type) && result.computed->kind != ir::ExprKind::Arithmetic)
            result.computed_as = probe.read_as.text;
    } else {
        result.read = command(probe.reads.front(), scope);
        check_reading(result);
    }
    if (probe.watch) result.watch = command(*probe.watch, scope);
    if (probe.converges) result.converges = condition(*probe.converges, scope);
    if (probe.within) result.within = expr(*probe.within, simple(TypeKind::Duration), scope);
    program_.probes[index] = std::move(result);
    return index;
}

// 0.05 may mean 5 % or 0.05 %: only whoever declares the probe knows.
void Lowering::bare_number(Span read) {
    auto& d =
        diagnostics_.report(Code::BareNumber, read, "a bare number would be read as a percentage",
                            "an answer without a % sign is unknown: 0.05 could mean 5% as well as 0.05%");
    for (const std::string_view word : {"ratio", "percent"})
        d.fixes.push_back({word == "ratio" ? "0.05 means 5%" : "0.05 means 0.05%",
                           {{{read.file, read.end, read.end}, fmt::format(" as {}", word)}},
                           false});
}

bool Lowering::says_how(const syntax::Name& word, const Type& type) {
    if (word.text.empty()) return false;
    const bool is_known = percent_of_one(word.text) != 0;
    if (is_known && is_percent(type)) return true;
    diagnostics_.report(Code::BadDeclaration, word.span,
                        is_known ? fmt::format("`as {}` belongs to a probe of type percent", word.text)
                                 : fmt::format("`{}` is not known here", word.text),
                        "`as ratio` reads 0.05 as 5%, `as percent` as 0.05%");
    return false;
}

ir::Expr Lowering::computed(const syntax::Probe& probe, const Type& type, Scope& scope) {
    const syntax::Expr& read = probe.reads.front();
    const bool says = says_how(probe.read_as, type);
    if (type.kind != TypeKind::Percent) return expr(read, type, scope);
    ir::Expr value = expr(read, simple(TypeKind::Any), scope);
    if (value.type.kind == TypeKind::Percent) return value;
    const bool is_number = value.type.kind == TypeKind::Int || value.type.kind == TypeKind::Quantity;
    if (!is_number && !fits(value.type, type)) {
        mismatch(value, type);
        return bad(read.span);
    }
    if (!says) {
        if (probe.read_as.text.empty()) bare_number(probe.read_span);
        return value;
    }
    if (!is_number) return value;
    ir::Expr unit = literal(Percent{percent_of_one(probe.read_as.text)}, type, probe.read_as.span);
    ir::Expr result = make(ir::ExprKind::Arithmetic, type, read.span, std::move(value), std::move(unit));
    result.operation = ir::Operation::Multiply;
    return result;
}

// What a command answers must say whether it is a ratio, where the probe promises a percentage.
void Lowering::check_reading(const ir::Probe& probe) {
    const ir::Command& read = *probe.read;
    const bool says = read.format.ends_with("ratio") || read.format.ends_with("percent");
    if (says && !is_percent(probe.type))
        diagnostics_.report(Code::BadDeclaration, read.span,
                            "`as ratio` and `as percent` belong to a probe of type percent");
    if (!says && is_percent(probe.type) && read.tool != "native") bare_number(read.span);
}

// Two declarations of the same words and types would make every use of them ambiguous.
void Lowering::check_duplicates(const std::vector<const Declaration*>& declarations) {
    const auto shape = [&](const syntax::Signature& signature, const auto& self) -> std::string {
        std::string result;
        for (const auto& part : signature) {
            if (part.kind == syntax::SignatureKind::Label) result += part.name.text + " ";
            if (part.kind == syntax::SignatureKind::Slot) result += "(" + part.type.text + ") ";
            if (part.kind == syntax::SignatureKind::Optional) result += "[" + self(part.parts, self) + "] ";
        }
        return result;
    };
    std::map<std::string, const Declaration*> seen;
    for (const Declaration* declaration : declarations) {
        const auto [first, is_new] = seen.emplace(shape(declaration->signature(), shape), declaration);
        if (is_new) continue;
        auto& d = diagnostics_.report(Code::AmbiguousPhrase, declaration->span(),
                                      fmt::format("`{}` is declared twice", text(declaration->span())));
        d.label(first->second->span(), "first declared here");
        d.note("nobody could tell which of the two a step means; give one of them other words");
    }
}

}  // namespace migc::sema
