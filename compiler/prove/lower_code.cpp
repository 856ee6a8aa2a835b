// Instructions, labels, choices.
#include "compiler/prove/lowering.hpp"

namespace migc::prove {

Label Lowering::label() {
    labels_.push_back(-1);
    return static_cast<Label>(labels_.size() - 1);
}

void Lowering::place(Label label) {
    labels_[label] = static_cast<std::int64_t>(out_.code.size());
}

std::uint32_t Lowering::emit(Op op, std::uint16_t a, std::uint16_t b, Label target) {
    out_.code.push_back({op, a, b, 0, 0, target});
    return static_cast<std::uint32_t>(out_.code.size() - 1);
}

void Lowering::copy(Register to, Term from) {
    emit(from.is_register ? Op::Copy : Op::Set, to, from.id);
}

void Lowering::call_routine(Register return_register, Label routine) {
    const Label back = label();
    set(return_register, static_cast<std::uint16_t>(out_.returns.size()));
    out_.returns.push_back(back);
    jump(routine);
    place(back);
}

Register Lowering::new_register(ValueId start) {
    constexpr std::size_t most = 60'000;
    if (out_.registers >= most) {
        out_.too_large = true;
        return 0;
    }
    out_.start.push_back(start);
    return static_cast<Register>(out_.registers++);
}

// A register that nothing writes.
Register Lowering::constant(ValueId value) {
    const auto found = constants_.find(value);
    return found != constants_.end() ? found->second : constants_[value] = new_register(value);
}

std::uint32_t Lowering::remark(Remark::Kind kind, std::string text, Span span) {
    out_.remarks.push_back({.kind = kind, .text = std::move(text), .span = span});
    const auto number = static_cast<std::uint32_t>(out_.remarks.size() - 1);
    emit(Op::Say, 0, 0, number);
    return number;
}

void Lowering::say_value(const Touch& touch, const StepContext& course) {
    const std::size_t variable = touch.variable;
    const Change* change = course.undoing;
    Remark& one = out_.remarks[remark(Remark::Kind::Result, "", change ? change->span : program_span_)];
    if (change != nullptr) {
        const auto mine = std::ranges::find(change->touches, variable, &Touch::variable);
        one.before = mine == change->touches.end() ? touch.before : mine->before;
        one.undoes = true;
    }
    one.value_text = out_.variables[variable].name;
    one.value = out_.variables[variable].now;
    one.has_value = true;
}

Choice Lowering::begin_choice(const std::string& text, Span span, bool fault) {
    return {.fault = fault, .text = text, .span = span};
}

void Lowering::option(Choice& choice, std::string text, Label target, bool remark) {
    choice.options.push_back({std::move(text), target, remark});
}

// Option 0 goes on right behind the choice.
void Lowering::end_choice(Choice choice) {
    const Label on = label();
    choice.options.insert(choice.options.begin(), Option{"", on, false});
    choice.point = choice.fault && !choice.undoing;
    emit(Op::Choose, 0, 0, static_cast<std::uint32_t>(out_.choices.size()));
    out_.choices.push_back(std::move(choice));
    place(on);
}

namespace {

// The registers that an instruction reads, which may be told others.
template <typename One, typename Do>
void each_read(One& one, const Do& what) {
    const auto [a, b, c] = register_fields(one.op);
    if (a && !writes(one)) what(one.a);
    if (b) what(one.b);
    if (c) what(one.c);
}

// Those that are read when a run is over, or told.
template <typename S, typename Do>
void each_looked_at(S& system, const Do& what) {
    for (auto& one : system.variables) {
        what(one.now);
        what(one.origins.back());
    }
    for (auto& one : system.remarks)
        if (one.has_value) what(one.value);
    for (auto& one : system.remarks)
        if (one.undoes) what(one.before);
}

}  // namespace

void Lowering::finish() {
    while (drop_unread_writes()) {
    }
    const auto place_of = [&](Label one) { return static_cast<std::uint32_t>(labels_[one]); };
    for (Instruction& one : out_.code)
        if (jumps(one)) one.target = place_of(one.target);
    for (Choice& choice : out_.choices)
        for (Option& one : choice.options) one.target = place_of(one.target);
    for (std::uint32_t& one : out_.returns) one = place_of(one);
    share_registers();
    number_registers();
}

// By instruction: whether something else than the one before it leads there.
std::vector<char> Lowering::led_to() const {
    std::vector<char> result(out_.code.size() + 1, 0);
    for (const Instruction& one : out_.code)
        if (jumps(one)) result[one.target] = 1;
    for (const Choice& choice : out_.choices)
        for (const Option& one : choice.options) result[one.target] = 1;
    for (const std::uint32_t one : out_.returns) result[one] = 1;
    return result;
}

// What is only read right after it was written is no part of the state: one register will do for all of it.
void Lowering::share_registers() {
    const std::vector<char> led = led_to();
    std::vector<std::size_t> written(out_.registers, 0);  // in which piece, from 1 on
    std::vector<char> lasts(out_.registers, 0);
    each_looked_at(out_, [&](Register one) { lasts[one] = 1; });
    std::size_t piece = 1;
    for (std::size_t at = 0; at < out_.code.size(); ++at) {
        piece += led[at] != 0 ? 1 : 0;
        each_read(out_.code[at], [&](Register one) { lasts[one] |= written[one] != piece ? 1 : 0; });
        if (writes(out_.code[at])) written[out_.code[at].a] = piece;
    }
    std::vector<Register> shared;
    std::map<Register, Register> here;  // what stands for those of this piece
    const auto rename = [&](Register& one) {
        if (const auto found = here.find(one); found != here.end()) one = found->second;
    };
    for (std::size_t at = 0; at < out_.code.size(); ++at) {
        Instruction& one = out_.code[at];
        if (led[at] != 0) here.clear();
        each_read(one, rename);
        if (!writes(one)) continue;
        const bool is_new = lasts[one.a] == 0 && !here.contains(one.a);
        if (is_new && here.size() == shared.size()) shared.push_back(one.a);
        if (is_new) here.emplace(one.a, shared[here.size()]);
        rename(one.a);
    }
}

// What nothing reads need not be written. Whether anything was dropped.
bool Lowering::drop_unread_writes() {
    std::vector<char> read(out_.registers, 0);
    const auto mark = [&](Register one) { read[one] = 1; };
    for (const Instruction& one : out_.code) each_read(one, mark);
    each_looked_at(out_, mark);
    std::vector<std::int64_t> places;
    std::vector<Instruction> code;
    for (const Instruction& one : out_.code) {
        places.push_back(static_cast<std::int64_t>(code.size()));
        if (!writes(one) || read[one.a] != 0) code.push_back(one);
    }
    places.push_back(static_cast<std::int64_t>(code.size()));
    for (std::int64_t& label : labels_)
        if (label >= 0) label = places[static_cast<std::size_t>(label)];
    const bool dropped = code.size() < out_.code.size();
    out_.code = std::move(code);
    return dropped;
}

// The state is what instructions write: it comes first, behind it what is only read, and the rest is no part
// of the system.
void Lowering::number_registers() {
    constexpr Register unused = 0xffff;
    std::vector<Register> place(out_.registers, unused);
    std::vector<ValueId> start;
    const auto number = [&](Register one) {
        if (place[one] != unused) return;
        place[one] = static_cast<Register>(start.size());
        start.push_back(out_.start[one]);
    };
    for (const Instruction& one : out_.code)
        if (writes(one)) number(one.a);
    out_.written = start.size();
    for (const Instruction& one : out_.code) each_read(one, number);
    each_looked_at(out_, number);
    const auto rename = [&](Register& one) { one = place[one]; };
    for (Instruction& one : out_.code) {
        each_read(one, rename);
        if (writes(one)) rename(one.a);
    }
    for (Variable& one : out_.variables) one.origins = {one.origins.back()};
    each_looked_at(out_, rename);
    out_.start = std::move(start);
    out_.registers = out_.start.size();
}

}  // namespace migc::prove
