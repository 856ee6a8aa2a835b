// The instructions of a system as machine code, through LLVM's ORC and its C interface.
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/Scalar.h>
#include <llvm-c/Transforms/Utils.h>

#include "compiler/prove/jit/plugin.hpp"
#include "compiler/prove/jit/repeats.hpp"

namespace migc::prove::jit {
namespace {

// What the code gives back: the number of a choice, or with this bit that of an end.
constexpr std::uint32_t end_bit = 0x8000'0000;

// Where the code goes on: at a numbered instruction, in a turn of the loop that it stands in.
struct Entry {
    std::uint32_t number = 0, time = 0;
};
using Run = std::uint32_t (*)(ValueId* registers, std::uint32_t entry, std::uint64_t time,
                              std::uint32_t quiet, void* values, Apply* apply);

// A place in the code: an instruction that is compiled, and in which turn of its loop.
struct Place {
    std::uint32_t at = 0, time = 0;
};

class Compiler {
  public:
    Compiler(const MachineCode& code, LLVMContextRef context)
        : code_(code),
          repeats_(find_repeats(code)),
          loop_of_(code.code.size() + 1, nullptr),
          context_(context),
          builder_(LLVMCreateBuilderInContext(context)),
          module_(LLVMModuleCreateWithNameInContext("system", context)),
          i32_(LLVMInt32TypeInContext(context)),
          i64_(LLVMInt64TypeInContext(context)),
          pointer_(LLVMPointerType(LLVMInt8TypeInContext(context), 0)) {
        for (const Repeat& loop : repeats_)
            for (std::uint32_t at = loop.begin; at < loop.end(); ++at) loop_of_[at] = &loop;
    }
    ~Compiler() { LLVMDisposeBuilder(builder_); }
    Compiler(const Compiler&) = delete;
    Compiler& operator=(const Compiler&) = delete;

    LLVMModuleRef compile() {
        std::array<LLVMTypeRef, 4> given = {pointer_, i32_, i32_, i32_};
        apply_type_ = LLVMFunctionType(i32_, given.data(), 4, 0);
        std::array<LLVMTypeRef, 6> parameters = {LLVMPointerType(i32_, 0),       i32_, i64_, i32_, pointer_,
                                                 LLVMPointerType(apply_type_, 0)};
        function_ = LLVMAddFunction(module_, "run", LLVMFunctionType(i32_, parameters.data(), 6, 0));
        registers_ = LLVMGetParam(function_, 0);
        make_blocks();
        enter();
        for (std::uint32_t at = 0; at < code_.code.size(); ++at)
            if (is_compiled(at)) instruction(at);
        blocks_ = in_midst_;
        for (const Repeat& loop : repeats_)
            for (std::uint32_t at = loop.begin; is_compiled(at, loop); ++at) instruction(at);
        return module_;
    }

    // Once it is compiled; of the beginning, or of an option.
    [[nodiscard]] Entry entry(std::uint32_t at) const {
        const Place place = place_of(at);
        return {entries_.at(place.at), place.time};
    }

  private:
    [[nodiscard]] Place place_of(std::uint32_t at) const {
        const Repeat* loop = loop_of_[at];
        if (loop == nullptr) return {at, 0};
        return {loop->begin + (at - loop->begin) % loop->length, (at - loop->begin) / loop->length};
    }
    // Of a loop, the first turn.
    static bool is_compiled(std::uint32_t at, const Repeat& loop) { return at < loop.begin + loop.length; }
    [[nodiscard]] bool is_compiled(std::uint32_t at) const {
        return loop_of_[at] == nullptr || is_compiled(at, *loop_of_[at]);
    }
    LLVMValueRef number(std::uint32_t value) { return LLVMConstInt(i32_, value, 0); }
    LLVMValueRef wide(std::int64_t value) {
        return LLVMConstInt(i64_, static_cast<unsigned long long>(value), 1);
    }
    LLVMBasicBlockRef new_block() { return LLVMAppendBasicBlockInContext(context_, function_, ""); }

    // A block begins where something jumps to, and behind whatever jumps.
    void make_blocks() {
        std::vector<char> begins(code_.code.size() + 1, 0);
        const auto begin = [&](std::uint32_t at) { begins[place_of(at).at] = 1; };
        begin(0);
        for (const std::uint32_t place : code_.options) begin(place);
        for (const std::uint32_t place : code_.returns) begin(place);
        for (std::uint32_t at = 0; at < code_.code.size(); ++at) {
            const Instruction& one = code_.code[at];
            if (writes(one)) continue;
            begin(at + 1);
            if (jumps(one)) begin(one.target);
        }
        for (const Repeat& loop : repeats_) begins[loop.begin] = begins[loop.end()] = 1;
        first_ = new_block();
        blocks_.assign(code_.code.size() + 1, nullptr);
        for (std::uint32_t at = 0; at < code_.code.size(); ++at)
            if (begins[at] != 0) blocks_[at] = new_block();
        in_loop_ = in_midst_ = blocks_;
        for (std::uint32_t at = 0; at < code_.code.size(); ++at)
            if (begins[at] != 0 && loop_of_[at] != nullptr) in_midst_[at] = new_block();
    }

    // Where the last stop was decides where it goes on. Entries are numbered without gaps, so that a table
    // will do.
    void enter() {
        LLVMPositionBuilderAtEnd(builder_, first_);
        time_ = LLVMBuildAlloca(builder_, i64_, "");
        base_ = LLVMBuildAlloca(builder_, LLVMPointerType(i32_, 0), "");
        entries_.emplace(place_of(0).at, 0);
        for (const std::uint32_t option : code_.options)
            entries_.emplace(place_of(option).at, static_cast<std::uint32_t>(entries_.size()));
        const LLVMBasicBlockRef never = new_block();
        const LLVMValueRef choice = LLVMBuildSwitch(builder_, LLVMGetParam(function_, 1), never,
                                                    static_cast<unsigned>(entries_.size()));
        for (const auto& [at, entry] : entries_)
            LLVMAddCase(choice, number(entry), edge(at, LLVMGetParam(function_, 2)));
        LLVMPositionBuilderAtEnd(builder_, never);
        LLVMBuildUnreachable(builder_);
    }

    // The way to an instruction, in that turn of its loop.
    LLVMBasicBlockRef edge(std::uint32_t at, LLVMValueRef time) {
        const Repeat* loop = loop_of_[at];
        if (loop == nullptr) return blocks_[at];
        const LLVMBasicBlockRef before = LLVMGetInsertBlock(builder_), result = new_block();
        LLVMPositionBuilderAtEnd(builder_, result);
        begin_turn(time, element(registers_, scaled(time, stride(*loop))));
        LLVMBuildBr(builder_, at == loop->begin ? in_loop_[at] : in_midst_[at]);
        LLVMPositionBuilderAtEnd(builder_, before);
        return result;
    }

    void begin_turn(LLVMValueRef time, LLVMValueRef base) {
        LLVMBuildStore(builder_, time, time_);
        LLVMBuildStore(builder_, base, base_);
    }
    LLVMValueRef now() { return LLVMBuildLoad2(builder_, i64_, time_, ""); }
    LLVMValueRef base() { return LLVMBuildLoad2(builder_, LLVMPointerType(i32_, 0), base_, ""); }

    LLVMBasicBlockRef block_of(std::uint32_t at) {
        const Place place = place_of(at);
        if (loop_of_[at] == nullptr) return blocks_[at];
        auto [found, is_new] = edges_.try_emplace(at);
        if (is_new) found->second = edge(place.at, wide(place.time));
        return found->second;
    }

    // Where an instruction leads to; `next` is what it says the second time.
    LLVMBasicBlockRef way(std::uint32_t at, std::uint32_t target, std::uint32_t next) {
        const Repeat* loop = loop_of_[at];
        if (loop == nullptr || next == target) return block_of(target);
        return target < loop->begin + loop->length ? blocks_[target] : next_turn(*loop, target);
    }

    LLVMBasicBlockRef next_turn(const Repeat& loop, std::uint32_t target) {
        auto [found, is_new] = next_turns_.try_emplace(target);
        if (!is_new) return found->second;
        const LLVMBasicBlockRef before = LLVMGetInsertBlock(builder_);
        const LLVMBasicBlockRef result = new_block(), on = new_block();
        found->second = result;
        LLVMPositionBuilderAtEnd(builder_, result);
        const LLVMValueRef time = LLVMBuildAdd(builder_, now(), wide(1), "");
        const LLVMValueRef more = LLVMBuildICmp(builder_, LLVMIntNE, time, wide(loop.count), "");
        expect_first(LLVMBuildCondBr(builder_, more, on, block_of(target + loop.length * (loop.count - 1))));
        LLVMPositionBuilderAtEnd(builder_, on);
        begin_turn(time, element(base(), wide(stride(loop))));
        LLVMBuildBr(builder_, in_loop_[target - loop.length]);
        LLVMPositionBuilderAtEnd(builder_, before);
        return result;
    }

    // By how many registers most operands of a loop move on: a pointer is kept that does the same.
    std::int64_t stride(const Repeat& loop) {
        auto [found, is_new] = strides_.try_emplace(loop.begin);
        if (!is_new) return found->second;
        std::map<std::int64_t, int> votes;
        for (std::uint32_t at = loop.begin; at < loop.begin + loop.length; ++at)
            if (const std::int64_t step = code_.code[at + loop.length].a - code_.code[at].a; step != 0)
                ++votes[step];
        int most = 0;
        for (const auto& [step, count] : votes)
            if (count > most) {
                most = count;
                found->second = step;
            }
        return found->second;
    }

    LLVMValueRef scaled(LLVMValueRef time, std::int64_t step) {
        return LLVMBuildMul(builder_, time, wide(step), "");
    }
    LLVMValueRef element(LLVMValueRef base, LLVMValueRef index) {
        return LLVMBuildInBoundsGEP2(builder_, i32_, base, &index, 1, "");
    }

    // Where the register lies that a field of an instruction names.
    LLVMValueRef place(std::uint32_t at, std::uint16_t Instruction::*field) {
        const std::int64_t first = code_.code[at].*field;
        const Repeat* loop = loop_of_[at];
        const std::int64_t step = loop == nullptr ? 0 : code_.code[at + loop->length].*field - first;
        if (step == 0) return element(registers_, wide(first));
        if (step == stride(*loop)) return element(base(), wide(first));
        return element(element(registers_, scaled(now(), step)), wide(first));
    }
    LLVMValueRef load(std::uint32_t at, std::uint16_t Instruction::*field) {
        return LLVMBuildLoad2(builder_, i32_, place(at, field), "");
    }
    void store(std::uint32_t at, LLVMValueRef value) {
        LLVMBuildStore(builder_, value, place(at, &Instruction::a));
    }

    void branch(std::uint32_t at, LLVMIntPredicate predicate, LLVMValueRef a, LLVMValueRef b) {
        const LLVMValueRef holds = LLVMBuildICmp(builder_, predicate, a, b, "");
        LLVMBuildCondBr(builder_, holds, target_of(at), behind(at));
    }
    LLVMBasicBlockRef target_of(std::uint32_t at) {
        return way(at, code_.code[at].target, second(at).target);
    }
    LLVMBasicBlockRef behind(std::uint32_t at) {
        return loop_of_[at] == nullptr ? block_of(at + 1) : way(at, at + 1, at + 1 + loop_of_[at]->length);
    }
    // The same instruction one turn on.
    const Instruction& second(std::uint32_t at) const {
        return code_.code[loop_of_[at] == nullptr ? at : at + loop_of_[at]->length];
    }

    void instruction(std::uint32_t at) {
        constexpr auto a = &Instruction::a, b = &Instruction::b;
        if (blocks_[at] != nullptr) LLVMPositionBuilderAtEnd(builder_, blocks_[at]);
        const Instruction& one = code_.code[at];
        switch (one.op) {
            case Op::Set:
                store(at, number(one.b));
                break;
            case Op::Copy:
                store(at, load(at, b));
                break;
            case Op::Apply:
                ask(at);
                break;
            case Op::Jump:
                LLVMBuildBr(builder_, target_of(at));
                return;
            case Op::IfSame:
                return branch(at, LLVMIntEQ, load(at, a), load(at, b));
            case Op::IfDiffer:
                return branch(at, LLVMIntNE, load(at, a), load(at, b));
            case Op::IfIs:
                return branch(at, LLVMIntEQ, load(at, a), number(one.b));
            case Op::IfIsNot:
                return branch(at, LLVMIntNE, load(at, a), number(one.b));
            case Op::Choose:
                return choose(at);
            case Op::Return:
                return go_back(at);
            case Op::End:
                LLVMBuildRet(builder_, LLVMBuildOr(builder_, number_of(at), number(end_bit), ""));
                return;
            case Op::Say:
                break;
        }
        const Repeat* loop = loop_of_[at];
        const bool last = loop != nullptr && at + 1 == loop->begin + loop->length;
        if (last || blocks_[at + 1] != nullptr) LLVMBuildBr(builder_, behind(at));
    }

    // Of a choice or an end.
    LLVMValueRef number_of(std::uint32_t at) {
        const std::uint32_t first = code_.code[at].target;
        const std::int64_t step = std::int64_t{second(at).target} - first;
        if (step == 0) return number(first);
        return LLVMBuildAdd(builder_, LLVMBuildTrunc(builder_, scaled(now(), step), i32_, ""), number(first),
                            "");
    }

    // A function's value. Each place keeps its last question and the answer, as it is mostly asked the same.
    void ask(std::uint32_t at) {
        const LLVMValueRef a = load(at, &Instruction::b), b = load(at, &Instruction::c);
        const LLVMValueRef question = kept(at, i64_), answer = kept(at, i32_);
        const LLVMValueRef asked = LLVMBuildOr(
            builder_,
            LLVMBuildShl(builder_, LLVMBuildZExt(builder_, a, i64_, ""), LLVMConstInt(i64_, 32, 0), ""),
            LLVMBuildZExt(builder_, b, i64_, ""), "");
        const LLVMBasicBlockRef new_one = new_block(), known = new_block();
        const LLVMValueRef same =
            LLVMBuildICmp(builder_, LLVMIntEQ, asked, LLVMBuildLoad2(builder_, i64_, question, ""), "");
        expect_first(LLVMBuildCondBr(builder_, same, known, new_one));
        LLVMPositionBuilderAtEnd(builder_, new_one);
        std::array<LLVMValueRef, 4> given = {LLVMGetParam(function_, 4), number(code_.code[at].d), a, b};
        const LLVMValueRef told =
            LLVMBuildCall2(builder_, apply_type_, LLVMGetParam(function_, 5), given.data(), 4, "");
        LLVMBuildStore(builder_, asked, question);
        LLVMBuildStore(builder_, told, answer);
        LLVMBuildBr(builder_, known);
        LLVMPositionBuilderAtEnd(builder_, known);
        store(at, LLVMBuildLoad2(builder_, i32_, answer, ""));
    }

    // A place of its own in each turn.
    LLVMValueRef kept(std::uint32_t at, LLVMTypeRef type) {
        const Repeat* loop = loop_of_[at];
        const LLVMTypeRef all = LLVMArrayType(type, loop == nullptr ? 1 : loop->count);
        const LLVMValueRef place = LLVMAddGlobal(module_, all, "");
        LLVMSetLinkage(place, LLVMInternalLinkage);
        LLVMSetInitializer(place, all_ones(type, loop == nullptr ? 1 : loop->count));
        std::array<LLVMValueRef, 2> index = {wide(0), loop == nullptr ? wide(0) : now()};
        return LLVMBuildInBoundsGEP2(builder_, all, place, index.data(), 2, "");
    }

    // No question is asked that is like this.
    static LLVMValueRef all_ones(LLVMTypeRef type, unsigned count) {
        std::vector<LLVMValueRef> values(count, LLVMConstAllOnes(type));
        return LLVMConstArray(type, values.data(), count);
    }

    void choose(std::uint32_t at) {
        const std::uint32_t choice = code_.code[at].target;
        if (code_.is_fault[choice] == 0) {
            LLVMBuildRet(builder_, number_of(at));
            return;
        }
        const LLVMBasicBlockRef stop = new_block();
        const LLVMValueRef quiet =
            LLVMBuildICmp(builder_, LLVMIntNE,
                          LLVMBuildAnd(builder_, LLVMGetParam(function_, 3),
                                       number(static_cast<std::uint32_t>(code_.is_fault[choice])), ""),
                          number(0), "");
        const LLVMBasicBlockRef on = way(at, code_.options[code_.first_option[choice]],
                                         code_.options[code_.first_option[second(at).target]]);
        expect_first(LLVMBuildCondBr(builder_, quiet, on, stop));
        LLVMPositionBuilderAtEnd(builder_, stop);
        LLVMBuildRet(builder_, number_of(at));
    }

    // Lays the code out so that the usual way goes straight on.
    void expect_first(LLVMValueRef branch) {
        const std::string_view name = "branch_weights";
        std::array<LLVMMetadataRef, 3> parts = {LLVMMDStringInContext2(context_, name.data(), name.size()),
                                                LLVMValueAsMetadata(number(1000)),
                                                LLVMValueAsMetadata(number(1))};
        const LLVMMetadataRef node = LLVMMDNodeInContext2(context_, parts.data(), parts.size());
        LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(context_, "prof", 4),
                        LLVMMetadataAsValue(context_, node));
    }

    void go_back(std::uint32_t at) {
        const LLVMBasicBlockRef never = new_block();
        const LLVMValueRef choice = LLVMBuildSwitch(builder_, load(at, &Instruction::a), never,
                                                    static_cast<unsigned>(code_.returns.size()));
        for (std::uint32_t i = 0; i < code_.returns.size(); ++i)
            LLVMAddCase(choice, number(i), block_of(code_.returns[i]));
        LLVMPositionBuilderAtEnd(builder_, never);
        LLVMBuildUnreachable(builder_);
    }

    const MachineCode& code_;
    std::vector<Repeat> repeats_;
    std::vector<const Repeat*> loop_of_;  // by instruction; null: it stands alone
    LLVMContextRef context_;
    LLVMBuilderRef builder_;
    LLVMModuleRef module_;
    LLVMTypeRef i32_, i64_, pointer_, apply_type_ = nullptr;
    LLVMValueRef function_ = nullptr, registers_ = nullptr;
    LLVMValueRef time_ = nullptr, base_ = nullptr;  // the turn of the loop, and where its registers begin
    LLVMBasicBlockRef first_ = nullptr;
    std::vector<LLVMBasicBlockRef> blocks_;  // by instruction; null: none begins there
    // Who comes into the midst of a loop goes through the rest of that turn in a copy: a loop that is only
    // entered at its head is one to LLVM.
    std::vector<LLVMBasicBlockRef> in_loop_, in_midst_;
    std::map<std::uint32_t, std::uint32_t> entries_;  // the numbers of instructions
    std::map<std::uint32_t, LLVMBasicBlockRef> edges_, next_turns_;
    std::map<std::uint32_t, std::int64_t> strides_;  // by the begin of a loop
};

void tidy(LLVMModuleRef module) {
    const LLVMPassManagerRef passes = LLVMCreatePassManager();
    LLVMAddPromoteMemoryToRegisterPass(passes);
    LLVMAddCFGSimplificationPass(passes);
    LLVMAddEarlyCSEPass(passes);
    LLVMAddLoopRotatePass(passes);
    LLVMRunPassManager(passes, module);
    LLVMDisposePassManager(passes);
}

std::string message_of(LLVMErrorRef error) {
    char* text = LLVMGetErrorMessage(error);
    std::string result = text;
    LLVMDisposeErrorMessage(text);
    return result;
}

class Compiled : public Machine {
  public:
    Compiled(const MachineCode& code, void* values, Apply* apply)
        : first_option_(code.first_option), values_(values), apply_(apply) {}
    ~Compiled() override {
        if (jit_ != nullptr) LLVMConsumeError(LLVMOrcDisposeLLJIT(jit_));
    }
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;

    // The error; empty if it is ready.
    std::string make(const MachineCode& code) {
        LLVMInitializeNativeTarget();
        LLVMInitializeNativeAsmPrinter();
        if (LLVMErrorRef error = LLVMOrcCreateLLJIT(&jit_, nullptr)) return message_of(error);
        const LLVMOrcThreadSafeContextRef context = LLVMOrcCreateNewThreadSafeContext();
        Compiler compiler(code, LLVMOrcThreadSafeContextGetContext(context));
        const LLVMModuleRef module = compiler.compile();
        begin_ = compiler.entry(0);
        for (const std::uint32_t option : code.options) options_.push_back(compiler.entry(option));
        tidy(module);
        const LLVMOrcThreadSafeModuleRef safe = LLVMOrcCreateNewThreadSafeModule(module, context);
        LLVMOrcDisposeThreadSafeContext(context);  // the module keeps it
        if (LLVMErrorRef error = LLVMOrcLLJITAddLLVMIRModule(jit_, LLVMOrcLLJITGetMainJITDylib(jit_), safe))
            return message_of(error);
        LLVMOrcExecutorAddress address = 0;
        if (LLVMErrorRef error = LLVMOrcLLJITLookup(jit_, &address, "run")) return message_of(error);
        // The library gives the address as a number.
        run_ = reinterpret_cast<Run>(address);  // NOLINT(performance-no-int-to-ptr)
        return {};
    }

    Stop begin(ValueId* registers, unsigned quiet) override { return go(registers, begin_, quiet); }
    Stop go_on(ValueId* registers, std::uint32_t choice, std::uint32_t option, unsigned quiet) override {
        return go(registers, options_[first_option_[choice] + option], quiet);
    }

  private:
    Stop go(ValueId* registers, Entry entry, unsigned quiet) {
        const std::uint32_t stop = run_(registers, entry.number, entry.time, quiet, values_, apply_);
        return {(stop & end_bit) != 0, stop & ~end_bit};
    }

    LLVMOrcLLJITRef jit_ = nullptr;
    Run run_ = nullptr;
    std::vector<std::uint32_t> first_option_;
    Entry begin_;
    std::vector<Entry> options_;
    void* values_;
    Apply* apply_;
};

}  // namespace
}  // namespace migc::prove::jit

extern "C" migc::prove::Machine* migc_jit_make(const migc::prove::MachineCode& code, void* values,
                                               migc::prove::jit::Apply* apply, std::string& problem) {
    auto machine = std::make_unique<migc::prove::jit::Compiled>(code, values, apply);
    problem = machine->make(code);
    return problem.empty() ? machine.release() : nullptr;
}
