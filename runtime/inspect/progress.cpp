#include "runtime/inspect/progress.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "compiler/support/json_text.hpp"
#include "compiler/support/read_file.hpp"

namespace migc::runtime::inline inspect {
namespace {

std::filesystem::path file_in(const std::filesystem::path& run_folder) {
    return run_folder / "progress.json";
}

}  // namespace

void to_json(nlohmann::json& json, const Progress& progress) {
    json = {{"step", progress.step},
            {"text", progress.text},
            {"state", progress.state},
            {"since", progress.since_ms}};
}

ProgressFile::ProgressFile(const std::filesystem::path& run_folder)
    : descriptor_(
          ::open(file_in(run_folder).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)) {}

void ProgressFile::on(const Event& event) {
    const auto* of = event.as<events::OfStep>();
    const std::string step = of == nullptr ? "" : of->step.text();
    switch (event.kind()) {
        case EventKind::StepBegun:
        case EventKind::Intent:
            if (progress_.step == step && progress_.text == of->text && progress_.state.empty()) return;
            progress_ = {step, of->text, {}, event.time_ms};
            break;
        case EventKind::UndoIntent:
            progress_ = {step, "undo: " + of->text, {}, event.time_ms};
            break;
        case EventKind::Waiting:
            // Its beginning is told once; later only what it waits for changes.
            if (progress_.step != step) progress_ = {step, of->text, {}, event.time_ms};
            progress_.state = event.as<events::Waiting>()->state;
            break;
        case EventKind::StageEnded:
        case EventKind::RunEnded:
            progress_ = {};
            break;
        default:
            return;
    }
    write();
}

// In place, without a barrier: what a reader cannot parse it reads again.
void ProgressFile::write() {
    if (!descriptor_) return;
    const std::string text =
        nlohmann::json(progress_).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (!overwrite(descriptor_.get(), text)) descriptor_.close();
}

std::optional<Progress> read_progress(const std::filesystem::path& run_folder) {
    constexpr int tries = 3;
    constexpr std::uintmax_t largest = 1 << 20;
    for (int i = 0; i < tries; ++i) {
        const auto json =
            nlohmann::json::parse(read_file(file_in(run_folder), largest).value_or(""), nullptr, false);
        if (!json.is_object()) continue;
        const auto since = json.find("since");
        Progress progress{text_of(json, "step"), text_of(json, "text"), text_of(json, "state"),
                          since != json.end() && since->is_number_integer() ? since->get<Time>() : 0};
        if (progress.step.empty()) return std::nullopt;
        return progress;
    }
    return std::nullopt;
}

}  // namespace migc::runtime::inline inspect
