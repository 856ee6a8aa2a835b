#include "compiler/prove/values.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compiler/ir/compare.hpp"
#include "compiler/semantics/compute.hpp"

namespace migc::prove {

Values::Values() {
    add({Kind::Symbol, {}, "nothing", 0, 0, 0});
    names_["l false"] = add({Kind::Literal, Value(false), "false", 0, 0, 0});
    names_["l true"] = add({Kind::Literal, Value(true), "true", 0, 0, 0});
    names_["l null"] = add({Kind::Literal, Value(Absent{}), "absent", 0, 0, 0});
    add({Kind::Symbol, {}, "as it was", 0, 0, 0});
}

ValueId Values::add(Entry entry) {
    if (entries_.size() >= limit) {
        full_ = true;
        return nothing;
    }
    entries_.push_back(std::move(entry));
    return static_cast<ValueId>(entries_.size() - 1);
}

// By what it means, so that 1Gi and 1024Mi are one value.
ValueId Values::literal(const Value& value) {
    const std::string key = value.is_absent() ? "l null" : "l " + to_json(value).dump();
    if (const auto found = names_.find(key); found != names_.end()) return found->second;
    for (std::size_t i = 1; i < entries_.size(); ++i)
        if (entries_[i].kind == Kind::Literal && equal(entries_[i].value, value))
            return names_[key] = static_cast<ValueId>(i);
    return names_[key] = add({Kind::Literal, value, migc::show(value), 0, 0, 0});
}

ValueId Values::named(Kind kind, const std::string& name) {
    const std::string key = (kind == Kind::Initial ? "i " : "s ") + name;
    if (const auto found = names_.find(key); found != names_.end()) return found->second;
    // What stands behind the mark only tells apart things of one name.
    return names_[key] = add({kind, {}, name.substr(0, name.find('\x01')), 0, 0, 0});
}

std::uint16_t Values::function(Function function) {
    const std::string key = fmt::format(
        "{} {} {} {} {} {}", static_cast<int>(function.kind), static_cast<int>(function.comparison),
        static_cast<int>(function.operation), function.when, function.stated, function.name);
    if (const auto found = function_names_.find(key); found != function_names_.end()) return found->second;
    functions_.push_back(std::move(function));
    return function_names_[key] = static_cast<std::uint16_t>(functions_.size() - 1);
}

ValueId Values::make(std::uint16_t function, ValueId a, ValueId b) {
    const std::uint64_t key = (std::uint64_t{function} << 48) | (std::uint64_t{a} << 24) | b;
    if (const auto found = made_.find(key); found != made_.end()) return found->second;
    return made_[key] = add({Kind::Made, {}, {}, function, a, b});
}

namespace {

using ir::Comparison;

bool is_equality(Comparison comparison) {
    return comparison == Comparison::Is || comparison == Comparison::IsNot;
}

bool is_order(Comparison one) {
    return one == Comparison::Below || one == Comparison::Above || one == Comparison::AtLeast ||
           one == Comparison::AtMost;
}

// What a comparison of a value with itself says, whatever the value.
ValueId with_itself(Comparison one) {
    if (one == Comparison::Is || one == Comparison::AtLeast || one == Comparison::AtMost) return yes;
    if (one == Comparison::IsNot || one == Comparison::Below || one == Comparison::Above) return no;
    return nothing;
}

// What a pattern matches in a long text a run finds out: it takes seconds, which nobody waits for in a
// review.
bool takes_long(Comparison comparison, const Value& text) {
    constexpr std::size_t longest = 1000;
    const auto* whole = text.get_if<std::string>();
    return comparison == Comparison::Matches && whole != nullptr && whole->size() > longest;
}

}  // namespace

bool Values::is_made_by(ValueId id, FunctionKind kind) const {
    const Entry& entry = entries_[id];
    return entry.kind == Kind::Made && functions_[entry.function].kind == kind;
}

ValueId Values::evaluate(const Function& f, ValueId a, ValueId b) {
    const Value* left = known(a);
    const Value* right = known(b);
    const auto result = [&](const semantics::Computed& computed) {
        return computed.value.is_unknown() ? nothing : literal(computed.value);
    };
    switch (f.kind) {
        case FunctionKind::Same:
            return truth(a == b);
        case FunctionKind::IsAbsent:
            if (left != nullptr) return truth(left->is_absent());
            return entries_[a].kind == Kind::Initial || is_made_by(a, FunctionKind::Present) ? no : nothing;
        case FunctionKind::Moved:
            return a == b ? unmoved : a;
        case FunctionKind::Upset:
            return b == unmoved ? a : nothing;
        case FunctionKind::Gone:
        case FunctionKind::Present:
            return b == unmoved ? a : b == absent ? absent : nothing;
        case FunctionKind::Replaced:
            return b == unmoved ? a : b;
        case FunctionKind::Stated:
            return b == unmoved ? a : b == f.when ? f.stated : b == absent ? absent : nothing;
        case FunctionKind::Last:
            return b == absent ? a : b;
        case FunctionKind::Not:
            if (is_made_by(a, FunctionKind::Not)) return entries_[a].a;
            return a == yes ? no : a == no ? yes : nothing;
        case FunctionKind::And:
            if (a == no || b == no) return no;
            return a == yes ? b : b == yes ? a : nothing;
        case FunctionKind::Or:
            if (a == yes || b == yes) return yes;
            return a == no ? b : b == no ? a : nothing;
        case FunctionKind::Compare:
            if (a == b && (a != absent || is_equality(f.comparison)))
                if (const ValueId value = with_itself(f.comparison); value != nothing) return value;
            if (left == nullptr || right == nullptr || takes_long(f.comparison, *left)) return nothing;
            // What is not there is neither more nor less than anything: `absent` is no truth.
            if (is_order(f.comparison) && (left->is_absent() || right->is_absent())) return absent;
            return result(semantics::compare(f.comparison, *left, *right, migc::show));
        case FunctionKind::Arithmetic:
            return left && right ? result(semantics::calculate(f.operation, *left, *right, migc::show))
                                 : nothing;
        default:
            return nothing;
    }
}

ValueId Values::apply(std::uint16_t function, ValueId a, ValueId b) {
    const std::uint64_t question = (std::uint64_t{function} << 48) | (std::uint64_t{a} << 24) | b;
    Answer& answer = answers_[(question * 0x9e3779b97f4a7c15ULL) >> 54];
    if (answer.question != question) answer = {question, calculate(function, a, b)};
    return answer.value;
}

ValueId Values::calculate(std::uint16_t function, ValueId a, ValueId b) {
    const Function f = functions_[function];
    if (f.kind != FunctionKind::Opaque && f.kind != FunctionKind::Different && f.kind != FunctionKind::Part)
        if (const ValueId value = evaluate(f, a, b); value != nothing) return value;
    return make(function, a, b);
}

const Value* Values::known(ValueId id) const {
    const Entry& entry = entries_[id];
    return entry.kind == Kind::Literal ? &entry.value : nullptr;
}

std::string Values::show(ValueId id, ValueId own) const {
    const Entry& entry = entries_[id];
    if (entry.kind == Kind::Initial && entry.text.empty()) return "what somebody else set";
    if (entry.kind == Kind::Initial)
        return own == nothing || own == id ? "what it was before"
                                           : fmt::format("what {} was before", entry.text);
    if (entry.kind != Kind::Made) return entry.text;
    switch (functions_[entry.function].kind) {
        case FunctionKind::Different:
            return "something else";
        case FunctionKind::Part:
            return "a part of what it was to be";
        case FunctionKind::Arithmetic:
            return "a number calculated from what it was before";
        default:
            return functions_[entry.function].name;
    }
}

}  // namespace migc::prove
