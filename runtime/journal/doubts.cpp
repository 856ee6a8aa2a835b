#include "runtime/journal/doubts.hpp"

#include <algorithm>

#include "compiler/source/json_text.hpp"

namespace migc::runtime {
namespace {

bool is_composite(const nlohmann::json& intent) {
    return !intent.contains("before") && text_of(intent, "command").empty();
}

class Doubts {
  public:
    void read(const Event& event) {
        switch (event.kind) {
            case EventKind::Intent:
                if (!is_composite(event.body)) begin(event.body, false);
                break;
            case EventKind::UndoIntent:
                begin(event.body, true);
                break;
            case EventKind::Outcome:
                end(event.body, false);
                break;
            case EventKind::UndoOutcome:
                end(event.body, true);
                break;
            case EventKind::Resolved:
                forget(text_of(event.body, "step"), text_of(event.body, "part") == "inverse");
                break;
            default:
                break;
        }
    }

    std::vector<OpenStep> found;

  private:
    OpenStep* find(const std::string& step, bool inverse) {
        const auto one = std::find_if(found.begin(), found.end(), [&](const OpenStep& open) {
            return open.step == step && open.inverse == inverse;
        });
        return one == found.end() ? nullptr : &*one;
    }

    void forget(const std::string& step, bool inverse) {
        std::erase_if(found,
                      [&](const OpenStep& open) { return open.step == step && open.inverse == inverse; });
    }

    OpenStep& begin(const nlohmann::json& body, bool inverse) {
        const std::string step = text_of(body, "step");
        if (OpenStep* open = find(step, inverse)) return *open;
        found.push_back({text_of(body, "stage"), step, text_of(body, "text"), {}, inverse, false});
        return found.back();
    }

    // Of an inverse in parts, the last part that ends well ends it as far as one can see.
    void end(const nlohmann::json& body, bool inverse) {
        if (outcome_in(body) != Outcome::InDoubt) return forget(text_of(body, "step"), inverse);
        OpenStep& open = begin(body, inverse);
        open.in_doubt = true;
        open.message = text_of(body, "message");
        if (!body.contains("part")) open.text = text_of(body, "text");
    }
};

}  // namespace

std::vector<OpenStep> open_steps(const std::vector<Event>& events) {
    Doubts doubts;
    for (const Event& event : events) doubts.read(event);
    return std::move(doubts.found);
}

}  // namespace migc::runtime
