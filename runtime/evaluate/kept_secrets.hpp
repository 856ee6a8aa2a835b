// The secrets that an undo needs: as the journal keeps them, and how they become values again.
//
// A secret of migc.yaml is kept by its name, {"secret": "token"}, and read anew where it is needed. Any other
// one (what a capture read, what a step yielded) is sealed to the run's key: {"sealed": base64, "key": its
// name, "by": who has it}.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "compiler/ir/program.hpp"
#include "runtime/trust/sealed_box.hpp"

namespace migc::runtime::inline evaluation {

class Evaluator;
class Scope;

// Whether a value of the journal is the kept form of a secret.
bool is_kept_secret(const nlohmann::json& value);

// The keys of one run. Safe to use from several threads.
class KeptSecrets {
  public:
    // A plan keeps nothing, and says only who could.
    enum class Use : std::uint8_t { Running, Planning };
    // `root` is the project's folder, in which no key may lie. What is not live needs no key: nothing in it
    // is secret.
    KeptSecrets(std::filesystem::path root, bool live, Use use = Use::Running);

    // The run whose secrets these are, and its folder, in which the names of its keys are noted.
    void belongs_to(const std::string& run, const std::filesystem::path& folder);

    // The sealed form. The run's key is made with the first one; where it cannot be stored it ends with this
    // process, and the form says why.
    nlohmann::json keep(const std::string& secret);
    // The error, for people: whose key it wants, or why there is none.
    tl::expected<std::string, std::string> open(const nlohmann::json& form);

    // Who can open what is kept after this process has ended: "ann on web1". The error: nobody, and why.
    [[nodiscard]] tl::expected<std::string, std::string> keeper() const;

    // Nobody can open any more what was kept for this run, this process included.
    void erase();

  private:
    const trust::RunKey& own_key();
    std::vector<std::string> known_keys() const;
    void store(const trust::RunKey& key);
    void note_key(const std::string& name) const;
    const trust::RunKey* find(const std::string& name, std::string& why);

    std::filesystem::path root_;
    bool live_;
    bool planning_;
    std::string run_;
    std::filesystem::path folder_;
    std::mutex mutex_;
    std::map<std::string, trust::RunKey> keys_;  // by name; those that were needed
    std::string own_;                            // the name of the one that seals; empty: none yet
    std::string unstored_;                       // why it is in memory only; empty if it is not
};

// The kept form of what `expression` has given in `scope`: by name where it is a secret of migc.yaml, else
// sealed. Null for an absent value, and where nobody keeps anything.
nlohmann::json kept_form(KeptSecrets* kept, const ir::Expr& expression, const Scope& scope,
                         const Value& value);

// The kept form of a captured value: always sealed, since what is read anew later may be another one by then.
nlohmann::json captured_form(KeptSecrets* kept, const Value& value);

// The first secret that an inverse uses and that cannot be had here, with the reason; nothing if it has all.
// A value out of which the journal has taken a secret counts as one.
std::optional<std::string> lost_secret(Evaluator& evaluator, const ir::Undo& undo, const Scope& scope);

}  // namespace migc::runtime::inline evaluation
