#include "runtime/trust/approval.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "compiler/support/escape.hpp"
#include "compiler/support/failure.hpp"
#include "compiler/support/json_text.hpp"
#include "runtime/trust/runner.hpp"
#include "runtime/trust/statement.hpp"
#include "runtime/trust/times.hpp"

namespace migc::trust {
namespace {

using nlohmann::json;

constexpr const char* approval_kind = "migc-approval";
constexpr Time clock_tolerance_ms = Time{5} * 60'000;  // by which the clocks of two machines may differ

struct Signed {
    Approval approval;
    PublicKey key;
    std::string id;
};

tl::expected<Signed, std::string> read(const std::string& text) {
    const auto statement = read_statement(approval_kind, text);
    if (!statement) return failure(statement.error());
    const auto text_at = [&](const char* key) { return text_of(statement->content, key); };
    const auto made = read_time(text_at("made")), expires = read_time(text_at("expires"));
    Signed result{{text_at("name"), text_at("run"), text_at("title"), text_at("account"), made.value_or(0),
                   expires.value_or(0)},
                  statement->key,
                  statement->id};
    if (result.approval.name.empty() || result.approval.digest.empty() || !made || !expires)
        return failure("something is missing in it: name, run, made or expires");
    return result;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
    return std::ranges::find(list, text) != list.end();
}

// Who has approved; else why this file does not count.
class Judge {
  public:
    explicit Judge(const Question& question) : question_(question) {}

    Judgement judge() {
        std::vector<std::string> refused;
        for (const File& file : question_.files)
            if (const auto why = refusal(file.text); !why.empty())
                refused.push_back(fmt::format("{}: {}", escaped(file.name), why));
        if (of_others_ > 0)
            refused.push_back(fmt::format("{} {} another run, or this one as it was before a change",
                                          of_others_, of_others_ == 1 ? "file approves" : "files approve"));
        return answer(refused);
    }

  private:
    std::string refusal(const std::string& text) {
        const auto given = read(text);
        if (!given) return given.error();
        const Approval& approval = given->approval;
        const std::string name = escaped(approval.name);
        if (approval.digest != question_.digest) return ++of_others_, "";
        if (!contains(question_.people, approval.name)) return fmt::format("{} is not asked here", name);
        const auto listed = question_.approvers.find(approval.name);
        if (listed == question_.approvers.end()) return fmt::format("migc.yaml has no key of {}", name);
        const auto key = parse_key(listed->second);
        if (!key || !(*key == given->key))
            return fmt::format("it is signed with another key than that of {} in migc.yaml", name);
        // Whoever makes the plan's file can write any title into it; the digest has the right one.
        if (!approval.title.empty() && approval.title != question_.title)
            return fmt::format("it approves `{}`, and this run is `{}`", escaped(approval.title),
                               escaped(question_.title));
        if (const auto why = at_wrong_time(approval); !why.empty()) return why;
        if (is_run_by(question_.runner, approval.name, question_.approvers, question_.users))
            return fmt::format("{} runs it, and so cannot approve it", name);
        if (const auto run = used_by(given->id); !run.empty())
            return fmt::format("run {} has used it up; a further run takes a new one", run);
        if (!question_.gone.empty() && approval.made <= question_.gone_since + clock_tolerance_ms)
            return fmt::format(
                "whether it was used up already cannot be told: {}. Or take an approval that is "
                "signed after {}",
                question_.gone, written_time(question_.gone_since + clock_tolerance_ms));
        if (contains(approved_, approval.name)) return fmt::format("{} has approved already", name);
        if (std::find(keys_.begin(), keys_.end(), *key) != keys_.end())
            return fmt::format("{} has the same key as another approver", name);
        approved_.push_back(approval.name);
        keys_.push_back(*key);
        counted_.push_back(given->id);
        return {};
    }

    [[nodiscard]] std::string at_wrong_time(const Approval& approval) const {
        if (approval.made > question_.now + clock_tolerance_ms)
            return "it was made in the future; a clock is wrong";
        if (approval.expires <= question_.now) return "it expired " + written_time(approval.expires);
        return {};
    }

    // A run that goes on is still the one that it was given for.
    [[nodiscard]] std::string used_by(const std::string& id) const {
        const auto used = question_.used.find(id);
        if (used == question_.used.end()) return {};
        const auto other = std::find_if(used->second.begin(), used->second.end(),
                                        [&](const std::string& run) { return run != question_.run; });
        return other == used->second.end() ? "" : *other;
    }

    [[nodiscard]] Judgement answer(const std::vector<std::string>& refused) const {
        Judgement result;
        result.approved = approved_;
        std::sort(result.approved.begin(), result.approved.end());
        result.enough = question_.count > 0 && static_cast<std::int64_t>(approved_.size()) >= question_.count;
        result.counted = counted_;
        if (result.enough) {
            result.why = fmt::format("approved by {}", fmt::join(result.approved, ", "));
            return result;
        }
        result.why = fmt::format("{} of {} approvals", approved_.size(), question_.count);
        if (!approved_.empty()) result.why += fmt::format(", by {}", fmt::join(result.approved, ", "));
        for (const std::string& why : refused) result.why += "; " + why;
        return result;
    }

    const Question& question_;
    std::vector<std::string> approved_;
    std::vector<PublicKey> keys_;
    std::vector<std::string> counted_;
    int of_others_ = 0;
};

}  // namespace

std::string approval_file(const Approval& approval, const PrivateKey& key) {
    // Two of the same second are two approvals.
    const std::string nonce = random_text();
    const json content = {{"nonce", nonce},
                          {"name", approval.name},
                          {"run", approval.digest},
                          {"title", approval.title},
                          {"account", approval.account},
                          {"made", written_time(approval.made)},
                          {"expires", written_time(approval.expires)}};
    return sign(approval_kind, content, key).dump(1) + "\n";
}

Judgement judge(const Question& question) {
    for (const std::string& why : {question.runner.unknown, question.unknown})
        if (!why.empty()) return {false, {}, {}, why};
    return Judge(question).judge();
}

}  // namespace migc::trust
