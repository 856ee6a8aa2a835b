// The instructions of a system as machine code, through LLVM's ORC and its C interface.
#include <array>
#include <cstdint>
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

#include "runtime/prove/jit/plugin.hpp"

namespace migc::prove::jit {
namespace {

// What the code gives back: the number of a choice, or with this bit that of an end.
constexpr std::uint32_t end_bit = 0x8000'0000;

using Run = std::uint32_t (*)(ValueId* registers, std::uint32_t entry, std::uint32_t quiet, void* values,
                              Apply* apply);

class Compiler {
  public:
    Compiler(const MachineCode& code, LLVMContextRef context)
        : code_(code),
          context_(context),
          builder_(LLVMCreateBuilderInContext(context)),
          module_(LLVMModuleCreateWithNameInContext("system", context)),
          i32_(LLVMInt32TypeInContext(context)),
          i64_(LLVMInt64TypeInContext(context)),
          pointer_(LLVMPointerType(LLVMInt8TypeInContext(context), 0)) {}
    ~Compiler() { LLVMDisposeBuilder(builder_); }
    Compiler(const Compiler&) = delete;
    Compiler& operator=(const Compiler&) = delete;

    LLVMModuleRef compile() {
        std::array<LLVMTypeRef, 4> given = {pointer_, i32_, i32_, i32_};
        apply_type_ = LLVMFunctionType(i32_, given.data(), 4, 0);
        std::array<LLVMTypeRef, 5> parameters = {LLVMPointerType(i32_, 0), i32_, i32_, pointer_,
                                                 LLVMPointerType(apply_type_, 0)};
        function_ = LLVMAddFunction(module_, "run", LLVMFunctionType(i32_, parameters.data(), 5, 0));
        registers_ = LLVMGetParam(function_, 0);
        make_blocks();
        enter();
        for (std::uint32_t at = 0; at < code_.code.size(); ++at) instruction(at);
        return module_;
    }

  private:
    LLVMValueRef number(std::uint32_t value) { return LLVMConstInt(i32_, value, 0); }
    LLVMValueRef constant(std::uint16_t value) { return LLVMConstInt(i32_, value, 0); }
    LLVMBasicBlockRef new_block() { return LLVMAppendBasicBlockInContext(context_, function_, ""); }

    // A block begins where something jumps to, and behind whatever jumps.
    void make_blocks() {
        std::vector<char> begins(code_.code.size() + 1, 0);
        begins[code_.entry] = 1;
        for (const std::uint32_t place : code_.options) begins[place] = 1;
        for (const std::uint32_t place : code_.returns) begins[place] = 1;
        for (std::uint32_t at = 0; at < code_.code.size(); ++at) {
            const Op op = code_.code[at].op;
            if (op == Op::Set || op == Op::Copy || op == Op::Apply) continue;
            begins[at + 1] = 1;
            if (op != Op::Choose && op != Op::Return && op != Op::End) begins[code_.code[at].target] = 1;
        }
        first_ = new_block();
        blocks_.assign(code_.code.size() + 1, nullptr);
        for (std::uint32_t at = 0; at < code_.code.size(); ++at)
            if (begins[at] != 0) blocks_[at] = new_block();
    }

    // Where the last stop was decides where it goes on: entry 0 is the beginning, the others are the options.
    void enter() {
        LLVMPositionBuilderAtEnd(builder_, first_);
        const auto count = static_cast<unsigned>(code_.options.size());
        const LLVMValueRef choice =
            LLVMBuildSwitch(builder_, LLVMGetParam(function_, 1), blocks_[code_.entry], count);
        for (std::uint32_t i = 0; i < code_.options.size(); ++i)
            LLVMAddCase(choice, number(i + 1), blocks_[code_.options[i]]);
    }

    LLVMValueRef place(std::uint16_t reg) {
        LLVMValueRef index = number(reg);
        return LLVMBuildInBoundsGEP2(builder_, i32_, registers_, &index, 1, "");
    }
    LLVMValueRef load(std::uint16_t reg) { return LLVMBuildLoad2(builder_, i32_, place(reg), ""); }
    void store(std::uint16_t reg, LLVMValueRef value) { LLVMBuildStore(builder_, value, place(reg)); }

    void branch(LLVMIntPredicate predicate, LLVMValueRef a, LLVMValueRef b, std::uint32_t target,
                std::uint32_t next) {
        LLVMBuildCondBr(builder_, LLVMBuildICmp(builder_, predicate, a, b, ""), blocks_[target],
                        blocks_[next]);
    }

    void instruction(std::uint32_t at) {
        if (blocks_[at] != nullptr) LLVMPositionBuilderAtEnd(builder_, blocks_[at]);
        const Instruction& one = code_.code[at];
        switch (one.op) {
            case Op::Set:
                store(one.a, constant(one.b));
                break;
            case Op::Copy:
                store(one.a, load(one.b));
                break;
            case Op::Apply:
                ask(one);
                break;
            case Op::Jump:
                LLVMBuildBr(builder_, blocks_[one.target]);
                return;
            case Op::IfSame:
                return branch(LLVMIntEQ, load(one.a), load(one.b), one.target, at + 1);
            case Op::IfDiffer:
                return branch(LLVMIntNE, load(one.a), load(one.b), one.target, at + 1);
            case Op::IfIs:
                return branch(LLVMIntEQ, load(one.a), constant(one.b), one.target, at + 1);
            case Op::IfIsNot:
                return branch(LLVMIntNE, load(one.a), constant(one.b), one.target, at + 1);
            case Op::Choose:
                return choose(one.target);
            case Op::Return:
                return go_back(one.a);
            case Op::End:
                LLVMBuildRet(builder_, number(one.target | end_bit));
                return;
            case Op::Say:
                break;
        }
        if (blocks_[at + 1] != nullptr) LLVMBuildBr(builder_, blocks_[at + 1]);
    }

    // A function's value. Each place keeps its last question and the answer, as it is mostly asked the same.
    void ask(const Instruction& one) {
        const LLVMValueRef a = load(one.b), b = load(one.c);
        const LLVMValueRef question = kept(i64_), answer = kept(i32_);
        const LLVMValueRef asked = LLVMBuildOr(
            builder_,
            LLVMBuildShl(builder_, LLVMBuildZExt(builder_, a, i64_, ""), LLVMConstInt(i64_, 32, 0), ""),
            LLVMBuildZExt(builder_, b, i64_, ""), "");
        const LLVMBasicBlockRef new_one = new_block(), known = new_block();
        const LLVMValueRef same =
            LLVMBuildICmp(builder_, LLVMIntEQ, asked, LLVMBuildLoad2(builder_, i64_, question, ""), "");
        expect_first(LLVMBuildCondBr(builder_, same, known, new_one));
        LLVMPositionBuilderAtEnd(builder_, new_one);
        std::array<LLVMValueRef, 4> given = {LLVMGetParam(function_, 3), number(one.d), a, b};
        const LLVMValueRef told =
            LLVMBuildCall2(builder_, apply_type_, LLVMGetParam(function_, 4), given.data(), 4, "");
        LLVMBuildStore(builder_, asked, question);
        LLVMBuildStore(builder_, told, answer);
        LLVMBuildBr(builder_, known);
        LLVMPositionBuilderAtEnd(builder_, known);
        store(one.a, LLVMBuildLoad2(builder_, i32_, answer, ""));
    }

    LLVMValueRef kept(LLVMTypeRef type) {
        const LLVMValueRef place = LLVMAddGlobal(module_, type, "");
        LLVMSetLinkage(place, LLVMInternalLinkage);
        LLVMSetInitializer(place, LLVMConstAllOnes(type));
        return place;
    }

    void choose(std::uint32_t choice) {
        if (code_.is_fault[choice] == 0) {
            LLVMBuildRet(builder_, number(choice));
            return;
        }
        const LLVMBasicBlockRef stop = new_block();
        const LLVMValueRef quiet =
            LLVMBuildICmp(builder_, LLVMIntNE, LLVMGetParam(function_, 2), number(0), "");
        const LLVMValueRef branch =
            LLVMBuildCondBr(builder_, quiet, blocks_[code_.options[code_.first_option[choice]]], stop);
        expect_first(branch);
        LLVMPositionBuilderAtEnd(builder_, stop);
        LLVMBuildRet(builder_, number(choice));
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

    void go_back(std::uint16_t reg) {
        const LLVMBasicBlockRef never = new_block();
        const LLVMValueRef choice =
            LLVMBuildSwitch(builder_, load(reg), never, static_cast<unsigned>(code_.returns.size()));
        for (std::uint32_t i = 0; i < code_.returns.size(); ++i)
            LLVMAddCase(choice, constant(static_cast<std::uint16_t>(i)), blocks_[code_.returns[i]]);
        LLVMPositionBuilderAtEnd(builder_, never);
        LLVMBuildUnreachable(builder_);
    }

    const MachineCode& code_;
    LLVMContextRef context_;
    LLVMBuilderRef builder_;
    LLVMModuleRef module_;
    LLVMTypeRef i32_, i64_, pointer_, apply_type_ = nullptr;
    LLVMValueRef function_ = nullptr, registers_ = nullptr;
    LLVMBasicBlockRef first_ = nullptr;
    std::vector<LLVMBasicBlockRef> blocks_;
};

void tidy(LLVMModuleRef module) {
    const LLVMPassManagerRef passes = LLVMCreatePassManager();
    LLVMAddCFGSimplificationPass(passes);
    LLVMAddEarlyCSEPass(passes);
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
        const LLVMModuleRef module = Compiler(code, LLVMOrcThreadSafeContextGetContext(context)).compile();
        tidy(module);
        const LLVMOrcThreadSafeModuleRef safe = LLVMOrcCreateNewThreadSafeModule(module, context);
        LLVMOrcDisposeThreadSafeContext(context);  // the module keeps it
        if (LLVMErrorRef error = LLVMOrcLLJITAddLLVMIRModule(jit_, LLVMOrcLLJITGetMainJITDylib(jit_), safe))
            return message_of(error);
        LLVMOrcExecutorAddress address = 0;
        if (LLVMErrorRef error = LLVMOrcLLJITLookup(jit_, &address, "run")) return message_of(error);
        run_ = reinterpret_cast<Run>(address);
        return {};
    }

    Stop begin(ValueId* registers, bool quiet) override { return run(registers, 0, quiet); }
    Stop go_on(ValueId* registers, std::uint32_t choice, std::uint32_t option, bool quiet) override {
        return run(registers, first_option_[choice] + option + 1, quiet);
    }

  private:
    Stop run(ValueId* registers, std::uint32_t entry, bool quiet) {
        const std::uint32_t stop = run_(registers, entry, quiet ? 1 : 0, values_, apply_);
        return {(stop & end_bit) != 0, stop & ~end_bit};
    }

    LLVMOrcLLJITRef jit_ = nullptr;
    Run run_ = nullptr;
    std::vector<std::uint32_t> first_option_;
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
