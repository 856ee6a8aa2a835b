#include "compiler/support/outside_text.hpp"
#include "runtime/report/event_formatter.hpp"
#include "runtime/report/report.hpp"

namespace migc::runtime::inline report {

namespace {

class PlainReporter : public Reporter {
  public:
    PlainReporter(std::ostream& out, bool colour) : out_(out), narrator_(Style{colour, locale_is_utf8()}) {}

    void on(const Event& event) override {
        for (const std::string& line : narrator_.lines(event)) out_ << log_text(line) << '\n';
        out_.flush();
    }

  private:
    std::ostream& out_;
    EventFormatter narrator_;
};

class JsonReporter : public Reporter {
  public:
    explicit JsonReporter(std::ostream& out) : out_(out) {}

    void on(const Event& event) override {
        using Object = nlohmann::ordered_json;
        const Object object = {{"version", 1},
                               {"event", name(event.kind())},
                               {"time_ms", event.time_ms},
                               {"body", Object(encode(event.body))}};
        out_ << json_for_terminal(object.dump(-1, ' ', true, Object::error_handler_t::replace)) << '\n';
        out_.flush();
    }

  private:
    std::ostream& out_;
};

}  // namespace

std::unique_ptr<Reporter> make_plain_reporter(std::ostream& out, bool colour) {
    return std::make_unique<PlainReporter>(out, colour);
}

std::unique_ptr<Reporter> make_json_reporter(std::ostream& out) {
    return std::make_unique<JsonReporter>(out);
}

}  // namespace migc::runtime::inline report
