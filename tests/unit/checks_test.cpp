#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "compiler/checks/edited_files.hpp"
#include "compiler/checks/timeline.hpp"
#include "compiler/support/json_text.hpp"

using namespace migc;
using namespace migc::checks;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

// A folder of its own, with one manifest of two documents.
class Project {
  public:
    Project() : root_(fs::temp_directory_path() / "migc-checks-test") {
        fs::remove_all(root_);
        fs::create_directories(root_ / "k8s");
        std::ofstream(root_ / "k8s/web.yaml") << "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n"
                                                 "data: { a: \"1\", b: \"1\" }\n---\n"
                                                 "apiVersion: v1\nkind: Service\nmetadata: { name: web }\n";
    }
    ~Project() { fs::remove_all(root_); }

    [[nodiscard]] const fs::path& root() const { return root_; }

  private:
    fs::path root_;
};

// A step that changes a file: at a pointer, to a value; without a pointer the whole of it.
Event change(const ir::Probe& probe, const std::string& file, const char* pointer = nullptr,
             std::optional<Value> value = {}) {
    Effect effect;
    effect.probe = &probe;
    effect.becomes = pointer != nullptr && !value ? ir::Becomes::Absent : ir::Becomes::Value;
    effect.value = std::move(value);
    effect.thing = ResourceKey::file(file);
    if (pointer != nullptr) effect.role = {Value(std::string(pointer)), Value(file)};
    if (pointer == nullptr) effect.role = {Value(file)};
    Event event;
    event.act = EventKind::Change;
    event.things = {effect.thing};
    event.effects = {std::move(effect)};
    return event;
}

std::string data_of(const Object* object, const char* key) {
    return object != nullptr ? text_field(object->json, (std::string("/data/") + key).c_str()) : "?";
}

}  // namespace

TEST_CASE("a file is asked for as it is at each step") {
    const Project project;
    SourceMap sources;
    const Manifests manifests(project.root(), sources);
    EditedFiles files(project.root(), sources);
    ir::Probe value, content;
    value.role.role = ir::Role::Value;
    content.role.role = ir::Role::Content;
    const std::string path = "k8s/web.yaml";
    const Object& object = *manifests.of(path).front();

    CHECK(files.version(object) == &object);  // nobody edits it
    files.take(change(value, path, "/0/data/a", Value(std::string("2"))));
    const Moment first = files.now();
    files.take(change(value, path, "/0/data/a", Value(std::string("3"))));
    files.take(change(value, path, "/0/data/b"));
    const Moment third = files.now();

    SECTION("in whatever order it is asked for") {
        CHECK(data_of(files.version(object), "a") == "3");
        CHECK(data_of(files.version(object, first), "a") == "2");
        CHECK(data_of(files.version(object, first), "b") == "1");
        CHECK(data_of(files.version(object, third), "b").empty());
        CHECK(files.version(object, 0) == &object);
        CHECK(files.file("./" + path, first)->at(0).at("data").at("a") == "2");
    }
    SECTION("an edit of which only a run knows the value makes it unknown from then on") {
        files.take(change(value, path, "/0/data/a", Value(Unknown{"of a run"})));
        CHECK(files.object(object) == nullptr);
        CHECK(files.file(path) == nullptr);
        CHECK(data_of(files.version(object, third), "a") == "3");
    }
    SECTION("so does another content, and a file that only a run can name") {
        Event event = change(content, path);
        if (GENERATE(true, false)) event.things = {ResourceKey::some_file()};
        files.take(event);
        CHECK(files.object(object) == nullptr);
        CHECK(files.object(object, third) != nullptr);
    }
    SECTION("so does an edit that may not happen") {
        Event event = change(value, path, "/0/data/a", Value(std::string("4")));
        event.conditional = true;
        CHECK(edits_of(event).empty());
        files.take(event);
        CHECK(files.object(object) == nullptr);
    }
    SECTION("what was renamed is another object") {
        files.take(change(value, path, "/0/metadata/name", Value(std::string("other"))));
        CHECK(files.object(object) == nullptr);
        CHECK(files.object(*manifests.of(path).back()) != nullptr);
    }
}
