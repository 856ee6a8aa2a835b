#include "runtime/evaluate/kept_secrets.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "compiler/semantics/visit.hpp"
#include "compiler/support/json_text.hpp"
#include "compiler/support/write_file.hpp"
#include "runtime/evaluate/evaluate.hpp"
#include "runtime/evaluate/text.hpp"
#include "runtime/journal/operator.hpp"
#include "runtime/tools/redaction.hpp"
#include "runtime/trust/private_folder.hpp"

namespace migc::runtime::inline evaluation {
namespace {

namespace fs = std::filesystem;

constexpr const char* names_file = "run-keys";   // in the run's folder
constexpr const char* keys_folder = "run-keys";  // of this user

// Whether a value came from the journal with a secret taken out of it.
bool has_lost_a_secret(const Value& value) {
    return to_json(value)
               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
               .find(instead_of_secret) != std::string::npos;
}

}  // namespace

bool is_kept_secret(const nlohmann::json& value) {
    return value.is_object() && (value.contains("sealed") || (value.size() == 1 && value.contains("secret")));
}

KeptSecrets::KeptSecrets(fs::path root, bool live, Use use)
    : root_(std::move(root)), live_(live), planning_(use == Use::Planning) {}

void KeptSecrets::belongs_to(const std::string& run, const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    run_ = run;
    folder_ = folder;
    // It was needed before the run had a folder.
    if (!own_.empty() && unstored_.empty() && live_) note_key(own_);
}

void KeptSecrets::note_key(const std::string& name) const {
    const auto known = known_keys();
    if (folder_.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
    std::string names;
    for (const std::string& one : known) names += one + "\n";
    (void)write_file(folder_ / names_file, names + name + "\n", {.mode = 0600});
}

// Every key that was made for this run, in this process or in an earlier one.
std::vector<std::string> KeptSecrets::known_keys() const {
    std::vector<std::string> names;
    std::ifstream file(folder_ / names_file);
    constexpr std::size_t longest_name = 64;
    for (std::string line; !folder_.empty() && std::getline(file, line);)
        if (!line.empty() && line.size() <= longest_name &&
            line.find_first_not_of("0123456789abcdef") == std::string::npos)
            names.push_back(line);
    return names;
}

void KeptSecrets::store(const trust::RunKey& key) {
    const auto place = trust::key_place(root_, keys_folder);
    unstored_ = place ? "" : place.error();
    if (!place) return;
    const std::string about = fmt::format("{} of {}", run_, fs::absolute(root_).lexically_normal().string());
    const auto saved = trust::save_run_key(trust::run_key_file(*place, key.name()), key, about);
    if (!saved) unstored_ = "its key could not be written: " + saved.error();
    if (saved) note_key(key.name());
}

// One key for a run: that of an earlier process, where it can be had here.
const trust::RunKey& KeptSecrets::own_key() {
    if (own_.empty() && live_) {
        std::string ignored;
        for (const std::string& name : known_keys())
            if (own_.empty() && find(name, ignored) != nullptr) own_ = name;
    }
    if (own_.empty()) {
        auto key = live_ ? trust::RunKey::make() : trust::RunKey::of_a_simulation();
        if (live_ && !planning_) store(key);
        own_ = key.name();
        keys_.emplace(own_, std::move(key));
    }
    return keys_.at(own_);
}

nlohmann::json KeptSecrets::keep(const std::string& secret) {
    const std::lock_guard lock(mutex_);
    const trust::RunKey& key = own_key();
    nlohmann::json form = {{"sealed", key.seal(secret)}, {"key", key.name()}, {"by", operator_here()}};
    if (!unstored_.empty()) form["in_memory"] = unstored_;
    return form;
}

const trust::RunKey* KeptSecrets::find(const std::string& name, std::string& why) {
    if (const auto known = keys_.find(name); known != keys_.end()) return &known->second;
    if (!live_) {
        auto key = trust::RunKey::of_a_simulation();
        if (key.name() == name) return &keys_.emplace(name, std::move(key)).first->second;
    }
    const fs::path folder = trust::run_keys_folder();
    auto key = folder.empty() ? tl::unexpected<std::string>("there is no home folder in which it could lie")
                              : trust::load_run_key(trust::run_key_file(folder, name));
    if (key && key->name() == name) return &keys_.emplace(name, std::move(*key)).first->second;
    why = key ? "the file of that name holds another key" : key.error();
    return nullptr;
}

tl::expected<std::string, std::string> KeptSecrets::open(const nlohmann::json& form) {
    const std::lock_guard lock(mutex_);
    std::string why;
    if (const trust::RunKey* key = find(text_of(form, "key"), why)) return key->open(text_of(form, "sealed"));
    if (const std::string memory = text_of(form, "in_memory"); !memory.empty())
        return tl::unexpected(fmt::format("it was kept only while that run went on: {}. Put it back by hand",
                                          printable(memory, 300)));
    return tl::unexpected(fmt::format(
        "it is kept encrypted to the run's key, which {} has and this operator ({}) has not: {}. Undo it "
        "there, or put it back by hand",
        printable(text_of(form, "by"), 100), operator_here(), printable(why, 300)));
}

tl::expected<std::string, std::string> KeptSecrets::keeper() const {
    if (live_)
        if (const auto place = trust::key_place(root_, keys_folder); !place)
            return tl::unexpected(place.error());
    return operator_here();
}

void KeptSecrets::erase() {
    const std::lock_guard lock(mutex_);
    keys_.clear();
    own_.clear();
    if (!live_) return;
    const fs::path folder = trust::run_keys_folder();
    for (const std::string& name : known_keys())
        if (!folder.empty()) static_cast<void>(trust::erase_run_key(trust::run_key_file(folder, name)));
}

nlohmann::json kept_form(KeptSecrets* kept, const ir::Expr& expression, const Scope& scope,
                         const Value& value) {
    if (value.is_absent() || value.is_unknown()) return nullptr;
    if (expression.kind == ir::ExprKind::Param) return {{"secret", expression.name}};
    if (expression.kind == ir::ExprKind::Local)
        if (const Binding* binding = scope.find(expression.name);
            binding != nullptr && !binding->kept.is_null())
            return binding->kept;
    return captured_form(kept, value);
}

nlohmann::json captured_form(KeptSecrets* kept, const Value& value) {
    if (kept == nullptr || value.is_absent() || value.is_unknown()) return nullptr;
    return kept->keep(to_json(value).dump());
}

std::optional<std::string> lost_secret(Evaluator& evaluator, const ir::Undo& undo, const Scope& scope) {
    std::optional<std::string> lost;
    const auto visit = [&](const ir::Expr& name) {
        const bool is_name = name.kind == ir::ExprKind::Local || name.kind == ir::ExprKind::Param;
        if (lost || !is_name) return;
        const Reading reading = evaluator.evaluate(name, scope);
        if (name.type.kind != ir::TypeKind::Secret) {
            if (evaluator.kind() == "live" && !reading.value.is_unknown() && has_lost_a_secret(reading.value))
                lost = fmt::format(
                    "`{}` held a secret, which the journal does not keep where nobody said that there is one; "
                    "put it back by hand",
                    name.name);
            return;
        }
        const auto* no = reading.value.get_if<Unknown>();
        if (no != nullptr)
            lost = fmt::format("the secret `{}` cannot be had here: {}", name.name, no->reason);
    };
    semantics::each_expression(undo.steps, visit);
    return lost;
}

}  // namespace migc::runtime::inline evaluation
