// The values of a transition system: literals, what was there at the beginning, and what is made of them.
// Each is a number; two numbers are the same value only if they are the same number.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/ir/program.hpp"
#include "compiler/ir/value.hpp"

namespace migc::prove {

using ValueId = std::uint32_t;

// The first values of every table.
constexpr ValueId nothing = 0;  // no value yet
constexpr ValueId no = 1;       // false
constexpr ValueId yes = 2;      // true
constexpr ValueId absent = 3;
constexpr ValueId unmoved = 4;  // of something that is as it was before the run

enum class FunctionKind : std::uint8_t {
    Opaque,     // a probe that nobody writes, a text with values in it: the same for the same arguments
    Different,  // what `becomes different` leaves
    Part,       // what a step that failed half-way leaves of a list
    Compare,    // comparison
    IsAbsent,
    Arithmetic,  // operation
    Not,
    And,
    Or,
    Same,  // two readings of one probe: whether they are the same value
    // What another step's change makes of an answer. The first says what has become of what that step
    // changes.
    Moved,     // of what it is and what it was: `unmoved`, or what it is
    Upset,     // of an answer and that: the answer, or one that only a run can tell
    Gone,      // the same, of the whole of which the answer is a part: without it the answer is `absent`
    Present,   // the same, of whether there is anything: what has become something else is there
    Replaced,  // the same, of the very field
    Stated,    // the same, of an object that a manifest declares: as it says, `stated` is the answer
    Last,      // the second, unless it is absent; then the first
};

struct Function {
    FunctionKind kind = FunctionKind::Opaque;
    std::string name;  // for people
    ir::Comparison comparison = ir::Comparison::Is;
    ir::Operation operation = ir::Operation::Add;
    ValueId when = nothing, stated = nothing;  // Stated
};

class Values {
  public:
    // More cannot be told apart: then the search ends, and says so.
    static constexpr std::size_t limit = 65'000;

    Values();

    ValueId literal(const Value& value);
    // What a probe answers before the run: some value, that is not absent and unlike every literal.
    ValueId initial(const std::string& probe) { return named(Kind::Initial, probe); }
    // What another one wrote: unlike every literal as well.
    ValueId of_others() { return initial("\x01others"); }
    // Something of which only its name is known.
    ValueId symbol(const std::string& name) { return named(Kind::Symbol, name); }
    std::uint16_t function(Function function);

    // The function's value. What only a run could tell is a value of its own: the same for the same
    // arguments.
    ValueId apply(std::uint16_t function, ValueId a, ValueId b);

    // The literal; null for any other value.
    [[nodiscard]] const Value* known(ValueId id) const;
    // "4", "what replicas of webapi was", "something else".
    // Of something that was `own` before: what was there of something else is called by that one's name.
    [[nodiscard]] std::string show(ValueId id, ValueId own = nothing) const;
    [[nodiscard]] bool is_initial(ValueId id) const { return entries_[id].kind == Kind::Initial; }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool full() const { return full_; }

  private:
    enum class Kind : std::uint8_t { Literal, Initial, Symbol, Made };
    struct Entry {
        Kind kind = Kind::Literal;
        Value value;
        std::string text;
        std::uint16_t function = 0;
        ValueId a = nothing, b = nothing;
    };

    ValueId add(Entry entry);
    ValueId named(Kind kind, const std::string& name);
    ValueId make(std::uint16_t function, ValueId a, ValueId b);
    ValueId truth(bool value) const { return value ? yes : no; }
    ValueId calculate(std::uint16_t function, ValueId a, ValueId b);
    [[nodiscard]] bool is_made_by(ValueId id, FunctionKind kind) const;
    [[nodiscard]] ValueId evaluate(const Function& function, ValueId a, ValueId b);

    std::vector<Entry> entries_;
    std::vector<Function> functions_;
    std::map<std::string, ValueId> names_;
    std::map<std::string, std::uint16_t> function_names_;
    std::unordered_map<std::uint64_t, ValueId> made_;
    // The last answers: a search asks for the same few all the time.
    struct Answer {
        std::uint64_t question = ~std::uint64_t{0};
        ValueId value = nothing;
    };
    std::vector<Answer> answers_ = std::vector<Answer>(1024);
    bool full_ = false;
};

}  // namespace migc::prove
