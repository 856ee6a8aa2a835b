// Files that people sign: whatever stands in them, nobody has approved anything with them, unless the
// signature is right. No fuzzer makes one.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "runtime/trust/approval.hpp"
#include "runtime/trust/evidence.hpp"

using namespace migc::trust;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string key = show(PrivateKey::make().public_key());
    const std::string text(reinterpret_cast<const char*>(data), size);
    Question question;
    question.digest = std::string(64, 'a');
    question.people = {"ops", "lead"};
    question.approvers = {{"ops", key}, {"lead", key}};
    question.now = 1'768'010'400'000;
    question.files = {{"file", text}, {"again", text}};
    if (judge(question).enough) std::abort();
    if (read_evidence(text, {question.approvers, {}, {}})) std::abort();
    static_cast<void>(parse_key(text));
    return 0;
}
