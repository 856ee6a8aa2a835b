// How `lower` goes through a script. It mirrors runtime/engine: steps.cpp, call.cpp, undo.cpp, stage.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/checks/manifests.hpp"
#include "compiler/checks/resources.hpp"
#include "compiler/ir/program.hpp"
#include "compiler/project/inventory.hpp"
#include "compiler/prove/lower.hpp"
#include "compiler/semantics/scope.hpp"
#include "compiler/semantics/walk.hpp"

namespace migc::prove {

// How deep declarations lead into each other: one that leads back to itself is refused by the checks, so that
// this only bounds what would be a mistake.
constexpr int deepest = 32;
// The declaration of a variable that no probe reads.
constexpr std::uint32_t no_probe = ~std::uint32_t{0};

// A value, as far as it is known before the run: a constant, or what a register will hold.
struct Term {
    bool is_register = false;
    std::uint32_t id = nothing;
    friend auto operator<=>(const Term&, const Term&) = default;
};

// What is known of a name: a term, or the condition that it stands for and where the names of that are known.
struct Meaning;
using Names = semantics::Scope<Meaning>;
struct Meaning {
    Term term;
    const ir::Expr* condition = nullptr;
    const Names* home = nullptr;
};

using Label = std::uint32_t;

// Where a block goes on that does not end well.
struct Exits {
    Label failed = 0, stopped = 0, in_doubt = 0, held = 0, closed = 0, cancelled = 0;
};

// The state of a change, in its register.
// Unproved: it failed, what it was to bring about is there, and nobody can tell whose work that is.
enum Status : std::uint16_t { NotBegun, Begun, Done, Already, Failed, InDoubt, Undone, Unproved };
// How an undo went, in its register; later ones weigh more.
enum UndoEnd : std::uint16_t { AllUndone, UndoHeld, UndoFailed, UndoInDoubt };
// Why not everything is undone: nobody's fault, something went wrong in the undo, the script says so.
enum Excuse : std::uint16_t { NoExcuse, WentWrong, Declared };

// An effect of a change, on a variable.
struct Change;
struct Touch {
    std::size_t variable = 0;
    Register before = 0;
    Term declared;
    ir::Becomes becomes = ir::Becomes::Value;
    // What only becomes different has no value to look at, or that somebody could set.
    [[nodiscard]] bool is_visible() const { return becomes != ir::Becomes::Different; }
};
inline bool concerns(const std::vector<Touch>& touches, std::size_t variable) {
    return std::any_of(touches.begin(), touches.end(),
                       [&](const Touch& touch) { return touch.variable == variable; });
}

// What variables are just now, kept in registers.
using Kept = std::map<std::size_t, Register>;

// What a touched variable is derived from: when that is what it was, so is this.
struct Derived {
    std::size_t variable = 0;
    Register before = 0;
    std::size_t from = 0;
    Register from_before = 0;
};

// What is behind what: the files of the project, an image registry, and everything else that runs.
enum class Realm { Any, Files, Registry, World };
// What a probe is about, as its role says: things, and the field of theirs.
struct Place {
    Realm realm = Realm::Any;
    std::set<checks::ResourceKey> things;
    std::optional<std::string> field;
    ir::TypeKind type = ir::TypeKind::Any;
    std::string environment;
};
// What a change of the one is for the other: nothing, the very field, the whole of which it is a part,
// whether there is anything, or what only a run can tell.
enum class Meeting { None, Same, Part, Whole, May };

struct Change {
    std::string text;
    Span span;
    const ir::Verb* verb = nullptr;
    const ir::Undo* undo = nullptr;
    const Names* names = nullptr;
    Change* outer = nullptr;  // a composite with an inverse of its own
    std::vector<Change*> inner;
    Register status = 0;
    std::vector<Touch> touches;
    std::vector<Derived> derived;
    bool seen = false;  // whether its effects can be looked at
};

enum class Purpose { Forward, Failure, Inverse };

struct StepContext {
    Purpose purpose = Purpose::Forward;
    Exits exits;
    Change* outer = nullptr;      // Forward: the composite that speaks for what is inside
    Change* undoing = nullptr;    // Inverse
    bool sees_effects = false;    // Inverse: whether a step of it has an effect
    std::optional<Register> cut;  // in a branch: holds 1 when another one has failed
};

struct StageState {
    const ir::Stage* stage = nullptr;
    const ir::Stage* definition = nullptr;
    std::string environment;
    std::map<std::string, std::string> settings;
    std::map<std::string, Value> parameters;
    std::size_t index = 0;
    Label prologue = 0, begin = 0;
    Label undo = 0;    // its routine
    Label undone = 0;  // the end
    Register undo_return = 0;
    std::vector<Change*> changes;
    std::set<std::size_t> touched;  // variables
};

// Something has just been changed, or a part of it.
struct Event {
    std::string text;
    Span span;
    bool forward = false;
    const std::vector<Touch>& effects;
    const std::vector<Term>& needs;  // conditions that held before it
};

// Of a variable: what this run wrote last, what somebody else did, and whether this run has written in this
// stage.
struct OthersOf {
    Register ours = 0, theirs = 0, here = 0;
};

class Lowering {
  public:
    Lowering(const ir::Program& program, const project::Inventory& inventory, const Facts& facts,
             const ir::Invariant* invariant, bool others);
    System run();

  private:
    friend struct semantics::Walk;

    // ---- lower_code.cpp: instructions
    Label label();
    void place(Label label);
    std::uint32_t emit(Op op, std::uint16_t a = 0, std::uint16_t b = 0, Label target = 0);
    void jump(Label target) { emit(Op::Jump, 0, 0, target); }
    void set(Register to, std::uint16_t constant) { emit(Op::Set, to, constant); }
    void copy(Register to, Term from);
    void call_routine(Register return_register, Label routine);
    void go_back(Register return_register) { emit(Op::Return, return_register); }
    Register new_register(ValueId start = nothing);
    Register constant(ValueId value);
    Register as_register(Term term) { return term.is_register ? term.id : constant(term.id); }
    // Code that stands aside: what follows it is not reached through it.
    template <typename Code>
    Label aside(const Code& code) {
        const Label begin = label(), past = label();
        jump(past);
        place(begin);
        code();
        place(past);
        return begin;
    }
    std::uint32_t remark(Remark::Kind kind, std::string text, Span span = {});
    void note(std::string text, Span span = {}) { remark(Remark::Kind::Note, std::move(text), span); }
    void say_value(const Touch& touch, const StepContext& course);
    // Starts a choice; options are added with `option`, the last call is `end_choice`, after which the code
    // of option 0 follows.
    Choice begin_choice(const std::string& text, Span span, bool fault = true);
    void option(Choice& choice, std::string text, Label target, bool remark = true);
    void end_choice(Choice choice);
    void finish();
    bool drop_unread_writes();
    [[nodiscard]] std::vector<char> led_to() const;
    void share_registers();
    void number_registers();

    // ---- lower_values.cpp: expressions
    Names* new_names(const Names* parent);
    Term evaluate(const ir::Expr& expression, const Names& names);
    Term interpolate(const ir::Expr& expression, const Names& names);
    Term list(const ir::Expr& expression, const Names& names);
    Term compare(const ir::Expr& expression, const Names& names);
    Term apply(const Function& function, Term a, Term b = {});
    Term opaque(const std::string& name, const std::vector<Term>& arguments);
    Term probe(const ir::Expr& expression, const Names& names);
    Term reading(std::uint32_t declaration, const std::vector<Term>& arguments);
    std::optional<Term> given_to(const ir::Expr& probe, const Names& names);
    Term from_outside(const std::string& name);
    Term argument(const ir::Parameter& parameter, Term given);
    std::vector<Term> probe_arguments(const ir::Expr& expression, const Names& names);
    Names* probe_names(const ir::Expr& expression, const Names& names);
    // A part of the declaration of a probe, for what a call gives it.
    Term of_probe(const ir::Expr& part, const ir::Expr& probe, const Names& names);
    std::optional<std::size_t> variable_of(const ir::Expr& probe, const Names& names);
    std::size_t variable(std::uint32_t declaration, const std::vector<Term>& arguments, Span span);
    std::size_t hidden_variable(const std::string& text, Span span);
    std::size_t add_variable(const std::string& key, const std::string& name, const std::string& environment,
                             Span span);
    std::string phrase_of(std::uint32_t declaration, const std::vector<Term>& arguments);
    std::string text_of(const ir::Verb& verb, const Names& inner);
    Value shown(Term term, const std::string& name) const;
    [[nodiscard]] Term literal(const Value& value) { return {false, out_.values.literal(value)}; }
    [[nodiscard]] Term symbol(const std::string& name) { return {false, out_.values.symbol(name)}; }
    Term negated(Term term) { return apply({FunctionKind::Not, "not", {}, {}}, term); }
    // The literal that it is; null for what only a run can tell.
    [[nodiscard]] const Value* known(Term term) const {
        return term.is_register ? nullptr : out_.values.known(term.id);
    }
    // The variable that it was read from.
    [[nodiscard]] std::optional<std::size_t> read_from(Term term) const;
    bool computed(Term term) const;
    bool has_probe(const ir::Expr& expression, const Names& names) const;
    // What a probe reads through: "kubectl", "docker,curl"; "files" for what is read by migc itself.
    [[nodiscard]] static std::string reads_through(const ir::Probe& probe);
    [[nodiscard]] static bool is_everywhere(const ir::Probe& probe);
    [[nodiscard]] std::string environment_of(const ir::Probe& probe) const;
    void may_be(std::size_t variable, ValueId value);
    Term objects_declared(const ir::Expr& list, const Names& names);

    // ---- lower_steps.cpp: the forward course
    void block(const std::vector<ir::Step>& steps, Names& names, const StepContext& course);
    void statement(const ir::Step& step, Names& names, const StepContext& course);
    // Leads there if a condition certainly does not hold.
    void unless(Term holds, Label target);
    // Where an undo or a failure block goes wrong, that is an excuse.
    Label bad(const StepContext& course, Label exit);
    void may_go_wrong(const ir::Step& step, const StepContext& course,
                      std::initializer_list<std::pair<const char*, Label>> faults);
    void may_be_unreadable(const ir::Step& step, const ir::Expr& read, const Names& names,
                           const StepContext& course);
    void call(const ir::Step& step, Names& names, const StepContext& course);
    Names* bind(const ir::Step& step, const ir::Verb& verb, const Names& names);
    void composite(const ir::Step& step, const ir::Verb& verb, Names& inner, const Names& outer,
                   const StepContext& course);
    std::vector<Term> needs(const ir::Verb& verb, const Names& inner, Label failed);
    [[nodiscard]] bool may_go(const ir::Verb& verb, Term name) const;
    void keep_what_is_new(const ir::Verb& verb, const Names& inner, const std::string& text,
                          const StepContext& course);
    [[nodiscard]] bool tells_who_wrote(const ir::Verb& verb) const;
    static bool states_all(const ir::Verb& verb);
    void simple(const ir::Step& step, const ir::Verb& verb, Names& inner, const Names& outer,
                const StepContext& course);
    Change* new_change(const ir::Step& step, const ir::Verb& verb, const Names& inner, const Names& outer,
                       const StepContext& course, std::string text);
    Kept capture(const ir::Verb& verb, Names& inner);
    std::vector<Touch> touches(const ir::Verb& verb, const Names& inner, const Kept& kept,
                               const std::string& text, Span span, const StepContext& course,
                               const ir::Undo& undo);
    bool is_told_otherwise(const ir::Verb& verb, const Names& inner, std::size_t variable,
                           const StepContext& course);
    bool is_told_by_a_part(const ir::Verb& verb, const Names& inner, std::size_t variable);
    void begin_as_the_other(std::size_t variable, Term declared);
    void derive(Change& change, const ir::Verb& verb, const Names& inner);
    void take_effect(const Touch& touch, const StepContext& course);
    void take_back(std::size_t variable, Register value);
    void check(const ir::Step& step, Names& names, const StepContext& course);
    void verify(const ir::Step& step, Names& names, const StepContext& course) { check(step, names, course); }
    void soak(const ir::Step& step, Names& names, const StepContext& course) { check(step, names, course); }
    void let(const ir::Step& step, Names& names, const StepContext& course);
    void choose(const ir::Step& step, Names& names, const StepContext& course);
    void decide(const ir::Step& step, Term asked, Label body, Label otherwise);
    Term snapshot(Term term);
    void loop(const ir::Step& step, Names& names, const StepContext& course);
    void parallel(const ir::Step& step, Names& names, const StepContext& course);
    void gate(const ir::Step& step, Names& names, const StepContext& course);
    void cut_here(const StepContext& course);
    void common_options(Choice& choice, const StepContext& course);

    // ---- lower_restore.cpp: what an inverse brings back
    // How far it is known that a value is what was there: by comparing the two, by the word of whoever wrote
    // the inverse, which was told what was there, or not at all.
    enum class Evidence { Comparison, Word, None };
    void sources(Term term, std::set<Term>& found) const;
    [[nodiscard]] bool is_of_before(Term source, const Change& change, std::size_t variable) const;
    [[nodiscard]] bool may_be_one(std::size_t a, std::size_t b) const;
    [[nodiscard]] Evidence evidence(const ir::Step& step, const Names& inner, Term declared,
                                    const Change& change, std::size_t variable) const;
    void believe(const Touch& mine, Term declared, const std::function<void()>& back, const std::string& text,
                 Evidence evidence, Span span);
    void restore(const ir::Step& step, const ir::Verb& verb, const Names& inner,
                 const std::vector<Touch>& effects, const std::string& text, const StepContext& course);
    [[nodiscard]] bool acts_for(const ir::Verb& verb, const Names& inner, const Change& change) const;
    void derived_back(const Derived& one, const ir::Step& step, const Names& inner,
                      const std::vector<Touch>& effects, const std::string& text, const Change& change);

    // ---- lower_reach.cpp: what else changes an answer
    [[nodiscard]] Place place_of(std::uint32_t declaration, const std::vector<Term>& arguments) const;
    [[nodiscard]] Place place_of(std::size_t variable) const;
    [[nodiscard]] static Meeting meet(const Place& changed, const Place& asked);
    std::optional<Term> declared_in_manifest(std::size_t variable, const Place& asked);
    [[nodiscard]] bool is_edited(const std::string& path) const;
    Term as_influenced(Term own, std::uint32_t declaration, const std::vector<Term>& arguments);
    [[nodiscard]] bool takes_pods(std::size_t variable) const;
    void if_pods_are_left(std::size_t variable, Label target);
    Register starting(std::size_t variable);
    void pods_start(std::size_t variable, const StepContext& course);
    void pods_are_seen(const ir::Expr& condition);
    void may_lack_pods(const ir::Expr& need, const std::string& text, const Change& change);

    // ---- lower_invariant.cpp: what must hold, or not, wherever a run comes to
    void watch_verified();
    void mark_verified(const std::string& environment);
    void mark_changed(std::size_t variable);
    void look(const Event& event);
    void look_at_beginning();
    void forget_the_past();
    Term judged();
    Term changed_before(const ir::Expr& probe, const Names& names);
    Term falls(const ir::Expr& probe, const Names& names);
    std::optional<Term> settled(const ir::Expr& probe, const Names& names);
    void broken(const std::string& when, Span span);
    void undecided(const std::string& why, Span span);
    void only_a_run_tells(const std::string& what, Span span);
    std::size_t measured(const ir::Expr& measure, const std::vector<Term>& arguments);
    void measure_touched(const ir::Expr& measure);
    Term measure_now(std::size_t variable);

    // ---- lower_others.cpp: somebody else
    void somebody_else(const std::string& text, Span span, const std::vector<std::size_t>& variables,
                       bool undoing, std::optional<Label> then = {});
    void before_looking(Label at, Label back, const std::string& text, Span span,
                        const std::vector<Touch>& effects, const StepContext& course, Label not_ours);
    void own(std::size_t variable);
    void overwrite(const Touch& touch, const StepContext& course);
    void look_at_all(const StageState& stage, Label held);
    void keep_theirs(const Change& change, Label theirs);
    void variables_in(const ir::Expr& expression, const Names& names, std::vector<std::size_t>& found);
    void may_overwrite(const ir::Verb& verb, const std::string& text, Span span);
    void may_overwrite_unseen(const std::string& text, Span span);
    void may_be_set_again(const Change& change);
    [[nodiscard]] static std::vector<std::size_t> settable(const std::vector<Touch>& touches);

    // ---- lower_undo.cpp: the way back
    void undo_routine(StageState& stage);
    void undo_one(Change& change, Label next, Label stop);
    void run_inverse(Change& change, Label next);
    void worsen(UndoEnd end);
    void leave(UndoEnd end, Label next);
    void leave_as_declared(Label next);
    void unless_alone(const Change& change, Label spoken_for);
    void skip_unless_open(const Change& change, Label skip);
    void unless_as_before(const std::vector<Touch>& touches, Label differs);
    void leave_unproved(const Change& change);
    void note_trouble();
    [[nodiscard]] bool has_effects(const std::vector<ir::Step>& steps) const;
    void mark_undone(const Change& change);
    void check_restored(StageState& stage);
    std::vector<std::size_t> followed(const StageState& stage, const Change& change);
    void failure_block(StageState& stage, const std::vector<ir::Step>& block, Names& names);
    [[nodiscard]] bool converges(const StageState& stage) const;

    // ---- lower_stages.cpp: stages and ends
    void stage(StageState& stage, Label next);
    void prologue(const StageState& stage);
    void lets(Names& names);
    void undo_everything();
    void to_results();
    void ends();
    void end_undone(const std::set<std::size_t>& variables, std::size_t stage);
    void end_standing(Outcome outcome);
    void end(Ending ending);
    void read_settings(StageState& stage);

    const ir::Program& program_;
    const project::Inventory& inventory_;
    const Facts& facts_;
    SourceMap files_;              // of the manifests
    checks::Manifests manifests_;  // read when first asked
    checks::Resources resources_;
    const ir::Invariant* invariant_;
    const bool others_;
    std::vector<OthersOf> others_of_;  // by variable
    const Event* event_ = nullptr;
    std::map<std::string, Register> verified_;  // by environment: yes if nothing came after the last look
    std::map<std::size_t, Register> past_;      // by variable: what it was before the last change
    std::map<std::string, Register> from_beginning_;  // by environment: what the invariant was
    System out_;
    std::vector<std::int64_t> labels_;
    std::map<ValueId, Register> constants_;
    std::deque<Names> all_names_;
    std::deque<Change> changes_;
    std::deque<StageState> stages_;
    StageState* now_ = nullptr;  // the stage that is lowered
    std::map<std::string, std::size_t> variables_;
    std::vector<std::uint32_t> variable_probe_;  // declaration, or `no_probe`
    std::vector<std::vector<Term>> variable_arguments_;
    std::set<std::uint32_t> written_;            // probes that some verb has an effect on
    std::map<Register, std::size_t> read_from_;  // a register that holds what a variable was
    std::set<Register> computed_;
    std::map<Term, std::vector<Term>> made_of_;      // of what only a run can work out
    std::map<Term, std::vector<Term>> asked_about_;  // of what is read, and no step has an effect on
    std::set<Term> texts_;                           // joined of several parts
    std::set<Term> outside_;                         // parameters and settings
    std::set<Term> late_;      // read by an inverse, when what it is to bring back is gone
    std::set<Term> left_out_;  // names of what nobody has named: the only container
    // A remark of the proof, once.
    // Where a step stands: in the script, where a declaration of another file has it.
    [[nodiscard]] Span in_script(Span span, const StepContext& course) const {
        const Span own = course.undoing != nullptr ? course.undoing->span : program_span_;
        return own.empty() || own.file == span.file ? span : own;
    }
    void tell_once(std::vector<Note>& notes, const std::string& key, std::string text, Span span);
    // The script's own step, for what stands in a declaration.
    [[nodiscard]] Span own_span(Span span) const { return program_span_.empty() ? span : program_span_; }

    bool watching_ = false;                     // an invariant is evaluated: what else changed it counts
    std::set<std::size_t> changed_;             // variables that a step has an effect on
    std::map<std::size_t, Register> starting_;  // by variable: whether the pods that it stands for only start
    std::map<std::size_t, Term> declared_of_;   // what a step that applies an object makes of it

    std::set<std::string> said_;
    std::map<std::string, std::pair<Register, Register>> decisions_;  // what was asked about, and the answer
    int named_ = 0;
    Span program_span_;              // of the script's own step that is lowered
    std::set<std::size_t> touched_;  // variables of which it is known which step changes them
    Names* globals_ = nullptr;
    int depth_ = 0;

    Register undo_end_ = 0, excuse_ = 0, ran_ = 0;
    Label done_ = 0, stopped_ = 0, in_doubt_ = 0, refused_ = 0, undone_all_ = 0;
    Label result_held_ = 0, result_failed_ = 0, result_in_doubt_ = 0;
};

}  // namespace migc::prove
